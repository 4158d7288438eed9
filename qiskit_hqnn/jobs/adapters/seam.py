"""The seam to a device: the calls of the job manager to a place, and the errors that a place raises."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from qiskit.primitives.containers import SamplerPubResult

    from qiskit_hqnn.jobs.adapters.sampling import Outcomes, SamplingRequest

JobWord = Literal["queued", "running", "done", "failed", "cancelled"]
"""What a backend job can be; a word that a service invents later is "running" with a reason, which is reported."""


@dataclass(frozen=True)
class JobState:
    """The state of a backend job.

    Attributes:
        word: one of `JobWord`.
        reason: the service's own words on a failure, without secrets.
        permanent: a failed job would fail again; otherwise it is sent again, a bounded number of times.
        too_long: a failed job ran out of time: it is split, never repeated unchanged.
        seconds: QPU seconds charged, where known.
    """

    word: JobWord
    reason: str = ""
    permanent: bool = False
    too_long: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class SamplingOptions:
    """Settings that are sent with the circuits; all of them are part of a request's identity.

    Attributes:
        dynamical_decoupling: None, "XX", "XpXm" or "XY4": filled into idle times by the service.
        twirl_gates, twirl_measure: Pauli twirling by the service.
        randomizations: twirled variants over which the shots are spread.
        rep_delay: seconds between two shots; None leaves the device's default.
        max_seconds: QPU seconds after which the service stops a job; None for its own limit.
    """

    dynamical_decoupling: str | None = None
    twirl_gates: bool = False
    twirl_measure: bool = False
    randomizations: int = 32
    rep_delay: float | None = None
    max_seconds: float | None = None

    def shots_run(self, shots: int) -> int:
        """Shots that the service runs for this request: twirled variants get equal parts of them."""
        if not (self.twirl_gates or self.twirl_measure):
            return shots
        return self.randomizations * -(-shots // self.randomizations)


class BackendAdapter(Protocol):
    """Five operations of a place.

    An adapter may also have `account()`, a word for the account whose jobs `find` lists: then what a store has sent
    that was deleted since is found, and not paid again. And `alike(tag)`: ids of jobs of the same request under the
    tags of other stores, the oldest first, with those tags (`jobs.tags`): so are those of stores elsewhere.

    Attributes:
        where: the place's word; results of one place are never used for another.
        calibration: what identifies the state of the device that circuits were compiled for; part of every identity.
        deadline: seconds after which a call counts as lost; None for local work, which has no limit.
        finishes_on_submit: whether `submit` returns with the job finished, so that nothing is queued or waited for.
        poll_seconds: pause between two status requests.
        lookup_seconds: how long a job whose answer was lost may take to show up in `find`.
    """

    where: str
    calibration: str
    deadline: float | None
    finishes_on_submit: bool
    poll_seconds: float
    lookup_seconds: float

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        """Send requests of equal shots as one job under a tag; returns the job's id.

        An error other than `PermanentError`, `SplitError`, `UnauthorisedError` and `NotSentError` leaves open whether a
        job was made.
        """
        ...

    def find(self, tag: str) -> list[str]:
        """Ids of all jobs under a tag, the oldest first."""
        ...

    def status(self, job_id: str) -> JobState: ...

    def result(self, job_id: str) -> Sequence[Outcomes | SamplerPubResult]:
        """Per request, its `Outcomes` or a `SamplerPubResult` of shape (sets,).

        Raises:
            OddResultError: if the result cannot be read as either.
        """
        ...

    def cancel(self, job_id: str) -> None:
        """Cancel a job; one that is final already stays as it is, without an error."""
        ...


def close_adapter(adapter: BackendAdapter) -> None:
    """End what an adapter keeps open on its service, such as a batch or session; most keep nothing."""
    close = getattr(adapter, "close", None)
    if close is not None:
        close()


class AdapterError(RuntimeError):
    """Base of an adapter's errors; the text never contains a credential."""


class TransientError(AdapterError):
    """Temporary: connection lost, server error, an answer that cannot be understood. Retried with back-off.

    Attributes:
        retry_after: seconds that the service asks to wait before the next try; 0 where it asks for none.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotSentError(TransientError):
    """Temporary, and certainly no job was created: nothing was sent, or the service said "not now"."""


class PacedError(NotSentError):
    """Nothing was sent, since the service limits submissions per minute: `retry_after` is the time to wait."""


class PermanentError(AdapterError):
    """Permanent: the request itself is refused, or the device is retired."""


class UnauthorisedError(AdapterError):
    """The account is refused. Nothing is tried again until the user has signed in; nothing is lost."""


class SplitError(AdapterError):
    """Too large or too long: it is sent again in smaller parts, never unchanged."""


class LostResultError(AdapterError):
    """The job is done, but its results are gone: it has to be sent again."""


class OddResultError(AdapterError):
    """The job is done, but its results do not fit the request: neither used nor requested again automatically.

    Attributes:
        received: the results as received, for a person to inspect.
    """

    def __init__(self, reason: str, received: bytes) -> None:
        super().__init__(reason)
        self.received = received


def clock_of(adapter: BackendAdapter) -> Callable[[], float]:
    """The clock that tells when a request was sent: the service's own where an adapter knows it, else this machine's.

    Two machines that share a store may differ by minutes, and either may be reset; the service has a single clock.
    """
    clock: Callable[[], float] = getattr(adapter, "clock", time.time)
    return clock
