"""A copy of a circuit that neither its owner's later changes nor custom gate classes can alter."""

from __future__ import annotations

import sys
from copy import copy

from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlFlowOp, Gate, Instruction, Operation
from qiskit.circuit.library import UnitaryGate
from qiskit.exceptions import QiskitError

from qiskit_hqnn.errors import CircuitError


def snapshot(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy of a circuit that shares nothing with it.

    Gates of custom classes become plain gates of the same name, label and definition, at any depth: a custom class can
    change its definition at any time, and often can't be pickled.

    Raises:
        CircuitError: if gates are nested too deep for Python.
    """
    try:
        taken = circuit.copy()
        steps = list(taken.data)
        operations = [_own(step.operation) for step in steps]
    except RecursionError:
        name = circuit.data[0].operation.name
        raise CircuitError(
            f"A gate must be defined by other gates, but {name!r} is nested too deep, or in itself."
        ) from None
    if all(own is step.operation for own, step in zip(operations, steps, strict=True)):
        return taken
    rewritten = taken.copy_empty_like()
    for own, step in zip(operations, steps, strict=True):
        rewritten.append(step.replace(operation=own))
    return rewritten


def _own(operation: Operation) -> Operation:
    """The operation itself if it consists of Qiskit's classes only."""
    if isinstance(operation, AnnotatedOperation):
        return AnnotatedOperation(
            _own(operation.base_op), [copy(modifier) for modifier in operation.modifiers]
        )
    if not isinstance(operation, Instruction):
        return operation
    if isinstance(operation, ControlFlowOp):
        return operation.replace_blocks([snapshot(block) for block in operation.blocks])
    kind = operation.base_class
    if kind.__module__.startswith("qiskit."):
        nested = kind.__module__ in _COMPOSITES and operation.definition is not None
        return _plain(operation, operation.definition) if nested and _has_foreign(operation) else operation
    definition = _definition_of(operation)
    if definition is not None:
        return _plain(operation, definition)
    known = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None)
    return operation if known is kind else _by_matrix(operation)


_COMPOSITES = frozenset(
    {"qiskit.circuit.gate", "qiskit.circuit.instruction", "qiskit.circuit.controlledgate"}
)
"""Modules of classes that are known by their definition; classes of Qiskit's library know what they mean."""


def _has_foreign(operation: Instruction) -> bool:
    waiting, seen = [operation.definition], 0
    while seen < len(waiting):
        for step in waiting[seen].data:
            inner = step.operation
            while isinstance(inner, AnnotatedOperation):
                inner = inner.base_op
            if not isinstance(inner, Instruction):
                continue
            if not inner.base_class.__module__.startswith("qiskit."):
                return True
            if inner.base_class.__module__ in _COMPOSITES and inner.definition is not None:
                waiting.append(inner.definition)
        seen += 1
    return False


def _plain(operation: Instruction, definition: QuantumCircuit) -> Instruction:
    body = snapshot(definition)
    body.name = operation.name
    try:
        return body.to_gate(label=operation.label) if isinstance(operation, Gate) else body.to_instruction()
    except QiskitError:  # something in it is no gate
        return body.to_instruction()


def _definition_of(operation: Instruction) -> QuantumCircuit | None:
    try:
        return operation.definition
    except (QiskitError, TypeError, ValueError):
        return None


def _by_matrix(operation: Instruction) -> Instruction:
    try:
        return UnitaryGate(operation.to_matrix(), label=operation.label)
    except (QiskitError, AttributeError, TypeError, ValueError):
        return operation
