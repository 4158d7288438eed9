"""When it pays to multiply layers of weights into one matrix before it is applied to samples.

Seconds are modelled as operators · OPERATOR + multiplications · MULTIPLY, forward and backward pass together, with the
complex multiplications of matrix products. `benchmarks/cost_model.py` measures both ways and fits the two constants.

A layer on B samples of N = 2^n amplitudes takes N² B multiplications forward, the same number for the gradient of its
input, and the same for its own. In a product of L layers each takes 4 N³ instead (the first one 1), and the product is
then one layer for the samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit_hqnn.simulation.planning.steps import Product, Step

OPERATOR = 3.0e-6
"""Seconds of one torch operator on small tensors, call and dispatch."""
MULTIPLY = 1.24e-10
"""Seconds of one complex multiplication in a batched product."""
_APPLY = 2
"""Operators that a product takes in addition to those of its layers."""
_ONE_UPLOAD = 20
"""Operators that `one_upload` saves with a single matrix after the inputs: fewer, and smaller ones."""


def multiplied_from(steps: Sequence[Step | Product], num_qubits: int, one_upload: bool, copies: int) -> float:
    """The smallest batch for which products are expected to be faster than their layers one by one; may be infinite.

    Args:
        steps: of a plan, with products.
        num_qubits: n.
        one_upload: whether the passes are those of `one_upload`, which need products.
        copies: circuits side by side.
    """
    side = 2**num_qubits
    products = [step for step in steps if isinstance(step, Product)]
    of_weights = [product for product in products if any(step.of_weights for step in product.steps)]
    layers = [sum(step.gates is not None for step in product.steps) for product in of_weights]
    operators = _APPLY * len(products) - _ONE_UPLOAD * one_upload
    once = sum((4 * count - 3) * side**3 for count in layers)
    by_sample = sum(3 * (count - 1) * side**2 for count in layers)
    surplus = operators * OPERATOR + copies * once * MULTIPLY
    if surplus <= 0:
        return 0
    return math.ceil(surplus / (copies * by_sample * MULTIPLY)) if by_sample else math.inf
