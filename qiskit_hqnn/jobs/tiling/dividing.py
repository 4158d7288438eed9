"""Which sets of values go to which region."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

_DEARER = 1.25
"""Keeping together what belongs together may cost so much more than parting it."""


def divided(shape: Sequence[int], regions: int) -> list[range]:
    """Sets of values in parts of nearly equal length, one for each region, in their order.

    Sets with the same first index, such as the shifted ones of one sample, stay in one region where that costs at most
    a quarter more: a difference of two of them would else hold the difference of two regions. Of the regions only as
    many are used as this number of executions needs, so that a remainder goes to none of the worse ones.

    Args:
        shape: of the sets.
        regions: how many there are.

    Returns:
        For each region in use its sets, as numbers in the flattened shape; at least one region.

    Example:
        >>> divided((5,), 3)
        [range(0, 2), range(2, 4), range(4, 5)]
        >>> divided((4, 3), 2)
        [range(0, 6), range(6, 12)]
    """
    sets = prod(shape)
    if not sets:
        return [range(0)]
    together = prod(shape[1:]) if len(shape) > 1 else 1
    rows = ceil(sets / regions)
    whole = together * ceil(shape[0] / regions) if len(shape) > 1 else rows
    if whole <= _DEARER * rows:
        rows = whole
    return [range(start, min(start + rows, sets)) for start in range(0, sets, rows)]
