"""When it pays to carry the observables backwards instead of every sample's state forward.

Seconds are modelled by multiplications alone: both ways run the same blocks, one on a column for each output and one
on a column for each sample. A block on k qubits takes 4^k of them for each number; its adjoint as many, and the
gradient of a block of weights as many again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit_hqnn.simulation.noise.blocks import Block, Step

_PRODUCT = 6
"""Those for each number that it takes to write a product state out, and to take its gradient apart."""


def observables_from(before: Sequence[Step], behind: Sequence[Step], num_outputs: int) -> float:
    """The smallest batch from which on observables are carried backwards; infinite where there is nothing to carry.

    Args:
        before, behind: steps that an upload waits for, and those behind all uploads.
        num_outputs: observables.
    """
    by_column = _multiplications(behind)
    if not by_column:
        return math.inf
    # Both ways join states and observables; only states that start a forward way are written out.
    written = 0 if before else _PRODUCT
    return max(1, math.ceil(by_column * num_outputs / (by_column + written)))


def _multiplications(steps: Sequence[Step]) -> int:
    """Multiplications forth and back for each number of a column."""
    blocks = [step for step in steps if isinstance(step, Block)]
    return sum((3 if block.turns else 2) * 4 ** len(block.qubits) for block in blocks)
