"""The order of the qubits in memory at each step, chosen so that few steps have to move them first.

A tensor has an axis of four for each qubit. A block can be applied where its qubits are neighbours; the axes before
them are looped over, those after them are handled at once, and so should not be short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TypeAlias

import numpy as np

from qiskit_hqnn.simulation.noise.blocks import Block, Step

_MOVE = 1.0
_REPEAT = 0.4
_SHORT = 64
_SHORT_COST = 0.6
_TINY = 16
_TINY_COST = 7.0
"""Costs of moving axes, of repeating matrices of weights for the axes before them, and of products with fewer columns
than this; in units of a move (measured with 4^5 numbers)."""
_BEAM = 24
_ALL_ORDERS = 5


@dataclass(frozen=True, eq=False)
class Move:
    """A step on a layout.

    Attributes:
        step: the block or uploads.
        order: the axes are rearranged to this order before it; None if they stay.
        places: position of each of the step's qubits.
    """

    step: Step
    order: tuple[int, ...] | None
    places: tuple[int, ...]


_Path: TypeAlias = "tuple[tuple[int, ...] | None, _Path | None]"
"""The new order, None for no move, and the path before it; the first one has the order at the start."""


def arrange(
    steps: Sequence[Step], num_qubits: int, columns: int
) -> tuple[tuple[int, ...], list[Move], tuple[int, ...]]:
    """A layout for each step, by beam search.

    Args:
        steps: in order.
        num_qubits: n.
        columns: length of the axis after all qubits.

    Returns:
        The order of qubits at the start, the moves, and the order at the end.
    """
    beam: list[tuple[float, tuple[int, ...], _Path]]
    beam = [(0.0, order, (order, None)) for order in _first_orders(steps, num_qubits)]
    for step in steps:
        found: dict[tuple[int, ...], tuple[float, tuple[int, ...], _Path]] = {}
        for cost, order, path in beam:
            for extra, after in _options(step, order, columns):
                moved = after if after != order else None
                if after not in found or found[after][0] > cost + extra:
                    found[after] = (cost + extra, after, (moved, path))
        beam = sorted(found.values(), key=lambda item: item[0])[:_BEAM]
    _, last, path = beam[0]
    orders: list[tuple[int, ...] | None] = []
    while path[1] is not None:
        orders.append(path[0])
        path = path[1]
    assert path[0] is not None
    first = order = path[0]
    moves = []
    for step, moved in zip(steps, reversed(orders), strict=True):
        axes = None if moved is None else tuple(order.index(qubit) for qubit in moved)
        order = moved or order
        moves.append(Move(step, axes, tuple(order.index(qubit) for qubit in step.qubits)))
    return first, moves, last


def _first_orders(steps: Sequence[Step], num_qubits: int) -> list[tuple[int, ...]]:
    qubits = range(num_qubits)
    if num_qubits <= _ALL_ORDERS:
        return list(permutations(qubits))
    rng = np.random.default_rng(0)
    used = [qubit for step in steps for qubit in step.qubits]
    by_use = tuple(dict.fromkeys([*used, *qubits]))
    shuffled = [tuple(rng.permutation(num_qubits).tolist()) for _ in range(20)]
    return list(dict.fromkeys([tuple(qubits), by_use, by_use[::-1], *shuffled]))


def _options(step: Step, order: tuple[int, ...], columns: int) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Orders in which a step can be applied, with their costs."""
    if not isinstance(step, Block):
        yield 0.0, order
        return
    qubits = step.qubits
    places = sorted(order.index(qubit) for qubit in qubits)
    if places[-1] - places[0] == len(qubits) - 1:
        yield _cost(step, order, places, columns), order
        return
    others = [qubit for qubit in order if qubit not in qubits]
    together = tuple(order[place] for place in places)
    for place in sorted({0, len(others), *(place - i for i, place in enumerate(places))}):
        after = (*others[:place], *together, *others[place:])
        yield _MOVE + _cost(step, after, range(place, place + len(qubits)), columns), after


def _cost(block: Block, order: tuple[int, ...], places: Sequence[int], columns: int) -> float:
    behind = columns * 4 ** (len(order) - 1 - places[-1])
    cost = _REPEAT if places[0] and block.turns else 0.0
    if places[0] < 1 or behind >= _SHORT:
        return cost  # at the very front there is one product, however short
    return cost + (_SHORT_COST if behind >= _TINY else _TINY_COST)
