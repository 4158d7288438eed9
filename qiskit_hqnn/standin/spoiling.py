"""Results that do not fit the request."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_SPOILERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "fewer-shots": lambda bits: bits[..., : bits.shape[-2] // 2, :],
    "more-bits": lambda bits: np.concatenate([bits, bits[..., :1]], axis=-1),
    "fewer-sets": lambda bits: bits[:-1] if bits.ndim > 2 else bits[..., :0, :],
    "more-axes": lambda bits: bits[None],
    "not-a-number": lambda bits: np.full(bits.shape, np.nan),
    "twos": lambda bits: 2 * bits.astype(np.uint8),
}


def spoiled(registers: dict[str, np.ndarray], fault: str) -> dict[str, np.ndarray]:
    """The registers of one circuit, shape (sets, shots, bits) each, changed by a fault of `faults.ODD_RESULTS`."""
    if fault == "renamed":
        return {f"{name}x": bits for name, bits in registers.items()}
    spoil = _SPOILERS.get(fault)
    return {name: bits if spoil is None else spoil(bits) for name, bits in registers.items()}
