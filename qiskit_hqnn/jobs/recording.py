"""From requests to a job in the store, under an id of all that can change its result, and from there to outcomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from qiskit.primitives.containers import PubResult

from qiskit_hqnn.errors import BudgetError, HQNNError, StoreError
from qiskit_hqnn.jobs.adapters import (
    BackendAdapter,
    OddResultError,
    Outcomes,
    PermanentError,
    SamplingOptions,
    SamplingRequest,
)
from qiskit_hqnn.jobs.budget import Meter, Spending
from qiskit_hqnn.jobs.chunks import ChunkLimits, assembled, chunked, to_bytes
from qiskit_hqnn.jobs.price import Price, price_chunks
from qiskit_hqnn.jobs.spreading import answers
from qiskit_hqnn.jobs.store import JobRecord, Store
from qiskit_hqnn.jobs.tiling import Planned, recipe


class JobFailedError(HQNNError):
    """A device has finally refused, failed or cancelled a job."""


@dataclass(frozen=True)
class Recorded:
    """A job's id, and whether it was not in the store before."""

    id: str
    fresh: bool


def strong_id(where: str, settings: Mapping[str, object], requests: Sequence[SamplingRequest]) -> str:
    """SHA-256 of everything that can alter a job's result."""
    digest = sha256(json.dumps([1, where, settings], sort_keys=True, default=str).encode())
    for request in requests:
        digest.update(request.digest())
    return digest.hexdigest()


def record(
    store: Store,
    job: str,
    where: str,
    title: str,
    requests: Sequence[SamplingRequest],
    seconds_each: Sequence[float],
    price: Price,
    settings: Mapping[str, object],
    limits: ChunkLimits,
    estimation: Planned | None,
) -> Recorded:
    """Commit a job with all its chunks; a second caller finds the existing one."""
    chunks = chunked(requests, seconds_each, limits)
    fresh = store.add_job(
        job,
        where,
        title,
        requests[0].shots if estimation is None else estimation.shots,
        price.executions,
        price.qpu_seconds,
        {**settings, "requests": len(requests)},
        None if estimation is None else recipe.to_bytes(estimation),
        [to_bytes(chunk) for chunk in chunks],
        price_chunks(chunks, seconds_each, price),
    )
    return Recorded(job, fresh)


def counted(store: Store, job: str, call: Meter, fresh: bool) -> Meter:
    """Let a call count what a job costs; of one that was there before, what it costs from now on."""
    before = Spending() if fresh else Spending(*store.spent(job))
    call.child(reading=lambda: Spending(*store.spent(job)) - before)
    return call


def sample_at_once(
    adapter: BackendAdapter,
    requests: Sequence[SamplingRequest],
    limits: ChunkLimits,
    options: SamplingOptions,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcomes]:
    """Sample directly through the adapter: without a store nothing can be resumed.

    Raises:
        JobFailedError: if the place cannot run them.
    """
    found: list[dict[int, Outcomes]] = [{} for _ in requests]
    chunks = chunked(requests, [0.0] * len(requests), limits)
    jobs = [[piece.content for piece in chunk] for chunk in chunks]
    try:
        for finished, (number, outcomes) in enumerate(answers(adapter, jobs, options), 1):
            for piece, part in zip(chunks[number], outcomes, strict=True):
                found[piece.request][piece.start] = part
            if progress:
                progress(finished, len(chunks))
    except (PermanentError, OddResultError) as error:
        raise JobFailedError(f"{adapter.where} cannot run this: {error}.") from error
    return [Outcomes.joined([parts[start] for start in sorted(parts)]) for parts in found]


def collect(store: Store, job: str, requests: int) -> list[Outcomes]:
    """The outcomes of every request of a done job.

    Raises:
        JobFailedError: if it failed or was cancelled.
        BudgetError: if it is paused, since the rest of it would cost more than it may.
        StoreError: if it is still open.
    """
    _check_done(store.job(job))
    done = [chunk for chunk in store.chunks(job) if chunk.state == "done"]
    return assembled((store.outcomes(chunk) for chunk in done), requests)


def _check_done(job: JobRecord) -> None:
    """Raises what `collect` raises."""
    if job.state in ("failed", "cancelled"):
        raise JobFailedError(
            f"Job {job.id[:10]} on {job.place} {'failed' if job.state == 'failed' else 'was cancelled'}"
            + (f": {job.reason}" if job.reason else "")
            + ("" if job.reason.endswith(".") else ".")
        )
    if job.state == "paused":
        raise BudgetError(f"Job {job.id[:10]} on {job.place} is paused: {job.reason}")
    if job.state != "done":
        raise StoreError(
            f"Job {job.id[:10]} is not done: {job.finished} of {job.chunks} parts are there; `hqnn jobs wait "
            f"{job.id[:10]}` waits for it."
        )


def recorded_estimation(store: Store, job: str) -> tuple[Planned, int]:
    """The estimation of a job, and how many requests it had.

    Raises:
        StoreError: if the job sampled only.
    """
    known = store.job(job)
    content = store.request(known.id)
    if content is None:
        raise StoreError(f"Job {known.id[:10]} has samples only, no expectation values.")
    return recipe.from_bytes(content), int(known.settings["requests"])


def expectation_values(store: Store, job: str) -> PubResult:
    """The result of a done job that `JobManager.submit` recorded; needs neither its device nor its circuit.

    Raises:
        JobFailedError, BudgetError, StoreError: if the job is not done.
        StoreError: if it was no estimation.
    """
    _check_done(store.job(job))
    estimation, requests = recorded_estimation(store, job)
    return replace(estimation, requests=()).result(collect(store, job, requests))
