"""A cache of the states of samples that recur, such as a network's images in each epoch."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from weakref import WeakSet

import torch
from torch import Tensor

_KEPT_BYTES = 256 << 20
"""Limit for all programs together; further samples are computed each time."""


class RememberedStates:
    """States before the first weights, found by the values that they follow from."""

    def __init__(self) -> None:
        self._known: dict[bytes, Tensor] = {}
        self.num_bytes = 0
        with _lock:
            _all.add(self)

    def states(self, rows: Tensor, make: Callable[[Tensor], Tensor]) -> Tensor:
        """States (1, 4^n, N) of rows (N, C) on the CPU.

        Args:
            rows: what the states follow from.
            make: computes states (4^n, M) of rows (M, C).
        """
        keys = [row.tobytes() for row in rows.detach().contiguous().numpy()]
        with _lock:
            found = {key: self._known[key] for key in keys if key in self._known}
        places = {key: place for place, key in enumerate(keys) if key not in found}
        if places:
            made = make(rows[list(places.values())]).T.contiguous()
            new = dict(zip(places, made, strict=True))
            found |= new
            self._keep(new)
        if not keys:
            return make(rows)[None]
        return torch.stack([found[key] for key in keys], 1)[None]

    def _keep(self, new: dict[bytes, Tensor]) -> None:
        with _lock:
            room = _KEPT_BYTES - sum(states.num_bytes for states in _all)
            for key, state in new.items():
                if key in self._known:
                    continue  # by another thread
                size = state.numel() * state.element_size()
                if size > room:
                    return
                # A copy: a view would keep the whole batch in memory.
                self._known[key] = state.clone()
                self.num_bytes, room = self.num_bytes + size, room - size


_all: WeakSet[RememberedStates] = WeakSet()
_lock = Lock()
"""Held while these and their content are read or changed; states are computed without it."""
