"""What goes wrong, and when: single faults at the n-th request of a kind, or drawn at random from a seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

REQUEST_FAULTS = {
    "drop-before": "connection closed before the request is acted on",
    "drop-after": "connection closed after it is acted on",
    "500-before": "500, nothing done",
    "502-after": "502, but it is done",
    "503-before": "503, nothing done",
    "429": "too many requests",
    "401": "the access token is refused, once",
    "403-cloudflare": "refused by the proxy in front of the service",
    "400": "the request is refused for good",
    "413": "too large",
    "404": "not found, although it is there",
    "hang": "no answer for `Faults.hang` seconds",
}
JOB_FAULTS = {
    "failed-permanent": "Failed, and would fail again",
    "failed-passing": "Failed by the infrastructure",
    "cancelled": "Cancelled by the user elsewhere",
    "too-long": "stopped for running too long",
    "results-gone": "results answered with 404",
    "results-empty": "results answered with 204",
    "unknown-status": "a status word that the client does not know, for a while",
}
PASSING_REQUEST_FAULTS = (
    "drop-before",
    "drop-after",
    "500-before",
    "502-after",
    "503-before",
    "429",
    "401",
    "hang",
)
PASSING_JOB_FAULTS = ("failed-passing", "results-gone", "results-empty", "unknown-status")
"""After these a patient client has its results."""


@dataclass(frozen=True)
class Fault:
    """One fault at the n-th time (from 1) that something is asked.

    Attributes:
        kind: one of REQUEST_FAULTS, or of JOB_FAULTS for "job".
        on: "submit", "find", "status", "results", "cancel", "backend", "token", "session",
            or "job": what a job becomes.
        at: the n-th such request, or the n-th job made.
        times: how often in a row.
    """

    kind: str
    on: str = "submit"
    at: int = 1
    times: int = 1


class Faults:
    """Decides for each request and each job what goes wrong."""

    def __init__(self, faults: Sequence[Fault] = (), hang: float = 1.0) -> None:
        known = REQUEST_FAULTS | JOB_FAULTS
        for fault in faults:
            if fault.kind not in known:
                raise ValueError(f"A fault must be one of {', '.join(known)}, but is {fault.kind!r}.")
        self.faults = list(faults)
        self.hang = hang
        self.seen: Counter[str] = Counter()
        self.happened: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._random: random.Random | None = None
        self._rate = 0.0

    @classmethod
    def random(cls, seed: int, rate: float, hang: float = 1.0) -> Faults:
        """Passing faults on a share of all requests and jobs."""
        faults = cls(hang=hang)
        faults._random, faults._rate = random.Random(seed), rate
        return faults

    def next(self, on: str) -> str | None:
        """What goes wrong with this request, or with this job."""
        with self._lock:
            self.seen[on] += 1
            kind = self._planned(on, self.seen[on]) or self._drawn(on)
            if kind:
                self.happened.append((on, kind))
            return kind

    def _planned(self, on: str, number: int) -> str | None:
        for fault in self.faults:
            if fault.on == on and fault.at <= number < fault.at + fault.times:
                return fault.kind
        return None

    def _drawn(self, on: str) -> str | None:
        # A token that is refused makes the client wait for a minute: that has a test of its own.
        if self._random is None or on == "token" or self._random.random() >= self._rate:
            return None
        return self._random.choice(PASSING_JOB_FAULTS if on == "job" else PASSING_REQUEST_FAULTS)
