"""What every translation of an ansatz to another library needs: its angles and its outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qiskit.circuit import Parameter

from qiskit_hqnn.circuits import Ansatz

Value = Callable[[Any, Any], Any]
"""(inputs (..., I), weights (..., W)) to angles (...)."""


def outputs_of(ansatz: Ansatz, measured: Any, stack: Callable[..., Any]) -> Any:
    """Outputs from the expectation values of the observables' Pauli strings, in their order."""
    values, outputs = iter(measured), []
    for observable in ansatz.observables:
        total: Any = 0.0
        for letters, _, coefficient in observable.to_sparse_list():
            total = total + coefficient.real * (next(values) if letters else 1.0)
        outputs.append(total)
    return stack(outputs, -1)


def value_of(ansatz: Ansatz, expression: Any) -> Value:
    """A gate's angle as a function of (inputs, weights)."""
    (parameter,) = expression.parameters
    scale = 1.0 if isinstance(expression, Parameter) else float(expression.gradient(parameter))
    if parameter in ansatz.input_params:
        position = ansatz.input_params.index(parameter)
        return lambda x, w: x[..., position] if scale == 1.0 else scale * x[..., position]
    position = ansatz.weight_params.index(parameter)
    return lambda x, w: w[..., position] if scale == 1.0 else scale * w[..., position]
