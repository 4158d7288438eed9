"""IBM hardware behind the seam: the only file that knows the classes of IBM's client.

The account is the one that QiskitRuntimeService finds: saved on this machine, or in the variables QISKIT_IBM_TOKEN,
QISKIT_IBM_INSTANCE and the like. Its token stays in the client's memory: no text that leaves this file holds it.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args

from qiskit.providers.exceptions import QiskitBackendNotFoundError
from qiskit_ibm_runtime import Batch, QiskitRuntimeService, Session
from qiskit_ibm_runtime.accounts.exceptions import AccountNotFoundError
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import (
    IBMError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    RuntimeInvalidStateError,
    RuntimeJobNotFound,
    RuntimeProgramNotFound,
)
from qiskit_ibm_runtime.executor_sampler import Sampler

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.deadlines import within
from qiskit_hqnn.jobs.adapters.ibm.connection import guard
from qiskit_hqnn.jobs.adapters.ibm.errors import (
    CLOSED_SESSION,
    TOO_LONG,
    SessionClosedError,
    classed,
    error_code,
    fails_again,
    safe,
)
from qiskit_hqnn.jobs.adapters.ibm.options import sampler_options
from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    JobState,
    LostResultError,
    PermanentError,
    SamplingOptions,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.devices.device import Device, device_of

_T = TypeVar("_T")
Mode = Literal["job", "batch", "session"]

_WORDS = {
    "QUEUED": "queued",
    "RUNNING": "running",
    "DONE": "done",
    "ERROR": "failed",
    "CANCELLED": "cancelled",
}
_MOST_IDLE = 2  # calls that were given up bring their clients back one by one
_KEPT_JOBS = 256
_TRIES_TO_OPEN = 3

# On a sign-in that failed the client warns with the server's answer; the error that follows says it in our words.
warnings.filterwarnings("ignore", message="Unable to retrieve IBM Cloud access token")
if logging.getLogger("qiskit_ibm_runtime").level == logging.NOTSET:
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)


@dataclass(frozen=True)
class IBMSettings:
    """How to talk to the service; each can be set by a variable, such as HQNN_IBM_MODE=batch.

    Attributes:
        mode: "job", "batch" (jobs of one workload side by side) or "session" (the device is held; paid by the clock,
            and not on the Open Plan).
        deadline: seconds after which a call counts as lost.
        poll: seconds between two looks at a job.
        lookup: seconds within which a job whose answer was lost shows up under its tag.
        max_time: seconds after which a batch or a session ends by itself; 0 leaves the service's own.
    """

    mode: Mode = "job"
    deadline: float = 180.0
    poll: float = 5.0
    lookup: float = 90.0
    max_time: float = 0.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise DeviceError(
                f"HQNN_IBM_MODE must be one of {', '.join(get_args(Mode))}, but is {self.mode!r}."
            )
        for name in ("deadline", "poll"):
            if getattr(self, name) <= 0:
                raise DeviceError(f"HQNN_IBM_{name.upper()} must be positive, but is {getattr(self, name)}.")

    @classmethod
    def from_environment(cls) -> IBMSettings:
        """The defaults, and what the variables HQNN_IBM_… say."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            text = os.environ.get(f"HQNN_IBM_{field.name.upper()}")
            if text is None:
                continue
            try:
                given[field.name] = text if field.name == "mode" else float(text)
            except ValueError:
                raise DeviceError(
                    f"HQNN_IBM_{field.name.upper()} must be a number, but is {text!r}."
                ) from None
        return cls(**given)


def open_ibm(where: str, settings: IBMSettings | None = None) -> tuple[Device, IBMAdapter]:
    """The device behind "ibm_<device>" with today's calibration, and its adapter.

    Raises:
        DeviceError: if no account is set up, it is refused, the service cannot be reached, or it has no such device.
    """
    adapter = IBMAdapter(where, settings or IBMSettings.from_environment())
    last: AdapterError | None = None
    for _ in range(_TRIES_TO_OPEN):
        try:
            return within(adapter.deadline, adapter.device), adapter
        except TransientError as error:  # a sign-in that hiccups, too: looking costs nothing
            last = error
        except AdapterError as error:
            raise DeviceError(str(error)) from None
    raise DeviceError(f"{where} could not be reached in {_TRIES_TO_OPEN} tries: {last}") from None


