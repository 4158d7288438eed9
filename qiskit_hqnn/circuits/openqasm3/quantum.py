"""Statements on qubits: gates with their modifiers, measurements, resets, barriers and delays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, Qubit

from qiskit_hqnn.circuits.openqasm3.expressions import angle, evaluate, shown
from qiskit_hqnn.circuits.openqasm3.gates import (
    check_arguments,
    is_standard,
    modified,
    standard_body,
    standard_gate,
)
from qiskit_hqnn.circuits.openqasm3.reader import Reader
from qiskit_hqnn.circuits.openqasm3.values import Angle, Duration, ProgramError, Value, Wires

_Operands: TypeAlias = Sequence[ast.Identifier | ast.IndexedIdentifier]


def call(reader: Reader, node: ast.QuantumGate) -> None:
    """A gate; a gate that the program defines is replaced by its body."""
    if node.duration is not None:
        raise ProgramError("a gate with a duration is not supported")
    name = node.name.name
    angles = [angle(argument, reader.scope) for argument in node.arguments]
    exact = reader.exact or _has_control(node.modifiers)
    if name not in reader.definitions.gates and not is_standard(name):
        raise ProgramError(f"gate {name!r} is not defined")
    if name not in reader.definitions.gates and not node.modifiers and not exact:
        gate = standard_gate(name, angles)
        for bits in _operands(reader, node.qubits, gate.num_qubits, f"gate {name!r}"):
            reader.circuit.append(gate, bits)
        return
    body = modified(_body(reader, name, angles, exact), node.modifiers, reader.scope)
    _apply(reader, body, node.qubits, f"gate {name!r}")


def phase(reader: Reader, node: ast.QuantumPhase) -> None:
    body = QuantumCircuit(global_phase=angle(node.argument, reader.scope))
    body = modified(body, node.modifiers, reader.scope)
    if body.num_qubits:
        _apply(reader, body, node.qubits, "gphase")
    else:
        reader.circuit.global_phase += body.global_phase


def measurement(reader: Reader, node: ast.QuantumMeasurementStatement) -> None:
    if node.target is not None:
        target = reader.wires(node.target, classical=True)
    else:
        qubits = reader.wires(node.measure.qubit)
        target = Wires(tuple(Clbit() for _ in qubits.bits), qubits.single)
        reader.circuit.add_bits(target.bits)
    reader.measured(node.measure, target)


def reset(reader: Reader, node: ast.QuantumReset) -> None:
    reader.circuit.reset(reader.wires(node.qubits).bits)


def barrier(reader: Reader, node: ast.QuantumBarrier) -> None:
    wires = [reader.wires(qubit) for qubit in node.qubits]
    reader.circuit.barrier(*(bit for wire in wires for bit in wire.bits))


def delay(reader: Reader, node: ast.DelayInstruction) -> None:
    length = evaluate(node.duration, reader.scope)
    if not isinstance(length, Duration):
        raise ProgramError(f"a delay needs a duration, such as 100ns, but has {shown(length)}")
    value = int(length.value) if length.unit == "dt" else length.value
    wires = [reader.wires(qubit) for qubit in node.qubits]
    for bit in [bit for wire in wires for bit in wire.bits] or reader.circuit.qubits:
        reader.circuit.delay(value, bit, length.unit)


def _body(reader: Reader, name: str, angles: Sequence[Angle], exact: bool) -> QuantumCircuit:
    """A gate as a circuit of standard gates; the program's own definition goes before a standard gate's."""
    definition = reader.definitions.gates.get(name)
    if definition is None:
        return standard_body(name, angles)
    check_arguments(name, angles, len(definition.arguments))
    body = QuantumCircuit(len(definition.qubits))
    names: dict[str, Value] = {
        argument.name: value for argument, value in zip(definition.arguments, angles, strict=True)
    }
    names |= {
        qubit.name: Wires((bit,), True) for qubit, bit in zip(definition.qubits, body.qubits, strict=True)
    }
    scope = reader.scope.outermost().inner(names)
    Reader(body, scope, reader.definitions, exact).carry_out(definition.body)
    return body


def _apply(
    reader: Reader,
    body: QuantumCircuit,
    operands: _Operands,
    what: str,
) -> None:
    """A circuit on its qubits."""
    for bits in _operands(reader, operands, body.num_qubits, what):
        reader.circuit.global_phase += body.global_phase
        place = dict(zip(body.qubits, bits, strict=True))
        for step in body.data:
            reader.circuit.append(step.operation, [place[qubit] for qubit in step.qubits])


def _operands(reader: Reader, operands: _Operands, wanted: int, what: str) -> Iterator[list[Qubit]]:
    """The qubits of a call; registers stand for one call for each of their qubits."""
    wires = [reader.wires(operand) for operand in operands]
    if len(wires) != wanted:
        raise ProgramError(f"{what} takes {wanted} qubits, but has {len(wires)}")
    sizes = {len(wire.bits) for wire in wires if not wire.single}
    if len(sizes) > 1:
        raise ProgramError(f"{what} is given registers of {' and '.join(map(str, sorted(sizes)))} qubits")
    for index in range(sizes.pop() if sizes else 1):
        bits = [wire.bits[0 if wire.single else index] for wire in wires]
        if len(set(bits)) < len(bits):
            raise ProgramError(f"{what} is given the same qubit twice")
        yield bits


def _has_control(modifiers: Sequence[ast.QuantumGateModifier]) -> bool:
    controls = (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl)
    return any(modifier.modifier in controls for modifier in modifiers)
