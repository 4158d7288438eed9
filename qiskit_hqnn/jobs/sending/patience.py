"""How often and how long to try, and by which clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qiskit_hqnn.jobs.clocks import steady
from qiskit_hqnn.jobs.store import Chunk

LONGEST_WAIT = 3600.0
"""Seconds that a part is left alone at most, whatever a service asks for and however a clock was set."""

_SLACK = 30.0
"""Seconds by which two clocks may differ before it is worth a word."""


@dataclass(frozen=True)
class Patience:
    """How often and how long to try.

    Attributes:
        attempts: submissions of one chunk, at most.
        backoff: seconds before the second one, doubled before each later one, up to `longest`.
        longest: seconds between two attempts, at most, unless the service asks for more.
        hiccups: failed looks at a job in a row, after which an error reports it; the job stays as it is.
        denials: times in a row that a service must say that a job or its results are gone before it is believed.
    """

    attempts: int = 5
    backoff: float = 1.0
    longest: float = 60.0
    hiccups: int = 10
    denials: int = 4

    def pause(self, attempt: int) -> float:
        return min(self.longest, self.backoff * 2.0 ** max(0, attempt - 1))


class Pauses:
    """Parts that are left alone for a while: by a clock that nobody sets, and other processes' by the store's word."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def set(self, tag: str, seconds: float) -> float:
        """Leave a part alone; returns for how long."""
        seconds = min(seconds, LONGEST_WAIT)
        self._until[tag] = steady() + seconds
        return seconds

    def over(self, chunk: Chunk, now: float) -> bool:
        """Whether a part may be looked at; `now` is the time by which `chunk.not_before` was written."""
        until = self._until.get(chunk.tag)
        if until is not None:
            return steady() >= until
        # Further ahead than anybody would have set it: the clock was set back.
        return not 0 < chunk.not_before - now <= LONGEST_WAIT


class Silence:
    """Whether a request that was never answered can still lead to a job.

    An intent says, by a clock that all who share the store can read (the service's, where it is known), until when its
    request may leave. Where that clock was set, or cannot be the one it was written by, the time that this process has
    watched the intent decides instead.

    Args:
        clock: as `seam.clock_of`.
        deadline: seconds in which a request may leave after its intent.
        lookup: seconds in which a job shows up under its tag after its request.
    """

    def __init__(self, clock: Callable[[], float], deadline: float, lookup: float) -> None:
        self.clock, self._deadline, self._lookup = clock, deadline, lookup
        self._seen: dict[tuple[str, float], float] = {}

    def until(self) -> float:
        """Until when a request may leave that is written down now."""
        return self.clock() + self._deadline

    def over(self, chunk: Chunk) -> bool:
        """Whether a job would be listed by now."""
        watched = steady() - self._seen.setdefault((chunk.tag, chunk.since), steady())
        return self.clock() - chunk.since >= self._lookup or watched >= self._deadline + self._lookup

    def set_back(self, chunk: Chunk) -> str:
        """What to say where an intent was written later than now; nothing where it was not."""
        ahead = chunk.since - self.clock() - self._deadline
        if ahead < _SLACK:
            return ""
        return (
            f"a clock was set back by about {_length(ahead)} since part {chunk.position} was sent, or another "
            f"machine's is wrong: its job is looked for {_length(self._deadline + self._lookup)}, and what is listed "
            "then decides"
        )


def _length(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