class _Client:
    """One signed-in service with its device: IBM's are not safe to share between threads."""

    def __init__(self, where: str, deadline: float) -> None:
        try:
            self.service = QiskitRuntimeService()
        except AccountNotFoundError:
            raise PermanentError(
                "No IBM account is set up: call QiskitRuntimeService.save_account(token=…, instance=…) once, or set "
                "QISKIT_IBM_TOKEN and QISKIT_IBM_INSTANCE; docs/hardware.md shows how."
            ) from None
        for api in self.service._get_api_clients().values():
            guard(api._session, deadline)
        self.where = where
        self.jobs: dict[str, Any] = {}
        self.modes: dict[str, Session | Batch] = {}
        self._backend: Any = None

    @property
    def backend(self) -> Any:
        if self._backend is None:
            self._backend = self.service.backend(self.where)
        return self._backend

    def job(self, job_id: str) -> Any:
        if job_id not in self.jobs:
            self.keep(self.service.job(job_id))
        return self.jobs[job_id]

    def close(self) -> None:
        for api in self.service._get_api_clients().values():
            api._session.close()

    def keep(self, job: Any) -> None:
        self.jobs[job.job_id()] = job
        while len(self.jobs) > _KEPT_JOBS:
            self.jobs.pop(next(iter(self.jobs)))


class IBMAdapter:
    """A hardware device as a `BackendAdapter`.

    A call that its caller gave up on keeps its client, and the next call signs in anew: nothing waits behind it.
    """

    def __init__(self, where: str, settings: IBMSettings) -> None:
        self.where = where
        self.settings = settings
        self.deadline: float | None = settings.deadline
        self.poll_seconds = settings.poll
        self.lookup_seconds = settings.lookup
        self.calibration = ""
        self._idle: list[_Client] = []
        self._lock = threading.Lock()
        # Its own: whoever opens a session may wait for the service, and calls must go on meanwhile.
        self._session_lock = threading.Lock()
        self._session_id: str | None = None

    def device(self) -> Device:
        """The device with its present calibration, which becomes part of the identity of what is sent."""
        device = self._call(lambda client: device_of(client.backend, self.where))
        self.calibration = device.calibration
        return device

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        for request in requests:
            if not request.parameters and request.sets != 1:
                raise PermanentError(
                    f"Circuit {request.circuit.name!r} has no parameters, but {request.sets} sets."
                )

        def send(client: _Client) -> str:
            return self._post(client, requests, tag, options)

        try:
            return self._call(send)
        except SessionClosedError:
            # Refused before a job was made: it goes into a new session.
            self._session_id = None
            return self._call(send)

    def find(self, tag: str) -> list[str]:
        def look(client: _Client) -> list[str]:
            jobs = client.service.jobs(job_tags=[tag], limit=20)
            for job in jobs:
                client.keep(job)
            return [job.job_id() for job in reversed(jobs)]  # they come newest first

        return self._call(look)

    def status(self, job_id: str) -> JobState:
        state = self._call(lambda client: _state(client.job(job_id)))
        if state.word == "failed" and error_code(state.reason) in CLOSED_SESSION:
            self._session_id = None  # the next attempt opens another
        return state

    def result(self, job_id: str) -> Sequence[Any]:
        def fetch(client: _Client) -> Sequence[Any]:
            result = client.job(job_id).result(timeout=self.deadline)
            if result is None:
                raise LostResultError("the service has no results of the job any more")
            client.jobs.pop(job_id, None)
            return list(result)

        return self._call(fetch)

    def cancel(self, job_id: str) -> None:
        def stop(client: _Client) -> None:
            with suppress(RuntimeInvalidStateError):  # it is final already
                client.job(job_id).cancel()

        self._call(stop)

    def close(self) -> None:
        """End the batch or session that this adapter opened; its jobs run on. A session is paid until it ends."""
        name, self._session_id = self._session_id, None
        if name is not None:
            with suppress(AdapterError):
                self._call(lambda client: self._mode(client, name).close())

    def _post(
        self,
        client: _Client,
        requests: Sequence[SamplingRequest],
        tag: str,
        options: SamplingOptions,
    ) -> str:
        backend = client.backend
        for request in requests:
            backend.check_faulty(request.circuit)
        mode = backend
        if self.settings.mode != "job":
            mode = self._mode(client, self._open_session(client))
        sampler = Sampler(mode=mode, options=sampler_options(options, tag, requests[0].shots))
        job = sampler.run([request.pub() for request in requests])
        client.keep(job)
        return str(job.job_id())

    def _open_session(self, client: _Client) -> str:
        with self._session_lock:
            if self._session_id is None:
                kind = Batch if self.settings.mode == "batch" else Session
                opened = kind(client.backend, max_time=int(self.settings.max_time) or None)
                self._session_id = str(opened.session_id)
                client.modes[self._session_id] = opened
                atexit.register(self.close)
            return self._session_id

    def _mode(self, client: _Client, name: str) -> Session | Batch:
        if name not in client.modes:
            kind = Batch if self.settings.mode == "batch" else Session
            client.modes = {name: kind.from_id(name, client.service)}
        return client.modes[name]

    def _call(self, work: Callable[[_Client], _T]) -> _T:
        """One call with a client of its own; errors come out as the adapter's, without credentials."""
        for attempt in range(2):
            client = None
            try:
                client = self._take()
                return work(client)
            except AdapterError:
                raise
            except Exception as error:
                meaning = _meaning(error, client, self.where)
                if attempt or not isinstance(meaning, UnauthorisedError):
                    raise meaning from None
                # A token that ran out in the middle: signing in anew settles it, a refused account stays refused.
                client = None
                self._forget()
            finally:
                if client is not None:
                    self._give_back(client)
        raise AssertionError("the second attempt returns or raises")

    def _take(self) -> _Client:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Client(self.where, self.settings.deadline)

    def _give_back(self, client: _Client) -> None:
        with self._lock:
            if len(self._idle) < _MOST_IDLE:
                self._idle.append(client)
                return
        client.close()

    def _forget(self) -> None:
        with self._lock:
            self._idle.clear()


