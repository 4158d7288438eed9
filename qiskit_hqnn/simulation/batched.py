"""What all compiled circuits share: arguments are checked, and reshaped on the way in and out."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation.functions import Runs, by_copy, expectation_values

_DTYPES = (torch.float32, torch.float64)


class Sizes(Protocol):
    """A circuit's sizes, as a plan gives them."""

    @property
    def num_inputs(self) -> int: ...

    @property
    def num_weights(self) -> int: ...

    @property
    def num_outputs(self) -> int: ...


class BatchedRuns(Runs, Protocol):
    """A plan for one dtype and device.

    Attributes:
        plain: whether the plan's columns are inputs and weights themselves.
    """

    @property
    def plain(self) -> bool: ...

    @property
    def num_bytes(self) -> int:
        """Memory of the constants that it has computed."""
        ...

    def columns(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The columns that angles are affine in: (batch, copies, columns) and (copies, columns), by autograd."""
        ...


class BatchedCircuit:
    """Expectation values of a circuit for batches and copies; a subclass says what runs (`_runner`).

    Every method takes inputs of shape (batch, copies, I) and weights of shape (copies, W) in radians, both of one
    dtype (float32 or float64) on one device, which the results follow. Gradients flow to both.
    """

    _sizes: Sizes

    def expectation_values(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """⟨observables⟩ of shape (batch, copies, outputs).

        Raises:
            ShapeError: if a shape does not fit, or a value is NaN or infinite. On a CUDA device values are not
                checked, since every step would then wait for the device: there a NaN results in NaN.
            HQNNError: if the states do not fit into memory.
        """
        self._check(inputs, weights)
        runner = self._runner(inputs)
        return expectation_values(runner, *runner.columns(inputs, weights))

    def layer(self, inputs: Tensor, weights: Tensor, copies: int) -> Tensor:
        """`expectation_values` of circuits side by side, in a network's flat tensors.

        Args:
            inputs: of shape (..., copies · I); not checked here.
            weights: of shape (copies · W,), of the same dtype.
            copies: number of circuits; the first I inputs and W weights belong to the first.

        Returns:
            Shape (..., copies · outputs).

        Raises:
            ShapeError, HQNNError: as `expectation_values`.
        """
        runner = self._runner(inputs)
        if runner.plain:
            return expectation_values(runner, inputs, weights, copies)
        outputs = self.expectation_values(*by_copy(inputs, weights, copies))
        return outputs.reshape(*inputs.shape[:-1], copies * self._sizes.num_outputs)

    def _runner(self, inputs: Tensor) -> BatchedRuns:
        raise NotImplementedError

    def _check(self, inputs: Tensor, weights: Tensor) -> None:
        sizes = self._sizes
        if inputs.ndim != 3 or inputs.shape[2] != sizes.num_inputs:
            raise ShapeError(
                f"Argument `inputs` must have shape (batch, copies, {sizes.num_inputs}), but has shape "
                f"{tuple(inputs.shape)}."
            )
        if weights.shape != (inputs.shape[1], sizes.num_weights):
            raise ShapeError(
                f"Argument `weights` must have shape ({inputs.shape[1]}, {sizes.num_weights}), but has shape "
                f"{tuple(weights.shape)}."
            )
        if inputs.dtype != weights.dtype or inputs.dtype not in _DTYPES:
            raise HQNNError(
                "Arguments `inputs` and `weights` must both be float32 or both float64, but are "
                f"{inputs.dtype} and {weights.dtype}."
            )


def check_dtype(inputs: Tensor) -> None:
    """Raises HQNNError if a layer's tensors have a dtype in which nothing is computed."""
    if inputs.dtype not in _DTYPES:
        raise HQNNError(
            f"A quantum layer computes exactly in float32 or float64, but its weights are {inputs.dtype}."
        )
