"""The plan of a circuit, computed once per structure: constants, and which parameter drives which slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from qiskit.circuit import Parameter

from qiskit_hqnn.circuits import Template
from qiskit_hqnn.simulation.planning.costs import multiplied_from
from qiskit_hqnn.simulation.planning.layering import Layer, arrange
from qiskit_hqnn.simulation.planning.light_cone import (
    cut_to_light_cone,
    is_fixed,
    product_of,
    pull_measurement_back,
)
from qiskit_hqnn.simulation.planning.lowering import PAULI, Angle, Fixed, Rotation
from qiskit_hqnn.simulation.planning.measurement import Basis, bases_of
from qiskit_hqnn.simulation.planning.source import Source
from qiskit_hqnn.simulation.planning.steps import (
    WHOLE,
    Gates,
    Phases,
    Product,
    Step,
    each_step,
    explain,
    is_one_upload,
    multiply_runs,
    qubit_blocks,
    tight_blocks,
)


@dataclass(frozen=True, eq=False)
class Slots:
    """Angles of a plan as an affine map: slots = matrix @ columns + offsets, radians.

    Attributes:
        matrix: array of shape (slots, columns).
        offsets: array of shape (slots,).
    """

    matrix: np.ndarray
    offsets: np.ndarray

    @property
    def count(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, eq=False)
class Plan:
    """How a circuit is evaluated; `print(plan)` explains it.

    Attributes:
        num_qubits: of the simulation; qubits that no output depends on are left out.
        num_inputs, num_weights, num_outputs: sizes of the circuit.
        initial: a matrix for each qubit whose constant initial state is not |0⟩.
        steps: what is applied to the state, in order.
        bases: the measurements of the outputs.
        layered: steps and bases without products; None if there are no products.
        row_slots: angles that may differ from sample to sample; its columns are the inputs, then the weights where an
            angle mixes both, then the nonlinear angles.
        weight_slots: phases of weights; its columns are the weights, then the nonlinear angles of weights.
        gate_slots: angles of the weighted gates, (weighted layers · qubits · length); columns as above.
        gate_cos, gate_sin: arrays (layers, qubits, length, 2, 2): a gate is cos(θ/2) · gate_cos + sin(θ/2) · gate_sin.
        mixes: whether row slots have columns for the weights.
        row_nonlinear, weight_nonlinear: template angles that an expression computes.
        template: the circuit over its angles.
        parameters: inputs, then weights.
    """

    num_qubits: int
    num_inputs: int
    num_weights: int
    num_outputs: int
    initial: dict[int, np.ndarray]
    steps: tuple[Step | Product, ...]
    bases: tuple[Basis, ...]
    layered: tuple[tuple[Step, ...], tuple[Basis, ...]] | None
    row_slots: Slots
    weight_slots: Slots
    gate_slots: Slots
    gate_cos: np.ndarray
    gate_sin: np.ndarray
    mixes: bool
    row_nonlinear: tuple[int, ...]
    weight_nonlinear: tuple[int, ...]
    template: Template
    parameters: tuple[Parameter, ...]

    @cached_property
    def seen(self) -> np.ndarray:
        """Mask of shape (inputs + weights,): those that reach an output; the derivatives of the others are zero."""
        angles = {*self.row_nonlinear, *self.weight_nonlinear}
        nonlinear = {p for index in angles for p in self.template.nonlinear[index].parameters}
        rows = (self.row_slots.matrix != 0).any(axis=0)
        of_weights = [(slots.matrix != 0).any(axis=0) for slots in (self.weight_slots, self.gate_slots)]
        seen = np.array([parameter in nonlinear for parameter in self.parameters], dtype=bool)
        linear = len(rows) - len(self.row_nonlinear)
        seen[:linear] |= rows[:linear]
        for columns in of_weights:
            seen[self.num_inputs :] |= columns[: self.num_weights]
        return seen

    @cached_property
    def sees_all(self) -> bool:
        """Whether every input and weight reaches an output."""
        return bool(self.seen.all())

    @cached_property
    def one_upload(self) -> bool:
        """Whether the inputs are one layer of phases at the start, followed by one small matrix."""
        return (
            self.num_qubits <= WHOLE
            and bool(self.bases)
            and is_one_upload(self.steps)
            and self.steps[0].rows is None  # type: ignore[union-attr]
            and all(isinstance(step, Product) for step in self.steps[1:])
        )

    def multiplied_from(self, copies: int) -> float:
        """The smallest batch for which products are faster than `one_by_one`, by the model in `costs`."""
        return (
            0
            if self.layered is None
            else multiplied_from(self.steps, self.num_qubits, self.one_upload, copies)
        )

    def one_by_one(self) -> Plan:
        """The same plan without products: every layer of weights is applied to the samples."""
        if self.layered is None:
            return self
        steps, bases = self.layered
        return replace(self, steps=steps, bases=bases, layered=None)

    def masks(self) -> list[int]:
        """Number of parity masks of each step's phases."""
        phases = [step.phases for step in each_step(self.steps) if step.phases is not None]
        return [max(len(part.row_masks), len(part.weight_masks)) for part in phases]

    @property
    def weighted_layers(self) -> int:
        return len(self.gate_cos)

    def __str__(self) -> str:
        lines = [
            f"{self.template.circuit.num_qubits} qubits, {self.num_inputs} inputs, {self.num_weights} weights, "
            f"{self.num_outputs} outputs",
            "  start   constant product state" if self.initial else "  start   |0…0⟩",
        ]
        if self.num_qubits < self.template.circuit.num_qubits:
            lines.append(f"  only {self.num_qubits} of them can reach an output: the others are left out")
        for number, step in enumerate(self.steps):
            lines += [f"  step {number} {part}" for part in explain(step)]
        if (least := self.multiplied_from(copies=1)) > 1:
            lines.append(
                f"  for batches below {least:.0f} the layers of weights one by one, applied to the samples"
            )
        for basis in self.bases:
            change = f"change of basis on {len(basis.gates)} qubits, then " if basis.gates else ""
            lines.append(
                f"  measure {change}{len(basis.terms)} Pauli strings as signed sums of probabilities"
            )
        return "\n".join(lines)


