"""Seeds that follow from what is asked, not from when.

A training that is resumed in the middle asks for the same samples again and finds them in the store; and the same
question asked twice is sampled twice. It counts as asked once it was answered: asked again after an error, it must be
the request that may be on its way already.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np


class Questions:
    """How often each question was answered, and the seed of its next answer."""

    def __init__(self, seed: int) -> None:
        self.seed_of_all = seed
        self._answered: dict[bytes, int] = {}

    def key(self, content: bytes, values: np.ndarray, shots: int) -> bytes:
        """What a question is known by: its circuit's `circuit_bytes`, values of its parameters, and shots."""
        digest = sha256(content)
        digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        digest.update(str(shots).encode())
        return digest.digest()

    def seed(self, key: bytes) -> int:
        """The seed of a question, from 0 to 2**31 - 1."""
        text = f"{self.seed_of_all}/{key.hex()}/{self._answered.get(key, 0)}"
        return int.from_bytes(sha256(text.encode()).digest()[:4], "big") >> 1

    def answered(self, key: bytes) -> None:
        """The next time it is another question."""
        self._answered[key] = self._answered.get(key, 0) + 1
