"""What IBM's service means by an error: its codes and words, without its client's classes, and without secrets."""

from __future__ import annotations

import os
import re

from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    PermanentError,
    SplitError,
    TransientError,
    UnauthorisedError,
)

TOO_LONG = 1305
OPEN_PLAN_SESSION = 1352
CLOSED_SESSION = frozenset({1217, 1219})
_VALIDATION = frozenset({3211})
_LONGEST = 300


class SessionClosedError(AdapterError):
    """The session or batch takes no more jobs; the job was not made."""


def safe(error: object) -> str:
    """An error's words on one line, with everything that could sign somebody in taken out."""
    text = " ".join(str(error).split())
    token = os.environ.get("QISKIT_IBM_TOKEN")
    if token:
        text = text.replace(token, "…")
    text = re.sub(
        r"(?i)\b(bearer|apikey|api_key|token|authorization)([\"':= ]+)[\w.~+/-]{12,}=*", r"\1\2…", text
    )
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def error_code(text: str) -> int | None:
    """IBM's number of an error, from its words."""
    found = re.search(r"[Ee]rror code:? (\d{4})", text)
    return int(found.group(1)) if found else None


def http_status(text: str) -> int | None:
    """The HTTP status in the words of a client that does not pass it on."""
    found = re.search(r"\b(4\d\d|5\d\d) (?:Client|Server) Error", text)
    return int(found.group(1)) if found else None


def fails_again(reason: str) -> bool:
    """Whether a failed job would fail again: IBM's codes of validation, against those of its infrastructure."""
    code = error_code(reason)
    if code in CLOSED_SESSION:
        return False
    return code is not None and (1000 <= code < 2000 or code in _VALIDATION)


def classed(text: str) -> AdapterError:
    """The adapter's error for a request that went wrong, from its words."""
    status, code, words = http_status(text), error_code(text), safe(text)
    if code == OPEN_PLAN_SESSION:
        return PermanentError("The Open Plan has no sessions; use HQNN_IBM_MODE=batch or job.")
    if code in CLOSED_SESSION or "session is closed" in text.lower():
        return SessionClosedError(words)
    if status == 413:
        return SplitError(words)
    if status == 401 or (status == 403 and "cloudflare" not in text.lower()):
        return UnauthorisedError(f"IBM refuses the account: {words}")
    if status is not None and 400 <= status < 500 and status not in (403, 408, 409, 425, 429):
        return PermanentError(words)
    return TransientError(words)