def make_plan(source: Source, keep_state: bool = False) -> Plan:
    """Plan a circuit's evaluation; pure, and independent of batch size, dtype and device.

    With `keep_state` the state itself is needed: nothing moves into the measurement.
    """
    ansatz, template = source.ansatz, source.template
    split = ansatz.num_inputs
    row_angles = template.depends_on(range(split))
    for index, expression in template.nonlinear.items():
        row_angles[index] = bool(set(expression.parameters) & set(ansatz.input_params))
    of_weights = set(np.flatnonzero(~row_angles).tolist())
    layers = arrange(source.primitives, ansatz.num_qubits, of_weights)
    bases: list[Basis] = []
    num_qubits = ansatz.num_qubits
    if not keep_state:
        layers, terms, last_gates = cut_to_light_cone(*pull_measurement_back(layers, ansatz.observables))
        bases, num_qubits = bases_of(terms, last_gates), layers[0].num_qubits
    builder = _Slotter(template, split, row_angles)
    first, later = layers[0], layers[1:]
    gates_at = _weighted_positions(later)
    cos, sin, angles = _weighted_gates(later, gates_at, num_qubits)
    row: list[Angle] = []
    weight: list[Angle] = []
    steps: list[Step] = []
    for layer in layers:
        gates = None if layer is first else _gates(layer, gates_at)
        phases = _phases(layer, of_weights, row, weight)
        rows = tuple(layer.rows) if layer.permutes else None
        if gates or phases or rows:
            steps.append(Step(gates, phases, rows))
    plain = tuple(steps), tuple(bases)
    arranged, bases = multiply_runs(steps, bases, num_qubits)
    return Plan(
        num_qubits=num_qubits,
        num_inputs=split,
        num_weights=ansatz.num_weights,
        num_outputs=ansatz.num_outputs,
        initial={qubit: product_of(gates) for qubit, gates in first.gates.items()},
        steps=arranged,
        bases=tuple(bases),
        layered=plain if any(isinstance(step, Product) for step in arranged) else None,
        row_slots=builder.slots(row, by_row=True),
        weight_slots=builder.slots(weight, by_row=False),
        gate_slots=builder.slots(angles, by_row=False),
        gate_cos=cos,
        gate_sin=sin,
        mixes=builder.mixes,
        row_nonlinear=builder.row_nonlinear,
        weight_nonlinear=builder.weight_nonlinear,
        template=template,
        parameters=source.parameters,
    )


def _weighted_positions(layers: list[Layer]) -> dict[int, int]:
    weighted = [layer for layer in layers if layer.gates and not is_fixed(layer)]
    return {id(layer): position for position, layer in enumerate(weighted)}


def _gates(layer: Layer, positions: dict[int, int]) -> Gates | None:
    if not layer.gates:
        return None
    active = sorted(layer.gates)
    if id(layer) in positions:
        return Gates(None, positions[id(layer)], _whole_blocks(layer.num_qubits, active))
    return Gates({qubit: product_of(layer.gates[qubit]) for qubit in active}, None, tight_blocks(active))


