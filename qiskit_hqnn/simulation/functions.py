"""The passes as autograd Functions."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation.passes import FullStates
from qiskit_hqnn.simulation.runner import Runner

_AS_IT_IS = nullcontext()


class Passes(Protocol):
    """Computes expectation values and their gradients."""

    def measure(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, Sequence[Tensor | None]]:
        """Outputs, and what the backward pass needs."""
        ...

    def pull_back(self, kept: Sequence[Tensor], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the inputs and weights from that of the outputs."""
        ...


class _Context(Protocol):
    """What torch hands to a Function, and gets back in its backward pass."""

    needs_input_grad: Sequence[bool]
    saved_tensors: Sequence[Tensor]
    kind: str

    def save_for_backward(self, *tensors: Tensor | None) -> None: ...


class _OfExpectation(_Context, Protocol):
    runner: Runs
    copies: int | None
    passes: Passes
    shape: torch.Size | None


class _OfState(_Context, Protocol):
    runner: Runner
    states: FullStates


class Runs(Protocol):
    """Computes expectation values: a plan for one dtype and device, with or without noise.

    Attributes:
        kind: of the device, such as "cpu".
        sees_all: whether every input and weight reaches an output.
    """

    kind: str

    @property
    def sees_all(self) -> bool: ...

    def passes_for(self, rows: Tensor, columns: Tensor, for_gradient: bool, of_rows: bool = True) -> Passes:
        """The passes for columns of these shapes; without `of_rows` the gradient of the rows is not needed, and may be
        left out."""
        ...

    @property
    def in_operators(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """Expectation values of columns in torch's operators, for derivatives of any order; None if there are none."""
        ...


def expectation_values(runner: Runs, rows: Tensor, columns: Tensor, copies: int | None = None) -> Tensor:
    """Expectation values, with an analytic adjoint pass.

    Args:
        runner: of the plan.
        rows: of shape (batch, copies, C); with `copies`, (..., copies · C).
        columns: of shape (copies, D); with `copies`, (copies · D,).
        copies: number of circuits that share the last axis of flat rows, and of the outputs.

    Returns:
        Shape (batch, copies, outputs); with `copies`, (..., copies · outputs).
    """
    with full_precision(runner.kind):
        outputs: Tensor = _Expectation.apply(runner, _for_gradient(rows, columns), copies, rows, columns)
    return outputs


def by_copy(rows: Tensor, columns: Tensor, copies: int) -> tuple[Tensor, Tensor]:
    """Flat rows (..., copies · C) as (samples, copies, C), flat columns (copies · D,) as (copies, D)."""
    *leading, width = rows.shape
    return rows.reshape(math.prod(leading), copies, width // copies), columns.view(
        copies, len(columns) // copies
    )


def statevectors(runner: Runner, rows: Tensor, columns: Tensor) -> Tensor:
    """States (batch, copies, 2^n) from rows (batch, copies, C) and columns (copies, D)."""
    with full_precision(runner.kind):
        states: Tensor = _State.apply(runner, _for_gradient(rows, columns), rows, columns)
    return states


def probabilities(runner: Runner, rows: Tensor, columns: Tensor) -> Tensor:
    """Probabilities (batch, copies, 2^n) of all outcomes; as `statevectors`, with derivatives of any order."""
    with full_precision(runner.kind):
        found: Tensor = _Probability.apply(runner, _for_gradient(rows, columns), rows, columns)
    return found


def full_precision(kind: str) -> AbstractContextManager[object]:
    """torch.autocast off within, on this kind of device: it would round real products to bfloat16, and it does not
    support complex ones."""
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else _AS_IT_IS


class _Expectation(torch.autograd.Function):
    # Flat tensors are reshaped here: outside, each view would be a node of autograd's graph, which costs a network's
    # step as much as an operator.

    @staticmethod
    def forward(
        ctx: _OfExpectation,
        runner: Runs,
        for_gradient: bool,
        copies: int | None,
        rows: Tensor,
        columns: Tensor,
    ) -> Tensor:
        inputs, weights = (rows, columns) if copies is None else by_copy(rows, columns, copies)
        ctx.runner, ctx.copies = runner, copies
        ctx.passes = passes = runner.passes_for(inputs, weights, for_gradient, ctx.needs_input_grad[3])
        outputs, kept = passes.measure(inputs, weights, for_gradient)
        # The adjoint pass does not use the arguments, but saving them lets torch notice if they are altered before it.
        ctx.save_for_backward(rows, columns, *kept)
        ctx.shape, ctx.kind = (None if copies is None else outputs.shape), runner.kind
        _check_finite(outputs, runner, rows, columns)
        if copies is not None:
            outputs = outputs.reshape(*rows.shape[:-1], copies * outputs.shape[2])
        # Activations may work in place, which torch refuses on a view made here; nobody else uses this data.
        return outputs.data

    @staticmethod
    def backward(ctx: _OfExpectation, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, columns, *kept = ctx.saved_tensors

        def slopes() -> tuple[Tensor, Tensor]:
            if ctx.shape is None:
                return ctx.passes.pull_back(kept, gradient)
            of_rows, of_columns = ctx.passes.pull_back(kept, gradient.reshape(ctx.shape))
            return of_rows.reshape(rows.shape), of_columns.reshape(columns.shape)

        with full_precision(ctx.kind):
            if torch.is_grad_enabled() and ctx.runner.in_operators is not None:  # create_graph=True
                return None, None, None, *_with_graph(ctx.runner, ctx.copies, rows, columns, gradient)
            return None, None, None, *_once_only(slopes, rows, columns, gradient)


def _with_graph(
    runner: Runs, copies: int | None, rows: Tensor, columns: Tensor, gradient: Tensor
) -> tuple[Tensor, ...]:
    """First derivatives as functions of everything they depend on, so that second and higher ones exist."""
    rows, columns = _differentiable(rows, columns)
    assert runner.in_operators is not None
    return _slopes(
        runner.in_operators(*((rows, columns) if copies is None else by_copy(rows, columns, copies))),
        rows,
        columns,
        gradient,
    )


def _slopes(outputs: Tensor, rows: Tensor, columns: Tensor, gradient: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(
        outputs.reshape(gradient.shape), (rows, columns), gradient, create_graph=True, materialize_grads=True
    )


def _differentiable(*parts: Tensor) -> tuple[Tensor, ...]:
    return tuple(part if part.requires_grad else part.detach().requires_grad_() for part in parts)


class _Probability(torch.autograd.Function):
    # Of states alone there would be no second derivatives: the gates one by one have other global phases than the plan.

    @staticmethod
    def forward(ctx: _OfState, runner: Runner, for_gradient: bool, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.runner, ctx.states, ctx.kind = runner, runner.states, runner.kind
        states, kept = runner.states.statevectors(rows, columns, for_gradient)
        ctx.save_for_backward(rows, columns, states if for_gradient else None, *kept)
        found = states.real.square() + states.imag.square()
        _check_finite(found, runner, rows, columns)
        return found

    @staticmethod
    def backward(ctx: _OfState, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, columns, states, *kept = ctx.saved_tensors
        with full_precision(ctx.kind):
            if torch.is_grad_enabled():  # create_graph=True
                rows, columns = _differentiable(rows, columns)
                outputs = ctx.runner.probabilities_in_operators(rows, columns)
                return None, None, *_slopes(outputs, rows, columns, gradient)
            return None, None, *ctx.states.pull_back_states(kept, 2 * gradient * states)


class _State(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _OfState, runner: Runner, for_gradient: bool, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.states, ctx.kind = runner.states, runner.kind
        states, kept = runner.states.statevectors(rows, columns, for_gradient)
        ctx.save_for_backward(rows, columns, *kept)
        _check_finite(states, runner, rows, columns)
        return states

    @staticmethod
    def backward(ctx: _OfState, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, columns, *kept = ctx.saved_tensors
        with full_precision(ctx.kind):
            pull_back = partial(ctx.states.pull_back_states, kept, gradient)
            return None, None, *_once_only(pull_back, rows, columns, gradient)


def _once_only(slopes: Callable[[], tuple[Tensor, Tensor]], *graph: Tensor) -> tuple[Tensor, Tensor]:
    """First derivatives; their graph (create_graph=True) refuses second ones."""
    if not torch.is_grad_enabled():
        return slopes()
    with torch.no_grad():
        first = slopes()
    refusing: tuple[Tensor, Tensor] = _OnceOnly.apply(*graph, *first)
    return refusing


class _OnceOnly(torch.autograd.Function):
    """First derivatives unchanged, in a graph that refuses second ones instead of returning zero."""

    @staticmethod
    def forward(
        ctx: object, rows: Tensor, columns: Tensor, gradient: Tensor, of_rows: Tensor, of_columns: Tensor
    ) -> tuple[Tensor, Tensor]:
        return of_rows.data, of_columns.data

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        raise HQNNError(
            "Autograd has first derivatives only of states, and of values and probabilities under a device's noise, "
            "but a second one was requested (create_graph=True)."
        )


def _for_gradient(rows: Tensor, columns: Tensor) -> bool:
    """Whether gradients will be needed, which a Function's forward cannot know: no_grad looks the same there."""
    return torch.is_grad_enabled() and (rows.requires_grad or columns.requires_grad)


def _check_finite(result: Tensor, runner: Runs, *angles: Tensor) -> None:
    """Checks the small result instead of all inputs: NaN or infinity in any angle that it depends on reaches it.

    Only on the CPU: reading one number of another device waits for all work queued on it.
    """
    if runner.kind != "cpu":
        return
    seen = (result,) if runner.sees_all else [angle for angle in angles if angle.numel()]
    if all(cmath.isfinite(tensor.sum().item()) for tensor in seen):
        return
    bad = sum(int((~torch.isfinite(angle)).sum()) for angle in angles)
    if bad or not bool(torch.isfinite(result).all()):
        raise ShapeError(
            f"Every input and weight of a quantum circuit must be finite, but {bad} angles are NaN or infinite."
        )
