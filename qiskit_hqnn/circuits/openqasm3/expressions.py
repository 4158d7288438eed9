"""Values of OpenQASM 3 expressions: numbers if everything is known, Qiskit's expressions if they contain an input."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from openqasm3 import ast
from qiskit.circuit import ParameterExpression

from qiskit_hqnn.circuits.openqasm3.values import (
    LARGEST,
    Angle,
    Duration,
    Number,
    ProgramError,
    Scope,
    Value,
    Wires,
)

Node: TypeAlias = ast.Expression | ast.IndexedIdentifier
Operand: TypeAlias = Number | ParameterExpression
_CONSTANTS = {"pi": math.pi, "π": math.pi, "tau": math.tau, "τ": math.tau, "euler": math.e, "ℇ": math.e}

_OF_NUMBERS: dict[str, Callable[..., Number]] = {
    "arccos": math.acos, "arcsin": math.asin, "arctan": math.atan, "ceiling": math.ceil, "cos": math.cos,
    "exp": math.exp, "floor": math.floor, "log": math.log, "sin": math.sin, "sqrt": math.sqrt, "tan": math.tan,
    "abs": abs, "popcount": int.bit_count,
}  # fmt: skip
_OF_INPUTS: dict[str, Callable[[ParameterExpression], ParameterExpression]] = {
    "arccos": ParameterExpression.arccos, "arcsin": ParameterExpression.arcsin, "sign": ParameterExpression.sign,
    "arctan": ParameterExpression.arctan, "cos": ParameterExpression.cos, "exp": ParameterExpression.exp,
    "log": ParameterExpression.log, "sin": ParameterExpression.sin, "tan": ParameterExpression.tan,
    "abs": ParameterExpression.abs, "sqrt": lambda value: value**0.5,
}  # fmt: skip
_OPERATORS: dict[str, Callable[[Any, Any], Operand]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "**": lambda left, right: _to_the_power(left, right),
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "&&": lambda left, right: bool(left and right), "||": lambda left, right: bool(left or right),
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
    "/": lambda left, right: _quotient(left, right), "%": lambda left, right: _remainder(left, right),
}  # fmt: skip
_LARGEST_EXPONENT = 1024
_OF_ANGLES = frozenset({"+", "-", "*", "/", "**"})


def evaluate(node: Node, scope: Scope) -> Value:
    """The value of an expression.

    Raises:
        ProgramError: if it is not known when the program is read, or its kind has no value here.
    """
    match node:
        case ast.IntegerLiteral() | ast.FloatLiteral() | ast.BooleanLiteral():
            return node.value
        case ast.Identifier():
            return _named(node.name, scope)
        case ast.UnaryExpression():
            return _unary(node.op.name, evaluate(node.expression, scope))
        case ast.BinaryExpression():
            return _binary(node.op.name, evaluate(node.lhs, scope), evaluate(node.rhs, scope))
        case ast.FunctionCall():
            return _called(node.name.name, [evaluate(argument, scope) for argument in node.arguments])
        case ast.Cast():
            return converted(node.type, evaluate(node.argument, scope))
        case ast.ArrayLiteral():
            return [evaluate(value, scope) for value in node.values]
        case ast.DurationLiteral():
            return Duration(node.value, node.unit.name)
        case ast.IndexExpression():
            return _indexed(evaluate(node.collection, scope), node.index, scope)
        case ast.IndexedIdentifier():
            value = evaluate(node.name, scope)
            for index in node.indices:
                value = _indexed(value, index, scope)
            return value
        case ast.Concatenation():
            return _joined(evaluate(node.lhs, scope), evaluate(node.rhs, scope))
        case ast.SizeOf():
            return _size(evaluate(node.target, scope))
    raise ProgramError(f"a {type(node).__name__} has no value that is known before the circuit runs")


def whole_number(node: Node, scope: Scope, what: str) -> int:
    """A number that must be a known integer."""
    value = evaluate(node, scope)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProgramError(f"{what} must be a known whole number, but is {shown(value)}")
    return value


def condition(node: Node, scope: Scope) -> bool:
    """A condition that must be known when the program is read."""
    value = evaluate(node, scope)
    if not isinstance(value, int | float):
        raise ProgramError(
            f"a condition must be known before the circuit runs, but depends on {shown(value)}"
        )
    return bool(value)


def angle(node: Node, scope: Scope) -> Angle:
    """An argument of a gate: a number, or an expression of inputs."""
    value = evaluate(node, scope)
    if isinstance(value, ParameterExpression):
        return value
    if isinstance(value, int | float):
        return float(value)
    raise ProgramError(f"an angle must be a number or an input, but is {shown(value)}")


def converted(kind: ast.ClassicalType, value: Value) -> Value:
    """A value converted to a classical type."""
    if isinstance(value, ParameterExpression | list | Duration):
        return value
    if not isinstance(value, int | float):
        raise ProgramError(f"a {type(kind).__name__} cannot hold {shown(value)}")
    if isinstance(kind, ast.IntType | ast.UintType):
        return int(value)
    if isinstance(kind, ast.BoolType):
        return bool(value)
    if isinstance(kind, ast.FloatType | ast.AngleType):
        return float(value)
    raise ProgramError(f"variables of type {type(kind).__name__} are not supported")


def size_of(node: Node, scope: Scope, what: str) -> int:
    """A known size of a register or an array."""
    size = whole_number(node, scope, what)
    if not 0 <= size <= LARGEST:
        raise ProgramError(f"{what} must be from 0 to {LARGEST:,}, but is {size}")
    return size


def members(node: Node | ast.RangeDefinition | ast.DiscreteSet, scope: Scope) -> Sequence[Value]:
    """The values that a `for` runs through: a range with both ends, a set, or an array."""
    if isinstance(node, ast.RangeDefinition):
        if node.start is None or node.end is None:
            raise ProgramError("the range of a loop needs a start and an end")
        return _range(node, scope, 0)
    if isinstance(node, ast.DiscreteSet):
        return [whole_number(value, scope, "a member of a set") for value in node.values]
    found = evaluate(node, scope)
    if not isinstance(found, list):
        raise ProgramError(f"a loop runs through a range, a set or an array, not through {shown(found)}")
    return found


def shown(value: Value) -> str:
    """A value in an error."""
    if isinstance(value, Wires):
        return "a measured bit" if value.classical else "a qubit"
    if isinstance(value, ParameterExpression):
        return f"the input {value}"
    return repr(value)


def _named(name: str, scope: Scope) -> Value:
    try:
        return scope.value(name)
    except ProgramError:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        raise


def _unary(sign: str, value: Value) -> Value:
    if isinstance(value, Duration) and sign == "-":
        return Duration(-value.value, value.unit)
    if isinstance(value, ParameterExpression) and sign == "-":
        return -1 * value
    if not isinstance(value, int | float):
        raise ProgramError(f"operator {sign} cannot take {shown(value)}")
    if sign == "-":
        return -value
    if sign == "!":
        return not value
    if isinstance(value, int):
        return ~value
    raise ProgramError(f"operator {sign} cannot take {shown(value)}")


def _binary(sign: str, left: Value, right: Value) -> Value:
    for value, factor in ((left, right), (right, left)):
        if isinstance(value, Duration) and isinstance(factor, int | float) and sign in "*/":
            return Duration(_OPERATORS[sign](value.value, float(factor)), value.unit)
    for value in (left, right):
        if not isinstance(value, int | float | ParameterExpression):
            raise ProgramError(f"operator {sign} cannot take {shown(value)}")
        if isinstance(value, ParameterExpression) and sign not in _OF_ANGLES:
            raise ProgramError(
                f"operator {sign} needs values that are known before the circuit runs, not {shown(value)}"
            )
    try:
        value = _OPERATORS[sign](left, right)
    except (ZeroDivisionError, OverflowError, TypeError) as error:
        raise ProgramError(f"{shown(left)} {sign} {shown(right)} cannot be computed ({error})") from error
    if isinstance(value, complex):
        raise ProgramError(f"{shown(left)} {sign} {shown(right)} is no real number")
    return value


def _quotient(left: Operand, right: Operand) -> Operand:
    """The quotient of two integers is an integer, truncated towards zero, as in C."""
    if isinstance(left, int) and isinstance(right, int):
        return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left / right


def _to_the_power(left: Operand, right: Operand) -> Operand:
    if isinstance(left, int) and isinstance(right, int) and abs(right) > _LARGEST_EXPONENT:
        raise OverflowError(f"the exponent is beyond {_LARGEST_EXPONENT}")
    return left**right


def _remainder(left: Operand, right: Operand) -> Operand:
    whole = isinstance(left, int) and isinstance(right, int)
    return left - right * _quotient(left, right) if whole else math.fmod(left, right)


def _called(name: str, arguments: list[Value]) -> Value:
    if name == "mod" and len(arguments) == 2:
        return _binary("%", *arguments)
    if len(arguments) != 1 or name not in {**_OF_NUMBERS, **_OF_INPUTS}:
        raise ProgramError(f"there is no function {name} of {len(arguments)} arguments")
    (value,) = arguments
    if isinstance(value, ParameterExpression) and name in _OF_INPUTS:
        return _OF_INPUTS[name](value)
    if name == "sign" and isinstance(value, int | float):
        return (value > 0) - (value < 0)
    if not isinstance(value, int | float) or name not in _OF_NUMBERS:
        raise ProgramError(f"function {name} cannot take {shown(value)}")
    try:
        return _OF_NUMBERS[name](value)
    except (ValueError, OverflowError, TypeError) as error:
        raise ProgramError(f"{name}({value}) cannot be computed ({error})") from error


def _indexed(value: Value, index: ast.IndexElement, scope: Scope) -> Value:
    if isinstance(index, ast.DiscreteSet):
        return _picked(value, [whole_number(one, scope, "an index") for one in index.values])
    for one in index:
        if isinstance(one, ast.RangeDefinition):
            value = _picked(value, list(_range(one, scope, _size(value))))
            continue
        number = whole_number(one, scope, "an index")
        picked = _picked(value, [number])
        value = Wires(picked.bits, single=True) if isinstance(picked, Wires) else picked[0]  # type: ignore[index]
    return value


def _picked(value: Value, indices: list[int]) -> Value:
    size = _size(value)
    outside = [index for index in indices if not -size <= index < size]
    if outside:
        raise ProgramError(f"index {outside[0]} is outside of a register or an array of {size}")
    if isinstance(value, Wires):
        return Wires(tuple(value.bits[index] for index in indices))
    return [value[index] for index in indices]  # type: ignore[index]


def _range(node: ast.RangeDefinition, scope: Scope, size: int) -> range:
    """A range includes both ends; without an end it runs to the end of a register of this size."""
    step = 1 if node.step is None else whole_number(node.step, scope, "the step of a range")
    if step == 0:
        raise ProgramError("the step of a range must not be 0")
    ends = (0, size - 1) if step > 0 else (size - 1, 0)
    start, end = (
        default if part is None else whole_number(part, scope, "the end of a range")
        for part, default in zip((node.start, node.end), ends, strict=True)
    )
    if size:
        start, end = (part + size if part < 0 else part for part in (start, end))
    return range(start, end + (1 if step > 0 else -1), step)


def _joined(left: Value, right: Value) -> Value:
    if isinstance(left, Wires) and isinstance(right, Wires) and left.classical == right.classical:
        return Wires(left.bits + right.bits)
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    raise ProgramError(f"operator ++ cannot join {shown(left)} and {shown(right)}")


def _size(value: Value) -> int:
    if isinstance(value, Wires) and not value.single:
        return len(value.bits)
    if isinstance(value, list):
        return len(value)
    raise ProgramError(f"only registers and arrays have a size and indices, not {shown(value)}")
