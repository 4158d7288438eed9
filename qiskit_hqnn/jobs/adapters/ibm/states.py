"""What the service's description of a job means: its status, its reason and its error code, in each of their forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qiskit_hqnn.jobs.adapters.ibm.codes import as_code, code_in, meaning_of, says_too_long
from qiskit_hqnn.jobs.adapters.ibm.errors import safe
from qiskit_hqnn.jobs.adapters.seam import JobState, JobWord

_WORDS: dict[str, JobWord] = {
    "QUEUED": "queued",
    "INITIALIZING": "queued",
    "RUNNING": "running",
    "COMPLETED": "done",
    "DONE": "done",
}
_LONGEST_CHARGE = 1e7
"""QPU seconds that no job can run for: a third of a year."""

_ENDINGS: tuple[tuple[str, JobWord], ...] = (
    ("FAILED", "failed"),
    ("ERROR", "failed"),
    ("CANCEL", "cancelled"),
)
"""Beginnings of words for a job that has ended without results, such as "Cancelled - Ran too long"."""


def job_state(described: Mapping[str, Any]) -> JobState:
    """The state of a job as the service describes it: {"state": {"status", "reason", "reason_code"}, "status", …}.

    A job that was stopped for its running time is said to be so by its code, by its reason, or by the status itself.
    """
    state = described["state"]
    status = str(state.get("status") or described.get("status") or "").strip()
    reason = str(state.get("reason") or "")
    words = f"{status} {described.get('status', '')} {reason}"
    code = as_code(state.get("reasonCode")) or as_code(state.get("reason_code")) or code_in(reason)
    said = safe(
        reason if code is None or code_in(reason) else f"error code {code}: {reason or 'no reason is given'}"
    )
    if status.upper() in _WORDS:
        return JobState(_WORDS[status.upper()])
    word = next((word for beginning, word in _ENDINGS if status.upper().startswith(beginning)), None)
    if word is None and not says_too_long(status):
        # It may be a new one, for a job that still runs: it is asked again, and reported.
        return JobState(
            "running", f"the service calls the job {safe(status)!r}, which this version does not know"
        )
    return _ended(word, code, said or safe(status), words)


def _ended(word: JobWord | None, code: int | None, said: str, words: str) -> JobState:
    meaning = meaning_of(code)
    if meaning in ("long", "smaller") or (code is None and says_too_long(words)):
        return JobState("failed", said, too_long=True)
    if meaning == "cancelled" or (word == "cancelled" and meaning not in ("again", "wait", "session")):
        return JobState("cancelled", said)
    if meaning == "unknown":
        said = f"{said.rstrip('. ')} (a code that this version does not know, so that nothing is sent again by itself)"
    return JobState("failed", said, permanent=meaning in ("never", "account", "unknown"))


def is_session_closed(state: JobState) -> bool:
    """Whether a job failed because its batch or session had been closed."""
    return state.word == "failed" and meaning_of(code_in(state.reason)) == "session"


def charged(metrics: object) -> float | None:
    """QPU seconds charged, from a job's metrics; None while they are not settled, or where they say nothing."""
    usage = metrics.get("usage") if isinstance(metrics, dict) else None
    if not isinstance(usage, dict) or usage.get("status") == "pending":
        return None
    seconds = usage.get("qpu_charge_time_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return float(seconds) if 0 <= seconds < _LONGEST_CHARGE else None
