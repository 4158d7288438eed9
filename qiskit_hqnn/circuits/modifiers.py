"""Annotated operations ("this gate, inverted, to the power of three, controlled by two qubits") as circuits.

Qiskit's own synthesis recognises a gate by its name, and takes a custom gate for the standard gate of the same name.
Here the base is unfolded to standard gates first, and only these are controlled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    ControlledGate,
    ControlModifier,
    Delay,
    Gate,
    InverseModifier,
    Operation,
    ParameterExpression,
    PowerModifier,
)
from qiskit.circuit import library as gates
from qiskit.circuit.annotated_operation import Modifier
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits.standard import by_its_name, has_symbols, is_open
from qiskit_hqnn.errors import CircuitError

_CONTROLLED = frozenset(
    {gates.PhaseGate, gates.UGate, gates.XGate, gates.YGate, gates.ZGate, gates.HGate, gates.SXGate}
    | {gates.SXdgGate, gates.RXGate, gates.RYGate, gates.RZGate, gates.CXGate, gates.CZGate}
)
_ROTATIONS = frozenset(
    {
        gates.PhaseGate,
        gates.U1Gate,
        gates.RXGate,
        gates.RYGate,
        gates.RZGate,
        gates.RGate,
        gates.GlobalPhaseGate,
    }
    | {gates.RXXGate, gates.RYYGate, gates.RZZGate, gates.RZXGate, gates.XXPlusYYGate, gates.XXMinusYYGate}
    | {gates.CPhaseGate, gates.CU1Gate, gates.CRXGate, gates.CRYGate, gates.CRZGate}
)
"""exp(−iθG) with θ the first parameter: a power multiplies θ, also where the angle is open."""
_NOTHING = (Barrier, Delay, gates.IGate)
_MOST_TURNS = 1024
_WIDEST_MATRIX = 10


@dataclass(frozen=True)
class Annotated:
    """The parts of an annotated operation.

    Attributes:
        base: what is modified; rotations already include their power.
        exponents: the remaining powers, in order; −1 is the inverse.
        controls: number of control qubits; they are the first ones.
        state: bit j is the state of control qubit j in which it acts.
    """

    base: Operation
    exponents: tuple[float, ...]
    controls: int
    state: int


def taken_apart(operation: AnnotatedOperation) -> Annotated:
    """The parts of an annotated operation; controls commute with powers, so they are collected.

    Raises:
        CircuitError: if a modifier is unknown.
    """
    base: Operation = operation
    modifiers: list[Modifier] = []
    while isinstance(base, AnnotatedOperation):
        modifiers, base = [*base.modifiers, *modifiers], base.base_op
    exponents: list[float] = []
    controls = state = 0
    for modifier in modifiers:
        if isinstance(modifier, ControlModifier):
            # The controls of a later modifier come before those of an earlier one.
            controls += modifier.num_ctrl_qubits
            state = state << modifier.num_ctrl_qubits | int(modifier.ctrl_state)
        elif isinstance(modifier, InverseModifier | PowerModifier):
            exponents.append(modifier.power if isinstance(modifier, PowerModifier) else -1)
        else:
            raise CircuitError(
                "An annotated operation must be inverted, controlled or raised to a power, but has a "
                f"{type(modifier).__name__}."
            )
    turned = _turned(base, float(np.prod(exponents))) if exponents else None
    if turned is not None:
        base, exponents = turned, []
    return Annotated(base, tuple(exponents), controls, state)


def _turned(gate: Operation, exponent: float) -> Gate | None:
    """The power of a rotation; None for everything else."""
    kind = getattr(gate, "base_class", type(gate))
    if kind is gates.PauliEvolutionGate:
        return gate.power(exponent)
    if kind is gates.PauliProductRotationGate:
        return kind(gate.pauli(), gate.params[0] * exponent)
    if kind not in _ROTATIONS:
        return None
    state = {"ctrl_state": gate.ctrl_state} if isinstance(gate, ControlledGate) else {}
    return kind(gate.params[0] * exponent, *gate.params[1:], **state)


def is_controllable(gate: Operation) -> bool:
    """Whether Qiskit has it with any number of controls, also for open angles; all others are built from these."""
    kind = getattr(gate, "base_class", type(gate))
    return kind in _NOTHING or (kind in _CONTROLLED and not is_open(gate))


def put_together(annotated: Annotated, pieces: Sequence[tuple[Operation, tuple[int, ...]]]) -> QuantumCircuit:
    """The circuit of an annotated operation whose base consists of these gates.

    Raises:
        CircuitError: if one of them is not unitary, or if the base has open parameters or many qubits and its power is
            fractional.
    """
    base = QuantumCircuit(annotated.base.num_qubits)
    for gate, where in pieces:
        if isinstance(gate, _NOTHING):
            continue
        if not (is_controllable(gate) or isinstance(gate, gates.GlobalPhaseGate)):
            raise CircuitError(
                f"What is inverted, controlled or raised to a power must be unitary, but {annotated.base.name!r} has "
                f"{gate.name!r} in it, which is not unitary or has no definition."
            )
        base.append(by_its_name(gate), where)
    exponents = annotated.exponents
    if all(float(exponent).is_integer() and abs(exponent) <= _MOST_TURNS for exponent in exponents):
        for exponent in exponents:
            once, base = base if exponent >= 0 else base.inverse(), QuantumCircuit(base.num_qubits)
            for _ in range(int(abs(exponent))):
                base.compose(once, inplace=True)
        return _controlled(base, annotated)
    return _by_matrix(base, annotated)


def _controlled(base: QuantumCircuit, annotated: Annotated) -> QuantumCircuit:
    controls = annotated.controls
    if not controls:
        return base
    circuit = QuantumCircuit(controls + base.num_qubits)
    empty = [qubit for qubit in range(controls) if not annotated.state >> qubit & 1]
    for qubit in empty:
        circuit.x(qubit)
    place = {qubit: controls + index for index, qubit in enumerate(base.qubits)}
    for step in base.data:
        if isinstance(step.operation, gates.GlobalPhaseGate):
            _phase(circuit, step.operation.params[0], controls)
            continue
        controlled = step.operation.control(controls, annotated=False)
        circuit.append(controlled, [*range(controls), *(place[qubit] for qubit in step.qubits)])
    _phase(circuit, base.global_phase, controls)
    for qubit in empty:
        circuit.x(qubit)
    return circuit


def _phase(circuit: QuantumCircuit, angle: float | ParameterExpression, controls: int) -> None:
    """A global phase that the first qubits control."""
    if not has_symbols(gates.GlobalPhaseGate(angle)) and not angle:
        return
    gate = gates.PhaseGate(angle) if controls == 1 else gates.MCPhaseGate(angle, controls - 1)
    circuit.append(gate, range(controls))


def _by_matrix(base: QuantumCircuit, annotated: Annotated) -> QuantumCircuit:
    """The same by a matrix, which also has fractional powers."""
    num_qubits = annotated.controls + base.num_qubits
    if base.parameters or num_qubits > _WIDEST_MATRIX:
        raise CircuitError(
            f"A gate with open parameters, or on more than {_WIDEST_MATRIX} qubits, must be raised to a whole power of "
            f"at most {_MOST_TURNS}, but {annotated.base.name!r} is raised to {annotated.exponents}."
        )
    power = Operator(base)
    for exponent in annotated.exponents:
        power = power.power(exponent)
    matrix = np.eye(2**num_qubits, dtype=complex)
    acts = np.arange(2**base.num_qubits) << annotated.controls | annotated.state
    matrix[np.ix_(acts, acts)] = power.data
    circuit = QuantumCircuit(num_qubits)
    circuit.append(gates.UnitaryGate(matrix), circuit.qubits)
    return circuit
