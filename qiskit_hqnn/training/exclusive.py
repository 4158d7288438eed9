"""One process at a time: in a run folder while it trains and tests, and at what was measured there while that changes.

The kernel gives a lock back when its process dies. A file system without locks, as some of a network, has none of this.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qiskit_hqnn._locks import leads_to, try_lock, wait_for_lock
from qiskit_hqnn.errors import RunFolderError


class Held:
    """A run folder in which this process alone trains and tests, until the end of its `with` block.

    A folder that is not there is created. One that is still empty at the end is removed again.

    Raises:
        RunFolderError: if another process, or another thread of this one, is at it, or it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._created = [path for path in (folder, *folder.parents) if not path.exists()]
        with creating(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder, os.O_RDONLY)
        if not (_is_free(self._file) and leads_to(folder, self._file)):
            os.close(self._file)
            raise RunFolderError(
                f"Run folder {folder} is in use by another process, which trains or tests there: wait until it has "
                "ended, or choose another folder."
            )

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._created:
            with suppress(OSError):  # what has something in it stays
                path.rmdir()
        os.close(self._file)


@contextmanager
def creating(folder: Path) -> Iterator[None]:
    """Within it an error of the disk is one sentence: the folder cannot be created.

    Raises:
        RunFolderError: of such an error.
    """
    try:
        yield
    except OSError as error:
        raise RunFolderError(f"Run folder {folder} cannot be created: {error.strerror}.") from error


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Within it no other process changes what was measured in a run folder; waits for one that does."""
    file = _locked_job(folder / "job.toml")
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


def _locked_job(path: Path) -> int | None:
    """The open job file, which is there as long as the folder is one of a run; it may be written anew meanwhile."""
    while True:
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError:
            return None
        with suppress(OSError):  # no locks there
            wait_for_lock(file)
        if leads_to(path, file):
            return file
        os.close(file)


def _is_free(file: int) -> bool:
    try:
        return try_lock(file)
    except OSError:
        return True  # no locks there
