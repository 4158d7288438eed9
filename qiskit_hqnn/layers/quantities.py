"""What a layer's outputs are, behind one interface: expectation values, or probabilities of interpreted outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from torch import Tensor

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.circuit_copies import CircuitCopies
from qiskit_hqnn.layers.runs_on import NoisyPlace, Primitive

Exact: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From inputs (..., copies · I) and weights (copies · W,) to outputs (..., copies · O); for a template, from angles
(batch, 1, angles) and (1, 0) to (batch, 1, O)."""


class Quantity(Protocol):
    """Outputs of circuits side by side, exact and from a primitive.

    Attributes:
        circuits: the circuits.
        num_outputs: of one copy.
        output_shape: of all copies.
    """

    circuits: CircuitCopies
    num_outputs: int
    output_shape: tuple[int, ...]

    def check_primitive(self, primitive: object) -> None:
        """Raises HQNNError if the circuits cannot be sampled with this primitive."""

    def exact(self, noise: NoisyPlace | None, compile: bool) -> Exact:
        """Compile to outputs as a function of inputs and weights."""

    def in_operators(self, noise: NoisyPlace | None) -> Exact:
        """The same outputs as `exact` in torch's operators: slower, for any transform and order of derivatives.

        Raises:
            HQNNError: under a device's noise, for which this does not exist.
        """

    def exact_of_angles(self, noise: NoisyPlace | None) -> Exact:
        """Compile to outputs as a function of the template's angles."""

    def reaching(self) -> np.ndarray:
        """Mask of the angles that can change an output without noise: no shots are spent on the others there."""

    def sample(self, primitive: Primitive, shots: int | None, values: np.ndarray) -> np.ndarray:
        """Outputs (N, S, O) of the sets of angles (N, S, K), by one PUB."""


def apart(inputs: Tensor, weights: Tensor, copies: int) -> tuple[Tensor, Tensor]:
    """Flat inputs (..., copies · I) as (..., copies, I), flat weights (copies · W,) as (copies, W)."""
    return inputs.unflatten(-1, (copies, inputs.shape[-1] // copies)), weights.unflatten(
        -1, (copies, weights.shape[-1] // copies)
    )


def refuse_noise(noise: NoisyPlace | None) -> None:
    """Raises HQNNError if there is noise: it has first derivatives only, without torch.func."""
    if noise is not None:
        raise HQNNError(
            f"At {noise.where} a quantum layer does not support torch.func (vmap, grad, jacrev, hessian): it is "
            "batched already, and torch.autograd gives its gradients; the place 'exact' supports torch.func."
        )
