"""One signed-in client of IBM's, and all that we need of its private parts: each behind one function of its own.

`tests/jobs_ibm/test_private_parts.py` fails by name where a later client has moved one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import requests
from ibm_cloud_sdk_core import ApiException
from qiskit.primitives.containers import SamplerPubResult
from qiskit_ibm_runtime import Batch, IBMBackend, QiskitRuntimeService, RuntimeJobV2, Session
from qiskit_ibm_runtime.accounts.exceptions import AccountNotFoundError, InvalidAccountError
from qiskit_ibm_runtime.decoders.defaults import DEFAULT_DECODERS
from qiskit_ibm_runtime.decoders.result_decoder import ResultDecoder
from qiskit_ibm_runtime.exceptions import IBMInputValueError, IBMNotAuthorizedError

from qiskit_hqnn._secrets import learn
from qiskit_hqnn.jobs.adapters.ibm.errors import safe
from qiskit_hqnn.jobs.adapters.ibm.wire import Wire, guard
from qiskit_hqnn.jobs.adapters.seam import (
    AdapterError,
    NotSentError,
    OddResultError,
    PermanentError,
    TransientError,
    UnauthorisedError,
)

_KEPT_JOBS = 256
_REFUSED = (400, 401, 403)


class Client:
    """One signed-in service with its device: IBM's are not safe to share between threads.

    Attributes:
        wire: what went over its connection.
        usable: False once what it keeps may be wrong.

    Raises:
        AdapterError: if there is no account, it is refused, or nobody can be asked.
    """

    def __init__(self, where: str, deadline: float, fractional: bool = False) -> None:
        self.wire = Wire()
        self.service = sign_in()
        learn(self.service.active_account())
        for session in connections(self.service):
            guard(session, deadline, self.wire)
        self.where, self.fractional = where, fractional
        self.jobs: dict[str, RuntimeJobV2] = {}
        self.modes: dict[str, Session | Batch] = {}
        self.usable = True
        self._backend: IBMBackend | None = None

    @property
    def backend(self) -> IBMBackend:
        if self._backend is None:
            try:
                self._backend = self.service.backend(self.where, use_fractional_gates=self.fractional)
            except IBMInputValueError as error:
                if "fractional" not in str(error):
                    raise
                raise PermanentError(f"Fractional gates are requested, but {self.where} has none.") from None
        return self._backend

    @property
    def token(self) -> str:
        """The account's key, wherever the client has found it."""
        return str((self.service.active_account() or {}).get("token", ""))

    def job(self, job_id: str) -> RuntimeJobV2:
        if job_id not in self.jobs:
            self.keep(self.service.job(job_id))
        return self.jobs[job_id]

    def keep(self, job: RuntimeJobV2) -> None:
        self.jobs[job.job_id()] = job
        while len(self.jobs) > _KEPT_JOBS:
            self.jobs.pop(next(iter(self.jobs)))

    def close(self) -> None:
        for session in connections(self.service):
            session.close()


def sign_in() -> QiskitRuntimeService:
    """A service for the account of this machine or of the environment.

    The client says "check your token" whatever went wrong; what did stands in the errors below its own.
    """
    try:
        return QiskitRuntimeService()
    except AccountNotFoundError:
        raise PermanentError(
            "No IBM account is set up: call QiskitRuntimeService.save_account(token=…, instance=…) once, or set "
            "QISKIT_IBM_TOKEN and QISKIT_IBM_INSTANCE; docs/hardware.md shows how."
        ) from None
    except (IBMInputValueError, IBMNotAuthorizedError) as error:
        raise _not_signed_in(error, UnauthorisedError(f"IBM refuses the account: {safe(error)}")) from None
    except InvalidAccountError as error:
        raise _not_signed_in(error, PermanentError(safe(error))) from None
    except Exception as error:
        raise NotSentError(
            f"IBM's sign-in could not be understood: {safe(error) or type(error).__name__}"
        ) from None


def _not_signed_in(error: BaseException, otherwise: AdapterError) -> AdapterError:
    """What is behind a sign-in that failed: a refusal, or nobody who could be asked."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, ApiException):
            if cause.status_code in _REFUSED:
                return UnauthorisedError(f"IBM refuses the account: {safe(cause.message)}")
            return NotSentError(f"IBM's sign-in failed with HTTP {cause.status_code}: {safe(cause.message)}")
        if isinstance(cause, requests.RequestException):
            return NotSentError(f"IBM's sign-in cannot be reached: {safe(cause)}")
        cause = cause.__cause__ or cause.__context__
    return otherwise


def connections(service: QiskitRuntimeService) -> list[requests.Session]:
    """PRIVATE `_get_api_clients`, `_session`: the HTTP sessions of a service, one for each instance of its account."""
    return [client._session for client in service._get_api_clients().values()]


def device_names(service: QiskitRuntimeService) -> set[str]:
    """PRIVATE `_active_api_client.list_backends`: names of an account's devices, with an error where they can't be had.

    The public `backends()` takes an answer that it cannot use for an account without devices.
    """
    devices = service._active_api_client.list_backends(True)
    return {device["name"] for device in devices if device.get("class") != "mock"}


class Results(list[SamplerPubResult]):
    """Results of a job, with the service's text that they were read from."""

    def __init__(self, results: Iterable[SamplerPubResult], received: bytes) -> None:
        super().__init__(results)
        self.received = received


class AsReceived(ResultDecoder):
    """Leaves results as the service sent them."""

    @classmethod
    def decode(cls, data: str) -> str:
        return data


def decoded(text: str) -> Results:
    """PRIVATE `DEFAULT_DECODERS`: results as the client reads them, once it is sure that each bit is a bit.

    The client takes whatever is not zero for a one, NaN included.

    Raises:
        TransientError: if the text holds no results: it is a part of them, or somebody else's.
        OddResultError: if it does, but not such that the client can read.
    """
    try:
        result: str | Iterable[object] = text
        for decoder in DEFAULT_DECODERS["executor"]:
            if decoder.is_applicable(result):
                result = decoder.decode(result)
                _check_bits(result)
        return Results(result, text.encode())
    except Exception as error:
        reason = safe(error) or type(error).__name__
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not (isinstance(body, dict) and "schema_version" in body):
        raise TransientError(f"the service's answer holds no results ({len(text)} characters)")
    raise OddResultError(f"results came back that cannot be read: {reason}", text.encode())


def _check_bits(result: Iterable[object]) -> None:
    """Raises ValueError if a result of the program holds anything but bits; later forms have been checked already."""
    for item in result:
        for name, values in item.items() if hasattr(item, "items") else ():
            array = np.asarray(values)
            if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
                raise ValueError(f"register {name!r} holds values that are neither 0 nor 1")
