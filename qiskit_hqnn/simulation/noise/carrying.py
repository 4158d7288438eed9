"""Tensors carried through the steps of a plan: states forward, or observables backwards.

A tensor has shape (copies, 4^n, columns): an axis of four for each qubit in the order of a layout, then the samples or
the observables. States are multiplied by a block's matrix M, observables by its transpose; both are computed as Mᵀ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.noise import channels
from qiskit_hqnn.simulation.noise.blocks import Block, Step, Uploads
from qiskit_hqnn.simulation.noise.layouts import arrange
from qiskit_hqnn.simulation.noise.weighted import rearranged
from qiskit_hqnn.simulation.planning import Angle


@dataclass(frozen=True, eq=False)
class Leg:
    """One move of a way.

    Attributes:
        order: new order of the axes; None if it stays.
        inverse: the order that reverts it.
        outer: numbers before the block's axes; `side` on them.
        weighted: index of the block among those of weights, or None.
        constant: the transposed matrix (1, D, D) of a constant block.
        turns: (position of a qubit, index of the upload) of uploads.
    """

    order: tuple[int, ...] | None = None
    inverse: tuple[int, ...] | None = None
    outer: int = 1
    side: int = 1
    weighted: int | None = None
    constant: Tensor | None = None
    turns: tuple[tuple[int, int], ...] = ()

    def keeps(self, of_uploads: bool) -> bool:
        """Whether its gradient needs the tensor."""
        return self.weighted is not None or (of_uploads and bool(self.turns))

    def matrix(self, matrices: Sequence[Tensor]) -> Tensor:
        """Its transposed matrix, (copies or 1, D, D)."""
        if self.weighted is not None:
            return matrices[self.weighted]
        assert self.constant is not None
        return self.constant


class Way:
    """Steps on layouts.

    Args:
        steps: in the order in which they are applied.
        num_qubits: n.
        columns: a typical number of columns.
        states: whether states are carried; otherwise observables.
        like: a tensor with the dtype and device.

    Attributes:
        first, last: the order of qubits at both ends.
        blocks: those of weights, each with the order in which its qubits lie.
        angles: those of the uploads.
    """

    def __init__(
        self, steps: Sequence[Step], num_qubits: int, columns: int, states: bool, like: Tensor
    ) -> None:
        self.num_qubits, self.states = num_qubits, states
        self.first, moves, self.last = arrange(steps, num_qubits, columns)
        self.blocks: list[tuple[Block, Sequence[int]]] = []
        self.angles: list[Angle] = []
        self._legs: list[Leg] = []
        for move in moves:
            inverse = None if move.order is None else tuple(np.argsort(move.order).tolist())
            if isinstance(move.step, Uploads):
                turns = tuple((place, len(self.angles) + i) for i, place in enumerate(move.places))
                self.angles += [angle for _, angle in move.step.turns]
                self._legs.append(Leg(move.order, inverse, turns=turns))
                continue
            block = move.step
            lie = [block.qubits[i] for i in np.argsort(move.places)]
            shape = {"outer": 4 ** min(move.places), "side": 4 ** len(lie)}
            if block.turns:
                self._legs.append(Leg(move.order, inverse, **shape, weighted=len(self.blocks)))
                self.blocks.append((block, lie))
            else:
                matrix = rearranged(block.constants[0], [block.qubits.index(qubit) for qubit in lie])
                constant = torch.as_tensor(matrix.T.copy())[None].to(like)
                self._legs.append(Leg(move.order, inverse, **shape, constant=constant))

    @property
    def legs(self) -> Sequence[Leg]:
        """The moves, in order."""
        return self._legs

    def keeps(self, of_uploads: bool) -> int:
        """How many tensors the backward pass needs, with or without gradients of the uploads' angles."""
        return sum(leg.keeps(of_uploads) for leg in self._legs)

    @property
    def tensors(self) -> list[Tensor]:
        return [leg.constant for leg in self._legs if leg.constant is not None]

    def carry(
        self,
        tensor: Tensor,
        matrices: Sequence[Tensor],
        waves: Tensor | None,
        parts: int,
        of_uploads: bool,
        begin: int = 0,
    ) -> tuple[Tensor, list[Tensor]]:
        """The tensor at the end, and what `pull_back` needs.

        Args:
            tensor: of shape (copies or 1, 4^n, columns), in the order `first`, or before leg `begin`; not altered.
            matrices: transposed, (copies, D, D), of the blocks of weights.
            waves: cosines and sines of uploads, of shape (copies, 2, uploads, batch).
            parts: number of parts of the backward pass; 0 if there is none.
            of_uploads: whether the angles of the uploads will have gradients.
            begin: the leg to begin with.
        """
        kept: list[Tensor] = []
        segments = self._segments(max(1, parts), of_uploads, begin)
        for number, (start, end) in enumerate(segments):
            keep = number == parts - 1
            if parts and not keep:
                kept.append(tensor)
            tensor, inside = self._through(start, end, tensor, matrices, waves, keep, of_uploads)
            kept += inside
        return tensor, kept

    def up_to(self, end: int, tensor: Tensor, waves: Tensor | None) -> Tensor:
        """The tensor before a leg; no earlier leg may have weights."""
        return self._through(0, end, tensor, (), waves, False, False)[0]

    def pull_back(
        self,
        gradient: Tensor,
        kept: Sequence[Tensor],
        found: Found,
        parts: int,
        to_start: bool,
        begin: int = 0,
    ) -> Tensor:
        """The gradient of the tensor at the start; those of matrices and uploads are written to `found`.

        Args:
            gradient: of the tensor at the end.
            kept: of `carry`.
            found: matrices and waves as `carry` had them, and tensors for their gradients, where they have one.
            parts, begin: as `carry` had them.
            to_start: whether the tensor at the start has a gradient; otherwise the returned tensor has no meaning.
        """
        of_uploads = found.of_uploads is not None
        segments = self._segments(parts, of_uploads, begin)
        starts, inside = kept[: parts - 1], kept[parts - 1 :]
        for number in range(parts - 1, -1, -1):
            start, end = segments[number]
            if number < parts - 1:
                inputs = starts[number], found.matrices, found.waves
                _, inside = self._through(start, end, *inputs, True, of_uploads)
            last = 0 if to_start or number else self.first_kept(of_uploads)
            gradient = self._back(max(start, last), end, gradient, inside, found, to_start or number > 0)
        return gradient

    def first_kept(self, of_uploads: bool) -> int:
        """The first leg whose tensor the backward pass needs; one past the last if it needs none."""
        kept = (place for place, leg in enumerate(self._legs) if leg.keeps(of_uploads))
        return next(kept, len(self._legs))

    def _segments(self, parts: int, of_uploads: bool, begin: int) -> list[tuple[int, int]]:
        """First and last leg of each part; each has the same number of kept tensors."""
        places = [place for place, leg in enumerate(self._legs) if leg.keeps(of_uploads)]
        cuts = [begin, *(places[len(places) * i // parts] for i in range(1, parts)), len(self._legs)]
        return list(pairwise(cuts))

    def _through(
        self,
        start: int,
        end: int,
        tensor: Tensor,
        matrices: Sequence[Tensor],
        waves: Tensor | None,
        keep: bool,
        of_uploads: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        kept: list[Tensor] = []
        own = False  # whether the tensor may be altered
        for leg in self._legs[start:end]:
            before = tensor
            if leg.turns:
                assert waves is not None
                tensor = tensor if own and len(tensor) == len(waves) else _spread(tensor, len(waves))
                for place, upload in leg.turns:
                    turn(slices(tensor, 4**place), waves[:, :, upload])
                own = not (keep and of_uploads)
            else:
                before = ordered(tensor, leg.order)
                tensor = applied(leg.matrix(matrices), before, leg.outer, self.states)
                own = True
            if keep and leg.keeps(of_uploads):
                kept.append(tensor if leg.turns else before)
        return tensor, kept

    def _back(
        self, start: int, end: int, gradient: Tensor, kept: Sequence[Tensor], found: Found, to_start: bool
    ) -> Tensor:
        waiting = list(kept)
        for place in range(end - 1, start - 1, -1):
            leg = self._legs[place]
            if leg.turns:
                gradient = gradient.clone() if place == len(self._legs) - 1 else gradient
                if found.of_uploads is None:
                    found.turn_only(leg.turns, gradient)
                else:
                    found.turn_back(leg.turns, waiting.pop(), gradient)
                continue
            matrix = leg.matrix(found.matrices)
            if leg.weighted is not None:
                before = waiting.pop()
                pair = (before, gradient) if self.states else (gradient, before)
                found.of_matrices[leg.weighted] = of_matrix(*pair, leg.outer, leg.side, len(matrix))
                if place == start and not to_start:
                    break
            gradient = ordered(applied(matrix, gradient, leg.outer, not self.states), leg.inverse)
        return gradient


@dataclass(eq=False)
class Found:
    """Matrices and waves of a pass, and their gradients.

    Attributes:
        matrices: transposed, (copies, D, D).
        waves: of shape (copies, 2, uploads, batch), or None.
        of_matrices: gradients of the matrices.
        of_uploads: gradients of the uploads' angles, of shape (copies, uploads, batch), or None.
    """

    matrices: Sequence[Tensor]
    waves: Tensor | None
    of_matrices: list[Tensor]
    of_uploads: Tensor | None

    def turn_only(self, turns: Sequence[tuple[int, int]], gradient: Tensor) -> None:
        """The gradient before turns whose angles have none."""
        assert self.waves is not None
        for place, upload in reversed(turns):
            turn(slices(gradient, 4**place), self.waves[:, :, upload], back=True)

    def turn_back(self, turns: Sequence[tuple[int, int]], state: Tensor, gradient: Tensor) -> None:
        """Gradients of turns from the state after them; `gradient` becomes that before them."""
        assert self.waves is not None
        assert self.of_uploads is not None
        for number, (place, upload) in enumerate(reversed(turns)):
            x, y = slices(state, 4**place)
            of_x, of_y = slices(gradient, 4**place)
            self.of_uploads[:, upload] = (of_y * x).sub_(of_x * y).sum((1, 2))
            turn((of_x, of_y), self.waves[:, :, upload], back=True)
            if number < len(turns) - 1:
                state = state.clone() if number == 0 else state
                turn(slices(state, 4**place), self.waves[:, :, upload], back=True)


def ordered(tensor: Tensor, axes: tuple[int, ...] | None) -> Tensor:
    """(copies, 4^n, columns) with the qubits' axes in a new order."""
    if axes is None:
        return tensor
    copies, _, columns = tensor.shape
    split = tensor.view(copies, *(4 for _ in axes), columns)
    return split.permute(0, *(axis + 1 for axis in axes), len(axes) + 1).reshape(tensor.shape)


def applied(transposed: Tensor, tensor: Tensor, outer: int, to_states: bool) -> Tensor:
    """Matrices (copies or 1, D, D) on the axis of D after `outer` numbers; transposed back first for states."""
    copies, side = max(len(transposed), len(tensor)), transposed.shape[1]
    matrix = transposed.transpose(1, 2) if to_states else transposed
    if len(matrix) == 1:
        matrix, copies = matrix.expand(len(tensor) * outer, side, side), len(tensor)
    elif outer > 1:
        matrix = matrix[:, None].expand(copies, outer, side, side).reshape(-1, side, side)
    if len(tensor) < copies:
        tensor = _spread(tensor, copies)
    product = torch.bmm(matrix, _split(tensor, outer, side))
    return product.view(tensor.shape)


def of_matrix(left: Tensor, right: Tensor, outer: int, side: int, copies: int) -> Tensor:
    """Σ left · rightᵀ over all other axes, of shape (copies, D, D)."""
    left, right = (t if len(t) == copies else _spread(t, copies) for t in (left, right))
    product = torch.bmm(_split(left, outer, side), _split(right, outer, side).transpose(1, 2))
    return product if outer == 1 else product.view(copies, outer, side, side).sum(1)


def _spread(tensor: Tensor, copies: int) -> Tensor:
    """A separate tensor for each copy."""
    return tensor.expand(copies, -1, -1).clone(memory_format=torch.contiguous_format)


def _split(tensor: Tensor, outer: int, side: int) -> Tensor:
    """(copies, 4^n, columns) as (copies · outer, D, the rest)."""
    copies, length, columns = tensor.shape
    return tensor.view(copies * outer, side, length // (outer * side) * columns)


def slices(tensor: Tensor, outer: int) -> tuple[Tensor, Tensor]:
    """Views (copies, outer, …, columns) of the X and Y parts of the qubit after `outer` numbers."""
    copies, length, columns = tensor.shape
    split = tensor.view(copies, outer, 4, length // (4 * outer), columns)
    return split[:, :, channels.X], split[:, :, channels.Y]


def turn(pair: tuple[Tensor, Tensor], wave: Tensor, back: bool = False) -> None:
    """Turn X and Y about Z in place, by cosines and sines (copies, 2, batch), or turn them back."""
    x, y = pair
    sign = -1 if back else 1
    cosine, sine = wave[:, 0, None, None], wave[:, 1, None, None]
    moved = x * sine
    x.mul_(cosine).addcmul_(y, sine, value=-sign)
    y.mul_(cosine).add_(moved, alpha=sign)
