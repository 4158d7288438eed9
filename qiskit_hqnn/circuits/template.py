"""An ansatz with a separate Parameter for every gate angle, as shift rules and devices need it.

A parameter that occurs in several gates (data re-uploading) or inside an expression (RY(π·x)) has no simple shift rule;
its gate angles do. The template keeps the map from inputs and weights to angles beside the circuit, so that the chain
rule does the rest, and one transpiled circuit serves every forward and backward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from qiskit.circuit import (
    Barrier,
    ControlledGate,
    Delay,
    Operation,
    Parameter,
    ParameterExpression,
    ParameterVector,
    QuantumCircuit,
    Reset,
)
from qiskit.circuit.library import (
    CPhaseGate,
    CRXGate,
    CRYGate,
    CRZGate,
    CU1Gate,
    GlobalPhaseGate,
    MCPhaseGate,
    PhaseGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZXGate,
    RZZGate,
    U1Gate,
    U2Gate,
    U3Gate,
    UGate,
)

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.expressions import affine
from qiskit_hqnn.circuits.standard import by_its_name, has_symbols, is_open, is_symbolic, kind_of
from qiskit_hqnn.circuits.unfolding import Placed, unfolded
from qiskit_hqnn.errors import CircuitError

# exp(−iθG/2) with G² = 1, phases, and projectors: one frequency, so f' = [f(θ + π/2) − f(θ − π/2)] / 2.
_TWO_TERM = frozenset(
    {RXGate, RYGate, RZGate, PhaseGate, U1Gate, RXXGate, RYYGate, RZZGate, RZXGate}
    | {CPhaseGate, CU1Gate, MCPhaseGate, UGate, U3Gate, U2Gate}
)
# Controlled rotations have the frequencies 1/2 and 1 (Anselmetti et al. 2021, arXiv:2104.05695, eq. (10)).
_FOUR_TERM = frozenset({CRXGate, CRYGate, CRZGate})
_NO_GATE = (Barrier, Delay, Reset)


@dataclass(frozen=True, eq=False)
class Template:
    """A circuit with one Parameter per gate angle, and the map that computes the angles.

    Attributes:
        circuit: the circuit over `angles`; equal to the ansatz when the angles are bound to their expressions.
        angles: K parameters, in the order in which they occur.
        coefficients: array of shape (K, inputs + weights); angle = coefficients @ (inputs, weights) + offsets.
        offsets: array of shape (K,), radians.
        nonlinear: the expression of each angle that is not affine; its row of coefficients is zero.
        terms: for each angle, 2 or 4: the number of shifted evaluations that its exact derivative needs; 0 for the
            duration of a delay, which is not an angle and has no derivative.
    """

    circuit: QuantumCircuit
    angles: tuple[Parameter, ...]
    coefficients: np.ndarray
    offsets: np.ndarray
    terms: np.ndarray
    nonlinear: dict[int, ParameterExpression] = field(default_factory=dict)

    @property
    def num_angles(self) -> int:
        return len(self.angles)

    def depends_on(self, parameters: range) -> np.ndarray:
        """Mask of shape (K,): the angles in which one of these columns (inputs, then weights) occurs."""
        mask = (self.coefficients[:, parameters.start : parameters.stop] != 0).any(axis=1)
        for index in self.nonlinear:
            mask[index] = True
        return mask


def make_template(ansatz: Ansatz) -> Template:
    """Split an ansatz into a circuit over its gate angles and the map from inputs and weights to them.

    Composites are unfolded into Qiskit's standard gates, so the circuit means the same to everybody who reads it.
    Global phases, and resets of qubits that nothing has acted on, are left out.

    Raises:
        CircuitError: if a parameterised instruction has no shift rule and no definition in gates that have one, or an
            angle is NaN or infinite.

    Example:
        >>> from qiskit_hqnn.circuits import reuploading
        >>> template = make_template(reuploading(num_qubits=2, depth=4))
        >>> len(template.angles), template.coefficients.shape
        (30, (30, 27))
    """
    whole = ansatz.circuit
    circuit = whole.copy_empty_like()
    # A global phase of the circuit changes no outcome; its parameters would be left over.
    circuit.global_phase = 0
    steps = _in_shiftable_gates(whole)
    expressions = [angle for operation, _ in steps for angle in operation.params if is_symbolic(angle)]
    angles = tuple(ParameterVector("angle", len(expressions)))
    terms: list[int] = []
    for operation, where in steps:
        if has_symbols(operation):
            operation = operation.to_mutable()
            fresh = list(operation.params)
            for index, angle in enumerate(fresh):
                if is_symbolic(angle):
                    fresh[index] = angles[len(terms)]
                    terms.append(_terms_of(operation))
            operation.params = fresh
        circuit.append(operation, where)
    coefficients, offsets, nonlinear = affine_map(expressions, [*ansatz.input_params, *ansatz.weight_params])
    return Template(circuit, angles, coefficients, offsets, np.array(terms, dtype=int), nonlinear)


def without_controlled_angles(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with open angles only in gates without controls, and no classical bits.

    Qiskit Aer's primitives bind the values of a PUB while they run, and use zero for angles of controlled gates.
    """
    plain = circuit.copy_empty_like()
    for operation, where in unfolded(circuit, _binds_anywhere):
        plain.append(operation, where)
    return plain


