"""A simulated place whose work is done by the workers of a cluster.

The store stays the single record: the scheduler holds what is being computed, a bounded number of slices, and each is
let go as soon as it is here. A slice's samples follow from its content, so it does not matter which worker has it, nor
how often it is begun.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from qiskit_hqnn.cluster import versions_here
from qiskit_hqnn.errors import ClusterError
from qiskit_hqnn.jobs.adapters import (
    BackendAdapter,
    JobState,
    LocalAdapter,
    LostResultError,
    Outcomes,
    PermanentError,
    SamplingOptions,
    SamplingRequest,
)
from qiskit_hqnn.jobs.chunks import Piece, to_bytes
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.spreading.on_worker import sample_there
from qiskit_hqnn.jobs.spreading.slices import sliced

if TYPE_CHECKING:
    from distributed import Client, Future

FLYING_PER_THREAD = 2
"""One slice is computed while the next one is there already."""

_SLICES_PER_THREAD = 4
"""So many slices of a request: the last ones even out what the others took longer."""

_LOOK_EVERY = 0.01
"""Seconds between two looks at what is being computed."""

_COUNTED_EVERY = 5.0
"""Seconds between two looks at how many workers there are."""

_WITHOUT_WORKERS = 60.0
"""Seconds for which a cluster may be without workers; a process that ended is back before."""

_ENDED = (
    "the worker process that had a part of it ended, again and again, with nothing else on the cluster beside it; most "
    "often, memory is not enough"
)


def spread_over(
    client: Client | None, adapter: BackendAdapter, device: Device, where: Any
) -> SpreadAdapter | None:
    """A place on the workers of a cluster; None without a client.

    Raises:
        ClusterError: if it is no simulation that another process can open by its word, or `client` is no client.
    """
    if client is None:
        return None
    from distributed import Client

    if not isinstance(client, Client):
        raise ClusterError(
            f"Argument `cluster` must be a distributed.Client, as qiskit_hqnn.cluster.connect gives, but is {client!r}."
        )
    if type(adapter) is not LocalAdapter or not isinstance(where, str):
        raise ClusterError(
            f"Only the simulations 'aer' and 'fake_<device>' are spread over a cluster, but the place is "
            f"{adapter.where!r}: leave the cluster out there."
        )
    return SpreadAdapter(client, adapter, device.fractional)


@dataclass(eq=False)
class _Slice:
    """Some sets of one request of a job.

    Attributes:
        beside: whether others were on the cluster with it: which of them ended a worker is not known then.
        suspect: whether it is sent with nothing beside it for that reason.
    """

    job_id: str
    request: int
    content: bytes
    future: Future[Any] | None = None
    found: Outcomes | None = None
    beside: bool = False
    suspect: bool = False


@dataclass(eq=False)
class _Job:
    slices: list[_Slice]
    requests: int
    tag: str
    reason: str = ""
    failed: bool = False
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.slices)


class SpreadAdapter:
    """A `BackendAdapter` whose `submit` returns at once; `wait` waits until something is finished.

    Args:
        client: of the cluster.
        adapter: the same place in this process.
        fractional: whether the device's fractional gates are used.
    """

    deadline: float | None = None
    # Its jobs live as long as this process; the next process computes them again instead of looking for them.
    finishes_on_submit = True
    poll_seconds = 0.0
    lookup_seconds = 0.0

    def __init__(self, client: Client, adapter: LocalAdapter, fractional: bool) -> None:
        self.where, self.calibration = adapter.where, adapter.calibration
        self._client, self._place = client, (adapter.where, fractional)
        self._jobs: dict[str, _Job] = {}
        self._ready: deque[_Slice] = deque()
        self._suspects: deque[_Slice] = deque()
        self._flying: list[_Slice] = []
        self._threads, self._counted, self._seen = 0, -_COUNTED_EVERY, time.monotonic()
        self._lock = RLock()

    @property
    def bound(self) -> int:
        """Most slices on the cluster at a time.

        Raises:
            ClusterError: if the cluster has had no workers for too long.
        """
        now = time.monotonic()
        if now - self._counted >= _COUNTED_EVERY:
            self._threads, self._counted = sum(self._asked(self._client.nthreads).values()), now
            self._seen = now if self._threads else self._seen
            if now - self._seen > _WITHOUT_WORKERS:
                raise ClusterError(
                    f"The cluster has had no workers for {now - self._seen:.0f} s: what is finished is in the job "
                    "store, where there is one, and the same request made again resumes."
                )
        return FLYING_PER_THREAD * max(1, self._threads)

    @property
    def room(self) -> bool:
        """Whether another job can leave: what waits here already does not fill the cluster."""
        with self._lock:
            return not self._ready and not self._suspects and len(self._flying) < self.bound

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        job_id = f"dask-{uuid4().hex}"
        with self._lock:
            number = _SLICES_PER_THREAD * self.bound // FLYING_PER_THREAD
            slices = [
                _Slice(job_id, index, to_bytes([Piece(0, 0, part)]))
                for index, request in enumerate(requests)
                for part in sliced(request, max(1, number // len(requests)))
            ]
            self._jobs[job_id] = _Job(slices, len(requests), tag)
            self._ready.extend(slices)
            self._send()
        return job_id

    def find(self, tag: str) -> list[str]:
        with self._lock:
            return [job_id for job_id, job in self._jobs.items() if job.tag == tag]

    def status(self, job_id: str) -> JobState:
        """Where a job stands.

        Raises:
            ClusterError: if the scheduler is gone, or a worker would compute something else.
        """
        with self._lock:
            self._receive()
            job = self._jobs.get(job_id)
            if job is None:
                raise LostResultError("the process that had it computed has ended")
            if job.failed:
                self.cancel(job_id)
                return JobState("failed", job.reason, permanent=True)
            if job.left:
                return JobState("running", "" if self._threads else "the cluster has no workers just now")
            return JobState("done")

    def result(self, job_id: str) -> list[Outcomes]:
        with self._lock:
            job = self._jobs.pop(job_id)  # taken once: the store has it from now on
        parts: list[list[Outcomes]] = [[] for _ in range(job.requests)]
        for piece in job.slices:
            assert piece.found is not None
            parts[piece.request].append(piece.found)
        return [Outcomes.joined(found) for found in parts]

    def cancel(self, job_id: str) -> None:
        with self._lock:
            self._jobs.pop(job_id, None)
            for line in (self._ready, self._suspects):
                kept = [piece for piece in line if piece.job_id != job_id]
                line.clear()
                line.extend(kept)
            for piece in [piece for piece in self._flying if piece.job_id == job_id]:
                self._flying.remove(piece)
                _let_go(piece)

    def close(self) -> None:
        """Nothing of this manager stays on the cluster."""
        for job_id in list(self._jobs):
            self.cancel(job_id)

    def wait(self, seconds: float) -> None:
        """Wait until a job is finished, or another one can be sent, for at most this many seconds."""
        end = time.monotonic() + seconds
        full = not self.room
        while True:
            with self._lock:
                self._receive()
                if (full and self.room) or any(job.failed or not job.left for job in self._jobs.values()):
                    return
            if time.monotonic() >= end:
                return
            time.sleep(_LOOK_EVERY)

    def _send(self) -> None:
        """Send what waits, within the bound; a suspect alone, so that nothing else ends with its worker."""
        if self._suspects or any(piece.suspect for piece in self._flying):
            if not self._flying:
                self._fly(self._suspects.popleft())
            return
        while self._ready and len(self._flying) < self.bound:
            self._fly(self._ready.popleft())

    def _fly(self, piece: _Slice) -> None:
        piece.future = self._asked(
            lambda: self._client.submit(
                sample_there,
                self._place,
                self.calibration,
                versions_here(),
                piece.content,
                pure=False,
                key=f"hqnn-sample-{uuid4().hex}",
            )
        )
        self._flying.append(piece)
        for other in self._flying:
            other.beside |= len(self._flying) > 1

    def _receive(self) -> None:
        """Take what is finished off the cluster, and send what follows."""
        for piece in [piece for piece in self._flying if piece.future is not None and piece.future.done()]:
            self._flying.remove(piece)
            self._read(piece, self._jobs[piece.job_id])
        self._send()

    def _read(self, piece: _Slice, job: _Job) -> None:
        from distributed import KilledWorker

        assert piece.future is not None
        try:
            self._check_reachable(piece.future)
            (content,) = piece.future.result()
            piece.found, piece.content = Outcomes.from_bytes(content), b""
            job.left -= 1
        except KilledWorker:
            if piece.beside:
                piece.beside, piece.suspect = False, True
                self._suspects.append(piece)
            else:
                job.failed, job.reason = True, _ENDED
        except PermanentError as error:
            job.failed, job.reason = True, str(error)
        except Exception as error:
            self.cancel(piece.job_id)  # the next driver has it computed again
            if isinstance(error, ImportError):
                raise ClusterError(f"A worker cannot import what the library needs: {error}.") from error
            if isinstance(error, OSError):
                raise self._lost() from error
            raise
        finally:
            _let_go(piece)

    def _check_reachable(self, future: Future[Any] | None = None) -> None:
        if self._client.status != "running" or (
            future is not None and future.status in ("cancelled", "lost")
        ):
            raise self._lost()

    def _asked(self, work: Any) -> Any:
        self._check_reachable()
        try:
            return work()
        except (OSError, RuntimeError) as error:
            raise self._lost() from error

    def _lost(self) -> ClusterError:
        return ClusterError(
            "The cluster's scheduler does not answer any more: what is finished is in the job store, where there is "
            "one, and the same request made again resumes."
        )


def _let_go(piece: _Slice) -> None:
    if piece.future is not None:
        piece.future.cancel() if piece.future.status == "pending" else piece.future.release()
        piece.future = None
