"""IBM hardware behind the seam.

The account is the one that QiskitRuntimeService finds: saved on this machine, or in the variables QISKIT_IBM_TOKEN,
QISKIT_IBM_INSTANCE and the like. Its token stays in the client's memory: no text that leaves this package contains it.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TypeVar

from qiskit.primitives.containers import SamplerPubResult
from qiskit_ibm_runtime import Batch, IBMBackend, RuntimeJobV2, Session
from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError
from qiskit_ibm_runtime.executor_sampler import Sampler

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.deadlines import within
from qiskit_hqnn.jobs.adapters.ibm.client import AsReceived, Client, decoded
from qiskit_hqnn.jobs.adapters.ibm.codes import NO_DEVICE
from qiskit_hqnn.jobs.adapters.ibm.errors import SessionClosedError, safe
from qiskit_hqnn.jobs.adapters.ibm.meanings import check_qubits, meaning_of_error, not_made
from qiskit_hqnn.jobs.adapters.ibm.options import sampler_options
from qiskit_hqnn.jobs.adapters.ibm.pacing import limit, seconds_to_wait
from qiskit_hqnn.jobs.adapters.ibm.settings import IBMSettings
from qiskit_hqnn.jobs.adapters.ibm.states import charged, is_session_closed, job_state
from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    JobState,
    LostResultError,
    PacedError,
    PermanentError,
    SamplingOptions,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.clocks import steady
from qiskit_hqnn.jobs.devices import Device, device_of
from qiskit_hqnn.jobs.tags import mark_of, request_of

_T = TypeVar("_T")

_MOST_IDLE = 2  # calls that were given up bring their clients back one by one
_TRIES_TO_OPEN = 3
_TRIES_TO_PRICE = 2

# On a sign-in that failed the client warns with the server's answer; the error that follows says it in our words.
warnings.filterwarnings("ignore", message="Unable to retrieve IBM Cloud access token")
if logging.getLogger("qiskit_ibm_runtime").level == logging.NOTSET:
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)


def open_ibm(
    where: str, settings: IBMSettings | None = None, fractional: bool = False
) -> tuple[Device, IBMAdapter]:
    """The device behind "ibm_<device>" with today's calibration, and its adapter.

    Raises:
        DeviceError: if no account is set up, it is refused, the service cannot be reached, it has no such device, or
            the device has no fractional gates.
    """
    adapter = IBMAdapter(where, settings or IBMSettings.from_environment(), fractional)
    last: AdapterError | None = None
    for _ in range(_TRIES_TO_OPEN):
        try:
            return within(adapter.deadline, adapter.device), adapter
        except TransientError as error:  # a sign-in that hiccups, too: looking costs nothing
            last = error
        except AdapterError as error:
            raise DeviceError(str(error)) from None
    raise DeviceError(f"{where} could not be reached in {_TRIES_TO_OPEN} tries: {last}") from None


class IBMAdapter:
    """A hardware device as a `BackendAdapter`.

    A call that its caller gave up on keeps its client, and the next call signs in again: nothing waits behind it.
    """

    finishes_on_submit = False

    def __init__(self, where: str, settings: IBMSettings, fractional: bool = False) -> None:
        self.where = where
        self.settings = settings
        self.fractional = fractional
        self.deadline: float | None = settings.deadline
        self.poll_seconds = settings.poll
        self.lookup_seconds = settings.lookup
        self.calibration = ""
        self._service_time: tuple[float, float] | None = None
        self._idle: list[Client] = []
        self._lock = threading.Lock()
        # Its own: whoever opens a session may wait for the service, and calls must go on meanwhile.
        self._session_lock = threading.Lock()
        self._session_id: str | None = None

    def clock(self) -> float:
        """Seconds since 1970 by the service's clock, as its last answer had it; by our own before the first."""
        if self._service_time is None:
            return time.time()
        said, then = self._service_time
        return said + steady() - then

    def account(self) -> str:
        """A word for the instance whose jobs this adapter sees; another key for it sees the same."""

        def read(client: Client) -> str:
            known = client.service.active_account() or {}
            return sha256(f"{known.get('url')} {known.get('instance')}".encode()).hexdigest()[:12]

        return self.call(read)

    def device(self) -> Device:
        """The device with its present calibration, which becomes part of the identity of what is sent."""
        device = self.call(lambda client: device_of(client.backend, self.where, self.fractional))
        self.calibration = device.calibration
        return device

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        for request in requests:
            if not request.parameters and request.sets != 1:
                raise PermanentError(
                    f"Circuit {request.circuit.name!r} has no parameters, but {request.sets} sets."
                )

        def send(client: Client) -> str:
            return self._post(client, requests, tag, options)

        try:
            return self.call(send)
        except SessionClosedError:
            # Refused before a job was made: it goes into a new session.
            self._session_id = None
            return self.call(send)

    def find(self, tag: str) -> list[str]:
        return list(self._listed(tag))

    def alike(self, tag: str) -> dict[str, str]:
        request = request_of(tag)
        listed = self._listed(request) if request else {}
        own = {job_id: next(filter(mark_of, tags), tag) for job_id, tags in listed.items()}
        return {job_id: other for job_id, other in own.items() if other != tag}

    def _listed(self, tag: str) -> dict[str, list[str]]:
        """Ids of the jobs under a tag, the oldest first, with their tags."""

        def look(client: Client) -> dict[str, list[str]]:
            jobs = client.service.jobs(job_tags=[tag], limit=20)  # the newest first
            listed = {job.job_id(): job for job in reversed(jobs) if job.tags is None or tag in job.tags}
            if jobs and not listed:
                # The job may stand behind them: nothing is sent for a list that was made for another question.
                raise TransientError("the service has listed jobs of another tag than it was asked for")
            for job in listed.values():
                client.keep(job)
            return {job_id: list(job.tags or ()) for job_id, job in listed.items()}

        return self.call(look)

    def status(self, job_id: str) -> JobState:
        state = self.call(lambda client: _state(client, job_id))
        if is_session_closed(state):
            self._session_id = None  # the next attempt opens another
        return state

    def result(self, job_id: str) -> Sequence[SamplerPubResult]:
        def fetch(client: Client) -> Sequence[SamplerPubResult]:
            text = client.job(job_id).result(timeout=self.deadline, decoder=AsReceived)
            if not text:
                raise client.wire.failure or LostResultError("the service has no results of the job any more")
            results = decoded(text)
            client.jobs.pop(job_id, None)
            return results

        return self.call(fetch)

    def cancel(self, job_id: str) -> None:
        def stop(client: Client) -> None:
            with suppress(RuntimeInvalidStateError):  # it is final already
                client.job(job_id).cancel()
            client.wire.forget()

        self.call(stop)

    def close(self) -> None:
        """End the batch or session that this adapter opened; its jobs run on. A session is paid until it ends."""
        name, self._session_id = self._session_id, None
        if name is not None:
            with suppress(AdapterError):
                self.call(lambda client: self._mode(client, name).close())

    def _post(
        self,
        client: Client,
        requests: Sequence[SamplingRequest],
        tag: str,
        options: SamplingOptions,
    ) -> str:
        mode = self._ready(client, requests)
        self._pace(client)
        client.wire.forget()
        try:
            sampler = Sampler(mode=mode, options=sampler_options(options, tag, requests[0].shots))
            job = sampler.run([request.pub() for request in requests])
        except Exception as error:
            if client.wire.job_id is None:
                raise self._why_not(error, client) from None
        else:
            client.keep(job)
        if client.wire.job_id is None:
            raise TransientError("IBM's client returned a job that the service has not named")
        # It is there from now on, whatever else was answered and whatever the client made of it.
        client.wire.unclear = None
        return client.wire.job_id

    def _why_not(self, error: Exception, client: Client) -> AdapterError:
        refusal = client.wire.refusal
        unknown = refusal is not None and refusal.status in (404, 410) and refusal.code not in NO_DEVICE
        if self.settings.mode != "job" and client.wire.posted and unknown:
            return SessionClosedError(
                f"the service does not know the {self.settings.mode} any more: {refusal}"
            )
        return not_made(meaning_of_error(error, client, self.where), client)

    def _ready(self, client: Client, requests: Sequence[SamplingRequest]) -> IBMBackend | Batch | Session:
        """What a job is sent to: the device, or a batch or session on it. Nothing of the job leaves here."""
        try:
            backend = client.backend
            check_qubits(backend, requests, self.where)
            if client.wire.unclear is not None:
                client.usable = False
                raise client.wire.unclear
            return backend if self.settings.mode == "job" else self._mode(client, self._open_session(client))
        except Exception as error:
            client.usable &= isinstance(error, AdapterError)
            raise not_made(meaning_of_error(error, client, self.where), client) from None

    def _pace(self, client: Client) -> None:
        most = limit(self.settings.pace, client.wire.server)
        wait = seconds_to_wait(client.token, most)
        if wait > 0:
            raise PacedError(
                f"{most} jobs were sent in the last minute; the next one can leave in {wait:.0f} s", wait
            )

    def _open_session(self, client: Client) -> str:
        with self._session_lock:
            if self._session_id is None:
                kind = Batch if self.settings.mode == "batch" else Session
                opened = kind(client.backend, max_time=int(self.settings.max_time) or None)
                if client.wire.failure is not None:  # the client takes an answer without an id, too
                    raise client.wire.failure
                self._session_id = str(opened.session_id)
                client.modes[self._session_id] = opened
                atexit.register(self.close)
            return self._session_id

    def _mode(self, client: Client, name: str) -> Session | Batch:
        if name not in client.modes:
            kind = Batch if self.settings.mode == "batch" else Session
            client.modes = {name: kind.from_id(name, client.service)}
        return client.modes[name]

    def call(self, work: Callable[[Client], _T]) -> _T:
        """One call with a client of its own; errors come out as the adapter's, without credentials."""
        for attempt in range(2):
            client = None
            try:
                client = self._take()
                client.wire.forget()
                result = work(client)
                if client.wire.unclear is not None:  # which the client has taken for an answer, and keeps
                    client.usable = False
                    raise client.wire.unclear
                return result
            except Exception as error:
                meaning = meaning_of_error(error, client, self.where)
                refused = isinstance(meaning, UnauthorisedError)
                if client is None:
                    raise meaning from None
                # What the client keeps may be wrong where it fails without an answer that says why.
                confused = client.wire.failure is None and not isinstance(error, AdapterError)
                # Or where it went on behind an answer that it could not use: it keeps half a device then.
                went_on = client.wire.unclear is not None and client.wire.unclear is not client.wire.failure
                client.usable &= not (refused or confused or went_on)
                if attempt or not refused:
                    raise meaning from None
                # A token that expired meanwhile: signing in again helps, a refused account stays refused.
                self._forget()
            finally:
                if client is not None:
                    self._give_back(client)
        raise AssertionError("the second attempt returns or raises")

    def _take(self) -> Client:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Client(self.where, self.settings.deadline, self.fractional)

    def _give_back(self, client: Client) -> None:
        self._service_time = client.wire.service_time or self._service_time
        with self._lock:
            if client.usable and len(self._idle) < _MOST_IDLE:
                self._idle.append(client)
                return
        client.close()

    def _forget(self) -> None:
        with self._lock:
            self._idle.clear()


def _state(client: Client, job_id: str) -> JobState:
    client.jobs.pop(job_id, None)
    job = client.job(job_id)
    described = client.wire.describe(job_id)
    if described is None:
        raise TransientError(f"the service did not describe job {safe(job_id)}")
    state = job_state(described)
    if state.word in ("queued", "running"):
        return state
    seconds = _charged(job)
    client.wire.forget()
    return JobState(state.word, state.reason, state.permanent, state.too_long, seconds)


def _charged(job: RuntimeJobV2) -> float | None:
    """QPU seconds charged; None where they cannot be read, which must not keep results that can."""
    for _ in range(_TRIES_TO_PRICE):
        try:
            return charged(job.metrics())
        except Exception:
            continue
    return None
