"""What every step of the protocol has in its hands: the store, the place, and the parts that one owner holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar, Unpack

from qiskit_hqnn.jobs.adapters import (
    AdapterError,
    BackendAdapter,
    JobState,
    LostResultError,
    TransientError,
    UnauthorisedError,
    clock_of,
    within,
)
from qiskit_hqnn.jobs.chunks import from_bytes, halves, to_bytes
from qiskit_hqnn.jobs.sending.allowance import Allowance
from qiskit_hqnn.jobs.sending.patience import Patience, Pauses, Silence
from qiskit_hqnn.jobs.store import Chunk, ChunkChanges, Store

_T = TypeVar("_T")


class Hands:
    """Calls to a place, commits to a store, and how a part ends that has no outcomes.

    Attributes:
        charged: QPU seconds by tag, as far as the service says.
    """

    def __init__(
        self,
        store: Store,
        adapter: BackendAdapter,
        patience: Patience,
        owner: str,
        allowance: Allowance,
        said: Callable[[str], None] | None = None,
    ) -> None:
        self.store, self.adapter, self.patience, self.owner = store, adapter, patience, owner
        self.allowance, self._said = allowance, said
        self.remote = not adapter.finishes_on_submit
        self.pauses = Pauses()
        self.silence = Silence(clock_of(adapter), adapter.deadline or 0.0, adapter.lookup_seconds)
        self.charged: dict[str, float] = {}
        self._hiccups = 0
        self._reported: set[tuple[str, str]] = set()
        self._paced: set[str] = set()

    def call(self, work: Callable[[], _T]) -> _T:
        """An answer of the place, within its deadline."""
        return within(self.adapter.deadline, work)

    def found(self, chunk: Chunk) -> list[str]:
        """Ids of all jobs under a part's tag, the oldest first."""
        return self.call(lambda: self.adapter.find(chunk.tag))

    def status(self, job_id: str) -> JobState:
        return self.call(lambda: self.adapter.status(job_id))

    def furthest(self, jobs: Sequence[str]) -> str:
        """The job to keep, by a rule that gives all copies of a store the same one: the first to run, or the oldest."""
        for job_id in jobs:
            try:
                if self.status(job_id).word in ("done", "running"):
                    return job_id
            except LostResultError:
                continue
        return jobs[0]

    def change(
        self, chunk: Chunk, charged: float | None = None, **values: Unpack[ChunkChanges]
    ) -> Chunk | None:
        """Commit a change, and what was charged under its tag; None if the chunk is no longer this owner's."""
        if not self.store.move(chunk, self.owner, charged, **values):
            return None
        return Chunk(**{**chunk.__dict__, **values, "owner": self.owner})

    def rest(self, chunk: Chunk, seconds: float, /, **values: Unpack[ChunkChanges]) -> None:
        """Commit a change, and leave the part alone for a while."""
        seconds = self.pauses.set(chunk.tag, seconds)
        values["not_before"] = time.time() + seconds
        self.change(chunk, **values)

    def report(self, chunk: Chunk, words: str) -> None:
        """Say once, on the job, why a part does not move."""
        if words and (chunk.tag, words) not in self._reported:
            self._reported.add((chunk.tag, words))
            self.store.note(chunk.job, words)
            if self._said is not None:
                self._said(words)

    def paced(self, chunk: Chunk, seconds: float, reason: str) -> None:
        """Say that a part waits for its turn, which is no failure."""
        self._paced.add(chunk.tag)
        self.report(chunk, f"waits {seconds:.0f} s for its turn: {reason}")

    def left(self, chunk: Chunk) -> None:
        """A part has left: it does not wait for its turn any more."""
        if chunk.tag in self._paced:
            self._paced.discard(chunk.tag)
            self.store.note(chunk.job, "")

    def settled(self) -> None:
        """The place has answered."""
        self._hiccups = 0

    def hiccup(self, error: AdapterError) -> bool:
        """The place could not be asked: tried again, a few times.

        Raises:
            UnauthorisedError: at once, since that does not pass by itself.
            TransientError: at last; the job stays as it is.
        """
        if isinstance(error, UnauthorisedError):
            raise error
        self._hiccups += 1
        if self._hiccups >= self.patience.hiccups:
            raise TransientError(
                f"{self.adapter.where} could not be asked {self._hiccups} times in a row: {error}"
            ) from error
        asked = error.retry_after if isinstance(error, TransientError) else 0.0
        time.sleep(max(self.patience.pause(self._hiccups), min(asked, self.patience.longest)))
        return False

    # How a part ends that has no outcomes

    def again(self, chunk: Chunk, reason: str) -> bool:
        """A job that has ended without outcomes is sent once more, under a tag of its own."""
        # Attempts count failures of the device: a local job that died with its process has not failed.
        attempts = chunk.attempts + (1 if self.remote else 0)
        if attempts >= self.patience.attempts:
            return self.fail(chunk, f"failed {attempts} times; the last time: {reason}")
        charged = self.charged.get(chunk.tag)
        if attempts and not (
            self.change(chunk, charged=charged, reason=reason) and self.allowance.again(chunk, reason)
        ):
            return False
        tag = f"{chunk.tag.partition('~')[0]}~{attempts}" if attempts else chunk.tag
        pause = self.pauses.set(tag, self.patience.pause(attempts) if attempts else 0.0)
        self.change(
            chunk,
            state="waiting",
            attempts=attempts,
            backend_job=None,
            tag=tag,
            not_before=time.time() + pause if attempts else 0.0,
            reason=reason,
        )
        return True

    def split(self, chunk: Chunk, reason: str, made: bool = True) -> bool:
        """Two smaller parts in the place of one that has run too long, or (not `made`) was refused for its size."""
        parts = halves(from_bytes(self.store.requests(chunk)))
        if len(parts) < 2:
            words = f"too large for the device even by itself: {reason}"
            return self.fail(chunk, words, None if made else 0.0)
        charged = self.charged.get(chunk.tag) if made else 0.0
        prices = self.allowance.prices(chunk, parts)
        if made:
            self.change(chunk, charged=charged, reason=reason)
        if not self.allowance.halves(chunk, prices, reason, made):
            return False
        self.store.split(chunk, self.owner, [to_bytes(part) for part in parts], prices, charged)
        return True

    def fail(self, chunk: Chunk, reason: str, charged: float | None = None) -> bool:
        if charged is None:
            charged = self.charged.get(chunk.tag)
        self.change(chunk, charged=charged, state="failed", reason=reason)
        return True
