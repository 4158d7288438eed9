"""A compiled circuit: batched, differentiable expectation values, probabilities and states."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor
from torch.autograd.function import once_differentiable

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation.compiled import Compiling, Passes
from qiskit_hqnn.simulation.constants import Constants
from qiskit_hqnn.simulation.evolve import Angles, Evolution, apply_blocks
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
        compile: bool = False,
    ) -> None:
        self._compile = compile
        self._source = (circuit, tuple(observables), tuple(input_params), tuple(weight_params))
        self.plan = make_plan(*self._source)
        self._runners: dict[tuple[bool, torch.dtype, torch.device], _Runner] = {}
        self._state_plan: Plan | None = None

    def expectation_values(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """⟨observables⟩, of shape (batch, copies, outputs).

        Raises:
            ShapeError: if a shape does not fit, or a value is NaN or infinite. On a CUDA device values are not
                looked at, since every step would then wait for the device: there a NaN comes out as NaN.
        """
        runner = self._runner(inputs, weights)
        if not self.plan.sees_all:
            _check_finite(torch.cat([inputs.detach().flatten(), weights.detach().flatten()]), inputs, weights)
        with full_precision(inputs):
            outputs: Any = _Expectation.apply(runner, *_with_purpose(*runner.columns(inputs, weights)))
        return outputs

    def probabilities(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Probabilities of all outcomes, of shape (batch, copies, 2^n), in Qiskit's little-endian order."""
        states = torch.view_as_real(self.statevectors(inputs, weights))
        return (states * states).sum(dim=-1)

    def statevectors(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """States of shape (batch, copies, 2^n), complex, little-endian, each up to a global phase."""
        runner = self._runner(inputs, weights, keep_state=True)
        with full_precision(inputs):
            states: Any = _State.apply(runner, *_with_purpose(*runner.columns(inputs, weights)))
        return states

    def _runner(self, inputs: Tensor, weights: Tensor, keep_state: bool = False) -> _Runner:
        self._check(inputs, weights)
        key = (keep_state, inputs.dtype, inputs.device)
        if key not in self._runners:
            if keep_state and self._state_plan is None:
                self._state_plan = make_plan(*self._source, keep_state=True)
            plan = self._state_plan if keep_state and self._state_plan is not None else self.plan
            self._runners[key] = _Runner(Constants(plan, inputs.dtype, inputs.device), self._compile)
        return self._runners[key]

    @property
    def num_bytes(self) -> int:
        """Memory of the constants that it has made for the dtypes and devices it has been run on."""
        return sum(runner.constants.num_bytes for runner in self._runners.values())

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

    def __init__(self, constants: Constants, compile: bool = False) -> None:
        self.constants = constants
        self._compiling = Compiling(self) if compile else None
        plan = constants.plan
        expressions, parameters = plan.template.nonlinear, plan.parameters
        self._row_functions = [torch_function(expressions[index], parameters) for index in plan.row_nonlinear]
        self._weight_functions = [
            torch_function(expressions[index], parameters[plan.num_inputs :])
            for index in plan.weight_nonlinear
        ]

    def columns(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """What the plan's slots are affine in: (batch, copies, columns) and (copies, columns), by autograd."""
        columns = _with_columns(weights, self._weight_functions, weights)
        if not (self.constants.plan.mixes or self._row_functions):
            return inputs, columns
        both = torch.cat([inputs, weights.expand(len(inputs), *weights.shape)], dim=-1)
        rows = both if self.constants.plan.mixes else inputs
        return _with_columns(rows, self._row_functions, both), columns

    def angles(self, row_columns: Tensor, columns: Tensor) -> Angles:
        """The plan's slots."""
        constants, plan = self.constants, self.constants.plan
        rows = row_columns.permute(1, 2, 0)
        matrix, offsets = constants.row_slots
        if matrix is not None:
            rows = torch.matmul(matrix, rows)
        if offsets is not None:
            rows = rows + offsets[:, None]
        return Angles(
            rows,
            _affine(columns, constants.weight_slots, plan.weight_slots),
            _affine(columns, constants.gate_slots, plan.gate_slots),
        )

    def passes_for(self, rows: Tensor, columns: Tensor, for_gradient: bool) -> Passes:
        """Who runs `measure` and `pull_back` on columns of these shapes."""
        if self._compiling is None:
            return self
        return self._compiling.passes_for(rows, columns, for_gradient)

    def measure(
        self, rows: Tensor, columns: Tensor, for_gradient: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Expectation values (batch, copies, outputs), and what `pull_back` needs."""
        constants, angles = self.constants, self.angles(rows, columns)
        evolution = Evolution.forth(constants, angles, for_gradient)
        outputs: Tensor | None = None
        kept: list[Tensor | None] = []
        for basis in constants.bases:
            measured = torch.view_as_real(apply_blocks(evolution.final, basis.blocks))
            squares = (measured * measured).flatten(2)
            part = torch.bmm(basis.signs.expand(angles.copies, -1, -1), squares)
            outputs = part if outputs is None else outputs + part
            kept.append(measured)
        assert outputs is not None
        outputs = outputs.view(*outputs.shape[:2], angles.batch, 2).sum(dim=-1).permute(2, 0, 1)
        return outputs, kept + evolution.tensors() if for_gradient else []

    def pull_back(self, kept: Sequence[Tensor | None], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of both kinds of columns from that of the expectation values."""
        gradient, mu, bases = gradient.permute(1, 2, 0), None, self.constants.bases
        for basis, measured in zip(bases, kept, strict=False):
            assert measured is not None
            slopes = torch.bmm(basis.slopes.expand(len(gradient), -1, -1), gradient)
            part = torch.view_as_complex(measured * slopes[..., None]).conj_physical()
            part = apply_blocks(part, basis.transposed_blocks)
            mu = part if mu is None else mu + part
        assert mu is not None
        return self.column_gradients(Evolution.back(self.constants, kept[len(bases) :]).pull_back(mu))

    def column_gradients(self, slots: Angles) -> tuple[Tensor, Tensor]:
        """Gradients of both kinds of columns from those of the slots."""
        constants, plan = self.constants, self.constants.plan
        rows, matrix = slots.rows, constants.row_slots[0]
        if matrix is not None:
            rows = torch.matmul(matrix.T, rows)
        of_weights = _pulled(slots.weights, constants.weight_slots[0]) if plan.weight_slots.count else None
        of_gates = _pulled(slots.gates, constants.gate_slots[0]) if plan.gate_slots.count else None
        if of_weights is None or of_gates is None:
            columns = of_gates if of_weights is None else of_weights
            if columns is None:
                columns = rows.new_zeros(len(rows), plan.weight_slots.matrix.shape[1])
        else:
            columns = of_weights + of_gates
        return rows.permute(2, 0, 1), columns


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


def _pulled(slots: Tensor, matrix: Tensor | None) -> Tensor:
    return slots if matrix is None else slots @ matrix


_AS_IT_IS = nullcontext()


class _Expectation(torch.autograd.Function):
    """Columns to expectation values (batch, copies, outputs), with an analytic adjoint pass."""

    @staticmethod
    def forward(ctx: Any, runner: _Runner, for_gradient: bool, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.passes = passes = runner.passes_for(rows, columns, for_gradient)
        outputs, kept = passes.measure(rows, columns, for_gradient)
        # The arguments are of no use to the adjoint pass, but so torch sees it if they are altered before that.
        ctx.save_for_backward(rows, columns, *kept)
        _check_finite(outputs, rows, columns)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        with full_precision(gradient):
            return None, None, *ctx.passes.pull_back(ctx.saved_tensors[2:], gradient)


class _State(torch.autograd.Function):
    """Columns to states (batch, copies, 2^n)."""

    @staticmethod
    def forward(ctx: Any, runner: _Runner, for_gradient: bool, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.runner, angles = runner, runner.angles(rows, columns)
        evolution = Evolution.forth(runner.constants, angles, for_gradient)
        kept = evolution.tensors() if for_gradient else []
        ctx.save_for_backward(rows, columns, *kept)
        _check_finite(evolution.final, rows, columns)
        return evolution.final.permute(2, 0, 1) * runner.constants.scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        constants = ctx.runner.constants
        with full_precision(gradient):
            evolution = Evolution.back(constants, ctx.saved_tensors[2:])
            mu = gradient.permute(1, 2, 0).conj_physical() * constants.scale
            return None, None, *ctx.runner.column_gradients(evolution.pull_back(mu))


def _with_purpose(rows: Tensor, columns: Tensor) -> tuple[bool, Tensor, Tensor]:
    """Whether gradients will be asked for, which a Function's own forward cannot see: no_grad looks the same there."""
    return torch.is_grad_enabled() and (rows.requires_grad or columns.requires_grad), rows, columns


def full_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """torch.autocast off within: it would round real products to bfloat16, and it knows no complex ones."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else _AS_IT_IS


def _check_finite(result: Tensor | None, *angles: Tensor) -> None:
    """One look at the small result instead of all inputs; NaN or infinity in any angle reaches it.

    On a CUDA device there is none: to read one number there waits for everything that was asked of it before.
    """
    if result is None or result.is_cuda or cmath.isfinite(result.sum().item()):
        return
    bad = sum(int((~torch.isfinite(angle)).sum()) for angle in angles)
    raise ShapeError(
        f"Every input and weight of a quantum circuit must be finite, but {bad} angles are NaN or infinite."
    )
