"""What IBM's service means by an error: its codes and words, without its client's classes, and without secrets."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit_hqnn._text import one_line
from qiskit_hqnn.jobs.adapters.ibm.codes import OPEN_PLAN_SESSION, Meaning, is_listed, meaning_of
from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    NotSentError,
    PermanentError,
    SplitError,
    TransientError,
    UnauthorisedError,
)

_LONGEST = 300


class SessionClosedError(NotSentError):
    """The session or batch takes no more jobs, or the service does not know it any more; the job was not made."""


def safe(error: object) -> str:
    """An error's words on one line, without secrets; what would act on a terminal is written out."""
    text = one_line(" ".join(str(error).split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True)
class Refusal:
    """A "no" of the service, in its own format.

    Attributes:
        status: of the HTTP answer.
        code: IBM's number of the error, if it has one.
        message: the service's words.
        retry_after: seconds that it asks to wait; 0 where it asks for none.
    """

    status: int
    code: int | None
    message: str
    retry_after: float = 0.0

    def __str__(self) -> str:
        number = "" if self.code is None else f" (error code {self.code})"
        return safe(f"{self.message.rstrip('. ') or 'no reason is given'}{number}, HTTP {self.status}")


def refused(refusal: Refusal) -> AdapterError:
    """The adapter's error for a refusal: by its code, and by its status where the code says nothing."""
    words, meaning = str(refusal), meaning_of(refusal.code)
    if refusal.code == OPEN_PLAN_SESSION:
        return PermanentError("The Open Plan has no sessions; use HQNN_IBM_MODE=batch or job.")
    if refusal.status >= 500:
        return TransientError(words, refusal.retry_after)  # whatever it says, it may have acted first
    if is_listed(refusal.code):
        return _by_meaning(refusal, meaning, words)
    return _by_status(refusal, words)


def _by_meaning(refusal: Refusal, meaning: Meaning | None, words: str) -> AdapterError:
    match meaning:
        case "session":
            return SessionClosedError(words)
        case "account":
            return UnauthorisedError(f"IBM refuses the account: {words}")
        case "again" | "wait":
            return NotSentError(words, refusal.retry_after)
        case "smaller" | "long":
            return SplitError(words)
        case _:
            return PermanentError(words)


def _by_status(refusal: Refusal, words: str) -> AdapterError:
    match refusal.status:
        case 413:
            return SplitError(words)
        case 429:
            return NotSentError(words, refusal.retry_after)
        case 401:
            return UnauthorisedError(f"IBM refuses the account: {words}")
        case 403 if "cloudflare" not in refusal.message.lower():
            return UnauthorisedError(f"IBM refuses the account: {words}")
        case 403 | 408 | 409 | 425:
            return TransientError(words, refusal.retry_after)
        case _:
            return PermanentError(words)
