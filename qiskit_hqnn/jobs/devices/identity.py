"""What a circuit does, as bytes: the key of every cache and part of every job's id. Names alone do not tell."""

from __future__ import annotations

import json
import re
from functools import cache
from hashlib import sha256

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlFlowOp, Gate, Instruction, Operation, Parameter
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.jobs.registers import bits_of_registers, side_by_side

_COUNTED = re.compile(r"circuit-\d+(-\d+)?")
"""Qiskit's names for circuits without one: the next of the same kind has another."""
_NAMED = ("qiskit.circuit.library.standard_gates", "qiskit.circuit.measure", "qiskit.circuit.reset")


def circuit_bytes(circuit: QuantumCircuit) -> bytes:
    """Everything about a circuit that its outcome depends on, in a form that is the same in every process.

    Raises:
        CircuitError: if it has control flow, or an operation that says nothing of what it does.
    """
    registers = [(register.name, register.size) for register in circuit.cregs]
    content = [circuit.num_qubits, circuit.num_clbits, registers, _steps(circuit)]
    if not side_by_side(circuit):
        content.append(list(bits_of_registers(circuit).values()))
    return json.dumps(content).encode()


def untold_bytes(name: str, operation: Instruction | type[Instruction]) -> bytes:
    """What a target's gate does, if its name does not tell: a backend may give any gate any name.

    Qiskit's gates under their own names, control flow, and gates that only the device knows give nothing.
    """
    if isinstance(operation, type):  # control flow
        return b""
    usual = _standard_gates().get(name)
    if usual is None:
        told = operation.name == name and operation.base_class in (Gate, Instruction)
        told = told and _definition(operation) is None
    else:
        told = all(
            getattr(operation, what, None) == getattr(usual, what, None)
            for what in ("base_class", "label", "ctrl_state")
        )
    if told and all(isinstance(value, Parameter) for value in operation.params):
        return b""
    return json.dumps([name, _meaning(operation, operation.name, False)]).encode()


def _steps(circuit: QuantumCircuit, phases: bool = False) -> list[object]:
    return [
        [
            _meaning(step.operation, step.name, phases),
            [circuit.find_bit(qubit).index for qubit in step.qubits],
            [circuit.find_bit(bit).index for bit in step.clbits],
        ]
        for step in circuit.data
    ]


def _meaning(operation: Operation, name: str, phases: bool) -> list[object]:
    """What an operation does. A name tells that of Qiskit's own gates only: two others may share theirs.

    Args:
        operation: a step's.
        name: under which the circuit holds it: a standard gate that was given another one keeps its own there.
        phases: whether phases of definitions count: under a control, they are no longer global.
    """
    if isinstance(operation, AnnotatedOperation):
        base = operation.base_op
        return [name, [repr(modifier) for modifier in operation.modifiers], _meaning(base, base.name, True)]
    if not isinstance(operation, Instruction):
        return [name, _matrix(operation)]
    if isinstance(operation, ControlFlowOp):
        raise CircuitError(f"A circuit for the job manager must be without control flow, but has {name!r}.")
    given: list[object] = [_COUNTED.sub("circuit", name), [_value(value) for value in operation.params]]
    if name == "delay":
        return [*given, operation.unit]
    if getattr(operation, "ctrl_state", None) is not None:
        given.append(operation.ctrl_state)
    if str(operation.base_class.__module__).startswith(_NAMED):
        # Noise models may give a labelled gate errors of its own.
        return given if operation.label == _usual_label(name) else [*given, {"label": operation.label}]
    definition = _definition(operation)
    if definition is not None:
        phase = [_value(definition.global_phase)] if phases and definition.global_phase != 0 else []
        return [*given, definition.num_qubits, _steps(definition, phases), *phase]
    if hasattr(operation, "to_matrix"):
        try:
            return [*given, _value(operation.to_matrix())]
        except (QiskitError, TypeError):
            pass  # a gate that only the device knows, or one whose matrix needs values: what was given is all there is
    return given


def _definition(operation: Instruction) -> QuantumCircuit | None:
    try:
        return operation.definition
    except (QiskitError, TypeError):  # while a parameter is open
        return None


@cache
def _usual_label(name: str) -> str | None:
    return getattr(_standard_gates().get(name), "label", None)


@cache
def _standard_gates() -> dict[str, Instruction]:
    gates: dict[str, Instruction] = get_standard_gate_name_mapping()
    return gates


def _matrix(operation: Operation) -> object:
    """Of an operation that is no instruction: a Clifford's tableau, or its unitary matrix."""
    tableau = getattr(operation, "tableau", None)
    try:
        return _value(np.asarray(tableau) if tableau is not None else Operator(operation).data)
    except QiskitError as error:
        raise CircuitError(
            f"Operation {operation.name!r} has neither a definition nor a matrix: {error}"
        ) from None


def _value(value: object) -> object:
    """A parameter of an instruction: numbers exactly, arrays by their bytes."""
    if isinstance(value, np.ndarray):
        whole = np.ascontiguousarray(value, dtype="<c16")
        return [list(value.shape), sha256(whole.tobytes()).hexdigest()]
    if isinstance(value, int | float | np.number):
        return repr(value.item() if isinstance(value, np.number) else value)
    return str(value)