def _binds_anywhere(operation: Operation) -> bool:
    return not (has_symbols(operation) and isinstance(operation, ControlledGate))


def _terms_of(operation: Operation) -> int:
    return 0 if isinstance(operation, Delay) else 4 if kind_of(operation) in _FOUR_TERM else 2


def _in_shiftable_gates(circuit: QuantumCircuit) -> list[Placed]:
    steps: list[Placed] = []
    opaque: set[str] = set()
    touched: set[int] = set()
    for operation, where in unfolded(circuit, _keeps):
        if isinstance(operation, GlobalPhaseGate) or (
            isinstance(operation, Reset) and where[0] not in touched
        ):
            continue
        if has_symbols(operation) and not _keeps(operation):
            opaque.add(operation.name)
        if any(isinstance(value, float) and not isfinite(value) for value in operation.params):
            raise CircuitError(
                f"Every angle of a gate must be finite, but {operation.name!r} has {list(operation.params)}."
            )
        if not isinstance(operation, Barrier | Delay):
            touched.update(where)
        steps.append((by_its_name(operation), where))
    if opaque:
        raise CircuitError(
            f"Parameterised instructions must be Qiskit's standard gates or be defined by them, but {sorted(opaque)} "
            "are not."
        )
    return steps


def _keeps(operation: Operation) -> bool:
    """Whether an operation is in a template unchanged."""
    if isinstance(operation, _NO_GATE):
        return True
    kind = kind_of(operation)
    if not has_symbols(operation):
        return kind is not None
    return kind in _TWO_TERM | _FOUR_TERM and not is_open(operation)


def affine_map(
    expressions: list[ParameterExpression], parameters: list[Parameter]
) -> tuple[np.ndarray, np.ndarray, dict[int, ParameterExpression]]:
    """Expressions as slopes (E, P) and offsets (E,) over the parameters, and those that are not affine, by row."""
    column = {parameter: index for index, parameter in enumerate(parameters)}
    coefficients = np.zeros((len(expressions), len(parameters)))
    offsets = np.zeros(len(expressions))
    nonlinear: dict[int, ParameterExpression] = {}
    for row, expression in enumerate(expressions):
        found = affine(expression)
        if found is None:
            nonlinear[row] = expression
            continue
        slopes, offsets[row] = found
        for parameter, slope in slopes.items():
            coefficients[row, column[parameter]] = slope
    return coefficients, offsets, nonlinear
