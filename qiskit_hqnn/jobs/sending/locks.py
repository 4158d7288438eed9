"""Locks of workers: in the user's own folder, given back when their process dies, and lost while it is stopped."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from qiskit_hqnn._locks import leads_to, try_lock

BEAT = 2.0
"""Seconds between two signs of life of a lock's holder."""

STALE = 30.0
"""Seconds without one after which a holder counts as stopped."""


class Lock:
    """An exclusive lock that this process holds until `release`; see `take`."""

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file = path, file
        self._stop = threading.Event()
        os.utime(file)
        self._thread = threading.Thread(target=self._beat, daemon=True, name="hqnn-lock")
        self._thread.start()

    def release(self) -> None:
        """Give the lock back; its file goes with it."""
        self._stop.set()
        self._thread.join()
        if leads_to(self._path, self._file):
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            with suppress(OSError):
                os.utime(self._file)


def take(path: Path) -> Lock | None:
    """A lock, or None while a process that runs holds it.

    A process that is stopped keeps the file that it has locked, but not its name. That two may hold a lock of one name
    then costs a second worker: what must not be done twice is held by leases in the store.
    """
    for _ in range(3):
        file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if try_lock(file) and leads_to(path, file):
            return Lock(path, file)
        if leads_to(path, file):
            if _is_fresh(file):
                os.close(file)
                return None
            path.unlink(missing_ok=True)
        os.close(file)
    return None


def is_held(path: Path) -> bool:
    """Whether a process that runs holds a lock."""
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(file) and _is_fresh(file)
    finally:
        os.close(file)


def _is_fresh(file: int) -> bool:
    return abs(time.time() - os.fstat(file).st_mtime) < STALE
