"""What goes wrong, and when: single faults at the n-th request of a kind, or drawn at random from a seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, TypedDict

REQUEST_FAULTS = {
    "drop-before": "connection closed before the request is acted on",
    "drop-after": "connection closed after it is acted on",
    "500-before": "500, nothing done",
    "502-after": "502, but it is done",
    "503-before": "503, nothing done",
    "429": "too many requests",
    "429-later": "too many requests, and a word on when to come again",
    "401": "the access token is refused, once",
    "403-cloudflare": "refused by the proxy in front of the service",
    "400": "the request is refused for good",
    "413": "too large",
    "404": "not found, although it is there",
    "410": "gone, although it is there",
    "busy": "refused because too many jobs of the account are waiting",
    "maintenance": "refused because the service is being maintained",
    "hang": "no answer for `Faults.hang` seconds",
    "late": "it is done, and answered after `Faults.hang` seconds",
    "cut-off": "it is done, but only half of the answer's text comes, as if that were all",
    "broken-off": "it is done, but the connection ends in the middle of the answer",
    "garbled": "it is done, but the answer's compression is broken",
    "page": "it is done, but a proxy answers with a page of its own and 200",
    "page-502": "it is done, but a proxy answers with a page of its own and 502",
    "redirected": "it is not done: a proxy leads to a page where one has to sign in",
    "empty": "it is done, and answered with nothing and 200",
    "no-content": "it is done, and answered with nothing and 204",
    "other-json": "it is done, and answered with JSON of another form",
    "a-list": "it is done, and answered with a JSON list",
    "unfiltered": "jobs are listed of whatever tag",
    "counts-only": "jobs are listed without the jobs that it counts",
}
JOB_FAULTS = {
    "failed-permanent": "Failed, and would fail again",
    "failed-passing": "Failed by the infrastructure",
    "failed-charged": "Failed by the infrastructure after it has run, and charged",
    "cancelled": "Cancelled by the user elsewhere",
    "too-long": "stopped for running too long, by its code",
    "too-long-reason": "stopped for running too long, which its reason says and no code",
    "too-long-status": "stopped for running too long, which its status says",
    "results-gone": "results answered with 404",
    "results-empty": "results answered with 204",
    "unknown-status": "a status word that the client does not know, for a while",
    "unknown-price": "metrics that say nothing of what was charged",
    "fewer-shots": "results of half of the shots",
    "more-bits": "results with a bit more than was measured",
    "fewer-sets": "results that lack a set of values",
    "more-axes": "results with an axis more",
    "not-a-number": "results that are NaN",
    "twos": "results that are 0 or 2",
    "renamed": "results under another register's name",
    "no-items": "results of no circuit at all",
    "another-schema": "results in a format of later versions",
}
ODD_RESULTS = (
    "fewer-shots", "more-bits", "fewer-sets", "more-axes", "not-a-number", "twos", "renamed", "no-items",
    "another-schema",
)  # fmt: skip
"""Results that exist and are charged, but do not fit the request."""
UNCLEAR_ANSWERS = (
    "cut-off", "broken-off", "garbled", "page", "page-502", "redirected", "empty", "no-content", "other-json", "a-list",
)  # fmt: skip
"""Answers that are neither the expected one nor a refusal."""


class State(TypedDict, total=False):
    """A job's state as the service describes it."""

    status: Required[str]
    reason: str
    reason_code: int | None
    reasonCode: None


PASSING_REQUEST_FAULTS = (
    "drop-before", "drop-after", "500-before", "502-after", "503-before", "429", "429-later", "401", "busy",
    "maintenance", "hang", *UNCLEAR_ANSWERS, "unfiltered", "counts-only",
)  # fmt: skip
PASSING_JOB_FAULTS = (
    "failed-passing", "failed-charged", "results-gone", "results-empty", "unknown-status", "unknown-price",
)  # fmt: skip
"""After these a patient client has its results."""
ENDINGS: dict[str, State] = {
    "failed-permanent": {
        "status": "Failed", "reason": "circuits do not match the target", "reason_code": 1517,
    },
    "failed-passing": {"status": "Failed", "reason": "Internal error", "reason_code": 9999},
    "failed-charged": {"status": "Failed", "reason": "Failed to run job", "reason_code": 5203},
    "cancelled": {"status": "Cancelled", "reason": "cancelled in the web page", "reason_code": 1300},
    "too-long": {"status": "Cancelled", "reason": "ran too long", "reason_code": 1305},
    "too-long-reason": {"status": "Cancelled", "reason": "Ran too long", "reasonCode": None},
    "too-long-status": {"status": "Cancelled - Ran too long"},
}  # fmt: skip
"""How the service describes jobs that end without results."""


@dataclass(frozen=True)
class Fault:
    """One fault at the n-th time (from 1) that something is asked.

    Attributes:
        kind: one of REQUEST_FAULTS, or of JOB_FAULTS for "job".
        on: "submit", "find", "status", "results", "metrics", "cancel", "backend", "backends", "usage", "token",
            "session", or "job": what a job becomes.
        at: the n-th such request, or the n-th job made.
        times: how often in a row.
        ending: for a "job" of the kind "ends": its state as the service describes it.
        charged: for such a job: whether it has run before it ended.
    """

    kind: str
    on: str = "submit"
    at: int = 1
    times: int = 1
    ending: State | None = None
    charged: bool = False


class Faults:
    """Decides for each request and each job what goes wrong."""

    def __init__(self, faults: Sequence[Fault] = (), hang: float = 1.0) -> None:
        known = REQUEST_FAULTS | JOB_FAULTS | {"ends": ""}
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
        self._kinds: tuple[tuple[str, ...], tuple[str, ...]] = (PASSING_REQUEST_FAULTS, PASSING_JOB_FAULTS)

    @classmethod
    def random(cls, seed: int, rate: float, hang: float = 1.0, everything: bool = False) -> Faults:
        """Faults on a share of all requests and jobs: those that pass, or `everything`."""
        faults = cls(hang=hang)
        faults._random, faults._rate = random.Random(seed), rate
        if everything:
            faults._kinds = tuple(REQUEST_FAULTS), tuple(JOB_FAULTS)
        return faults

    def next(self, on: str) -> Fault | None:
        """What goes wrong with this request, or with this job."""
        with self._lock:
            self.seen[on] += 1
            fault = self._planned(on, self.seen[on]) or self._drawn(on)
            if fault:
                self.happened.append((on, fault.kind))
            return fault

    def _planned(self, on: str, number: int) -> Fault | None:
        for fault in self.faults:
            if fault.on == on and fault.at <= number < fault.at + fault.times:
                return fault
        return None

    def _drawn(self, on: str) -> Fault | None:
        # A token that is refused makes the client wait for a minute: that has a test of its own.
        if self._random is None or on == "token" or self._random.random() >= self._rate:
            return None
        return Fault(self._random.choice(self._kinds[on == "job"]), on)
