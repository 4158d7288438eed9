"""Blocks of weights as matrices, all of a circuit at once, and the gradient of the weights from theirs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.noise import features
from qiskit_hqnn.simulation.noise.blocks import Block
from qiskit_hqnn.simulation.noise.columns import Columns, over_columns
from qiskit_hqnn.simulation.planning import Angle


class Waves:
    """Features cos(m·θ + φ) of the angles of many products, from the columns that these angles are affine in."""

    def __init__(self, products: Sequence[Sequence[Angle]], columns: Columns) -> None:
        rows = [np.zeros((0, columns.matrix.shape[1]))]
        for angles in products:
            m, phases, _ = features.waves(len(angles))
            slopes = m @ over_columns(angles, columns.matrix)
            slopes[:, -1] += phases
            rows.append(slopes)
        whole = np.concatenate(rows)
        self.slopes, self.offsets = whole[:, :-1], whole[:, -1]


class _Size:
    """All blocks on the same number of qubits: the factors whose products they are."""

    def __init__(self, blocks: Sequence[list[np.ndarray]], like: Tensor) -> None:
        """Blocks as lists of their factors' coefficients (3^r, D, D), those with the most factors first."""
        self.side = blocks[0][0].shape[1]
        self.counts = [sum(len(block) > level for block in blocks) for level in range(max(map(len, blocks)))]
        by_level = [block[level] for level, count in enumerate(self.counts) for block in blocks[:count]]
        lengths = sorted({len(factor) for factor in by_level})
        groups = [[index for index, f in enumerate(by_level) if len(f) == length] for length in lengths]
        self.constants = [
            torch.as_tensor(np.stack([by_level[i].reshape(length, -1) for i in group])).to(like)
            for length, group in zip(lengths, groups, strict=True)
        ]
        self.order = [index for group in groups for index in group]
        sort = np.argsort(self.order)
        in_order = bool((sort == np.arange(len(sort))).all())
        self.sort = None if in_order else torch.as_tensor(sort, device=like.device)
        self.unsort = None if in_order else torch.as_tensor(self.order, device=like.device)

    @property
    def num_features(self) -> int:
        return sum(group.shape[0] * group.shape[1] for group in self.constants)


