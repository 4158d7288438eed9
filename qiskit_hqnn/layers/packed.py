"""A whole training step of a sampled circuit as one PUB: the samples and all their shifts in one array of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.gradient_rules import Shifts

Evaluate = Callable[[np.ndarray], np.ndarray]
"""From values of the angles, (N, S, K), to outputs, (N, S, O): one PUB."""


def evaluate_packed(evaluate: Evaluate, angles: np.ndarray, shifts: Shifts) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (N, O) and their derivatives (N, O, K) with respect to the angles, by a single call of `evaluate`."""
    plain, shifted = shifts.split(evaluate(shifts.sets(angles)))
    return plain, shifts.jacobian(shifted)


class _Context(Protocol):
    """What torch hands to a Function, and gets back in its backward pass."""

    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class PackedEvaluation(torch.autograd.Function):
    """Outputs of a sampled circuit, with the derivatives measured along with them.

    The shifted circuits are sent together with the plain one, since a second trip through a queue costs more than their
    shots. If no gradient is needed, none is measured.
    """

    @staticmethod
    def forward(ctx: _Context, angles: Tensor, evaluate: Evaluate, shifts: Shifts) -> Tensor:
        outputs, jacobian = evaluate_packed(evaluate, angles.detach().numpy(), shifts)
        ctx.save_for_backward(torch.from_numpy(jacobian))
        return torch.from_numpy(outputs.copy())

    @staticmethod
    def backward(ctx: _Context, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            # The derivatives were measured: for torch they are constants, and second derivatives would be wrong.
            raise HQNNError(
                "A quantum layer with a gradient rule that shifts angles has first derivatives only, but their graph "
                "was requested (create_graph=True)."
            )
        (jacobian,) = ctx.saved_tensors
        return torch.einsum("no,nok->nk", grad_outputs[0], jacobian), None, None
