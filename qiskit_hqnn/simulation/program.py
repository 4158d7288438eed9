"""A compiled circuit: batched, differentiable expectation values, probabilities and states."""

from __future__ import annotations

import torch
from torch import Tensor

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation.functions import by_copy, expectation_values, full_precision, statevectors
from qiskit_hqnn.simulation.memory import check_exact
from qiskit_hqnn.simulation.passes import Constants
from qiskit_hqnn.simulation.planning import Plan, Source, make_plan
from qiskit_hqnn.simulation.runner import Runner

_DTYPES = (torch.float32, torch.float64)


class Program:
    """A circuit planned once and run on batches; make it with `compile_ansatz` or `compile_circuit`.

    Every method takes inputs of shape (batch, copies, I) and weights of shape (copies, W) in radians, both of one
    dtype (float32 or float64) on one device, which the results follow. Gradients flow to both.
    """

    def __init__(self, source: Source, compile: bool = False) -> None:
        self._compile = compile
        self._source = source
        self.plan = make_plan(source)
        self._runners: dict[tuple[bool, torch.dtype, torch.device], Runner] = {}
        self._state_plan: Plan | None = None

    def expectation_values(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """⟨observables⟩, of shape (batch, copies, outputs).

        Raises:
            ShapeError: if a shape does not fit, or a value is NaN or infinite. On a CUDA device values are not
                looked at, since every step would then wait for the device: there a NaN comes out as NaN.
            HQNNError: if the states do not fit into memory.
        """
        self._check(inputs, weights)
        runner = self._runner(inputs)
        return expectation_values(runner, *runner.columns(inputs, weights))

    def layer(self, inputs: Tensor, weights: Tensor, copies: int) -> Tensor:
        """`expectation_values` of circuits side by side, flat as a network has them.

        Args:
            inputs: of shape (..., copies · I); not looked at here.
            weights: of shape (copies · W,), of the same dtype.
            copies: how many circuits; the first I inputs and W weights are those of the first.

        Returns:
            Shape (..., copies · outputs).

        Raises:
            ShapeError, HQNNError: as `expectation_values`.
        """
        runner = self._runner(inputs)
        if runner.plain:
            return expectation_values(runner, inputs, weights, copies)
        outputs = self.expectation_values(*by_copy(inputs, weights, copies))
        return outputs.reshape(*inputs.shape[:-1], copies * self.plan.num_outputs)

    def probabilities(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Probabilities of all outcomes, of shape (batch, copies, 2^n), in Qiskit's little-endian order."""
        states = torch.view_as_real(self.statevectors(inputs, weights))
        return (states * states).sum(dim=-1)

    def statevectors(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """States of shape (batch, copies, 2^n), complex, little-endian, each up to a global phase."""
        self._check(inputs, weights)
        runner = self._runner(inputs, keep_state=True)
        runner.check_room(inputs.shape[0] * inputs.shape[1])
        return statevectors(runner, *runner.columns(inputs, weights))

    def _runner(self, inputs: Tensor, keep_state: bool = False) -> Runner:
        key = (keep_state, inputs.dtype, inputs.device)
        if key not in self._runners:
            if inputs.dtype not in _DTYPES:
                raise HQNNError(
                    f"A quantum layer computes exactly in float32 or float64, but its weights are {inputs.dtype}."
                )
            if keep_state and self._state_plan is None:
                self._state_plan = make_plan(self._source, keep_state=True)
            plan = self._state_plan if keep_state and self._state_plan is not None else self.plan
            check_exact(plan, 1, inputs.dtype, inputs.device)
            with full_precision(inputs.device.type):
                self._runners[key] = Runner(Constants(plan, inputs.dtype, inputs.device), self._compile)
        return self._runners[key]

    def check_room(self, samples: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> None:
        """Raises HQNNError if expectation values of so many samples, batch × copies, do not fit into memory."""
        check_exact(self.plan, samples, dtype, torch.device(device))

    @property
    def num_bytes(self) -> int:
        """Memory of the constants that it has made for the dtypes and devices it has been run on."""
        # Lists, since other threads add to what is counted here.
        return sum(runner.num_bytes for runner in list(self._runners.values()))

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
        if inputs.dtype != weights.dtype or inputs.dtype not in _DTYPES:
            raise HQNNError(
                "Arguments `inputs` and `weights` must both be float32 or both float64, but are "
                f"{inputs.dtype} and {weights.dtype}."
            )

    def __repr__(self) -> str:
        return f"Program({self.plan})"
