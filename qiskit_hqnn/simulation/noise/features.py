"""Products of rotations as constants times cosines: one product, one cosine and one product for all angles.

A product of r turns with constants between is multilinear in 1, cos θ_j and sin θ_j. Their 3^r products are sums of
cosines cos(m·θ + φ) with m in {−1, 0, 1}^r, which one call computes at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from qiskit_hqnn.simulation.noise import channels

MOST = 3
"""Most turns in one product; longer ones are split."""


@cache
def waves(turns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cosines of r turns, and the matrix from them to products of 1, cos and sin.

    Returns:
        m of shape (3^r, r) and φ of shape (3^r,): feature f is cos(m_f · θ + φ_f), the first one 1; and a matrix
        (3^r, 3^r): products = matrix @ features, products in the order of an outer product with θ_0 first.
    """
    half = [m for m in product((1, 0, -1), repeat=turns) if m > (0,) * turns]
    m = np.array([(0,) * turns] + [m for m in half for _ in range(2)], dtype=float).reshape(3**turns, turns)
    phases = np.array([0.0] + [phase for _ in half for phase in (0.0, -np.pi / 2)])
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, (4 * 3**turns, turns))
    products = np.ones((len(angles), 1))
    for angle in angles.T:
        parts = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)], 1)
        products = np.einsum("na,nb->nab", products, parts).reshape(len(angles), -1)
    matrix = np.linalg.lstsq(np.cos(angles @ m.T + phases), products, rcond=None)[0].T
    # Every entry is a multiple of 1/4 or, for fewer turns, of a power of two above it.
    return m, phases, np.round(matrix * 2**turns) / 2**turns


def coefficients(constants: Sequence[np.ndarray], positions: Sequence[int]) -> np.ndarray:
    """Each feature's part of C_r T_r … T_1 C_0, of shape (3^r, rows, columns).

    Args:
        constants: C_0 … C_r; C_0 may be a vector, which has one column.
        positions: for each turn, its qubit's position among the digits of the constants.
    """
    parts = constants[0].reshape(1, len(constants[0]), -1)
    size = len(constants[0])
    count = size.bit_length() // 2
    for position, constant in zip(positions, constants[1:], strict=True):
        turns = np.stack([channels.embedded(part, [position], count) for part in channels.TURN])
        parts = np.einsum("ij,tjk,akl->atil", constant, turns, parts).reshape(-1, size, parts.shape[-1])
    *_, matrix = waves(len(positions))
    return np.tensordot(matrix, parts, axes=(0, 0))
