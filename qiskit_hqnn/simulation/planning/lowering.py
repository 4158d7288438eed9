"""A circuit as three kinds of primitives: one-qubit gates, parity phases, and CNOTs.

Every standard gate is a product of these: a parametrised two-qubit rotation is a parity phase between fixed
one-qubit gates, so the planner has three kinds to arrange instead of fifty. Global phases are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import pi, sqrt

import numpy as np
from qiskit.circuit import (
    Barrier,
    ControlFlowOp,
    Delay,
    Measure,
    Operation,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    Reset,
    Store,
)
from qiskit.circuit import library as gates

from qiskit_hqnn.circuits import affine, has_symbols, is_open, is_symbolic, kind_of, unfolded
from qiskit_hqnn.errors import CircuitError

_SQ = 1 / sqrt(2)
HADAMARD = np.array([[_SQ, _SQ], [_SQ, -_SQ]], dtype=complex) * -1j  # determinant 1, like every matrix here
TO_Z_FROM_Y = np.array([[_SQ, -1j * _SQ], [-1j * _SQ, _SQ]])  # RX(π/2): V Y V† = Z, and V commutes with X
PAULI = {
    "x": np.array([[0, 1], [1, 0]], dtype=complex),
    "y": np.array([[0, -1j], [1j, 0]]),
    "z": np.array([[1, 0], [0, -1]], dtype=complex),
}


@dataclass(frozen=True)
class Angle:
    """scale · θ[index] + offset, radians; a constant if index is None."""

    index: int | None
    scale: float = 1.0
    offset: float = 0.0

    def times(self, factor: float) -> Angle:
        return Angle(self.index, self.scale * factor, self.offset * factor)


@dataclass(frozen=True, eq=False)
class Fixed:
    """A one-qubit gate without parameters; `matrix` has determinant 1."""

    qubit: int
    matrix: np.ndarray

    @property
    def qubits(self) -> tuple[int, ...]:
        return (self.qubit,)


@dataclass(frozen=True)
class Rotation:
    """exp(−i angle P/2) on one qubit, P given by `axis`."""

    qubit: int
    axis: str
    angle: Angle

    @property
    def qubits(self) -> tuple[int, ...]:
        return (self.qubit,)


@dataclass(frozen=True)
class Phase:
    """exp(−i angle Z⊗…⊗Z/2) on the given qubits."""

    qubits: tuple[int, ...]
    angle: Angle


@dataclass(frozen=True)
class CNOT:
    """y[target] = x[target] ⊕ x[control]."""

    control: int
    target: int

    @property
    def qubits(self) -> tuple[int, ...]:
        return (self.control, self.target)


Primitive = Fixed | Rotation | Phase | CNOT

_IGNORED = frozenset({Barrier, Delay, gates.IGate, gates.GlobalPhaseGate})


def lower(circuit: QuantumCircuit, angles: tuple[Parameter, ...]) -> list[Primitive]:
    """The primitives of a circuit over the given angles, in order.

    Args:
        circuit: unitary; each parametrised gate angle is one of `angles`.
        angles: the parameters that `Angle.index` refers to.

    Raises:
        CircuitError: if an instruction is not unitary (measurement, reset, control flow) or has no definition.
    """
    index = {parameter: position for position, parameter in enumerate(angles)}
    return [_constant_as_fixed(gate) for gate in _lower(circuit, index)]


def _constant_as_fixed(gate: Primitive) -> Primitive:
    if isinstance(gate, Rotation) and gate.angle.index is None:
        half = gate.angle.offset / 2
        return Fixed(gate.qubit, np.cos(half) * np.eye(2) - 1j * np.sin(half) * PAULI[gate.axis])
    return gate


def _lower(circuit: QuantumCircuit, index: dict[Parameter, int]) -> Iterator[Primitive]:
    for operation, where in unfolded(circuit, _is_known):
        if _is_ignored(operation):
            continue
        if not _is_known(operation):
            raise _refusal(circuit, operation)
        rule = _RULES.get(kind_of(operation))
        if rule is None or (len(where) == 1 and not has_symbols(operation)):
            yield Fixed(where[0], special_unitary(np.asarray(operation.to_matrix(), dtype=complex)))
        else:
            yield from rule(where, [_angle(value, index) for value in operation.params])


def _is_known(operation: Operation) -> bool:
    """Whether an operation needs no unfolding: it has a rule, its matrix is that of one qubit, or it does nothing."""
    if _is_ignored(operation):
        return True
    kind = kind_of(operation)
    if kind in _RULES:
        return not is_open(operation)
    return kind is not None and operation.num_qubits == 1 and not has_symbols(operation)


def _is_ignored(operation: Operation) -> bool:
    return getattr(operation, "base_class", type(operation)) in _IGNORED


def _refusal(circuit: QuantumCircuit, operation: Operation) -> CircuitError:
    if isinstance(operation, Measure | Reset | Store | ControlFlowOp) or operation.num_clbits:
        where = " after other gates ('initialize' starts with one)" if isinstance(operation, Reset) else ""
        return CircuitError(
            f"A simulated circuit must be unitary and unmeasured, but circuit {circuit.name!r} contains "
            f"{operation.name!r}{where}."
        )
    return CircuitError(
        f"Instructions must be Qiskit's standard gates or be defined by them, but {operation.name!r} is not."
    )


def special_unitary(matrix: np.ndarray) -> np.ndarray:
    """The same gate with determinant 1."""
    determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    return matrix / np.sqrt(determinant)


def _angle(value: float | ParameterExpression, index: dict[Parameter, int]) -> Angle:
    found = affine(value) if is_symbolic(value) else ({}, float(value))
    assert found is not None  # a template's angles enter definitions only with a factor
    (slopes, offset) = found
    if not slopes:
        return Angle(None, 0.0, offset)
    ((parameter, slope),) = slopes.items()
    return Angle(index[parameter], slope, offset)


def _conjugated(change: list[tuple[int, np.ndarray]], inside: Iterator[Primitive]) -> Iterator[Primitive]:
    """V† … V, in circuit order V first."""
    yield from (Fixed(qubit, matrix) for qubit, matrix in change)
    yield from inside
    yield from (Fixed(qubit, matrix.conj().T) for qubit, matrix in change)


def _controlled_phase(qubits: tuple[int, ...], angle: Angle) -> Iterator[Primitive]:
    """exp(iλ |1…1⟩⟨1…1|), the projector written as the product of (1 − Z)/2."""
    for size in range(1, len(qubits) + 1):
        factor = -2.0 * (-1) ** size / 2 ** len(qubits)
        for subset in combinations(qubits, size):
            yield Phase(subset, angle.times(factor))


def _controlled_rz(control: int, target: int, angle: Angle) -> Iterator[Primitive]:
    yield Phase((target,), angle.times(0.5))
    yield Phase((control, target), angle.times(-0.5))


def _u(qubit: int, theta: Angle, phi: Angle, lam: Angle) -> Iterator[Primitive]:
    yield Rotation(qubit, "z", lam)
    yield Rotation(qubit, "y", theta)
    yield Rotation(qubit, "z", phi)


_S = special_unitary(np.diag([1, 1j]))
_Rule = Callable[[tuple[int, ...], list[Angle]], Iterator[Primitive]]
_RULES: dict[type | None, _Rule] = {
    gates.RXGate: lambda q, a: iter([Rotation(q[0], "x", a[0])]),
    gates.RYGate: lambda q, a: iter([Rotation(q[0], "y", a[0])]),
    gates.RZGate: lambda q, a: iter([Rotation(q[0], "z", a[0])]),
    gates.PhaseGate: lambda q, a: iter([Rotation(q[0], "z", a[0])]),
    gates.U1Gate: lambda q, a: iter([Rotation(q[0], "z", a[0])]),
    gates.UGate: lambda q, a: _u(q[0], *a),
    gates.U3Gate: lambda q, a: _u(q[0], *a),
    gates.U2Gate: lambda q, a: _u(q[0], Angle(None, 0.0, pi / 2), *a),
    gates.RZZGate: lambda q, a: iter([Phase(q, a[0])]),
    gates.RXXGate: lambda q, a: _conjugated([(q[0], HADAMARD), (q[1], HADAMARD)], iter([Phase(q, a[0])])),
    gates.RYYGate: lambda q, a: _conjugated(
        [(q[0], TO_Z_FROM_Y), (q[1], TO_Z_FROM_Y)], iter([Phase(q, a[0])])
    ),
    gates.RZXGate: lambda q, a: _conjugated([(q[1], HADAMARD)], iter([Phase(q, a[0])])),
    gates.CPhaseGate: lambda q, a: _controlled_phase(q, a[0]),
    gates.CU1Gate: lambda q, a: _controlled_phase(q, a[0]),
    gates.CZGate: lambda q, a: _controlled_phase(q, Angle(None, 0.0, pi)),
    gates.CCZGate: lambda q, a: _controlled_phase(q, Angle(None, 0.0, pi)),
    gates.CSGate: lambda q, a: _controlled_phase(q, Angle(None, 0.0, pi / 2)),
    gates.CSdgGate: lambda q, a: _controlled_phase(q, Angle(None, 0.0, -pi / 2)),
    gates.CRZGate: lambda q, a: _controlled_rz(q[0], q[1], a[0]),
    gates.CRXGate: lambda q, a: _conjugated([(q[1], HADAMARD)], _controlled_rz(q[0], q[1], a[0])),
    gates.CRYGate: lambda q, a: _conjugated([(q[1], TO_Z_FROM_Y)], _controlled_rz(q[0], q[1], a[0])),
    gates.CXGate: lambda q, a: iter([CNOT(*q)]),
    gates.CYGate: lambda q, a: _conjugated([(q[1], _S.conj().T)], iter([CNOT(*q)])),
    gates.CCXGate: lambda q, a: _conjugated([(q[2], HADAMARD)], _controlled_phase(q, Angle(None, 0.0, pi))),
    gates.SwapGate: lambda q, a: iter([CNOT(*q), CNOT(q[1], q[0]), CNOT(*q)]),
}