def _state(job: Any) -> JobState:
    word = str(job.status())
    if word not in _WORDS:
        # The client passes a word that it does not know on and would wait for ever; it may be one that is new.
        return JobState("running", reason=f"the service calls the job {safe(word)!r}")
    ours = _WORDS[word]
    if ours == "failed":
        reason = str(job.error_message() or "")
        too_long = error_code(reason) == TOO_LONG or "longer than" in reason
        return JobState("failed", safe(reason), fails_again(reason) and not too_long, too_long, _charged(job))
    if ours == "done":
        return JobState("done", seconds=_charged(job))
    return JobState(ours)  # type: ignore[arg-type]


def _charged(job: Any) -> float | None:
    """QPU seconds charged; None while the service has not settled them, or does not say."""
    try:
        usage = job.metrics().get("usage", {})
    except IBMError:
        return None
    seconds = usage.get("qpu_charge_time_seconds")
    return None if seconds is None or usage.get("status") == "pending" else float(seconds)


def _missing(client: _Client | None, where: str, error: Exception) -> AdapterError:
    """The client also says that a device is missing when it could not ask: the list of devices tells which."""
    try:
        assert client is not None
        names = {device["name"] for device in client.service._active_api_client.list_backends(True)}
    except IBMNotAuthorizedError as refused:
        return UnauthorisedError(f"IBM refuses the account: {safe(refused)}")
    except Exception as lost:
        return TransientError(safe(lost))
    if where in names:
        return TransientError(safe(error))
    nearest = get_close_matches(where, names, 3, 0.3) or sorted(names)
    return PermanentError(
        f"The account has no device {where!r} (any more); the nearest are {', '.join(nearest)}."
    )


def _meaning(error: Exception, client: _Client | None, where: str) -> AdapterError:
    """The adapter's word for an error of the client."""
    if isinstance(error, IBMNotAuthorizedError):
        return UnauthorisedError(f"IBM refuses the account: {safe(error)}")
    if isinstance(error, QiskitBackendNotFoundError):
        return _missing(client, where, error)
    if isinstance(error, RuntimeJobNotFound):
        return LostResultError(safe(error))
    if isinstance(error, RequestsApiError) and error.status_code == 404:
        return LostResultError(safe(error))
    if isinstance(error, RuntimeProgramNotFound):
        return PermanentError(safe(error))
    if isinstance(error, (IBMInputValueError, ValueError, TypeError)):
        return PermanentError(safe(error))
    return classed(str(error))
