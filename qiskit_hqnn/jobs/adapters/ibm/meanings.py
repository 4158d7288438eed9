"""What an error of IBM's client means: what the service has answered, where that is what went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from qiskit.providers.exceptions import QiskitBackendNotFoundError

from qiskit_hqnn.jobs.adapters.ibm.client import Client, device_names
from qiskit_hqnn.jobs.adapters.ibm.errors import SessionClosedError, safe
from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import AdapterError, NotSentError, PermanentError, TransientError

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend


def check_qubits(backend: IBMBackend, requests: Sequence[SamplingRequest], where: str) -> None:
    for request in requests:
        try:
            backend.check_faulty(request.circuit)
        except ValueError as error:
            found = re.search(r"faulty (qubit|edge) (.*?)\.?$", str(error))
            if found is None:
                raise
            raise PermanentError(
                f"{where} reports {found.group(1)} {found.group(2)} as out of order since the circuit was compiled; "
                "submit it again, and it is compiled for what works."
            ) from None


def not_made(meaning: AdapterError, client: Client) -> AdapterError:
    """An error on the way to a job: certain that there is none where no request for one can have left."""
    if client.wire.posted or not isinstance(meaning, TransientError):
        return meaning
    return meaning if isinstance(meaning, NotSentError) else NotSentError(str(meaning), meaning.retry_after)


def _missing(client: Client, where: str, error: Exception) -> AdapterError:
    """The client also says that a device is missing when it could not ask: the list of devices tells which."""
    failure = client.wire.failure
    client.usable = False  # it keeps descriptions, also those that it could not use
    try:
        names = device_names(client.service)
    except Exception as lost:
        return client.wire.failure or TransientError(safe(lost))
    if client.wire.failure is not None:
        return client.wire.failure
    if where in names:
        return failure or TransientError(safe(error))
    nearest = get_close_matches(where, names, 3, 0.3) or sorted(names)
    others = f"the nearest are {safe(', '.join(nearest))}" if nearest else "it has none at all"
    return PermanentError(f"The account has no device {where!r} (any more); {others}.")


def meaning_of_error(error: Exception, client: Client | None, where: str) -> AdapterError:
    """The adapter's word for an error: what the service answered, where that is what went wrong."""
    if isinstance(error, AdapterError):
        return error
    if client is not None:
        if isinstance(error, QiskitBackendNotFoundError):
            return _missing(client, where, error)
        if client.wire.failure is not None:
            return client.wire.failure
        if "session is closed" in str(error).lower():  # said by the client, which does not ask then
            return SessionClosedError(safe(error))
        if client.wire.asked == 0 and isinstance(error, ValueError | TypeError):
            return PermanentError(safe(error))  # refused by the client before it asked anybody
    return TransientError(f"IBM's client failed: {type(error).__name__}: {safe(error)}")
