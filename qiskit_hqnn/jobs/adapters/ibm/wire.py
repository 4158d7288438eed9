"""The connection below IBM's client: every request has an end, none that is paid leaves after it was given up, and what
was answered is known as it came.

The client turns answers into exceptions of many kinds, and an answer that is none (a proxy's page, half a text,
nothing) into whatever its parser raises. Here each answer is one of three: what was asked for, a refusal in the
service's own format, or unknown.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from requests import ConnectionError as LostConnectionError
from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import NewConnectionError
from urllib3.util.retry import Retry

from qiskit_hqnn.jobs.adapters.deadlines import given_up
from qiskit_hqnn.jobs.adapters.ibm.codes import as_code
from qiskit_hqnn.jobs.adapters.ibm.errors import Refusal, SessionClosedError, refused, safe
from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    LostResultError,
    NotSentError,
    PermanentError,
    TransientError,
)
from qiskit_hqnn.jobs.clocks import steady

CONNECT_SECONDS = 5.0
_JOB_ID = re.compile(r"[A-Za-z0-9][\w.:-]{3,99}", re.ASCII)
_SHAPES: tuple[tuple[str, str, dict[str, type | tuple[type, ...]]], ...] = (
    ("GET", r"/jobs/[^/]+", {"state": dict}),
    ("GET", r"/backends", {"devices": list}),
    ("POST", r"/sessions", {"id": str}),
    ("GET", r"/sessions/[^/]+", {"id": str}),
)
"""What an answer must have so that it is one: a method, the end of a path, fields with their types."""

_GONE = (404, 410)

_ONE_OF = (
    (r"/instances/usage", ("usage_consumed_seconds", "usage_limit_seconds", "usage_limit_reached")),
    (r"/backends/[^/]+/status", ("state", "status", "length_queue")),
    (r"/backends/[^/]+/properties", ("qubits", "gates")),
    (r"/backends/[^/]+/configuration", ("n_qubits", "basis_gates")),
    (r"/jobs/[^/]+/metrics", ("usage", "timestamps", "bss")),
)
"""Fields of which an answer must have one: the client takes their lack for a device that is off, or for no limit."""


@dataclass
class Wire:
    """What went over one client's connection since `forget`; a client serves one call at a time.

    Attributes:
        asked: requests that were made.
        posted: a job may have left.
        job_id: the service's id of that job.
        failure: what the last answer means, if it was not what had been asked for.
        refusal: that answer, if it was in the service's own format.
        unclear: the first failure that is no plain "there is none": the client takes some of these for an answer, such
            as a list for a device without a calibration.
        answers: by path, what was answered.
        server: host that was asked.
        service_time: the service's clock, and our own steady one when it was read.
    """

    asked: int = 0
    posted: bool = False
    job_id: str | None = None
    failure: AdapterError | None = None
    refusal: Refusal | None = None
    unclear: AdapterError | None = None
    answers: dict[str, dict[str, object]] = field(default_factory=dict)
    server: str = ""
    service_time: tuple[float, float] | None = None

    def forget(self) -> None:
        self.asked, self.posted, self.job_id = 0, False, None
        self.failure, self.refusal, self.unclear = None, None, None
        self.answers.clear()

    def describe(self, job_id: str) -> dict[str, object] | None:
        """The service's last description of a job in this call."""
        return next((body for path, body in self.answers.items() if path.endswith(f"/jobs/{job_id}")), None)

    def read(self, request: PreparedRequest, response: Response) -> None:
        """Take note of an answer."""
        method, path = request.method or "", urlsplit(request.url or "").path
        date = _seconds(response.headers.get("Date"))
        if date is not None:
            self.service_time = (date, steady())
        self.refusal = None
        self.fail(self._meaning(method, path, response, date))

    def fail(self, failure: AdapterError | None) -> None:
        """Take note of what an answer was instead of what had been asked for, if it was not that."""
        self.failure = failure
        if self.unclear is None and not isinstance(failure, LostResultError | SessionClosedError):
            self.unclear = failure

    def _meaning(self, method: str, path: str, response: Response, date: float | None) -> AdapterError | None:
        if response.status_code < 300 and _needs_no_form(method, path):
            empty = path.endswith("/results") and response.status_code == 200 and not response.content
            return TransientError(_unknown(method, path, response)) if empty else None
        body = _json(response)
        if response.status_code >= 400:
            wait = _retry_after(response, date)
            self.refusal = _refusal(response.status_code, body, wait)
            if self.refusal is None:
                return TransientError(_unknown(method, path, response), wait)
            return _refused(method, path, self.refusal)
        if response.status_code >= 300 or not isinstance(body, dict) or not _fits(method, path, body):
            return TransientError(_unknown(method, path, response))
        self.answers[path] = body
        if _makes_a_job(method, path):
            self.job_id = str(body["id"])
        return None


def guard(session: Session, deadline: float, wire: Wire) -> None:
    """Let a client's session go through a `GuardedConnection`.

    The client itself waits for an answer without end, for 15 minutes where a job is sent, sends a job again by itself
    after a server error, and sleeps as long as a service asks it to.

    Args:
        session: the client's.
        deadline: seconds that an answer may take.
        wire: takes note of what is answered.
    """
    for prefix, adapter in list(session.adapters.items()):
        if isinstance(adapter, HTTPAdapter):
            # How long to wait is decided above, where a job can be left alone meanwhile.
            retries = adapter.max_retries.new(respect_retry_after_header=False)
            session.mount(prefix, GuardedConnection(deadline, wire, max_retries=retries))


