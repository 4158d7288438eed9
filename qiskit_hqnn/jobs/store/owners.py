"""Who holds a lease: a thread of work in a process on a machine, and whether that process still lives."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from qiskit_hqnn.jobs.clocks import steady
from qiskit_hqnn.jobs.store.tables import Chunk

LEASE_SECONDS = 60.0
"""A lease counts as given back that its owner has not renewed for so long."""


class LeaseWatch:
    """Who may take a part: its holder's process is gone, or it was watched for a minute without being renewed.

    Clocks of two machines may differ by minutes, and each may be set: only time that was watched passing counts.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[str, float, float]] = {}

    def is_free(self, chunk: Chunk, owner: str) -> bool:
        holder = chunk.owner
        if holder is None or holder == owner or is_gone(holder):
            return True
        key = (chunk.job, chunk.position)
        known = self._seen.get(key)
        if known is None or known[:2] != (holder, chunk.lease_until):
            self._seen[key] = (holder, chunk.lease_until, steady())
            return False
        return steady() - known[2] >= LEASE_SECONDS


def new_owner() -> str:
    """A name for one thread of work in this process."""
    return f"{_machine()}|{os.getpid()}|{_started(os.getpid())}|{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Whether an owner was a process of this machine that has ended; False for those that cannot be looked up."""
    parts = owner.split("|")
    if len(parts) != 4 or parts[0] != _machine() or not parts[1].isdigit():
        return False
    pid = int(parts[1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(pid) != parts[2]


def _machine() -> str:
    """Host, boot and process namespace: a pid means a process only within all three."""
    marks = [socket.gethostname()]
    try:
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8])
        marks.append(os.readlink("/proc/self/ns/pid").strip("pid:[]"))
    except OSError:
        pass
    return "/".join(marks).replace("|", "-")


def _started(pid: int) -> str:
    """When a process began, in ticks: tells it from a later one with its number. A zombie counts as ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "gone" if fields[0] == "Z" else fields[19]