def _whole_blocks(num_qubits: int, active: list[int]) -> tuple[tuple[int, int], ...]:
    """All qubits in blocks of nearly equal size; blocks without an active qubit are left out."""
    return tuple(
        (start, size)
        for start, size in qubit_blocks(num_qubits)
        if any(start <= qubit < start + size for qubit in active)
    )


def _weighted_gates(
    layers: list[Layer], positions: dict[int, int], num_qubits: int
) -> tuple[np.ndarray, np.ndarray, list[Angle]]:
    """Each qubit's gates as a product of cos(θ/2) A + sin(θ/2) B, padded with identities to one length."""
    weighted = [layer for layer in layers if id(layer) in positions]
    factors = [[_factors(layer.gates.get(qubit, [])) for qubit in range(num_qubits)] for layer in weighted]
    length = max((len(row) for layer in factors for row in layer), default=1)
    shape = (len(weighted), num_qubits, length, 2, 2)
    cos, sin = np.broadcast_to(np.eye(2, dtype=complex), shape).copy(), np.zeros(shape, dtype=complex)
    angles = [Angle(None)] * int(np.prod(shape[:3]))
    for s, layer in enumerate(factors):
        for qubit, row in enumerate(layer):
            for position, (a, b, angle) in enumerate(row):
                cos[s, qubit, position], sin[s, qubit, position] = a, b
                angles[(s * num_qubits + qubit) * length + position] = angle
    return cos, sin, angles


def _factors(gates: Sequence[Fixed | Rotation]) -> list[tuple[np.ndarray, np.ndarray, Angle]]:
    factors: list[tuple[np.ndarray, np.ndarray, Angle]] = []
    before = np.eye(2, dtype=complex)
    for gate in gates:
        if isinstance(gate, Rotation):
            factors.append((before, -1j * PAULI[gate.axis] @ before, gate.angle))
            before = np.eye(2, dtype=complex)
        elif factors:
            cos, sin, angle = factors[-1]
            factors[-1] = (gate.matrix @ cos, gate.matrix @ sin, angle)
        else:
            before = gate.matrix @ before
    return factors or [(before, np.zeros((2, 2), dtype=complex), Angle(None))]


def _phases(layer: Layer, of_weights: set[int], row: list[Angle], weight: list[Angle]) -> Phases | None:
    if not layer.phases:
        return None
    row_masks, weight_masks, constant = [], [], []
    starts = len(row), len(weight)
    for mask, angle in layer.phases:
        if angle.index is None:
            constant.append((mask, angle.offset))
        elif angle.index in of_weights:
            weight.append(angle)
            weight_masks.append(mask)
        else:
            row.append(angle)
            row_masks.append(mask)
    return Phases(
        slice(starts[0], len(row)),
        slice(starts[1], len(weight)),
        tuple(row_masks),
        tuple(weight_masks),
        tuple(constant),
    )


class _Slotter:
    """Composes the template's map (parameters → angles) with the plan's (angles → slots)."""

    def __init__(self, template: Template, num_inputs: int, row_angles: np.ndarray) -> None:
        self.template, self.num_inputs = template, num_inputs
        nonlinear = sorted(template.nonlinear)
        self.row_nonlinear = tuple(index for index in nonlinear if row_angles[index])
        self.weight_nonlinear = tuple(index for index in nonlinear if not row_angles[index])
        self.mixes = bool((template.coefficients[row_angles][:, num_inputs:] != 0).any())

    def slots(self, angles: list[Angle], by_row: bool) -> Slots:
        """The affine map of these angles from their columns."""
        coefficients = self.template.coefficients
        if not by_row:
            coefficients = coefficients[:, self.num_inputs :]
        elif not self.mixes:
            coefficients = coefficients[:, : self.num_inputs]
        nonlinear = self.row_nonlinear if by_row else self.weight_nonlinear
        matrix = np.zeros((len(angles), coefficients.shape[1] + len(nonlinear)))
        offsets = np.zeros(len(angles))
        for slot, angle in enumerate(angles):
            offsets[slot] = angle.offset
            if angle.index in nonlinear:
                matrix[slot, coefficients.shape[1] + nonlinear.index(angle.index)] = angle.scale
            elif angle.index is not None:
                matrix[slot, : coefficients.shape[1]] = angle.scale * coefficients[angle.index]
                offsets[slot] += angle.scale * self.template.offsets[angle.index]
        return Slots(matrix, offsets)
