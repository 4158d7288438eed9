"""Where states meet observables: outputs, and the gradients of both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from qiskit_hqnn.simulation.noise.starting import product, pull_product


def join(observed: Tensor, states: Tensor) -> Tensor:
    """Outputs (copies, O, batch) of observables (copies, 4^n, O) and states (copies, 4^n, batch)."""
    return torch.bmm(observed.transpose(1, 2), states)


def pull_join(gradient: Tensor, observed: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of observables and states."""
    return torch.bmm(states, gradient.transpose(1, 2)), torch.bmm(observed, gradient)


class ProductJoin:
    """The same for product states, which are never computed in full: first one half of the qubits, then the other."""

    def __init__(self, vectors: Sequence[Tensor], copies: int, batch: int) -> None:
        """Vectors of shape (copies or 1, 4, batch or 1), in the order of the observables' qubits."""
        self._half = len(vectors) - len(vectors) // 2
        self._shape = copies, batch
        self._vectors = vectors

    def outputs(self, observed: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Outputs (copies, O, batch) of observables (copies, 4^n, O), and what `pull_back` needs."""
        copies, batch = self._shape
        left, of_left = product(self._vectors[: self._half])
        left = left.expand(copies, -1, batch)
        behind = observed.shape[1] // left.shape[1]
        split = observed.view(copies, left.shape[1], behind * observed.shape[2])
        half = torch.bmm(split.transpose(1, 2), left).view(copies, behind, observed.shape[2], batch)
        if behind == 1:
            return half[:, 0], [observed, half, *of_left]
        right, of_right = product(self._vectors[self._half :])
        return (half * right[:, :, None]).sum(1), [observed, half, *of_left, *of_right]

    def pull_back(
        self, gradient: Tensor, kept: Sequence[Tensor], wanted: Sequence[bool]
    ) -> tuple[Tensor, list[Tensor]]:
        """Gradients of the observables and of the vectors, where these are needed."""
        copies, batch = self._shape
        observed, half, *states = kept
        of_left, of_right = states[: self._half], states[self._half :]
        left = of_left[-1].expand(copies, -1, batch)
        behind, outputs = half.shape[1:3]
        of_half, found = gradient[:, None], []
        if of_right:
            of_half = of_right[-1][:, :, None] * of_half
            pulled = (half * gradient[:, None]).sum(2)
            found = pull_product(pulled, self._vectors[self._half :], of_right, wanted[self._half :])
        of_half = of_half.expand(copies, behind, outputs, batch).reshape(copies, behind * outputs, batch)
        split = observed.view(copies, left.shape[1], behind * outputs)
        of_vectors = pull_product(
            torch.bmm(split, of_half), self._vectors[: self._half], of_left, wanted[: self._half]
        )
        of_observed = torch.bmm(left, of_half.transpose(1, 2)).view(observed.shape)
        return of_observed, of_vectors + found
