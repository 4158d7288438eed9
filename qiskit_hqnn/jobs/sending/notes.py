"""What the stores of a user have sent, noted outside of them: a store that is deleted takes its own record along."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.own_files import own_folder
from qiskit_hqnn.jobs.store import Store, mark_in
from qiskit_hqnn.jobs.tags import mark_of, under_mark

KEPT_SECONDS = 28 * 86_400.0
"""Notes of a store are deleted that has sent nothing for so long."""

_FOLDER = "sent"


@dataclass(frozen=True)
class SentElsewhere:
    """A request that a store has sent which is gone.

    Attributes:
        tag: under which it was sent.
        store: the path that the store had.
        since: seconds since 1970.
        answered: it is known whether a job was made.
        job: its id, where the answer had one.
    """

    tag: str
    store: str
    since: float
    answered: bool
    job: str | None


class SentNotes:
    """Tags that one store sends to one account, and those of the user's other stores.

    Each store has a file of its own, with a line before a request leaves and one once it is answered. Where it cannot
    be written, requests are sent as if nobody kept notes.

    Args:
        account: a word for the account, without secrets.
        store: the store; of one on a database server nothing is noted, since it has no path that could be gone.
    """

    def __init__(self, account: str, store: Store) -> None:
        self._account, self._mark, self._store = account, store.mark, store.file
        with suppress(OSError, HQNNError):
            for path in self._files("*"):
                if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink()

    def leaves(self, tag: str) -> None:
        """A request is about to leave."""
        self._write({"tag": tag, "store": str(self._store), "time": time.time(), "answered": False})

    def answered(self, tag: str, job: str | None) -> None:
        """It is known whether there is a job, and which."""
        self._write({"tag": tag, "answered": True, "job": job})

    def of_gone_stores(self, tag: str) -> Iterator[SentElsewhere]:
        """The same request where stores have sent it which are not at their place any more.

        A store that is there may ask the same on purpose, and so may another user: neither is looked at.
        """
        files: list[Path] = []
        with suppress(OSError, HQNNError):
            files = list(self._files(self._account + "-*"))
        for path in sorted(files):
            mark = path.name.rpartition("-")[2]
            known = None if mark == self._mark else _read(path, under_mark(tag, mark))
            if known is not None and mark_in(Path(known.store)) != mark:
                yield known

    def lives(self, tag: str) -> bool:
        """Whether a tag is this store's own, or another's that is at the place where this user's notes have it."""
        mark = mark_of(tag)
        if mark == self._mark:
            return True
        with suppress(OSError, HQNNError):
            known = _read(own_folder() / _FOLDER / f"{self._account}-{mark}")
            return known is not None and mark_in(Path(known.store)) == mark
        return False

    def _files(self, pattern: str) -> Iterator[Path]:
        return (own_folder() / _FOLDER).glob(pattern)

    def _write(self, line: dict[str, object]) -> None:
        if self._store is None:
            return
        with suppress(OSError, HQNNError):
            folder = own_folder() / _FOLDER
            folder.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(folder / f"{self._account}-{self._mark}", flags, 0o600)
            try:
                os.write(file, json.dumps(line).encode() + b"\n")
            finally:
                os.close(file)


def _read(path: Path, tag: str = "") -> SentElsewhere | None:
    """What a file of notes has of a tag, or of any; a line that a full disk has cut off says nothing."""
    found: dict[str, object] = {}
    with suppress(OSError):
        for line in path.read_bytes().splitlines():
            if tag.encode() not in line:
                continue
            with suppress(ValueError):
                known = json.loads(line)
                if isinstance(known, dict) and tag in ("", known.get("tag")):
                    found |= known
    store, since, job = found.get("store"), found.get("time"), found.get("job")
    if not isinstance(store, str) or not isinstance(since, float):
        return None
    return SentElsewhere(
        tag, store, since, bool(found.get("answered")), job if isinstance(job, str) else None
    )
