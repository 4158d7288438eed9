"""Which gates are Qiskit's own: decided by class, since anybody can choose a name, a label or an attribute."""

from __future__ import annotations

from functools import cache

from qiskit.circuit import ControlledGate, Instruction, Operation, ParameterExpression
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping

_HOME = "qiskit.circuit.library.standard_gates"


@cache
def _names() -> dict[type, str]:
    """The name of each class of Qiskit's standard gates."""
    mapping = get_standard_gate_name_mapping()
    return {
        gate.base_class: name
        for name, gate in mapping.items()
        if gate.base_class.__module__.startswith(_HOME)
    }


def kind_of(operation: Operation) -> type | None:
    """The class of one of Qiskit's standard gates or of a UnitaryGate; None for everything else."""
    if not isinstance(operation, Instruction):
        return None
    kind: type = operation.base_class
    return kind if kind.__module__.startswith(_HOME) or kind is UnitaryGate else None


def is_open(operation: Operation) -> bool:
    """Whether it is controlled by a qubit in |0⟩."""
    if not isinstance(operation, ControlledGate):
        return False
    return int(operation.ctrl_state) != 2**operation.num_ctrl_qubits - 1


def by_its_name(operation: Instruction) -> Instruction:
    """A standard gate with the name of its class, so that code that reads names reads the right one."""
    kind = operation.base_class
    name = _names().get(kind)
    if name is None or operation.name == name or is_open(operation):
        return operation
    return kind(*operation.params)


def is_symbolic(value: object) -> bool:
    """Whether a parameter of a gate contains parameters of the circuit."""
    return isinstance(value, ParameterExpression) and bool(value.parameters)


def has_symbols(operation: Operation) -> bool:
    """Whether parameters of the circuit occur in the operation."""
    return any(map(is_symbolic, getattr(operation, "params", ())))
