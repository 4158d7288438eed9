"""Primitives arranged into layers of three steps: one-qubit gates (K), parity phases (D), a linear permutation (P).

The arrangement depends on the circuit's dependency graph only, so shuffling commuting gates gives the same plan.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from qiskit_hqnn.simulation.planning.lowering import (
    CNOT,
    HADAMARD,
    TO_Z_FROM_Y,
    Angle,
    Fixed,
    Phase,
    Primitive,
    Rotation,
)

_TOLERANCE = 1e-14
"""Above the rounding of a few products of exact gates; a rotation of 1e-13 still counts."""
LONGEST = 3
"""Most rotations in one gate of a layer; three make any gate, and 2^3 products of cosines and sines are still cheap to
keep."""


@dataclass(eq=False)
class Layer:
    """K, then D, then P.

    Attributes:
        gates: for each qubit its one-qubit gates in order, fixed or of weights; fixed ones only in the first layer,
            where they act on |0⟩.
        phases: (parity mask, angle): exp(−i angle (−1)^|j & mask| / 2) on basis state j.
        rows: y = L x over GF(2): bit i of y is the parity of x & rows[i].
    """

    num_qubits: int
    gates: dict[int, list[Fixed | Rotation]] = field(default_factory=dict)
    phases: list[tuple[int, Angle]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = self.rows or [1 << qubit for qubit in range(self.num_qubits)]

    @property
    def permutes(self) -> bool:
        return self.rows != [1 << qubit for qubit in range(self.num_qubits)]


def arrange(primitives: list[Primitive], num_qubits: int, of_weights: set[int]) -> list[Layer]:
    """Layers that compute the primitives from |0…0⟩.

    Args:
        primitives: in circuit order.
        num_qubits: n.
        of_weights: the angles that depend on weights only; all others may differ from sample to sample.
    """
    rewritten = _merge_fixed(_rotations_to_phases(primitives, of_weights), num_qubits)
    return _layers(rewritten, num_qubits)


def _by_row(angle: Angle, of_weights: set[int]) -> bool:
    return angle.index is not None and angle.index not in of_weights


def _rotations_to_phases(primitives: list[Primitive], of_weights: set[int]) -> list[Primitive]:
    """Input-dependent rotations as phases between fixed gates.

    A phase is an elementwise product, a rotation that differs from sample to sample a batch of matrix products. The
    fixed gates join their neighbours, or cancel across the CNOTs of a multiplexed rotation, which leaves a single phase
    polynomial.
    """
    result: list[Primitive] = []
    for gate in primitives:
        if isinstance(gate, Rotation) and _by_row(gate.angle, of_weights):
            phase = Phase((gate.qubit,), gate.angle)
            if gate.axis == "z":
                result.append(phase)
            else:
                basis = HADAMARD if gate.axis == "x" else TO_Z_FROM_Y
                result += [Fixed(gate.qubit, basis), phase, Fixed(gate.qubit, basis.conj().T)]
        else:
            result.append(gate)
    return result


def _is_identity(matrix: np.ndarray) -> bool:
    return bool(abs(matrix[0, 1]) < _TOLERANCE and abs(matrix[0, 0] - matrix[1, 1]) < _TOLERANCE)


def _is_diagonal(matrix: np.ndarray) -> bool:
    return bool(abs(matrix[0, 1]) < _TOLERANCE)


def _commutes_with_x(matrix: np.ndarray) -> bool:
    return bool(
        abs(matrix[0, 1] - matrix[1, 0]) < _TOLERANCE and abs(matrix[0, 0] - matrix[1, 1]) < _TOLERANCE
    )


def _merge_fixed(primitives: list[Primitive], num_qubits: int) -> list[Primitive]:
    """Fixed gates multiplied together, past every gate that they commute with; identities are dropped."""
    pending = [np.eye(2, dtype=complex) for _ in range(num_qubits)]
    result: list[Primitive] = []

    def release(qubit: int) -> None:
        if not _is_identity(pending[qubit]):
            result.append(Fixed(qubit, pending[qubit]))
        pending[qubit] = np.eye(2, dtype=complex)

    for gate in primitives:
        if isinstance(gate, Fixed):
            pending[gate.qubit] = gate.matrix @ pending[gate.qubit]
            continue
        for qubit in gate.qubits:
            # A rotation of weights absorbs its neighbours into one matrix: passing it would only add a layer.
            target = isinstance(gate, CNOT) and qubit == gate.target
            commutes = _commutes_with_x(pending[qubit]) if target else _is_diagonal(pending[qubit])
            if isinstance(gate, Rotation) or not commutes:
                release(qubit)
        result.append(gate)
    for qubit in range(num_qubits):
        release(qubit)
    return result


def _layers(primitives: list[Primitive], num_qubits: int) -> list[Layer]:
    queues: list[deque[Primitive]] = [deque() for _ in range(num_qubits)]
    for gate in primitives:
        for qubit in gate.qubits:
            queues[qubit].append(gate)
    layers: list[Layer] = []
    while any(queues) or not layers:
        builder = _LayerBuilder(Layer(num_qubits), first=not layers)
        progress = True
        while progress:
            progress = False
            for qubit in range(num_qubits):
                while queues[qubit]:
                    gate = queues[qubit][0]
                    ready = all(queues[other][0] is gate for other in gate.qubits)
                    following = queues[qubit][1] if len(queues[qubit]) > 1 else None
                    if not ready or not builder.take(gate, following):
                        break
                    for other in gate.qubits:
                        queues[other].popleft()
                    progress = True
        layers.append(builder.layer)
    return layers


class _LayerBuilder:
    """Adds gates to one layer for as long as the order K, D, P allows it."""

    def __init__(self, layer: Layer, first: bool) -> None:
        self.layer, self.first = layer, first
        self.touched: set[int] = set()

    def take(self, gate: Primitive, following: Primitive | None) -> bool:
        """Whether the gate was added to this layer; `following` is the next one on the same qubit."""
        if isinstance(gate, CNOT):
            self.layer.rows[gate.target] ^= self.layer.rows[gate.control]
            self.touched |= set(gate.qubits)
            return True
        if isinstance(gate, Phase):
            self._add_phase(gate)
            return True
        if gate.qubit not in self.touched and self._takes_into_gates(gate):
            self.layer.gates.setdefault(gate.qubit, []).append(gate)
            return True
        if isinstance(gate, Rotation) and gate.axis == "z" and not isinstance(following, Fixed | Rotation):
            # It has nothing to merge with in the next layer: as a phase it adds no cost to this one.
            self._add_phase(Phase((gate.qubit,), gate.angle))
            return True
        return False

    def _takes_into_gates(self, gate: Fixed | Rotation) -> bool:
        if isinstance(gate, Fixed):
            return True
        # The first layer is a constant product state; what depends on weights comes in later layers.
        rotations = sum(isinstance(other, Rotation) for other in self.layer.gates.get(gate.qubit, []))
        return not self.first and rotations < LONGEST

    def _add_phase(self, gate: Phase) -> None:
        mask = 0
        for qubit in gate.qubits:
            mask ^= self.layer.rows[qubit]
            self.touched.add(qubit)
        self.layer.phases.append((mask, gate.angle))
