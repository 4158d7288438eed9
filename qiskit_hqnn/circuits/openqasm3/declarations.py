"""Statements that declare or assign names."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TypeAlias

from openqasm3 import ast
from qiskit.circuit import ClassicalRegister, Parameter, QuantumRegister

from qiskit_hqnn.circuits.openqasm3.expressions import converted, evaluate, size_of, whole_number
from qiskit_hqnn.circuits.openqasm3.inputs import declared_input
from qiskit_hqnn.circuits.openqasm3.reader import Reader
from qiskit_hqnn.circuits.openqasm3.values import LARGEST, Duration, ProgramError, Value, Wires

_Declared: TypeAlias = ast.ClassicalDeclaration | ast.ConstantDeclaration | ast.IODeclaration
_INCLUDES = ("stdgates.inc", "qelib1.inc")


def include(reader: Reader, node: ast.Include) -> None:
    """The standard gates are always known."""
    if node.filename not in _INCLUDES:
        raise ProgramError(f"only stdgates.inc can be included, not {node.filename!r}")


def qubits(reader: Reader, node: ast.QubitDeclaration) -> None:
    size = 1 if node.size is None else size_of(node.size, reader.scope, "the size of a register")
    register = QuantumRegister(size, node.qubit.name)
    reader.circuit.add_register(register)
    reader.scope.declare(node.qubit.name, Wires(tuple(register), node.size is None))


def input_or_output(reader: Reader, node: ast.IODeclaration) -> None:
    """Inputs are parameters; an output is a variable like others."""
    if node.io_identifier is ast.IOKeyword.output:
        variable(reader, node)
        return
    value = declared_input(node, reader.scope, reader.definitions.elements)
    reader.scope.declare(node.identifier.name, value)
    reader.definitions.inputs |= {parameter.name for parameter in _parameters(value)}


def variable(reader: Reader, node: _Declared) -> None:
    """A constant, a variable or classical bits."""
    if isinstance(node.type, ast.BitType):
        _bits(reader, node, node.type)
        return
    start = getattr(node, "init_expression", None)
    if isinstance(node.type, ast.StretchType):
        raise ProgramError("a stretch has no length that is known before the circuit is scheduled")
    value: Value | None = None
    if start is not None:
        value = evaluate(start, reader.scope)
        if not isinstance(value, Duration | list):
            value = converted(node.type, value)
    elif isinstance(node.type, ast.ArrayType):
        value = _zeros([size_of(size, reader.scope, "the size of an array") for size in node.type.dimensions])
    reader.scope.declare(node.identifier.name, value)


def alias(reader: Reader, node: ast.AliasStatement) -> None:
    reader.scope.declare(node.target.name, reader.wires(node.value, classical=None))


def assignment(reader: Reader, node: ast.ClassicalAssignment) -> None:
    target, scope = node.lvalue, reader.scope
    if node.op.name == "=":
        value = evaluate(node.rvalue, scope)
    else:
        sign = ast.BinaryOperator[node.op.name.removesuffix("=")]
        # An indexed name is an expression as well, which the parser's types do not say.
        value = evaluate(ast.BinaryExpression(sign, target, node.rvalue), scope)  # type: ignore[arg-type]
    if isinstance(target, ast.Identifier):
        scope.assign(target.name, value)
        return
    holder = evaluate(target.name, scope)
    *rows, last = [whole_number(index, scope, "an index") for index in _indices(target)]
    for row in rows:
        holder = _array(holder, row)[row]
    _array(holder, last)[last] = value


def _array(holder: Value, index: int) -> list[Value]:
    """The array that contains an element of this index.

    Raises:
        ProgramError: if it is not an array, or has no such element.
    """
    if not isinstance(holder, list):
        raise ProgramError("here a classical bit takes only a measurement")
    if not -len(holder) <= index < len(holder):
        raise ProgramError(f"index {index} is outside of an array of {len(holder)}")
    return holder


def _indices(target: ast.IndexedIdentifier) -> Iterator[ast.Expression]:
    for indices in target.indices:
        if isinstance(indices, ast.DiscreteSet):
            raise ProgramError("an assignment takes one element of an array, not a set of them")
        for index in indices:
            if isinstance(index, ast.RangeDefinition):
                raise ProgramError("an assignment takes one element of an array, not a range of them")
            yield index


def gate(reader: Reader, node: ast.QuantumGateDefinition) -> None:
    reader.definitions.gates[node.name.name] = node


def subroutine(reader: Reader, node: ast.SubroutineDefinition) -> None:
    reader.definitions.subroutines[node.name.name] = node


def _bits(reader: Reader, node: _Declared, kind: ast.BitType) -> None:
    size = kind.size
    count = 1 if size is None else size_of(size, reader.scope, "the size of a register")
    register = ClassicalRegister(count, node.identifier.name)
    reader.circuit.add_register(register)
    target = Wires(tuple(register), size is None)
    reader.scope.declare(node.identifier.name, target)
    start = getattr(node, "init_expression", None)
    if isinstance(start, ast.QuantumMeasurement):
        reader.measured(start, target)
    elif start is not None:
        raise ProgramError("here a classical bit takes only a measurement")


def _zeros(sizes: list[int]) -> Value:
    if prod(sizes) > LARGEST:
        raise ProgramError(f"an array of {prod(sizes):,} elements is larger than {LARGEST:,}")
    return [0] * sizes[0] if len(sizes) == 1 else [_zeros(sizes[1:]) for _ in range(sizes[0])]


def _parameters(value: Value) -> list[Parameter]:
    if isinstance(value, list):
        return [parameter for part in value for parameter in _parameters(part)]
    return [value]
