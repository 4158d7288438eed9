"""Qiskit's parameter expressions in postfix form, which can be evaluated, compared and differentiated anywhere.

Qiskit's own exports cover less: `sympify` loses `2**x` and treats parameters as complex numbers, `gradient` has no
`sign`, and in text "a*b" may be one parameter or two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from qiskit.circuit import Parameter, ParameterExpression

BINARY = ("add", "sub", "mul", "div", "pow", "rsub", "rdiv", "rpow")
"""Operations on two operands, in their order; those with an r take the second operand first."""
UNARY = ("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log", "sign", "abs", "conj")


@dataclass(frozen=True)
class Operation:
    """Takes one operand (`UNARY`) or two (`BINARY`) from the stack and leaves a result."""

    name: str


Item: TypeAlias = "complex | Parameter | Operation"
"""A number, a parameter, or an operation on what is on the stack."""


def postfix(expression: ParameterExpression) -> tuple[Item, ...]:
    """The items that compute an expression on a stack, from first to last.

    The numbers are floats, or complex where their imaginary part is not zero.
    """
    if isinstance(expression, Parameter):
        return (expression,)
    try:  # parameters that cancelled
        return (_number(expression.numeric(strict=False)),)
    except TypeError:
        items: list[Item] = []
    for step in expression._qpy_replay:
        name = str(step.op).rpartition(".")[2].lower()
        swapped = step.lhs is not None and step.rhs is None and name in BINARY
        for operand in (step.lhs, step.rhs):
            if isinstance(operand, ParameterExpression):
                items += postfix(operand)
            elif operand is not None:
                items.append(_number(operand))
        # A left operand given although the right one is already on the stack is pushed after it.
        items.append(Operation(_SWAPPED[name] if swapped else name))
    return tuple(items)


_SWAPPED = {
    "add": "add",
    "mul": "mul",
    "sub": "rsub",
    "div": "rdiv",
    "pow": "rpow",
    "rsub": "sub",
    "rdiv": "div",
    "rpow": "pow",
}


def affine(expression: ParameterExpression) -> tuple[dict[Parameter, float], float] | None:
    """(slope of each parameter, offset) of an expression in affine form; otherwise None."""
    if isinstance(expression, Parameter):
        return {expression: 1.0}, 0.0
    stack: list[_Affine] = []
    for item in postfix(expression):
        if isinstance(item, Parameter):
            stack.append(({item: 1.0}, 0.0))
        elif not isinstance(item, Operation):
            if isinstance(item, complex):
                return None
            stack.append(({}, float(item)))
        elif item.name in BINARY:
            right, left = stack.pop(), stack.pop()
            result = _combined(item.name, left, right)
            if result is None:
                return None
            stack.append(result)
        elif item.name != "conj":  # everything is real here
            return None
    (result,) = stack
    return result


_Affine = tuple[dict[Parameter, float], float]


def _combined(name: str, left: _Affine, right: _Affine) -> _Affine | None:
    if name.startswith("r"):
        name, left, right = name[1:], right, left
    if name in {"add", "sub"}:
        sign = 1.0 if name == "add" else -1.0
        slopes = dict(left[0])
        for parameter, slope in right[0].items():
            slopes[parameter] = slopes.get(parameter, 0.0) + sign * slope
        return slopes, left[1] + sign * right[1]
    if name == "mul":
        if left[0] and right[0]:
            return None
        (slopes, offset), (_, factor) = (left, right) if left[0] else (right, left)
        return {parameter: slope * factor for parameter, slope in slopes.items()}, offset * factor
    if name == "div" and not right[0] and right[1]:
        return {parameter: slope / right[1] for parameter, slope in left[0].items()}, left[1] / right[1]
    return None


def _number(value: complex) -> complex:
    return complex(value) if isinstance(value, complex) and value.imag else float(value.real)
