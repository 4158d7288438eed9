"""The cluster on which a command samples, wherever it creates a job manager."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client

_IN_USE: ContextVar[Client | None] = ContextVar("cluster_in_use", default=None)


@contextmanager
def using(client: Client | None) -> Iterator[None]:
    """Within the block, runs, tests and predictions sample Aer and snapshots on the workers of a cluster.

    Example:
        >>> from qiskit_hqnn.cluster import connect, using
        >>> with connect(workers=2) as client, using(client):  # doctest: +SKIP
        ...     run_job(job, "runs/mine")
    """
    token = _IN_USE.set(client)
    try:
        yield
    finally:
        _IN_USE.reset(token)


def in_use() -> Client | None:
    """The cluster of the innermost `using` block; None outside."""
    return _IN_USE.get()
