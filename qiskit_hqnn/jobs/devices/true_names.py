"""Names that identify gates: a transpiler relies on names, and a custom gate may have any name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import TypeVar

from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    CircuitInstruction,
    ControlledGate,
    Gate,
    Instruction,
    Operation,
)
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError

from qiskit_hqnn.circuits import kind_of, unfolded

_T = TypeVar("_T")
_MADE_BY_USERS = (Gate, Instruction, ControlledGate)


def with_true_names(circuit: QuantumCircuit, own_names: Collection[str] = ()) -> QuantumCircuit:
    """The circuit with a unique name for every gate that its name does not identify; itself if there is none.

    A standard gate is known by its class, another one by its definition. A place's own gates keep the names that it
    has for them, and a gate without definition keeps its name, which is all there is.

    Args:
        circuit: any.
        own_names: names of the place's own gates.
    """
    if not any(_untold(step, own_names) for step in circuit.data):
        return circuit
    result = circuit.copy_empty_like()
    for step in circuit.data:
        if _untold(step, own_names):
            step = step.replace(operation=_named(step.operation, own_names))
        result.append(step)
    return result


def compiled(circuit: QuantumCircuit, own_names: Collection[str], work: Callable[[QuantumCircuit], _T]) -> _T:
    """A transpiler's result for a circuit with true names, or for its plain gates if it cannot handle these.

    Args:
        circuit: any.
        own_names: names of the place's own gates.
        work: the transpiler.
    """
    circuit = with_true_names(circuit, own_names)
    try:
        return work(circuit)
    except (QiskitError, TypeError):
        plain = _in_plain_gates(circuit, own_names)
        if plain is None:
            raise
    return work(plain)


def _in_plain_gates(circuit: QuantumCircuit, own_names: Collection[str]) -> QuantumCircuit | None:
    """The circuit with Qiskit's standard gates and matrices for every other gate; None if it has no other."""
    result, changed = circuit.copy_empty_like(), False
    for step in circuit.data:
        if step.clbits or _is_plain(step.operation) or step.name in own_names:
            result.append(step)
            continue
        alone = QuantumCircuit(len(step.qubits))
        alone.append(step.operation, alone.qubits)
        for operation, places in unfolded(alone, _is_plain):
            changed |= operation is not step.operation
            if places:  # otherwise it is a global phase
                result.append(operation, [step.qubits[place] for place in places])
    return result if changed else None


def _is_plain(operation: Operation) -> bool:
    kind = kind_of(operation)
    return kind is UnitaryGate or kind in _standard_classes().values()


def _untold(step: CircuitInstruction, own_names: Collection[str]) -> bool:
    return not step.is_standard_gate() and _by_definition(step.operation, own_names)


def _by_definition(operation: Operation, own_names: Collection[str]) -> bool:
    """Whether its definition, not its name, identifies an operation."""
    if isinstance(operation, AnnotatedOperation):
        return _by_definition(operation.base_op, own_names)
    if not isinstance(operation, Instruction):
        return False
    kind, name = operation.base_class, operation.name
    if kind not in _MADE_BY_USERS and str(kind.__module__).startswith("qiskit."):
        return _standard_classes().get(name, kind) is not kind
    if name in own_names and name not in _standard_classes():
        return False
    return operation.definition is not None


def _named(operation: Operation, own_names: Collection[str]) -> Operation:
    if isinstance(operation, AnnotatedOperation):
        return AnnotatedOperation(_named(operation.base_op, own_names), operation.modifiers)
    name = f"own {operation.name}"
    if operation.definition is None:
        return operation.copy(name)
    definition = with_true_names(operation.definition, own_names).copy(name)
    try:
        return definition.to_gate(label=operation.label)
    except QiskitError:  # it measures, resets, or contains something that is not a gate
        return definition.to_instruction(label=operation.label)


@cache
def _standard_classes() -> dict[str, type]:
    return {name: gate.base_class for name, gate in get_standard_gate_name_mapping().items()}