class GuardedConnection(HTTPAdapter):
    """Reads are repeated as the client wants; what makes a job or a session is sent once and reported as it went."""

    def __init__(self, deadline: float, wire: Wire, max_retries: Retry) -> None:
        super().__init__(max_retries=max_retries)
        self._deadline, self._wire = deadline, wire
        self._once = HTTPAdapter(max_retries=0)

    def send(self, request: PreparedRequest, *given: Any, **named: Any) -> Response:
        named["timeout"] = (CONNECT_SECONDS, self._deadline)
        if given_up():  # a read, too: nobody waits for the client's next question
            raise LostConnectionError("given up before it was sent")
        address = urlsplit(request.url or "")
        made = _makes_a_job(request.method or "", address.path)
        self._wire.asked += 1
        self._wire.server = address.hostname or ""
        self._wire.posted |= made
        sender = self._once.send if request.method == "POST" else super().send
        try:
            response = sender(request, *given, **named)
            response.content  # noqa: B018  read here, since an answer that breaks off is none
        except RequestException as error:
            never = _never_left(error)
            self._wire.posted &= not (made and never)
            self._wire.fail((NotSentError if never else TransientError)(safe(error)))
            raise
        self._wire.read(request, response)
        if response.ok and self._wire.failure is not None and _lists_jobs(request.method or "", address.path):
            raise LostConnectionError(
                str(self._wire.failure)
            )  # for the next page of it the client asks without end
        return response

    def close(self) -> None:
        self._once.close()
        super().close()


def _makes_a_job(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("/jobs")


def _lists_jobs(method: str, path: str) -> bool:
    return method == "GET" and path.endswith("/jobs")


def _needs_no_form(method: str, path: str) -> bool:
    """Whether any answer but an error will do: texts, and acts that have no answer."""
    return method in ("PUT", "PATCH", "DELETE") or path.endswith(("/results", "/logs", "/cancel"))


def _never_left(error: RequestException) -> bool:
    """Whether there was not even a connection."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError)


def _json(response: Response) -> object:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _fits(method: str, path: str, body: dict[str, object]) -> bool:
    """Whether an answer is one to this request."""
    if _makes_a_job(method, path):
        return _is_job(body)
    if _lists_jobs(method, path):
        jobs, count = body.get("jobs"), body.get("count")
        if not isinstance(jobs, list) or not isinstance(count, int):
            return False
        # None of more than none, and the client would ask for the next page without end.
        return all(_is_job(job) for job in jobs) and count >= len(jobs) and bool(jobs or not count)
    for known, pattern, wanted in _SHAPES:
        if method == known and re.search(f"{pattern}$", path):
            return all(isinstance(body.get(name), kind) for name, kind in wanted.items())
    return all(body.keys() & set(names) for pattern, names in _ONE_OF if re.search(f"{pattern}$", path))


def _is_job(body: object) -> bool:
    """Whether an answer has an id that can be one of a job."""
    job = body.get("id") if isinstance(body, dict) else None
    return isinstance(job, str) and _JOB_ID.fullmatch(job) is not None


def _refusal(status: int, body: object, retry_after: float) -> Refusal | None:
    """A refusal in the service's own format: {"errors": [{"code", "message"}]} or {"error": {"code", "message"}}."""
    if not isinstance(body, dict):
        return None
    errors = body.get("errors")
    error = errors[0] if isinstance(errors, list) and errors else body.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return None
    return Refusal(status, as_code(error.get("code")), error["message"], retry_after)


def _refused(method: str, path: str, refusal: Refusal) -> AdapterError:
    meaning = refused(refusal)
    if refusal.status in _GONE and re.search(r"/jobs/[^/]+(/\w+)?$", path):
        return LostResultError(str(refusal))
    if refusal.status in _GONE and re.search(r"/sessions/[^/]+(/\w+)?$", path):
        return SessionClosedError(str(refusal))
    if isinstance(meaning, PermanentError) and method != "POST":
        # A question was refused, not what is to be sent: nothing says that it would not be taken.
        return NotSentError(str(refusal), refusal.retry_after)
    return meaning


def _unknown(method: str, path: str, response: Response) -> str:
    kind = str(response.headers.get("Content-Type", "")).partition(";")[0].strip() or "no type"
    what = re.sub(r"^(/experimental)?/api/v\d+|^/experimental", "", path)
    return safe(
        f"{method} {what} was answered with something that is not the service's (HTTP {response.status_code}, {kind}, "
        f"{len(response.content)} bytes)"
    )


def _seconds(date: str | None) -> float | None:
    """An HTTP date as seconds since 1970."""
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _retry_after(response: Response, date: float | None) -> float:
    """Seconds that an answer asks to wait, from a number or from a date by the service's own clock."""
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    until = _seconds(text or None)
    return 0.0 if until is None else max(0.0, until - (time.time() if date is None else date))
