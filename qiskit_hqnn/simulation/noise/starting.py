"""Samples: each qubit's initial vector, and the turns of later uploads, from the inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.noise import features
from qiskit_hqnn.simulation.noise.blocks import Start
from qiskit_hqnn.simulation.noise.columns import Columns, over_columns
from qiskit_hqnn.simulation.noise.weighted import Waves
from qiskit_hqnn.simulation.planning import Angle


class Samples:
    """All that differs from sample to sample.

    Args:
        starts: of each qubit.
        uploads: angles of the later turns.
        columns: that all these angles are affine in.
        like: a tensor with the dtype and device.

    Attributes:
        varied: the qubits whose initial vector depends on a sample, grouped by its number of turns.
    """

    def __init__(
        self, starts: Sequence[Start], uploads: Sequence[Angle], columns: Columns, like: Tensor
    ) -> None:
        lengths = sorted({len(start.angles) for start in starts} - {0})
        self.groups = [[q for q, start in enumerate(starts) if len(start.angles) == r] for r in lengths]
        self.varied = [qubit for group in self.groups for qubit in group]
        self._constants = [
            torch.as_tensor(np.stack([_vector(starts[qubit]) for qubit in group])).to(like)
            for group in self.groups
        ]
        self.fixed = {
            qubit: torch.as_tensor(start.constants[0])[None, :, None].to(like)
            for qubit, start in enumerate(starts)
            if not start.angles
        }
        waves = Waves([starts[qubit].angles for qubit in self.varied], columns)
        turns = over_columns(uploads, columns.matrix)
        slopes = np.concatenate([waves.slopes, turns[:, :-1], turns[:, :-1]])
        offsets = np.concatenate([waves.offsets, turns[:, -1], turns[:, -1] - np.pi / 2])
        self._slopes = torch.as_tensor(slopes)[None].to(like)
        self._offsets = torch.as_tensor(offsets)[None, :, None].to(like)
        self._split, self.num_uploads = len(waves.offsets), len(uploads)
        self._repeated: dict[int, list[tuple[Tensor, Tensor]]] = {}

    @property
    def tensors(self) -> list[Tensor]:
        """Constants computed from the plan's."""
        return [self._slopes, self._offsets, *self._constants, *self.fixed.values()]

    def arguments(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """All angles' combinations and their cosines, both (copies, R, batch), from rows (batch, copies, C)."""
        _, copies, _ = rows.shape
        slopes = self._slopes.expand(copies, -1, -1)
        arguments = torch.baddbmm(self._offsets, slopes, rows.permute(1, 2, 0))
        return arguments, arguments.cos()

    def turns(self, waves: Tensor) -> Tensor | None:
        """Cosines and sines of the later turns, (copies, 2, uploads, batch)."""
        if not self.num_uploads:
            return None
        return waves[:, self._split :].view(len(waves), 2, self.num_uploads, waves.shape[2])

    def vectors(self, waves: Tensor) -> dict[int, Tensor]:
        """Each qubit's initial vector, (copies or 1, 4, batch or 1)."""
        copies, _, batch = waves.shape
        found, start = dict(self.fixed), 0
        for group, (constant, _) in zip(self.groups, self._of_copies(copies), strict=True):
            number, length = len(group), constant.shape[2]
            own = waves[:, start : start + number * length].reshape(copies * number, length, batch)
            vectors = torch.bmm(constant, own).view(copies, number, 4, batch)
            found |= {qubit: vectors[:, index] for index, qubit in enumerate(group)}
            start += number * length
        return found

    def _of_copies(self, copies: int) -> list[tuple[Tensor, Tensor]]:
        """The groups' constants once per copy, and transposed."""
        if copies not in self._repeated:
            repeated = [constant.repeat(copies, 1, 1) for constant in self._constants]
            self._repeated = {copies: [(constant, constant.transpose(1, 2)) for constant in repeated]}
        return self._repeated[copies]

    def pull_back(self, of_vectors: dict[int, Tensor], of_turns: Tensor | None, arguments: Tensor) -> Tensor:
        """The gradient of the rows (batch, copies, C) from those of the vectors and of the later turns."""
        copies, _, batch = arguments.shape
        parts = []
        for group, (_, transposed) in zip(self.groups, self._of_copies(copies), strict=True):
            own = torch.stack([of_vectors[qubit] for qubit in group], 1).view(copies * len(group), 4, batch)
            parts.append(torch.bmm(transposed, own).view(copies, len(group) * transposed.shape[1], batch))
        if parts:
            waves = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
            parts = [waves.mul_(arguments[:, : self._split].sin()).neg_()]
        if of_turns is not None:
            parts.append(of_turns)
        if not parts:
            return self.no_rows(arguments)
        angles = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        slopes = self._slopes[:, : angles.shape[1]].transpose(1, 2)
        return torch.bmm(slopes.expand(copies, -1, -1), angles).permute(2, 0, 1)

    def no_rows(self, arguments: Tensor) -> Tensor:
        """A zero gradient of the rows (batch, copies, C)."""
        copies, _, batch = arguments.shape
        return arguments.new_zeros(batch, copies, self._slopes.shape[2])


def _vector(start: Start) -> np.ndarray:
    """Coefficients of a vector's entries, of shape (4, 3^r)."""
    found = features.coefficients(start.constants, [0] * len(start.angles))
    return found[:, :, 0].T


def product(vectors: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The product state of some qubits, (copies or 1, 4^m, batch or 1), and the states of the first one, two, …"""
    states = [vectors[0]]
    for vector in vectors[1:]:
        states.append((states[-1][:, :, None] * vector[:, None]).flatten(1, 2))
    return states[-1], states


def pull_product(
    gradient: Tensor, vectors: Sequence[Tensor], states: Sequence[Tensor], wanted: Sequence[bool]
) -> list[Tensor]:
    """The gradients (copies, 4, batch) of the vectors from that of their product; those not needed are empty.

    Args:
        gradient: of shape (copies, 4^m, batch).
        vectors: of each qubit.
        states: of `product`.
        wanted: the vectors that have a gradient.
    """
    found = [gradient.new_empty(0)] * len(vectors)
    for place in range(len(vectors) - 1, 0, -1):
        split = gradient.unflatten(1, (gradient.shape[1] // 4, 4))
        if wanted[place]:
            found[place] = (split * states[place - 1][:, :, None]).sum(1)
        if not any(wanted[:place]):
            return found
        gradient = (split * vectors[place][:, None]).sum(2)
    if wanted[0]:
        found[0] = gradient
    return found
