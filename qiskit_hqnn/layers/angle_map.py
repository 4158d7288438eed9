"""From inputs and weights to the gate angles of a template, differentiable in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from qiskit.circuit import Parameter
from torch import Tensor

from qiskit_hqnn.circuits import Template
from qiskit_hqnn.simulation import TorchFunction


class AngleMap:
    """Angles = coefficients @ (inputs, weights) + offsets, and an expression for each angle that is not affine.

    Everything runs in float64 on the CPU: the angles go to a device, where rounding costs more than time.
    """

    def __init__(self, template: Template, parameters: Sequence[Parameter]) -> None:
        self._coefficients = torch.from_numpy(template.coefficients)
        self._offsets = torch.from_numpy(template.offsets)
        self._nonlinear: dict[int, Callable[[Tensor], Tensor]] = {
            row: TorchFunction(expression, parameters) for row, expression in template.nonlinear.items()
        }

    def __call__(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Angles (N, K) in radians from inputs (N, I) and weights (N, W)."""
        values = torch.cat([inputs, weights], dim=-1)
        angles = values @ self._coefficients.T + self._offsets
        if not self._nonlinear:
            return angles
        columns = list(angles.unbind(dim=-1))
        for row, function in self._nonlinear.items():
            columns[row] = function(values)
        return torch.stack(columns, dim=-1)

    def slopes(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Derivatives (N, K, I + W) of the angles for inputs (N, I) and weights (N, W)."""
        values = torch.cat([inputs, weights], dim=-1).detach().requires_grad_()
        slopes = self._coefficients.expand(len(values), -1, -1)
        if self._nonlinear:
            slopes = slopes.clone()
        for row, function in self._nonlinear.items():
            with torch.enable_grad():
                # Each row of the batch depends on its own values only, so the gradient of the sum contains all of them.
                (slopes[:, row],) = torch.autograd.grad(function(values).sum(), values)
        return slopes
