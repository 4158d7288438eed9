"""Qiskit's parameter expressions as differentiable torch functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy
import torch
from qiskit.circuit import Parameter, ParameterExpression
from torch import Tensor


def torch_function(
    expression: ParameterExpression, parameters: Sequence[Parameter]
) -> Callable[[Tensor], Tensor]:
    """Compile a parameter expression to a function of tensors.

    Args:
        expression: any real expression that Qiskit can build (sums, products, powers, sin, exp, …).
        parameters: P parameters that contain all of the expression's; their order is that of the columns.

    Returns:
        A differentiable function (…, P) → (…), radians.
    """
    column = {parameter: index for index, parameter in enumerate(parameters)}
    used = sorted(expression.parameters, key=lambda parameter: column[parameter])
    # Names such as "x[0]" are no Python identifiers: the expression is written over fresh symbols.
    fresh = [Parameter(f"v{index}") for index in range(len(used))]
    symbols = [sympy.Symbol(parameter.name) for parameter in fresh]
    formula = expression.subs(dict(zip(used, fresh, strict=True))).sympify()
    # sympy would print sign(x) as a Python conditional, which has no meaning for a batch.
    formula = formula.replace(sympy.sign, sympy.Function("sign_of"))
    by_name = {symbol.name: symbol for symbol in formula.free_symbols}
    function = sympy.lambdify(
        [by_name.get(symbol.name, symbol) for symbol in symbols], formula, modules=[_TORCH, "math"]
    )
    columns = [column[parameter] for parameter in used]

    def evaluate(values: Tensor) -> Tensor:
        result = function(*(values[..., index] for index in columns))
        return torch.as_tensor(result, dtype=values.dtype, device=values.device).expand(values.shape[:-1])

    return evaluate


def _on_tensors(function: Any) -> Callable[[Any], Any]:
    # sympy leaves constants such as exp(2) in the formula: torch takes only tensors.
    return lambda x: function(x if isinstance(x, Tensor) else torch.tensor(float(x), dtype=torch.float64))


_TORCH = {
    name: _on_tensors(function)
    for name, function in {
        "sin": torch.sin,
        "cos": torch.cos,
        "tan": torch.tan,
        "asin": torch.asin,
        "acos": torch.acos,
        "atan": torch.atan,
        "exp": torch.exp,
        "log": torch.log,
        "sqrt": torch.sqrt,
        "abs": torch.abs,
        "Abs": torch.abs,
        "sign_of": torch.sign,
        "conjugate": torch.clone,
    }.items()
}
