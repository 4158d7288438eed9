"""Qiskit's parameter expressions as differentiable torch functions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from qiskit.circuit import Parameter, ParameterExpression
from torch import Tensor

from qiskit_hqnn.circuits import UNARY, Operation, postfix

_Value: TypeAlias = Tensor | complex


class TorchFunction:
    """A parameter expression as a differentiable function of tensors: (..., P) → (...), radians.

    It consists of data only, so objects that contain it can be pickled.

    Args:
        expression: any real expression that Qiskit can build (sums, products, powers, sin, exp, sign, …); its parts
            may be complex, as in `abs(exp(1j * x))`.
        parameters: P parameters, in the order of the columns; they include all of the expression's.
    """

    def __init__(self, expression: ParameterExpression, parameters: Sequence[Parameter]) -> None:
        column = {parameter: index for index, parameter in enumerate(parameters)}
        # A number, a column in a tuple of one, or the name of an operation.
        self._items: list[complex | tuple[int] | str] = []
        for item in postfix(expression):
            if isinstance(item, Parameter):
                self._items.append((column[item],))
            else:
                self._items.append(item.name if isinstance(item, Operation) else item)

    def __call__(self, values: Tensor) -> Tensor:
        stack: list[_Value] = []
        for item in self._items:
            if isinstance(item, tuple):
                stack.append(values[..., item[0]])
            elif not isinstance(item, str):
                stack.append(item)
            elif item in UNARY:
                stack.append(_UNARY[item](_as_tensor(stack.pop())))
            else:
                right, left = stack.pop(), stack.pop()
                if item.startswith("r"):
                    item, left, right = item[1:], right, left
                stack.append(_BINARY[item](left, right))
        (result,) = stack
        result = torch.as_tensor(result, device=values.device)
        real = result.real if result.is_complex() else result
        return real.to(values.dtype).expand(values.shape[:-1])


def _as_tensor(value: _Value) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


def _power(base: _Value, exponent: _Value) -> Tensor:
    return (
        torch.pow(_as_tensor(base), exponent)
        if not isinstance(exponent, Tensor)
        else torch.pow(base, exponent)
    )


_BINARY: dict[str, Callable[[_Value, _Value], _Value]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": _power,
}
_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "exp": torch.exp,
    "log": torch.log,
    "sign": torch.sgn,
    "abs": torch.abs,
    "conj": torch.conj,
}
