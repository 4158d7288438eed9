"""Driving a recorded job: one step of one chunk after the other, until it is done, failed, cancelled or paused."""

from __future__ import annotations

import time
from collections.abc import Callable

from qiskit_hqnn.jobs.adapters import BackendAdapter, SamplingOptions
from qiskit_hqnn.jobs.budget import Meter
from qiskit_hqnn.jobs.sending.allowance import Allowance, meter_of
from qiskit_hqnn.jobs.sending.heartbeat import heartbeat
from qiskit_hqnn.jobs.sending.protocol import Mover, Patience
from qiskit_hqnn.jobs.store import OPEN, Store, new_owner


def drive(
    store: Store,
    job: str,
    adapter: BackendAdapter,
    options: SamplingOptions | None = None,
    patience: Patience | None = None,
    progress: Callable[[int, int], None] | None = None,
    until_sent: bool = False,
    meter: Meter | None = None,
    said: Callable[[str], None] | None = None,
) -> str:
    """Move a job's chunks until it is done, failed or cancelled, and return which.

    Any number of processes may drive one job: each chunk is leased to one of them at a time.

    Args:
        store, job: the job's store and id.
        adapter: of the job's place.
        options: settings that are sent with the circuits.
        patience: how often to try.
        progress: called with (finished, all) chunks.
        until_sent: return "open" as soon as every chunk has left.
        meter: holds what is sent again against a budget; by default the job's own, as it was recorded.
        said: called with a sentence about what the job waits for.

    Raises:
        BudgetError: if what is left of the job would cost more than it may; the job is paused, and resumes where it is
            driven with a larger budget.
        UnauthorisedError: if the account is refused; the job stays open.
        TransientError: if the device cannot be reached for long; the job stays open.
    """
    owner = new_owner()
    allowance = Allowance(store, meter or meter_of(store, job), adapter.where)
    mover = Mover(
        store, adapter, options or SamplingOptions(), patience or Patience(), owner, allowance, said
    )
    store.resume(job)
    with heartbeat(store, owner):
        try:
            return _loop(store, job, mover, owner, progress, until_sent)
        finally:
            store.release(owner)


def _loop(
    store: Store,
    job: str,
    mover: Mover,
    owner: str,
    progress: Callable[[int, int], None] | None,
    until_sent: bool,
) -> str:
    while True:
        state = store.settle(job)
        chunks = [chunk for chunk in store.chunks(job) if chunk.state != "split"]
        finished = sum(chunk.state == "done" for chunk in chunks) - mover.finished
        if progress:
            progress(finished + mover.finished, len(chunks))
        if state not in ("open", "cancelling"):
            return state
        mover.cancelling = state == "cancelling"
        waiting = [chunk for chunk in chunks if chunk.state in OPEN]
        if until_sent and all(chunk.state == "sent" for chunk in waiting):
            return "open"
        refused = mover.allowance.refused
        if refused and not mover.cancelling:
            waiting = [chunk for chunk in waiting if chunk.position not in refused]
            if not waiting:
                error = next(iter(refused.values()))
                store.pause(job, str(error))
                raise error
        moved = False
        for chunk in waiting:
            if not mover.is_due(chunk, time.time()) or not mover.has_room(chunk):
                continue
            held = store.claim(chunk, owner)
            if held is None:
                continue
            moved |= mover.step(held)
            if progress:
                progress(finished + mover.finished, len(chunks))
        if not moved:
            if not mover.keeps_leases:
                store.release(owner)
            mover.pause()


def cancel(store: Store, job: str, adapter: BackendAdapter, patience: Patience | None = None) -> str:
    """Cancel a job: nothing more of it is sent, and what is on a device is cancelled there.

    What is done stays. A part that may be on its way just now is waited for, and cancelled once it is there.

    Returns:
        The job's state then: cancelled, or done or failed where it had ended before.

    Raises:
        TransientError: if the device cannot be reached for long; the job stays "cancelling", and whoever drives it next
            continues.
    """
    store.mark_cancelling(job)
    return drive(store, job, adapter, patience=patience)
