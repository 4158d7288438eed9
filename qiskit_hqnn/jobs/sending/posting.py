"""The way out: a part leaves once, and whether it has arrived is decided by what the service lists under its tag."""

from __future__ import annotations

from collections import Counter
from functools import partial

from qiskit_hqnn.jobs.adapters import (
    AdapterError,
    NotSentError,
    PacedError,
    PermanentError,
    SamplingOptions,
    SplitError,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.chunks import from_bytes
from qiskit_hqnn.jobs.sending.elsewhere import Elsewhere
from qiskit_hqnn.jobs.sending.hands import Hands
from qiskit_hqnn.jobs.store import Chunk


class Sender:
    """Sends the parts of one owner."""

    def __init__(self, hands: Hands, options: SamplingOptions) -> None:
        self._hands, self._options = hands, options
        self._tries: Counter[str] = Counter()
        self._too_large: dict[str, str] = {}
        self._alone: set[str] = set()
        self._elsewhere = Elsewhere(hands)

    def send(self, chunk: Chunk, looked: bool = False) -> Chunk | None:
        """Send a part; returns it where its job is known and may be looked at at once.

        Args:
            chunk: waiting, or an intent of which nothing can be on its way.
            looked: the service lists nothing under its tag.
        """
        hands = self._hands
        if not hands.allowance.first(chunk):
            return None
        if hands.remote and not looked:
            # A copy of this store, or an earlier state of it that was put back, may have sent it already.
            try:
                found = hands.found(chunk) or self._elsewhere.look(chunk)
            except AdapterError as error:
                hands.hiccup(error)
                return None
            hands.settled()
            if found is None:
                return None
            if found:
                return hands.change(chunk, state="sent", backend_job=found[0], reason="")
        pieces = from_bytes(hands.store.requests(chunk))
        # Until then a request may leave; it holds for whoever finds this intent without its process, too.
        changed = hands.change(chunk, state="intent", since=hands.silence.until())
        if changed is None:
            return None
        requests = [piece.content for piece in pieces]
        self._elsewhere.leaves(changed.tag)
        try:
            job_id = hands.call(
                lambda: hands.adapter.submit(requests, tag=changed.tag, options=self._options)
            )
        except AdapterError as error:
            self._not_sent(changed, error)
            return None
        self._elsewhere.answered(changed.tag, job_id)
        hands.left(changed)
        return hands.change(changed, state="sent", backend_job=job_id, reason="")

    def _not_sent(self, chunk: Chunk, error: AdapterError) -> None:
        """No job is known of: because none was made, or because nobody can say."""
        hands = self._hands
        if isinstance(error, PermanentError | UnauthorisedError | NotSentError):
            self._elsewhere.answered(chunk.tag, None)
        if isinstance(error, PermanentError):
            hands.fail(chunk, str(error), charged=0.0)
        elif isinstance(error, UnauthorisedError):
            hands.change(chunk, state="waiting")  # refused: no job was made
            raise error
        elif isinstance(error, NotSentError):
            self._later(chunk, error)
        else:
            if isinstance(error, SplitError):
                self._too_large[chunk.tag] = str(error)
            # Whether a job was made is not known: the next step asks by the tag.
            self._tries[chunk.tag] += 1
            since = hands.silence.clock()
            pause = 0.0 if isinstance(error, SplitError) else self._pause(chunk, error)
            hands.rest(chunk, pause, since=since, reason=str(error))

    def _later(self, chunk: Chunk, error: NotSentError) -> None:
        paced = isinstance(error, PacedError)
        self._tries[chunk.tag] += not paced
        self._give_up(chunk, str(error), state="waiting")
        pause = error.retry_after if paced else self._pause(chunk, error)
        self._hands.rest(chunk, pause, state="waiting", reason=str(error))
        if paced:
            self._hands.paced(chunk, pause, str(error))
        elif pause > self._hands.patience.longest:
            self._hands.report(chunk, f"waits {pause:.0f} s, as the service asks: {error}")

    def _pause(self, chunk: Chunk, error: AdapterError) -> float:
        asked = error.retry_after if isinstance(error, TransientError) else 0.0
        return max(asked, self._hands.patience.pause(self._tries[chunk.tag]))

    def _give_up(self, chunk: Chunk, reason: str, state: str) -> None:
        """Raises TransientError after the last attempt; nothing is lost, and the next driver of the job continues."""
        tries = self._tries[chunk.tag]
        if tries >= self._hands.patience.attempts:
            self._hands.change(chunk, reason=reason, state=state)
            raise TransientError(
                f"{self._hands.adapter.where} has not accepted part {chunk.position} in {tries} attempts, and the job "
                f"stays open; the last one: {reason}"
            )

    def recover(self, chunk: Chunk) -> tuple[bool, Chunk | None]:
        """One step of an intent without an id: was the job made?

        Returns:
            Whether anything moved, and the part where its job is known now.
        """
        hands = self._hands
        try:
            found = hands.found(chunk)
        except AdapterError as error:
            return hands.hiccup(error), None
        hands.settled()
        if found:
            return True, hands.change(chunk, state="sent", backend_job=found[0], reason="")
        if chunk.tag in self._too_large:
            return hands.split(chunk, self._too_large.pop(chunk.tag), made=False), None
        if not hands.silence.over(chunk):
            hands.report(chunk, hands.silence.set_back(chunk))
            hands.rest(chunk, min(hands.adapter.poll_seconds or 0.2, hands.adapter.lookup_seconds))
            return False, None
        self._give_up(chunk, chunk.reason, state="intent")
        return True, self.send(chunk, looked=True)

    def without_duplicates(self, chunk: Chunk, once: bool = False) -> Chunk:
        """Keep one job under the tag, and cancel what does not run of the others.

        A look that fails raises, and is made up for before the outcomes are taken.

        Args:
            chunk: sent.
            once: only if that has not been done yet.
        """
        if once and chunk.tag in self._alone:
            return chunk
        own, listed = chunk.backend_job or "", self._hands.found(chunk)
        jobs = listed if own in listed else [*listed, own]
        if len(jobs) > 1:
            kept = self._hands.furthest(jobs)
            if kept != own:
                changed = self._hands.change(chunk, backend_job=kept)
                if changed is None:
                    return chunk
                chunk = changed
            for extra in jobs:
                if extra != kept:
                    self._hands.call(partial(self._hands.adapter.cancel, extra))
        self._alone.add(chunk.tag)
        return chunk
