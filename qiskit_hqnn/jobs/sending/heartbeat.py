"""Leases that live as long as the process that holds them."""

from __future__ import annotations

import threading

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.store import LEASE_SECONDS, Store


class heartbeat:
    """Renews an owner's leases while a block runs, however long one step takes."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store, self._owner, self._stop = store, owner, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="hqnn-lease")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(LEASE_SECONDS / 3):
            try:
                self._store.renew(self._owner)
            except HQNNError:
                continue  # the store is busy or away: a lease lost by it only costs a repeated chunk
