"""The way back: a part that was sent is waited for, its outcomes are taken once, or it ends without them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

from qiskit_hqnn.jobs.adapters import (
    AdapterError,
    JobState,
    LostResultError,
    OddResultError,
    Outcomes,
    checked,
)
from qiskit_hqnn.jobs.chunks import Piece, from_bytes, outcomes_to_bytes
from qiskit_hqnn.jobs.sending.hands import Hands
from qiskit_hqnn.jobs.sending.posting import Sender
from qiskit_hqnn.jobs.store import Chunk


class Collector:
    """Brings the parts of one owner back.

    Attributes:
        finished: parts whose outcomes it has stored.
    """

    def __init__(self, hands: Hands, sender: Sender) -> None:
        self._hands, self._sender = hands, sender
        self._denied: Counter[str] = Counter()
        self._warned: set[str] = set()
        self.finished = 0

    def collect(self, chunk: Chunk) -> bool:
        """One step of a part that was sent."""
        hands = self._hands
        try:
            chunk = self._sender.without_duplicates(chunk, once=True)
            state = hands.status(chunk.backend_job or "")
            if state.seconds is not None:
                hands.charged[chunk.tag] = state.seconds
            if state.word == "done":
                chunk = self._sender.without_duplicates(chunk)
                return self._take(chunk, state)
        except LostResultError as error:
            return self._denial(chunk, str(error))
        except AdapterError as error:
            # Whatever the service says to a question, the job is there, and may be paid: it is never given up for it.
            return hands.hiccup(error)
        hands.settled()
        if state.word == "cancelled":
            # Somebody meant it: what was cancelled elsewhere is not sent again.
            reason = state.reason or "cancelled on the device"
            hands.change(chunk, charged=state.seconds, state="cancelled", reason=reason)
            return True
        if state.word == "failed":
            if state.too_long:
                return hands.split(chunk, state.reason)
            return hands.fail(chunk, state.reason) if state.permanent else hands.again(chunk, state.reason)
        if state.reason:
            self._unknown(chunk, state.reason)
        return False

    def _unknown(self, chunk: Chunk, reason: str) -> None:
        """The service has a word for the job that nobody here knows: never waited for in silence."""
        words = f"waits for job {chunk.backend_job} of part {chunk.position}: {reason}"
        self._hands.report(chunk, words)
        if words not in self._warned:
            self._warned.add(words)
            warnings.warn(f"{self._hands.adapter.where} {words}.", UserWarning, stacklevel=2)

    def _take(self, chunk: Chunk, state: JobState) -> bool:
        pieces = from_bytes(self._hands.store.requests(chunk))
        try:
            outcomes = self._read(chunk, pieces)
        except OddResultError as error:
            return self._odd(chunk, error)
        self.finished += self._hands.store.finish(chunk, outcomes_to_bytes(pieces, outcomes), state.seconds)
        return True

    def _read(self, chunk: Chunk, pieces: Sequence[Piece], once: bool = False) -> list[Outcomes]:
        """The outcomes of a job. Odd ones of a service are read twice, for nothing: the way may have spoilt them."""
        hands = self._hands
        try:
            results = hands.call(lambda: hands.adapter.result(chunk.backend_job or ""))
            hands.settled()
            return checked(results, [piece.content for piece in pieces])
        except OddResultError:
            if once or not hands.remote:
                raise
        return self._read(chunk, pieces, once=True)

    def _odd(self, chunk: Chunk, error: OddResultError) -> bool:
        """Paid, but not what was asked: a person decides."""
        self._hands.store.keep_received(chunk, error.received)
        return self._hands.fail(
            chunk,
            f"{error}; they are paid, kept as they came (Store.received), and not asked for again: "
            f"`hqnn jobs retry {chunk.job[:10]}` pays for them once more",
        )

    def _denial(self, chunk: Chunk, reason: str) -> bool:
        """A job or its results are reported as gone: believed after several such reports, and then sent again."""
        hands = self._hands
        self._denied[chunk.tag] += 1
        if hands.remote and self._denied[chunk.tag] < hands.patience.denials:
            hands.rest(chunk, hands.patience.pause(self._denied[chunk.tag]), reason=reason)
            return False
        try:
            # Should it be there after all, it must not go on beside its successor.
            hands.call(lambda: hands.adapter.cancel(chunk.backend_job or ""))
        except LostResultError:
            pass
        except AdapterError as error:
            return hands.hiccup(error)
        return hands.again(chunk, reason)

    def cancel(self, chunk: Chunk) -> bool:
        """One step towards a job that is cancelled: nothing is sent, and nothing that was sent stays on the device."""
        hands = self._hands
        if chunk.state == "waiting":
            hands.change(chunk, charged=0.0, state="cancelled", reason="cancelled before it was sent")
            return True
        try:
            known = dict.fromkeys([*([chunk.backend_job] if chunk.backend_job else []), *hands.found(chunk)])
            states = {job_id: self._stopped(job_id) for job_id in known}
            charged = [0.0 if state is None else state.seconds for state in states.values()]
            paid = [(job_id, state) for job_id, state in states.items() if state and state.word == "done"]
            if paid:  # it was too late: what has run stays
                job_id, state = paid[0]
                taken = hands.change(chunk, state="sent", backend_job=job_id)
                return taken is None or self._take(taken, state)
        except LostResultError as error:
            return self._denial(chunk, str(error))
        except AdapterError as error:
            return hands.hiccup(error)
        hands.settled()
        if chunk.state == "intent" and not hands.silence.over(chunk):
            hands.report(chunk, hands.silence.set_back(chunk))
            return False  # it may still arrive
        total = None if None in charged else sum(seconds or 0.0 for seconds in charged)
        hands.change(chunk, charged=total, state="cancelled", reason="cancelled")
        return True

    def _stopped(self, job_id: str) -> JobState | None:
        """Cancel a job on the device, and say what it is then; None if the device does not know it."""
        hands = self._hands
        try:
            hands.call(lambda: hands.adapter.cancel(job_id))
            return hands.status(job_id)
        except LostResultError:
            return None
