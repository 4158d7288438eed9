"""A request that another store has sent: its job is taken where that store is gone or unknown, and not paid again.

Two records know of it. The user's own notes have what this machine's stores have sent, also while it is on its way. The
service lists jobs by the part of a tag that all stores have in common which ask the same: also those of other machines,
of other users of the account, and of databases that were dropped.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from functools import partial

from qiskit_hqnn.jobs.adapters import LostResultError
from qiskit_hqnn.jobs.sending.hands import Hands
from qiskit_hqnn.jobs.sending.notes import SentElsewhere, SentNotes
from qiskit_hqnn.jobs.store import Chunk


class Elsewhere:
    """Looks for jobs of the same requests, and takes note of what is sent."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._notes: SentNotes | None = None
        self._warned = False

    def leaves(self, tag: str) -> None:
        """A request is about to leave."""
        if self._notes is not None:
            self._notes.leaves(tag)

    def answered(self, tag: str, job: str | None) -> None:
        """It is known whether there is a job, and which."""
        if self._notes is not None:
            self._notes.answered(tag, job)

    def look(self, chunk: Chunk) -> list[str] | None:
        """The job to take for a part, or none; None while one may show up.

        Raises:
            AdapterError: if the place cannot be asked.
        """
        self._open_notes()
        if self._notes is not None:
            for sent in self._notes.of_gone_stores(chunk.tag):
                listed = self._hands.call(partial(self._hands.adapter.find, sent.tag))
                # A list may be late; a job whose id is known need not be in it.
                jobs = self._standing(listed or ([sent.job] if sent.job else []))
                if jobs:
                    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(sent.since))
                    said = f"{sent.store}, a store that is not there any more, had sent it on {when}"
                    return [self._adopted(chunk, self._hands.furthest(jobs), said)]
                if not sent.answered and self._may_show_up(sent):
                    words = (
                        f"part {chunk.position} was being sent by {sent.store}, a store that is not there any more: "
                        "its job is looked for"
                    )
                    self._hands.report(chunk, words)
                    self._hands.rest(chunk, self._hands.adapter.poll_seconds or 0.2, reason=words)
                    return None
        return self._listed(chunk)

    def _listed(self, chunk: Chunk) -> list[str]:
        """A job that the service lists for the same request, of a store that this user's notes do not have."""
        alike = getattr(self._hands.adapter, "alike", None)
        if alike is None:
            return []
        others: dict[str, str] = self._hands.call(lambda: alike(chunk.tag))
        living = {tag: self._notes is not None and self._notes.lives(tag) for tag in set(others.values())}
        jobs = self._standing([job_id for job_id, tag in others.items() if not living[tag]])
        if not jobs:
            return []
        said = (
            "the service lists it for the same request from a store that is not known here, and whoever cancels it "
            "cancels it for both"
        )
        return [self._adopted(chunk, self._hands.furthest(jobs), said)]

    def _open_notes(self) -> None:
        account = getattr(self._hands.adapter, "account", None)
        if self._notes is None and account is not None:
            self._notes = SentNotes(self._hands.call(account), self._hands.store)

    def _may_show_up(self, sent: SentElsewhere) -> bool:
        adapter = self._hands.adapter
        return 0 <= time.time() - sent.since < (adapter.deadline or 0.0) + adapter.lookup_seconds

    def _standing(self, jobs: Sequence[str]) -> list[str]:
        return [job_id for job_id in jobs if self._stands(job_id)]

    def _stands(self, job_id: str) -> bool:
        """Whether a job is there, nobody has cancelled it, and it has not failed for good."""
        try:
            state = self._hands.status(job_id)
        except LostResultError:
            return False
        return state.word != "cancelled" and not (state.word == "failed" and state.permanent)

    def _adopted(self, chunk: Chunk, job_id: str, said: str) -> str:
        words = f"takes job {job_id} for part {chunk.position} and pays nothing again: {said}; another seed asks anew"
        self._hands.report(chunk, words)
        if not self._warned:  # a job may have many parts; each is said on the job
            self._warned = True
            warnings.warn(f"{self._hands.adapter.where} {words}.", UserWarning, stacklevel=2)
        return job_id
