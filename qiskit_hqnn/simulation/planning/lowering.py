"""A circuit in three kinds of primitives: one-qubit gates, parity phases, and CNOTs.

Every standard gate is a product of these: a parametrised two-qubit rotation is a parity phase between fixed
one-qubit gates, and so the planner has three things to arrange instead of fifty. Global phases are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import pi, sqrt

import numpy as np
from qiskit.circuit import Instruction, Parameter, ParameterExpression, QuantumCircuit

from qiskit_hqnn.errors import CircuitError

_SQ = 1 / sqrt(2)
HADAMARD = np.array([[_SQ, _SQ], [_SQ, -_SQ]], dtype=complex) * -1j  # determinant 1, as every matrix here
TO_Z_FROM_Y = np.array([[_SQ, -1j * _SQ], [-1j * _SQ, _SQ]])  # RX(π/2): V Y V† = Z, and V commutes with X
PAULI = {
    "x": np.array([[0, 1], [1, 0]], dtype=complex),
    "y": np.array([[0, -1j], [1j, 0]]),
    "z": np.array([[1, 0], [0, -1]], dtype=complex),
}


@dataclass(frozen=True)
class Angle:
    """scale · θ[index] + offset, radians; a constant where index is None."""

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

_IGNORED = frozenset({"barrier", "id", "delay", "global_phase"})
_NOT_UNITARY = frozenset(
    {"measure", "reset", "initialize", "if_else", "while_loop", "for_loop", "switch_case", "store"}
)


def lower(circuit: QuantumCircuit, angles: tuple[Parameter, ...]) -> list[Primitive]:
    """The primitives of a circuit over the given angles, in order.

    Args:
        circuit: unitary; each parametrised gate angle is one of `angles`.
        angles: `Angle.index` counts these.

    Raises:
        CircuitError: if an instruction is not unitary (measurement, reset, control flow) or has no definition.
    """
    index = {parameter: position for position, parameter in enumerate(angles)}
    return [_constant_as_fixed(gate) for gate in _lower(circuit, list(range(circuit.num_qubits)), index)]


def _constant_as_fixed(gate: Primitive) -> Primitive:
    if isinstance(gate, Rotation) and gate.angle.index is None:
        half = gate.angle.offset / 2
        return Fixed(gate.qubit, np.cos(half) * np.eye(2) - 1j * np.sin(half) * PAULI[gate.axis])
    return gate


def _lower(circuit: QuantumCircuit, qubits: list[int], index: dict[Parameter, int]) -> Iterator[Primitive]:
    for step in circuit.data:
        operation = step.operation
        where = tuple(qubits[circuit.find_bit(qubit).index] for qubit in step.qubits)
        if operation.name in _NOT_UNITARY or step.clbits:
            raise CircuitError(
                f"A simulated circuit must be unitary and unmeasured, but circuit {circuit.name!r} contains "
                f"{operation.name!r}."
            )
        if operation.name in _IGNORED:
            continue
        yield from _lower_operation(operation, where, index)


def _lower_operation(
    operation: Instruction, where: tuple[int, ...], index: dict[Parameter, int]
) -> Iterator[Primitive]:
    parametrised = any(isinstance(p, ParameterExpression) and p.parameters for p in operation.params)
    rule = _RULES.get(operation.name)
    if len(where) == 1 and not parametrised:
        yield Fixed(where[0], special_unitary(_matrix_of(operation)))
    elif rule is not None:
        yield from rule(where, [_angle(value, index) for value in operation.params])
    elif operation.definition is not None:
        yield from _lower(operation.definition, list(where), index)
    else:
        raise CircuitError(
            f"Instructions must be Qiskit's standard gates or be defined by them, but {operation.name!r} is not."
        )


def _matrix_of(operation: Instruction) -> np.ndarray:
    try:
        return np.asarray(operation.to_matrix(), dtype=complex)
    except (AttributeError, TypeError, ValueError) as error:
        raise CircuitError(
            f"Instructions must be Qiskit's standard gates or be defined by them, but {operation.name!r} has no "
            "matrix."
        ) from error
    except Exception as error:  # Qiskit's CircuitError, of which ours is no relation
        raise CircuitError(f"Instruction {operation.name!r} has no matrix: {error}") from error


def special_unitary(matrix: np.ndarray) -> np.ndarray:
    """The same gate with determinant 1."""
    determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    return matrix / np.sqrt(determinant)


def _angle(value: object, index: dict[Parameter, int]) -> Angle:
    if isinstance(value, ParameterExpression) and value.parameters:
        (parameter,) = value.parameters
        slope = value.gradient(parameter)
        return Angle(index[parameter], float(slope), float(value.bind({parameter: 0.0})))
    return Angle(None, 0.0, float(value))  # type: ignore[arg-type]


def _conjugated(gates: list[tuple[int, np.ndarray]], inside: Iterator[Primitive]) -> Iterator[Primitive]:
    """V† … V, in circuit order V first."""
    yield from (Fixed(qubit, matrix) for qubit, matrix in gates)
    yield from inside
    yield from (Fixed(qubit, matrix.conj().T) for qubit, matrix in gates)


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
_RULES: dict[str, _Rule] = {
    "rx": lambda q, a: iter([Rotation(q[0], "x", a[0])]),
    "ry": lambda q, a: iter([Rotation(q[0], "y", a[0])]),
    "rz": lambda q, a: iter([Rotation(q[0], "z", a[0])]),
    "p": lambda q, a: iter([Rotation(q[0], "z", a[0])]),
    "u1": lambda q, a: iter([Rotation(q[0], "z", a[0])]),
    "u": lambda q, a: _u(q[0], *a),
    "u3": lambda q, a: _u(q[0], *a),
    "u2": lambda q, a: _u(q[0], Angle(None, 0.0, pi / 2), *a),
    "rzz": lambda q, a: iter([Phase(q, a[0])]),
    "rxx": lambda q, a: _conjugated([(q[0], HADAMARD), (q[1], HADAMARD)], iter([Phase(q, a[0])])),
    "ryy": lambda q, a: _conjugated([(q[0], TO_Z_FROM_Y), (q[1], TO_Z_FROM_Y)], iter([Phase(q, a[0])])),
    "rzx": lambda q, a: _conjugated([(q[1], HADAMARD)], iter([Phase(q, a[0])])),
    "cp": lambda q, a: _controlled_phase(q, a[0]),
    "cu1": lambda q, a: _controlled_phase(q, a[0]),
    "cz": lambda q, a: _controlled_phase(q, Angle(None, 0.0, pi)),
    "ccz": lambda q, a: _controlled_phase(q, Angle(None, 0.0, pi)),
    "cs": lambda q, a: _controlled_phase(q, Angle(None, 0.0, pi / 2)),
    "csdg": lambda q, a: _controlled_phase(q, Angle(None, 0.0, -pi / 2)),
    "crz": lambda q, a: _controlled_rz(q[0], q[1], a[0]),
    "crx": lambda q, a: _conjugated([(q[1], HADAMARD)], _controlled_rz(q[0], q[1], a[0])),
    "cry": lambda q, a: _conjugated([(q[1], TO_Z_FROM_Y)], _controlled_rz(q[0], q[1], a[0])),
    "cx": lambda q, a: iter([CNOT(*q)]),
    "cy": lambda q, a: _conjugated([(q[1], _S.conj().T)], iter([CNOT(*q)])),
    "ccx": lambda q, a: _conjugated([(q[2], HADAMARD)], _controlled_phase(q, Angle(None, 0.0, pi))),
    "swap": lambda q, a: iter([CNOT(*q), CNOT(q[1], q[0]), CNOT(*q)]),
}
