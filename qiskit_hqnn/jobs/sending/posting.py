"""The way out: a part leaves once, and whether it has arrived is decided by what the service lists under its tag."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial

from qiskit_hqnn.jobs.adapters import (
    AdapterError,
    LostResultError,
    NotSentError,
    PacedError,
    PermanentError,
    SamplingOptions,
    SplitError,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.chunks import from_bytes
from qiskit_hqnn.jobs.sending.hands import Hands
from qiskit_hqnn.jobs.sending.notes import SentElsewhere, SentNotes
from qiskit_hqnn.jobs.store import Chunk


class Sender:
    """Sends the parts of one owner."""

    def __init__(self, hands: Hands, options: SamplingOptions) -> None:
        self._hands, self._options = hands, options
        self._tries: Counter[str] = Counter()
        self._too_large: dict[str, str] = {}
        self._alone: set[str] = set()
        self._notes: SentNotes | None = None
        self._warned = False

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
                found = hands.found(chunk) or self._of_gone_stores(chunk)
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
        if self._notes is not None:
            self._notes.leaves(changed.tag)
        try:
            job_id = hands.call(
                lambda: hands.adapter.submit(requests, tag=changed.tag, options=self._options)
            )
        except AdapterError as error:
            self._not_sent(changed, error)
            return None
        self._answered(changed, job_id)
        hands.left(changed)
        return hands.change(changed, state="sent", backend_job=job_id, reason="")

    def _answered(self, chunk: Chunk, job_id: str | None) -> None:
        if self._notes is not None:
            self._notes.answered(chunk.tag, job_id)

    def _of_gone_stores(self, chunk: Chunk) -> list[str] | None:
        """The job of a part that a store of this user had sent which was deleted since; None while one may show up.

        It is asked for only where the user's notes have the same request, so that others cost no question more.
        """
        hands = self._hands
        if self._notes is None:
            account = getattr(hands.adapter, "account", None)
            if account is None or hands.store.file is None:
                return []
            self._notes = SentNotes(hands.call(account), hands.store)
        for sent in self._notes.of_gone_stores(chunk.tag):
            listed = hands.call(partial(hands.adapter.find, sent.tag))
            # A list may be late; a job whose id is known need not be in it.
            known = listed or ([sent.job] if sent.job else [])
            jobs = [job_id for job_id in known if self._stands(job_id)]
            if jobs:
                return [self._taken(chunk, sent, self._furthest(jobs))]
            if not sent.answered and self._may_show_up(sent):
                words = (
                    f"part {chunk.position} was being sent by {sent.store}, a store that is not there any more: its "
                    "job is looked for"
                )
                hands.report(chunk, words)
                hands.rest(chunk, hands.adapter.poll_seconds or 0.2, reason=words)
                return None
        return []

    def _may_show_up(self, sent: SentElsewhere) -> bool:
        adapter = self._hands.adapter
        return 0 <= time.time() - sent.since < (adapter.deadline or 0.0) + adapter.lookup_seconds

    def _stands(self, job_id: str) -> bool:
        """Whether a job is there, and nobody has cancelled it."""
        try:
            return self._hands.status(job_id).word != "cancelled"
        except LostResultError:
            return False

    def _taken(self, chunk: Chunk, sent: SentElsewhere, job_id: str) -> str:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(sent.since))
        words = (
            f"takes job {job_id} for part {chunk.position} and pays nothing again: {sent.store}, a store that is not "
            f"there any more, had sent it on {when}; another seed asks anew"
        )
        self._hands.report(chunk, words)
        if not self._warned:  # a job may have many parts; each is said on the job
            self._warned = True
            warnings.warn(f"{self._hands.adapter.where} {words}.", UserWarning, stacklevel=2)
        return job_id

    def _not_sent(self, chunk: Chunk, error: AdapterError) -> None:
        """No job is known of: because none was made, or because nobody can say."""
        hands = self._hands
        if isinstance(error, PermanentError | UnauthorisedError | NotSentError):
            self._answered(chunk, None)
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

    def recover(self, chunk: Chunk) -> bool:
        """One step of an intent without an id: was the job made?"""
        hands = self._hands
        try:
            found = hands.found(chunk)
        except AdapterError as error:
            return hands.hiccup(error)
        hands.settled()
        if found:
            hands.change(chunk, state="sent", backend_job=found[0], reason="")
            return True
        if chunk.tag in self._too_large:
            return hands.split(chunk, self._too_large.pop(chunk.tag), made=False)
        if not hands.silence.over(chunk):
            hands.report(chunk, hands.silence.set_back(chunk))
            hands.rest(chunk, min(hands.adapter.poll_seconds or 0.2, hands.adapter.lookup_seconds))
            return False
        self._give_up(chunk, chunk.reason, state="intent")
        self.send(chunk, looked=True)
        return True

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
            kept = self._furthest(jobs)
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

    def _furthest(self, jobs: Sequence[str]) -> str:
        """The job to keep, by a rule that gives all copies of a store the same one: the first to run, or the oldest."""
        for job_id in jobs:
            try:
                if self._hands.status(job_id).word in ("done", "running"):
                    return job_id
            except LostResultError:
                continue
        return jobs[0]
