"""The passes as functions of torch's autograd."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation.runner import Runner

_AS_IT_IS = nullcontext()


def expectation_values(runner: Runner, rows: Tensor, columns: Tensor, copies: int | None = None) -> Tensor:
    """Expectation values, with an analytic adjoint pass.

    Args:
        runner: of the plan.
        rows: of shape (batch, copies, C); with `copies`, (..., copies · C).
        columns: of shape (copies, D); with `copies`, (copies · D,).
        copies: how many circuits share the last axis of flat rows, and of the outputs.

    Returns:
        Shape (batch, copies, outputs); with `copies`, (..., copies · outputs).
    """
    with full_precision(runner.kind):
        outputs: Any = _Expectation.apply(runner, _for_gradient(rows, columns), copies, rows, columns)
    return outputs


def statevectors(runner: Runner, rows: Tensor, columns: Tensor) -> Tensor:
    """States (batch, copies, 2^n) from rows (batch, copies, C) and columns (copies, D)."""
    with full_precision(runner.kind):
        states: Any = _State.apply(runner, _for_gradient(rows, columns), rows, columns)
    return states


def full_precision(kind: str) -> AbstractContextManager[Any]:
    """torch.autocast off within, on this kind of device: it would round real products to bfloat16, and it knows no
    complex ones."""
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else _AS_IT_IS


class _Expectation(torch.autograd.Function):
    # Flat tensors are given their shapes in here: outside, each view would be a node of autograd's graph, which costs
    # a network's step as much as an operator.

    @staticmethod
    def forward(
        ctx: Any, runner: Runner, for_gradient: bool, copies: int | None, rows: Tensor, columns: Tensor
    ) -> Tensor:
        inputs, weights, shape = rows, columns, rows.shape
        if copies is not None:
            inputs = rows.reshape(math.prod(shape[:-1]), copies, shape[-1] // copies)
            weights = columns.view(copies, len(columns) // copies)
        ctx.passes = passes = runner.passes_for(inputs, weights, for_gradient)
        outputs, kept = passes.measure(inputs, weights, for_gradient)
        # The arguments are of no use to the adjoint pass, but so torch sees it if they are altered before that.
        ctx.save_for_backward(rows, columns, *kept)
        ctx.shape, ctx.kind = outputs.shape, runner.kind
        _check_finite(outputs, runner, rows, columns)
        ctx.flat = copies is not None
        return outputs.reshape(*shape[:-1], copies * outputs.shape[2]) if copies is not None else outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, columns, *kept = ctx.saved_tensors
        if torch.is_grad_enabled():
            with torch.no_grad():
                slopes = _slopes(ctx, kept, rows, columns, gradient)
            return None, None, None, *_OnceOnly.apply(rows, columns, gradient, *slopes)
        return None, None, None, *_slopes(ctx, kept, rows, columns, gradient)


def _slopes(
    ctx: Any, kept: Sequence[Tensor | None], rows: Tensor, columns: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor]:
    with full_precision(ctx.kind):
        if not ctx.flat:
            of_pair: tuple[Tensor, Tensor] = ctx.passes.pull_back(kept, gradient)
            return of_pair
        of_rows, of_columns = ctx.passes.pull_back(kept, gradient.reshape(ctx.shape))
    return of_rows.reshape(rows.shape), of_columns.reshape(columns.shape)


class _State(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, runner: Runner, for_gradient: bool, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.states, ctx.kind = runner.states, runner.kind
        states, kept = runner.states.statevectors(rows, columns, for_gradient)
        ctx.save_for_backward(rows, columns, *kept)
        _check_finite(states, runner, rows, columns)
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, columns, *kept = ctx.saved_tensors
        with torch.no_grad(), full_precision(ctx.kind):
            slopes = ctx.states.pull_back_states(kept, gradient)
        if torch.is_grad_enabled():
            slopes = _OnceOnly.apply(rows, columns, gradient, *slopes)
        return None, None, *slopes


class _OnceOnly(torch.autograd.Function):
    """First derivatives as they are, in a graph of which second ones would be asked: they are refused, not zero."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, columns: Tensor, gradient: Tensor, of_rows: Tensor, of_columns: Tensor
    ) -> tuple[Tensor, Tensor]:
        return of_rows.view_as(of_rows), of_columns.view_as(of_columns)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        raise HQNNError(
            "A quantum layer has first derivatives only, but a second one was asked for (create_graph=True, or "
            "torch.autograd.functional's hessian or hvp)."
        )


def _for_gradient(rows: Tensor, columns: Tensor) -> bool:
    """Whether gradients will be asked for, which a Function's own forward cannot see: no_grad looks the same there."""
    return torch.is_grad_enabled() and (rows.requires_grad or columns.requires_grad)


def _check_finite(result: Tensor, runner: Runner, *angles: Tensor) -> None:
    """One look at the small result instead of all inputs: NaN or infinity in any angle that it sees reaches it.

    Only on the CPU: to read one number of another device waits for everything that was asked of it before.
    """
    if runner.kind != "cpu":
        return
    seen = (result,) if runner.constants.plan.sees_all else [angle for angle in angles if angle.numel()]
    if all(cmath.isfinite(tensor.sum().item()) for tensor in seen):
        return
    bad = sum(int((~torch.isfinite(angle)).sum()) for angle in angles)
    if bad or not bool(torch.isfinite(result).all()):
        raise ShapeError(
            f"Every input and weight of a quantum circuit must be finite, but {bad} angles are NaN or infinite."
        )
