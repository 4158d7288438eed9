"""When it pays to carry the observables backwards instead of each sample's state forward.

Seconds are modelled by multiplications alone: both ways run the same blocks, one on a column for each output, the
other on a column for each sample. A block on k qubits takes 4^k multiplications per number, its adjoint the same
number, and the gradient of a block of weights the same again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit_hqnn.simulation.noise.blocks import Block, Step

_PRODUCT = 6
"""Multiplications per number to compute a product state, and to split its gradient."""


def observables_from(before: Sequence[Step], behind: Sequence[Step], num_outputs: int) -> float:
    """The smallest batch for which observables are carried backwards; infinite if there is nothing to carry.

    Args:
        before, behind: steps that an upload waits for, and those after all uploads.
        num_outputs: observables.
    """
    by_column = _multiplications(behind)
    if not by_column:
        return math.inf
    # Both ways join states and observables; only states that start a forward way are computed in full.
    written = 0 if before else _PRODUCT
    return max(1, math.ceil(by_column * num_outputs / (by_column + written)))


def _multiplications(steps: Sequence[Step]) -> int:
    """Multiplications of both passes for each number of a column."""
    blocks = [step for step in steps if isinstance(step, Block)]
    return sum((3 if block.turns else 2) * 4 ** len(block.qubits) for block in blocks)
