"""An IBM account: its devices with their queues and calibrations, and the remaining QPU time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from qiskit.transpiler import Target

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.deadlines import within
from qiskit_hqnn.jobs.adapters.ibm.adapter import IBMAdapter
from qiskit_hqnn.jobs.adapters.ibm.client import Client, device_names
from qiskit_hqnn.jobs.adapters.ibm.errors import safe
from qiskit_hqnn.jobs.adapters.ibm.settings import IBMSettings
from qiskit_hqnn.jobs.adapters.seam import AdapterError

if TYPE_CHECKING:
    from qiskit_ibm_runtime.models import BackendStatus

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class AccountDevice:
    """A device of the account.

    Attributes:
        name: as in `--where`.
        num_qubits: of the device.
        queue: jobs that wait there, of all users; None if the service does not report it.
        calibration_hours: since its last calibration; None if the service does not report it.
        target: gates and errors.
        state: "online", or the service's word for a device that runs nothing now, such as "maintenance".
    """

    name: str
    num_qubits: int
    queue: int | None
    calibration_hours: float | None
    target: Target
    state: str = "online"


def account_devices() -> list[AccountDevice]:
    """The devices of the saved account or of the environment variables', the shortest queue first.

    Raises:
        DeviceError: if no account is set up, it is refused, or the service cannot be reached.
    """
    names = _asked(lambda client: sorted(device_names(client.service)))
    found = [_asked(partial(_described, name), name) for name in names]
    return sorted(found, key=lambda device: (device.queue is None, device.queue, device.name))


def account_settings() -> dict[str, str]:
    """Channel, address and instance of the account in use, without credentials.

    Raises:
        DeviceError: as `account_devices`.
    """
    account = _asked(lambda client: dict(client.service.active_account() or {}))
    return {name: safe(account[name]) for name in ("channel", "url", "instance") if account.get(name)}


def device_state(name: str) -> str:
    """ "online", or the service's word for a device that runs nothing now, such as "maintenance".

    Raises:
        DeviceError: as `account_devices`.
    """
    return _asked(lambda client: _state(client.service.backend(name).status()), name)


def _state(status: BackendStatus) -> str:
    if status.operational and status.status_msg in ("active", "online", ""):
        return "online"
    word = str(status.status_msg)
    return "not operational" if word in ("active", "online", "") else safe(word)


def seconds_left() -> float | None:
    """QPU seconds left in the account's plan in this period; None if it sets no limit.

    Raises:
        DeviceError: as `account_devices`.
    """
    usage = _asked(lambda client: client.service.usage())
    limit, used = usage.get("usage_limit_seconds"), usage.get("usage_consumed_seconds")
    return None if limit is None or used is None else max(0.0, float(limit) - float(used))


def _asked(question: Callable[[Client], _Answer], where: str = "the account") -> _Answer:
    adapter = IBMAdapter(where, IBMSettings.from_environment())
    last: AdapterError | None = None
    for _ in range(3):
        try:
            return within(adapter.deadline, partial(adapter.call, question))
        except AdapterError as error:
            last = error
    raise DeviceError(str(last)) from None


def _described(name: str, client: Client) -> AccountDevice:
    backend = client.service.backend(name)
    properties = backend.properties()
    updated = getattr(properties, "last_update_date", None)
    age = None if updated is None else (datetime.now(UTC) - updated.astimezone(UTC)).total_seconds() / 3600
    status = backend.status()
    return AccountDevice(
        backend.name, backend.num_qubits, status.pending_jobs, age, backend.target, _state(status)
    )
