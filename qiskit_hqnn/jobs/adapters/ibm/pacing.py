"""Submissions of one account, paced: IBM's service takes five in a minute with one key, from however many processes."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

from qiskit_hqnn._locks import wait_for_lock
from qiskit_hqnn.jobs.clocks import steady
from qiskit_hqnn.jobs.own_files import own_folder

A_MINUTE = 5.0
"""Submissions that IBM takes in a minute with one key (POST /jobs in its API's reference, November 2026)."""

_WINDOW = 60.0
_HERE = ("127.0.0.1", "localhost", "::1")


def limit(pace: float, server: str) -> int:
    """Submissions in a minute: what was set, else IBM's limit, which a service on this machine does not have."""
    if pace >= 0:
        return int(pace)
    return 0 if server in _HERE else int(A_MINUTE)


def seconds_to_wait(token: str, most: int) -> float:
    """Take one of the submissions of this minute, and return 0; or return the seconds until there is one.

    Args:
        token: the account's key; a file that all of this user's processes share is named by its hash.
        most: submissions in a minute; 0 for no limit.
    """
    if most < 1:
        return 0.0
    path = _path(token)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        wait_for_lock(file)  # held for as long as one line is read and written
        now = steady()
        recent = sorted(moment for moment in _moments(file) if now - _WINDOW < moment <= now)
        if len(recent) >= most:
            return recent[-most] + _WINDOW - now
        content = json.dumps([*recent, now]).encode()
        os.ftruncate(file, 0)
        os.pwrite(file, content, 0)
        return 0.0
    finally:
        os.close(file)


def _path(token: str) -> Path:
    return own_folder() / f"pace-{sha256(f'hqnn-pace {token}'.encode()).hexdigest()[:16]}"


def _moments(file: int) -> list[float]:
    try:
        known = json.loads(os.pread(file, 1 << 16, 0) or b"[]")
        return [float(moment) for moment in known]
    except (ValueError, TypeError):
        return []  # written by something else: the service says so if it was too fast
