"""A client of a cluster: one that is started here and ends with its block, or an existing one."""

from __future__ import annotations

import asyncio
import logging
import socket
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.cluster.versions import check_versions
from qiskit_hqnn.errors import ClusterError, InstallationError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_MOST_WORKERS = 1024

_STARTS = 5
"""So often a local cluster is started until it has all its workers."""

_COUNTED_EVERY = 1.0
"""Seconds between two looks at whether a local cluster still has them."""

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")


@contextmanager
def connect(dask: str | None = None, workers: int | None = None, timeout: float = 10.0) -> Iterator[Client]:
    """A client of a cluster, for the duration of the block.

    Args:
        dask: address of a scheduler, such as "tcp://10.0.0.7:8786"; "tls://…" with the certificates of Dask's own
            configuration. It and its workers keep running when the block ends.
        workers: that many processes of this machine instead, one thread each, reached through its loopback address
            only; they end with the block.
        timeout: seconds in which a scheduler must answer, and have its first worker.

    Yields:
        A `distributed.Client`. Whoever reaches a scheduler can run any Python on its workers: keep it in a
        trusted network, or behind TLS.

    Raises:
        ClusterError: if both or neither are given, an address is invalid, nobody answers there, there is no
            worker, or a worker's versions differ from this process's.
        InstallationError: if `distributed` is not installed.
        HQNNError: if `workers` is not a whole number from 1 to 1024.

    Example, which is not run with the others, since it starts processes::

        with connect(workers=2) as client:
            client.submit(sum, [1, 2]).result()  # 3
    """
    if (dask is None) == (workers is None):
        raise ClusterError(
            "A cluster is either a scheduler's address, dask='tcp://host:8786', or a number of processes on this "
            f"machine, workers=2, but {'both are' if workers is not None else 'neither is'} given."
        )
    if workers is not None:
        check_integer("workers", workers, 1, _MOST_WORKERS)
    else:
        _check_answers(_parsed(dask), timeout)
    _check_installed()
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        client = stack.enter_context(
            _started(workers) if workers is not None else _joined(str(dask), timeout)
        )
        check_versions(client)
        yield client


def _check_installed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise InstallationError(
            f'A cluster needs the package distributed: pip install "qiskit_hqnn[dask]" ({error}).'
        ) from None


def _parsed(address: object) -> tuple[str, int]:
    """Host and port of a scheduler's address."""
    scheme, _, rest = str(address).partition("://")
    host, _, port = rest.rpartition(":")
    # An IPv6 address is in brackets: its colons do not begin a port.
    plain = host[1:-1] if host.startswith("[") and host.endswith("]") else host.replace(":", "/")
    right = scheme in ("tcp", "tls") and plain and "/" not in plain
    if not right or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ClusterError(
            f"A scheduler's address is tcp://host:port or tls://host:port, such as tcp://127.0.0.1:8786, but is "
            f"{address!r}."
        )
    return plain, int(port)


def _check_answers(place: tuple[str, int], timeout: float) -> None:
    """Raises ClusterError if nobody listens; Dask itself would retry until its timeout."""
    try:
        socket.create_connection(place, timeout=timeout).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise ClusterError(
            f"No scheduler answers at {place[0]}:{place[1]}: {reason}; start one with `dask scheduler`, and workers "
            "with `dask worker`."
        ) from None


@contextmanager
def _joined(address: str, timeout: float) -> Iterator[Client]:
    """A client of an existing scheduler with at least one worker."""
    from distributed import Client

    _check_scheduler(address, timeout)
    with Client(address, timeout=timeout, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=timeout)
        except TimeoutError:
            raise ClusterError(
                f"The scheduler at {address} has no workers after {timeout:g} s: start some with "
                f"`dask worker {address}`."
            ) from None
        yield client


def _check_scheduler(address: str, timeout: float) -> None:
    """Raises ClusterError if the server is not a Dask scheduler: a client would remain half open."""

    async def kind() -> str:
        from distributed import Security, rpc

        security = Security().get_connection_args("client")
        async with rpc(address, timeout=timeout, connection_args=security) as peer:
            return str((await peer.identity()).get("type"))

    try:
        # In a separate thread, since a notebook has a running event loop in this one.
        with ThreadPoolExecutor(1) as thread:
            found = thread.submit(asyncio.run, asyncio.wait_for(kind(), timeout)).result()
    except Exception as error:  # what an unknown server sends is read as lengths, names and pickles
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ClusterError(
            f"What answers at {address} does not speak as a Dask scheduler: {reason}."
        ) from None
    if found != "Scheduler":
        raise ClusterError(f"{address} is the address of a Dask {found.lower()}, not of a scheduler.")


@contextmanager
def _started(workers: int) -> Iterator[Client]:
    """A client of processes of this machine, which end with the block.

    With OpenSSL 3.4 and later Python may report the error of a broken TLS connection for the next ones too, healthy as
    they are: `PySSL_SetError` leaves it in OpenSSL's queue. A worker that has just started ends by that, and Dask does
    not start it again.
    """
    from distributed import Client
    from distributed.gc import disable_gc_diagnosis

    for _ in range(_STARTS):
        with _local_cluster(workers) as cluster, Client(cluster, set_as_default=False) as client:
            there = len(cluster.scheduler.workers)
            if there < workers:
                continue
            # An exception, such as Ctrl-C, would be lost in a callback of the garbage collector.
            disable_gc_diagnosis()
            with _kept(cluster, workers):
                yield client
            return
    raise ClusterError(
        f"Of {workers} worker processes, {there} stay, after {_STARTS} starts: the others end, or lose their "
        "connection, as soon as they have begun."
    )


@contextmanager
def _kept(cluster: LocalCluster, workers: int) -> Iterator[None]:
    """Within it a worker that Dask has given up is replaced by another one."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(_COUNTED_EVERY)
            if len(cluster.workers) < workers:
                cluster.scale(workers)

    assert cluster.loop is not None  # it runs in a thread of its own
    keeping = asyncio.run_coroutine_threadsafe(keep(), cluster.loop.asyncio_loop)
    try:
        yield
    finally:
        keeping.cancel()


def _local_cluster(workers: int) -> LocalCluster:
    import dask
    from distributed import LocalCluster

    with dask.config.set(_of_a_local_cluster()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Creating scratch directories")  # warnings on a busy machine
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                security=True,  # otherwise anybody with an account on this machine could run Python as this user
                memory_limit=0,  # a part may use the same memory as without a cluster
                env=_ONE_THREAD,
                preload=["qiskit_hqnn.cluster.on_start"],
                silence_logs=logging.CRITICAL,
            )
        except RuntimeError as error:
            raise ClusterError(
                f"The {workers} worker processes did not start: {error} In a script, they must be started below "
                '`if __name__ == "__main__":`, since each of them imports that script.'
            ) from None


def _of_a_local_cluster() -> dict[str, object]:
    """Dask's settings for processes of this machine."""
    return {
        # A part that waits on a worker would be blamed along with the one that ends it.
        "distributed.scheduler.worker-saturation": 1.0,
        # Twice is enough to know, and each time a new process has to load everything.
        "distributed.scheduler.allowed-failures": 1,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Dask, which logs every worker that joins or leaves to standard error; failures are raised as errors."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
