"""The submit protocol: each chunk of a job from the store to a device and its outcomes back, whatever breaks.

    waiting ──intent committed──▶ intent ──submit under a tag, id committed──▶ sent ──outcomes committed──▶ done

A process may die between any two of these. Who comes next finds the chunk as the store has it: an intent without an id
is first looked up by its tag, so that a job whose answer was lost is found instead of paid for again, and is sent again
only when no request of it can be on its way any more; a chunk with an id is only waited for. After every submission the
tag is looked up too, since a request may have been repeated: one job is kept, the others are cancelled.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from qiskit_hqnn.jobs.adapters.deadlines import within
from qiskit_hqnn.jobs.adapters.sampling import Outcomes
from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    BackendAdapter,
    JobState,
    LostResultError,
    PermanentError,
    SamplingOptions,
    SplitError,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.chunks import from_bytes, halves, outcomes_to_bytes, to_bytes
from qiskit_hqnn.jobs.sending.allowance import Allowance
from qiskit_hqnn.jobs.store.store import Store
from qiskit_hqnn.jobs.store.tables import Chunk

_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How often and how long to try.

    Attributes:
        attempts: submissions of one chunk, at most.
        backoff: seconds before the second one, doubled before each later one, up to `longest`.
        longest: seconds between two attempts, at most.
        hiccups: failed looks at a job in a row, after which the caller is told; the job stays as it is.
        denials: times in a row that a service must say that a job or its results are gone before it is believed.
    """

    attempts: int = 5
    backoff: float = 1.0
    longest: float = 60.0
    hiccups: int = 10
    denials: int = 4

    def pause(self, attempt: int) -> float:
        return min(self.longest, self.backoff * 2.0 ** max(0, attempt - 1))


