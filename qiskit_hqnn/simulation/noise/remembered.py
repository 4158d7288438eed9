"""States of samples that come again, such as a network's own images in each epoch."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import torch
from torch import Tensor

_KEPT_BYTES = 256 << 20
"""Of one way through a plan, for a dtype; samples beyond are computed each time."""


class RememberedStates:
    """States in front of the first weights, found again by the values that they follow from."""

    def __init__(self) -> None:
        self._known: dict[bytes, Tensor] = {}
        self._lock = Lock()

    @property
    def num_bytes(self) -> int:
        with self._lock:
            return sum(state.numel() * state.element_size() for state in self._known.values())

    def states(self, rows: Tensor, make: Callable[[Tensor], Tensor]) -> Tensor:
        """States (1, 4^n, N) of rows (N, C) on the CPU.

        Args:
            rows: what the states follow from.
            make: states (4^n, M) of rows (M, C).
        """
        keys = [row.tobytes() for row in rows.detach().contiguous().numpy()]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
        places = {key: place for place, key in enumerate(keys) if key not in found}
        if places:
            made = make(rows[list(places.values())]).T.contiguous()
            new = dict(zip(places, made, strict=True))
            found |= new
            with self._lock:
                room = _KEPT_BYTES // (made.shape[1] * made.element_size()) - len(self._known)
                # Copies: a view would keep its whole batch.
                self._known |= {key: new[key].clone() for key in list(new)[: max(0, room)]}
        return torch.stack([found[key] for key in keys], 1)[None]
