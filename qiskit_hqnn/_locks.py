"""The kernel's locks of files, given back when their process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def try_lock(file: int) -> bool:
    """Lock an open file for this process alone, unless another one has locked it.

    Raises:
        OSError: if its file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(file: int) -> None:
    """Lock an open file for this process alone, as soon as no other one has locked it.

    Raises:
        OSError: if its file system has no locks.
    """
    fcntl.flock(file, fcntl.LOCK_EX)


def leads_to(path: Path, file: int) -> bool:
    """Whether a path still leads to an open file: another one may have its name by now."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False