class WeightedBlocks:
    """The transposed matrices of all blocks of weights of a way through a circuit.

    Args:
        blocks: each with the order of its qubits.
        columns: of the weights.
        like: a tensor with the dtype and device.
    """

    def __init__(self, blocks: Sequence[tuple[Block, Sequence[int]]], columns: Columns, like: Tensor) -> None:
        parts = [_factors(block, order) for block, order in blocks]
        sides = sorted({len(block[0].qubits) for block in blocks})
        self._sizes: list[_Size] = []
        self._places: list[list[int]] = []
        products: list[Sequence[Angle]] = []
        for count in sides:
            chosen = [index for index, (block, _) in enumerate(blocks) if len(block.qubits) == count]
            chosen.sort(key=lambda index: -len(parts[index]))
            size = _Size([[constants for constants, _ in parts[index]] for index in chosen], like)
            angles = [parts[index][level][1] for level, n in enumerate(size.counts) for index in chosen[:n]]
            products += [angles[position] for position in size.order]
            self._sizes.append(size)
            self._places.append(chosen)
        waves = Waves(products, columns)
        self._slopes = torch.as_tensor(waves.slopes.T.copy()).to(like)
        self._offsets = torch.as_tensor(waves.offsets).to(like)
        self.count = len(blocks)

    @property
    def tensors(self) -> list[Tensor]:
        """Constants computed from the plan's."""
        return [self._slopes, self._offsets, *(group for size in self._sizes for group in size.constants)]

    def matrices(self, columns: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Transposed matrices (copies, D, D), in the order of the blocks, and what `pull_back` needs.

        Args:
            columns: of shape (copies, C).
        """
        copies = len(columns)
        arguments = torch.addmm(self._offsets, columns, self._slopes)
        waves = arguments.cos()
        found: list[Tensor] = [columns] * self.count
        kept, start = [arguments], 0
        for size, places in zip(self._sizes, self._places, strict=True):
            parts = []
            for group in size.constants:
                number, length, _ = group.shape
                own = waves[:, start : start + number * length].view(copies, number, length)
                parts.append(torch.bmm(own.transpose(0, 1), group))
                start += number * length
            factors = parts[0] if len(parts) == 1 else torch.cat(parts)
            if size.sort is not None:
                factors = factors.index_select(0, size.sort)
            factors = factors.view(-1, size.side, size.side)
            kept.append(factors)
            kept += _chain(size, factors, copies)
            for place, matrix in zip(
                places, kept[-1].view(len(places), copies, size.side, size.side), strict=True
            ):
                found[place] = matrix
        return found, kept

    def pull_back(self, gradients: Sequence[Tensor], kept: Sequence[Tensor]) -> Tensor:
        """The gradient of the columns (copies, C) from those of the transposed matrices."""
        waiting = iter(kept)
        arguments = next(waiting)
        copies, parts = len(arguments), []
        for size, places in zip(self._sizes, self._places, strict=True):
            factors = next(waiting)
            chain = [next(waiting) for _ in size.counts]
            ours = torch.stack([gradients[place] for place in places])
            of_factors = _unchained(size, ours.view(-1, size.side, size.side), factors, chain, copies)
            of_factors = of_factors.view(-1, copies, size.side**2)
            if size.unsort is not None:
                of_factors = of_factors.index_select(0, size.unsort)
            start = 0
            for group in size.constants:
                own = of_factors[start : start + len(group)]
                parts.append(torch.bmm(own, group.transpose(1, 2)).transpose(0, 1).reshape(copies, -1))
                start += len(group)
        waves = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        return torch.mm(waves.mul_(arguments.sin()).neg_(), self._slopes.T)


class SingleBlock:
    """One block of weights: its transposed matrix for any columns."""

    def __init__(self, block: Block, order: Sequence[int], columns: Columns, like: Tensor) -> None:
        self._side = 4 ** len(block.qubits)
        self._factors = []
        for constants, angles in _factors(block, order):
            waves = Waves([angles], columns)
            part = torch.as_tensor(constants.reshape(len(constants), -1)).to(like)
            self._factors.append(
                (torch.from_numpy(waves.slopes.T.copy()), torch.from_numpy(waves.offsets), part)
            )

    def matrices(self, columns: Tensor) -> Tensor:
        """(V, D, D) from columns (V, C) in float64."""
        product = None
        for slopes, offsets, constants in self._factors:
            waves = torch.addmm(offsets, columns, slopes).cos_()
            factor = torch.mm(waves.to(constants), constants)
            factor = factor.view(len(columns), self._side, self._side)
            product = factor if product is None else torch.bmm(product, factor)
        assert product is not None
        return product


def _chain(size: _Size, factors: Tensor, copies: int) -> list[Tensor]:
    """Products of the first, first two, … factors of each block that has them: (blocks · copies, D, D)."""
    matrices = factors[: size.counts[0] * copies]
    chain, start = [matrices], size.counts[0] * copies
    for count in size.counts[1:]:
        number = count * copies
        head = torch.bmm(matrices[:number], factors[start : start + number])
        matrices = head if number == len(matrices) else torch.cat([head, matrices[number:]])
        chain.append(matrices)
        start += number
    return chain


def _unchained(
    size: _Size, gradient: Tensor, factors: Tensor, chain: Sequence[Tensor], copies: int
) -> Tensor:
    """The gradient of all factors from that of the products."""
    found: list[Tensor] = []
    end = len(factors)
    for level in range(len(size.counts) - 1, 0, -1):
        number = size.counts[level] * copies
        own = factors[end - number : end]
        found.append(torch.bmm(chain[level - 1][:number].transpose(1, 2), gradient[:number]))
        head = torch.bmm(gradient[:number], own.transpose(1, 2))
        gradient = head if number == len(gradient) else torch.cat([head, gradient[number:]])
        end -= number
    found.append(gradient)
    return found[0] if len(found) == 1 else torch.cat(found[::-1])


def _factors(block: Block, order: Sequence[int]) -> list[tuple[np.ndarray, list[Angle]]]:
    """Coefficients (3^r, D, D) of transposed factors with r ≤ 3 turns, whose product in this order is Mᵀ."""
    lie = [block.qubits.index(qubit) for qubit in order]
    constants = [rearranged(constant, lie) for constant in block.constants]
    turns = [(lie.index(position), angle) for position, angle in block.turns]
    factors = []
    for start in range(0, len(turns), features.MOST):
        part = turns[start : start + features.MOST]
        first = constants[0] if start == 0 else np.eye(len(constants[0]))
        inside = [first, *constants[start + 1 : start + 1 + len(part)]]
        found = features.coefficients(inside, [position for position, _ in part])
        factors.append((found.transpose(0, 2, 1), [angle for _, angle in part]))
    return factors


def rearranged(matrix: np.ndarray, lie: Sequence[int]) -> np.ndarray:
    """A channel with its digits in a new order: digit j becomes digit lie[j]."""
    count = len(lie)
    tensor = matrix.reshape((4,) * 2 * count)
    return tensor.transpose(*lie, *(count + position for position in lie)).reshape(matrix.shape)
