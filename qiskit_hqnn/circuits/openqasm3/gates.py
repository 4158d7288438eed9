"""Gates of OpenQASM 3 and their modifiers, on small circuits of Qiskit's standard gates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, ParameterExpression
from qiskit.circuit.library import PhaseGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits.openqasm3.expressions import evaluate, whole_number
from qiskit_hqnn.circuits.openqasm3.values import LARGEST, Angle, ProgramError, Scope, Value

_OTHER_NAMES = {"U": "u", "CX": "cx", "phase": "p", "cphase": "cp"}
_NO_GATES = {"measure", "reset", "delay", "global_phase"}
_MOST_MATRIX_QUBITS = 6


@cache
def _standard() -> dict[str, tuple[type[Gate], int, int]]:
    """Class, arguments and qubits of each standard gate; a file may also use those that `stdgates.inc` lacks."""
    known = get_standard_gate_name_mapping()
    found = {
        name: (gate.base_class, len(gate.params), gate.num_qubits)
        for name, gate in known.items()
        if name not in _NO_GATES
    }
    return found | {name: found[standard] for name, standard in _OTHER_NAMES.items()}


def is_standard(name: str) -> bool:
    """Whether a gate needs no definition."""
    return name in _standard()


def standard_gate(name: str, angles: Sequence[Angle]) -> Gate:
    """A standard gate, with Qiskit's global phase."""
    kind, parameters, _ = _standard()[name]
    check_arguments(name, angles, parameters)
    return kind(*angles)


def standard_body(name: str, angles: Sequence[Angle]) -> QuantumCircuit:
    """A standard gate as a circuit of its qubits, with the global phase that the language gives it.

    The language's U is exp(iθ/2) times Qiskit's, its u2 and u3 are exp(−i(φ+λ)/2) times Qiskit's. Only a control sees
    these phases; elsewhere they would be an expression of the inputs that nothing depends on.
    """
    gate = standard_gate(name, angles)
    body = QuantumCircuit(gate.num_qubits)
    body.append(gate, range(gate.num_qubits))
    if name == "U":
        body.global_phase = angles[0] / 2
    elif name in ("u2", "u3"):
        body.global_phase = -(angles[-2] + angles[-1]) / 2
    return body


def check_arguments(name: str, angles: Sequence[Angle], wanted: int) -> None:
    """Raises ProgramError if a gate has the wrong number of arguments."""
    if len(angles) != wanted:
        raise ProgramError(f"gate {name!r} takes {wanted} arguments, but has {len(angles)}")


def modified(
    body: QuantumCircuit, modifiers: Sequence[ast.QuantumGateModifier], scope: Scope
) -> QuantumCircuit:
    """A gate with its modifiers; the one nearest to the gate acts first, and controls come before its qubits."""
    for modifier in reversed(modifiers):
        word, argument = modifier.modifier, modifier.argument
        if word is ast.GateModifierName.inv:
            body = body.inverse()
        elif word is ast.GateModifierName.pow:
            assert argument is not None  # by the grammar
            body = _power(body, evaluate(argument, scope))
        else:
            controls = (
                1 if argument is None else whole_number(argument, scope, "the number of control qubits")
            )
            if controls < 1:
                raise ProgramError(f"the number of control qubits must be at least 1, but is {controls}")
            body = _controlled(body, controls, word is ast.GateModifierName.ctrl)
    return body


def _power(body: QuantumCircuit, exponent: Value) -> QuantumCircuit:
    if isinstance(exponent, ParameterExpression) or not isinstance(exponent, int | float):
        raise ProgramError("the exponent of pow must be a known number")
    if exponent == int(exponent):
        if abs(exponent) * len(body.data) > LARGEST:
            raise ProgramError(f"pow({exponent}) unrolls to more than {LARGEST:,} gates")
        step = body if exponent >= 0 else body.inverse()
        repeated = step.copy_empty_like()
        repeated.global_phase = 0
        for _ in range(abs(int(exponent))):
            repeated.compose(step, inplace=True)
        return repeated
    if body.parameters:
        raise ProgramError(
            f"pow({exponent}) needs a gate whose angles are known, but this one has inputs in it"
        )
    if body.num_qubits > _MOST_MATRIX_QUBITS:
        raise ProgramError(
            f"pow({exponent}) takes gates of up to {_MOST_MATRIX_QUBITS} qubits, but this one has {body.num_qubits}"
        )
    root = QuantumCircuit(body.num_qubits)
    root.append(UnitaryGate(Operator(body)).power(exponent), range(body.num_qubits))
    return root


def _controlled(body: QuantumCircuit, controls: int, positive: bool) -> QuantumCircuit:
    """Every gate with the controls; the global phase becomes a phase on them."""
    result = QuantumCircuit(controls + body.num_qubits)
    if not positive:
        result.x(range(controls))
    for step in body.data:
        if step.operation.name == "barrier":
            continue
        where = [controls + body.find_bit(qubit).index for qubit in step.qubits]
        result.append(step.operation.control(controls), [*range(controls), *where])
    phase = body.global_phase
    if isinstance(phase, ParameterExpression) or phase != 0:
        gate = PhaseGate(phase)
        result.append(gate if controls == 1 else gate.control(controls - 1), range(controls))
    if not positive:
        result.x(range(controls))
    return result