class Mover:
    """One step of one chunk at a time, in the hands of one owner."""

    def __init__(
        self,
        store: Store,
        adapter: BackendAdapter,
        options: SamplingOptions,
        patience: Patience,
        owner: str,
        allowance: Allowance,
    ) -> None:
        self._store, self._adapter, self._options = store, adapter, options
        self._patience, self._owner, self.allowance = patience, owner, allowance
        self._hiccups = 0
        self._looked: set[str] = set()
        self._denied: Counter[str] = Counter()
        self._charged: dict[str, float] = {}  # by tag, as far as the service says
        self.finished = 0
        self.cancelling = False

    def pause(self) -> float:
        """Seconds until it is worth looking again."""
        return self._adapter.poll_seconds or 0.2

    def step(self, chunk: Chunk) -> bool:
        """Move a chunk that this owner holds; False where there is nothing to do yet."""
        if self.cancelling:
            return self._cancel(chunk)
        if chunk.state == "waiting":
            return self._send(chunk)
        if chunk.state == "intent":
            return self._recover(chunk)
        return self._collect(chunk)

    def _send(self, chunk: Chunk) -> bool:
        if not self.allowance.first(chunk):
            return False
        pieces = from_bytes(self._store.requests(chunk))
        # Until then a request may leave; it holds for whoever finds this intent without its process, too.
        changed = self._change(chunk, state="intent", since=time.time() + (self._adapter.deadline or 0.0))
        if changed is None:
            return True
        try:
            job_id = self._call(
                lambda: self._adapter.submit(
                    [piece.content for piece in pieces], tag=changed.tag, options=self._options
                )
            )
        except PermanentError as error:
            return self._fail(changed, str(error), charged=0.0)
        except SplitError as error:
            return self._split(changed, str(error), made=False)
        except UnauthorisedError:
            self._change(changed, state="waiting")  # refused: no job was made
            raise
        except AdapterError as error:
            # Whether a job was made is not known: the next step asks by the tag.
            self._change(
                changed,
                since=time.time(),
                attempts=changed.attempts + 1,
                not_before=time.time() + self._patience.pause(changed.attempts + 1),
                reason=str(error),
            )
            return True
        sent = self._change(changed, state="sent", backend_job=job_id, reason="")
        if sent is None:
            return True
        return self._collect(sent) or True if self._adapter.poll_seconds == 0 else True

    def _without_duplicates(self, chunk: Chunk) -> Chunk:
        """Keep one job under the tag. A look that fails raises, and is made up for before the outcomes are taken."""
        own = chunk.backend_job or ""
        others = [job_id for job_id in self._found(chunk) if job_id != own]
        if others:
            kept = self._furthest(own, others)
            if kept != own:
                changed = self._change(chunk, backend_job=kept)
                if changed is None:
                    return chunk
                chunk = changed
            for extra in (own, *others):
                if extra != kept:
                    self._call(partial(self._adapter.cancel, extra))
        self._looked.add(chunk.tag)
        return chunk

    def _found(self, chunk: Chunk) -> list[str]:
        return self._call(lambda: self._adapter.find(chunk.tag))

    def _furthest(self, own: str, others: Sequence[str]) -> str:
        """The job to keep: the store's own, unless only another one has run already, and is paid."""
        for job_id in (own, *others):
            if self._call(partial(self._adapter.status, job_id)).word in ("done", "running"):
                return job_id
        return own

    def _cancel(self, chunk: Chunk) -> bool:
        """One step towards a job that is cancelled: nothing is sent, and nothing that was sent stays on the device."""
        if chunk.state == "waiting":
            self._change(chunk, charged=0.0, state="cancelled", reason="cancelled before it was sent")
            return True
        try:
            known = dict.fromkeys([*([chunk.backend_job] if chunk.backend_job else []), *self._found(chunk)])
            states = {job_id: self._stopped(job_id) for job_id in known}
            charged = [0.0 if state is None else state.seconds for state in states.values()]
            paid = [(job_id, state) for job_id, state in states.items() if state and state.word == "done"]
            if paid:  # it was too late: what has run stays
                job_id, state = paid[0]
                taken = self._change(chunk, state="sent", backend_job=job_id)
                return taken is None or self._take(taken, state)
        except LostResultError as error:
            return self._denial(chunk, str(error))
        except AdapterError as error:
            return self._hiccup(error)
        self._hiccups = 0
        if chunk.state == "intent" and time.time() - chunk.since < self._adapter.lookup_seconds:
            return False  # it may still arrive
        total = None if None in charged else sum(seconds or 0.0 for seconds in charged)
        self._change(chunk, charged=total, state="cancelled", reason="cancelled")
        return True

    def _stopped(self, job_id: str) -> JobState | None:
        """Cancel a job on the device, and say what it is then; None if the device does not know it."""
        try:
            self._call(lambda: self._adapter.cancel(job_id))
            return self._call(lambda: self._adapter.status(job_id))
        except LostResultError:
            return None

    def _recover(self, chunk: Chunk) -> bool:
        """An intent without an id: was the job made?"""
        try:
            found = self._found(chunk)
        except AdapterError as error:
            return self._hiccup(error)
        self._hiccups = 0
        if found:
            self._change(chunk, state="sent", backend_job=found[0], reason="")
            return True
        if time.time() - chunk.since < self._adapter.lookup_seconds:
            pause = min(self.pause(), self._adapter.lookup_seconds)
            self._change(chunk, not_before=time.time() + pause)
            return False
        if chunk.attempts >= self._patience.attempts:
            return self._fail(
                chunk, f"not accepted in {chunk.attempts} attempts; the last one: {chunk.reason}"
            )
        return self._send(chunk)

    def _collect(self, chunk: Chunk) -> bool:
        try:
            if chunk.tag not in self._looked:
                chunk = self._without_duplicates(chunk)
            job_id = chunk.backend_job or ""
            state = self._call(lambda: self._adapter.status(job_id))
            if state.seconds is not None:
                self._charged[chunk.tag] = state.seconds
            if state.word == "done":
                chunk = self._without_duplicates(chunk)
                return self._take(chunk, state)
        except LostResultError as error:
            return self._denial(chunk, str(error))
        except AdapterError as error:
            # Whatever the service says to a question, the job is there, and may be paid: it is never given up for it.
            return self._hiccup(error)
        self._hiccups = 0
        if state.word == "cancelled":
            # Somebody meant it: what was cancelled elsewhere is not sent again.
            self._change(
                chunk,
                charged=state.seconds,
                state="cancelled",
                reason=state.reason or "cancelled on the device",
            )
            return True
        if state.word == "failed":
            if state.too_long:
                return self._split(chunk, state.reason)
            return self._fail(chunk, state.reason) if state.permanent else self._again(chunk, state.reason)
        return False

    def _take(self, chunk: Chunk, state: JobState) -> bool:
        pieces = from_bytes(self._store.requests(chunk))
        results = list(self._call(lambda: self._adapter.result(chunk.backend_job or "")))
        self._hiccups = 0
        if len(results) != len(pieces):
            return self._denial(chunk, f"{len(results)} results came back for {len(pieces)} circuits")
        outcomes = [Outcomes.of(result, piece.content) for result, piece in zip(results, pieces, strict=True)]
        if any(outcome.sets != piece.content.sets for outcome, piece in zip(outcomes, pieces, strict=True)):
            return self._again(chunk, "results of another shape came back")
        self.finished += self._store.finish(chunk, outcomes_to_bytes(pieces, outcomes), state.seconds)
        return True

    def _denial(self, chunk: Chunk, reason: str) -> bool:
        """A job or its results are said to be gone: believed when it is said again and again, and then sent anew."""
        self._denied[chunk.tag] += 1
        if self._adapter.poll_seconds and self._denied[chunk.tag] < self._patience.denials:
            pause = self._patience.pause(self._denied[chunk.tag])
            self._change(chunk, not_before=time.time() + pause, reason=reason)
            return False
        try:
            # Should it be there after all, it must not go on beside its successor.
            self._call(lambda: self._adapter.cancel(chunk.backend_job or ""))
        except LostResultError:
            pass
        except AdapterError as error:
            return self._hiccup(error)
        return self._again(chunk, reason)

    def _again(self, chunk: Chunk, reason: str) -> bool:
        """A job that has ended without outcomes is sent once more, under a tag of its own."""
        # Attempts count failures of the device: a local job that died with its process has not failed.
        attempts = chunk.attempts + (0 if self._adapter.poll_seconds == 0 else 1)
        if attempts >= self._patience.attempts:
            return self._fail(chunk, f"failed {attempts} times; the last time: {reason}")
        charged = self._charged.get(chunk.tag)
        if attempts and not (
            self._change(chunk, charged=charged, reason=reason) and self.allowance.again(chunk, reason)
        ):
            return False
        self._change(
            chunk,
            state="waiting",
            attempts=attempts,
            backend_job=None,
            tag=f"{chunk.tag.partition('~')[0]}~{attempts}" if attempts else chunk.tag,
            not_before=time.time() + self._patience.pause(attempts) if attempts else 0.0,
            reason=reason,
        )
        return True

    def _split(self, chunk: Chunk, reason: str, made: bool = True) -> bool:
        """Two smaller parts in the place of one that has run too long, or (not `made`) was refused for its size."""
        parts = halves(from_bytes(self._store.requests(chunk)))
        if len(parts) < 2:
            words = f"too large for the device even by itself: {reason}"
            return self._fail(chunk, words, None if made else 0.0)
        charged = self._charged.get(chunk.tag) if made else 0.0
        prices = self.allowance.prices(chunk, parts)
        if made:
            self._change(chunk, charged=charged, reason=reason)
        if not self.allowance.halves(chunk, prices, reason, made):
            return False
        self._store.split(chunk, self._owner, [to_bytes(part) for part in parts], prices, charged)
        return True

    def _fail(self, chunk: Chunk, reason: str, charged: float | None = None) -> bool:
        if charged is None:
            charged = self._charged.get(chunk.tag)
        self._change(chunk, charged=charged, state="failed", reason=reason)
        return True

    def _hiccup(self, error: AdapterError) -> bool:
        if isinstance(error, UnauthorisedError):
            raise error  # that does not pass by itself
        self._hiccups += 1
        if self._hiccups >= self._patience.hiccups:
            raise TransientError(
                f"{self._adapter.where} could not be asked {self._hiccups} times in a row: {error}"
            ) from error
        time.sleep(self._patience.pause(self._hiccups))
        return False

    def _change(self, chunk: Chunk, charged: float | None = None, **values: Any) -> Chunk | None:
        """Commit a change, and what was charged under its tag; None if the chunk is no longer this owner's."""
        if not self._store.move(chunk, self._owner, charged, **values):
            return None
        return Chunk(**{**chunk.__dict__, **values, "owner": self._owner})

    def _call(self, work: Callable[[], _T]) -> _T:
        return within(self._adapter.deadline, work)
