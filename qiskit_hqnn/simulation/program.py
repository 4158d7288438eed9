"""A compiled circuit: batched, differentiable expectation values, probabilities and states."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from typing import Any

import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor
from torch.autograd.function import once_differentiable

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation.constants import Constants
from qiskit_hqnn.simulation.evolve import Angles, apply_blocks, evolve, pull_back
from qiskit_hqnn.simulation.expressions import torch_function
from qiskit_hqnn.simulation.plan import Plan, Slots, make_plan


class Program:
    """A circuit planned once and run on batches; make it with `compile_ansatz` or `compile_circuit`.

    Every method takes inputs of shape (batch, copies, I) and weights of shape (copies, W) in radians, both of one
    dtype (float32 or float64) on one device, which the results follow. Gradients flow to both.
    """

    def __init__(
        self,
        circuit: QuantumCircuit,
        observables: Sequence[SparsePauliOp],
        input_params: Sequence[Parameter],
        weight_params: Sequence[Parameter],
    ) -> None:
        self._source = (circuit, tuple(observables), tuple(input_params), tuple(weight_params))
        self.plan = make_plan(*self._source)
        self._runners: dict[tuple[bool, torch.dtype, torch.device], _Runner] = {}
        self._state_plan: Plan | None = None

    def expectation_values(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """⟨observables⟩, of shape (batch, copies, outputs).

        Raises:
            ShapeError: if a shape does not fit, or a value is NaN or infinite.
        """
        runner = self._runner(inputs, weights)
        if not self.plan.sees_all:
            _check_finite(torch.cat([inputs.detach().flatten(), weights.detach().flatten()]), inputs, weights)
        outputs: Any = _Expectation.apply(runner, *runner.angles(inputs, weights))
        return outputs.permute(2, 0, 1)

    def probabilities(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Probabilities of all outcomes, of shape (batch, copies, 2^n), in Qiskit's little-endian order."""
        states = torch.view_as_real(self.statevectors(inputs, weights))
        return (states * states).sum(dim=-1)

    def statevectors(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """States of shape (batch, copies, 2^n), complex, little-endian, each up to a global phase."""
        runner = self._runner(inputs, weights, keep_state=True)
        states: Any = _State.apply(runner, *runner.angles(inputs, weights))
        return states.permute(2, 0, 1)

    def _runner(self, inputs: Tensor, weights: Tensor, keep_state: bool = False) -> _Runner:
        self._check(inputs, weights)
        key = (keep_state, inputs.dtype, inputs.device)
        if key not in self._runners:
            if keep_state and self._state_plan is None:
                self._state_plan = make_plan(*self._source, keep_state=True)
            plan = self._state_plan if keep_state and self._state_plan is not None else self.plan
            self._runners[key] = _Runner(Constants(plan, inputs.dtype, inputs.device))
        return self._runners[key]

    def _check(self, inputs: Tensor, weights: Tensor) -> None:
        plan = self.plan
        if inputs.ndim != 3 or inputs.shape[2] != plan.num_inputs:
            raise ShapeError(
                f"Argument `inputs` must have shape (batch, copies, {plan.num_inputs}), but has shape "
                f"{tuple(inputs.shape)}."
            )
        if weights.shape != (inputs.shape[1], plan.num_weights):
            raise ShapeError(
                f"Argument `weights` must have shape ({inputs.shape[1]}, {plan.num_weights}), but has shape "
                f"{tuple(weights.shape)}."
            )
        if inputs.dtype != weights.dtype or inputs.dtype not in (torch.float32, torch.float64):
            raise HQNNError(
                "Arguments `inputs` and `weights` must both be float32 or both float64, but are "
                f"{inputs.dtype} and {weights.dtype}."
            )

    def __repr__(self) -> str:
        return f"Program({self.plan})"


class _Runner:
    """A plan with its constants: from inputs and weights to angles, and on to results."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        plan = constants.plan
        expressions, parameters = plan.template.nonlinear, plan.parameters
        self._row_functions = [torch_function(expressions[index], parameters) for index in plan.row_nonlinear]
        self._weight_functions = [
            torch_function(expressions[index], parameters[plan.num_inputs :])
            for index in plan.weight_nonlinear
        ]

    def angles(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The plan's slots: rows (copies, K, batch), weights (copies, K), gates (copies, layers · qubits · length)."""
        plan, constants = self.constants.plan, self.constants
        columns = _with_columns(weights, self._weight_functions, weights)
        rows = inputs
        if plan.mixes or self._row_functions:
            both = torch.cat([inputs, weights.expand(len(inputs), *weights.shape)], dim=-1)
            rows = _with_columns(both if plan.mixes else inputs, self._row_functions, both)
        rows = rows.permute(1, 2, 0)
        matrix, offsets = constants.row_slots
        if matrix is not None:
            rows = torch.matmul(matrix, rows)
        if offsets is not None:
            rows = rows + offsets[:, None]
        return (
            rows,
            _affine(columns, constants.weight_slots, plan.weight_slots),
            _affine(columns, constants.gate_slots, plan.gate_slots),
        )

    def shaped(self, rows: Tensor, weights: Tensor, gates: Tensor) -> Angles:
        plan = self.constants.plan
        return Angles(rows, weights, gates.view(len(gates), *plan.gate_cos.shape[:3]))


def _with_columns(
    columns: Tensor, functions: Sequence[Callable[[Tensor], Tensor]], parameters: Tensor
) -> Tensor:
    if not functions:
        return columns
    return torch.cat([columns, torch.stack([function(parameters) for function in functions], dim=-1)], dim=-1)


def _affine(columns: Tensor, slots: tuple[Tensor | None, Tensor | None], shape: Slots) -> Tensor:
    if not shape.count:
        return columns.new_empty(len(columns), 0)
    matrix, offsets = slots
    if matrix is not None:
        columns = columns @ matrix.T
    return columns if offsets is None else columns + offsets


class _Expectation(torch.autograd.Function):
    """Angles to expectation values (copies, outputs, batch), with an analytic adjoint pass."""

    @staticmethod
    def forward(ctx: Any, runner: _Runner, rows: Tensor, weights: Tensor, gates: Tensor) -> Tensor:
        angles = runner.shaped(rows, weights, gates)
        ctx.runner, ctx.angles = runner, angles
        ctx.trace = trace = evolve(runner.constants, angles, any(ctx.needs_input_grad))
        outputs: Tensor | None = None
        ctx.measured = []
        for blocks, _, signs in runner.constants.bases:
            measured = apply_blocks(trace.final, blocks)
            part = torch.matmul(signs, _squared(measured))
            outputs = part if outputs is None else outputs + part
            ctx.measured.append(measured)
        _check_finite(outputs, rows, weights, gates)
        return outputs  # type: ignore[return-value]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        lam: Tensor | None = None
        for (_, back, signs), measured in zip(ctx.runner.constants.bases, ctx.measured, strict=True):
            part = apply_blocks(measured * (2 * torch.matmul(signs.T, gradient)), back)
            lam = part if lam is None else lam + part
        assert lam is not None
        result = pull_back(ctx.runner.constants, ctx.angles, ctx.trace, lam)
        return None, result.rows, result.weights, result.gates.flatten(1)


class _State(torch.autograd.Function):
    """Angles to states (copies, 2^n, batch)."""

    @staticmethod
    def forward(ctx: Any, runner: _Runner, rows: Tensor, weights: Tensor, gates: Tensor) -> Tensor:
        angles = runner.shaped(rows, weights, gates)
        ctx.runner, ctx.angles = runner, angles
        ctx.trace = evolve(runner.constants, angles, any(ctx.needs_input_grad))
        _check_finite(ctx.trace.final, rows, weights, gates)
        return ctx.trace.final.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        result = pull_back(ctx.runner.constants, ctx.angles, ctx.trace, gradient)
        return None, result.rows, result.weights, result.gates.flatten(1)


def _squared(states: Tensor) -> Tensor:
    parts = torch.view_as_real(states)
    return (parts * parts).sum(dim=-1)


def _check_finite(result: Tensor | None, *angles: Tensor) -> None:
    """One look at the small result instead of all inputs; NaN or infinity in any angle reaches it."""
    if result is None or result.is_cuda or cmath.isfinite(result.sum().item()):
        return
    bad = sum(int((~torch.isfinite(angle)).sum()) for angle in angles)
    raise ShapeError(
        f"Every input and weight of a quantum circuit must be finite, but {bad} angles are NaN or infinite."
    )
