"""Elements of SU(2) as rotations about X, Y and Z: the fewest that are no multiples of π/2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import atan2, pi

import numpy as np

LETTERS = "XYZ"
_PAULIS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.array([[1, 0], [0, -1]], dtype=complex),
}
Turns = list[tuple[str, float]]
"""Letters and angles, the first to act first."""


def rotation(letter: str, angle: float) -> np.ndarray:
    """exp(−i angle σ / 2)."""
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * _PAULIS[letter]


def product_of(turns: Sequence[tuple[str, float]]) -> np.ndarray:
    """The rotations' product, the first to act on the right."""
    result = np.eye(2, dtype=complex)
    for letter, angle in turns:
        result = rotation(letter, angle) @ result
    return result


def zyz_angles(matrix: np.ndarray) -> tuple[float, float, float]:
    """φ, θ, λ of a unitary that is RZ(φ) RY(θ) RZ(λ) up to a phase."""
    special = matrix / np.sqrt(complex(np.linalg.det(matrix)))
    theta = 2 * atan2(abs(special[1, 0]), abs(special[1, 1]))
    # An element that is 0 has no phase, and none is needed.
    half_sum = float(np.angle(special[1, 1])) if abs(special[1, 1]) > 1e-12 else 0.0
    half_difference = float(np.angle(special[1, 0])) if abs(special[1, 0]) > 1e-12 else 0.0
    return half_sum + half_difference, theta, half_sum - half_difference


@lru_cache(maxsize=1)
def _frames() -> dict[str, tuple[Turns, np.ndarray]]:
    """Quarter turns for each order of the three axes, and their products."""
    turns = {order: [(letter, pi / 2) for letter in order] for order in ("", "X", "Y", "Z", "XZ", "ZX")}
    return {order: (quarters, product_of(quarters)) for order, quarters in turns.items()}


def fewest_rotations(matrix: np.ndarray, tolerance: float) -> tuple[Turns, int]:
    """A unitary as rotations, and how many of them are further than `tolerance` from all multiples of π/2.

    Looked for are F · RZ(φ) RY(θ) RZ(λ) and the same about other axes, where F is Clifford: with the right F, what two
    rotations and any Clifford gates make has two again.
    """
    best: Turns = []
    fewest = 4
    for quarters, frame in _frames().values():
        for order in ("", "X", "Y"):  # Z stays, or is taken to Y or X
            _, change = _frames()[order]
            phi, theta, lam = zyz_angles(change.conj().T @ frame.conj().T @ matrix @ change)
            generic = sum(
                abs(angle - round(angle / (pi / 2)) * pi / 2) > tolerance for angle in (phi, theta, lam)
            )
            if generic < fewest:
                fewest = generic
                best = [*_about(change, [("Z", lam), ("Y", theta), ("Z", phi)]), *quarters]
    return best, fewest


def _about(change: np.ndarray, turns: Turns) -> Turns:
    """Rotations about the axes that Z and Y are taken to."""
    moved = []
    for letter, angle in turns:
        image = change @ _PAULIS[letter] @ change.conj().T
        for other, pauli in _PAULIS.items():
            sign = float(np.trace(pauli @ image).real) / 2
            if abs(sign) > 0.5:
                moved.append((other, sign * angle))
    return moved
