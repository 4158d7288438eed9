"""Sampling on Aer and on snapshots of real devices: transpile, price, run, mitigate. Never imports torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.adapters.seam import BackendAdapter, JobState, SamplingOptions
    from qiskit_hqnn.jobs.budget import Meter, Spending
    from qiskit_hqnn.jobs.devices.device import Device, resolve_device, snapshot_names
    from qiskit_hqnn.jobs.devices.transpiling import ISATemplate, transpile_template
    from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
    from qiskit_hqnn.jobs.manager import JobManager
    from qiskit_hqnn.jobs.price import Price
    from qiskit_hqnn.jobs.recording import JobFailedError, expectation_values
    from qiskit_hqnn.jobs.sending.protocol import Patience
    from qiskit_hqnn.jobs.store.store import Store

_LAZY = {
    "BackendAdapter": "adapters.seam",
    "Device": "devices.device",
    "ISATemplate": "devices.transpiling",
    "JobFailedError": "recording",
    "JobManager": "manager",
    "JobState": "adapters.seam",
    "Meter": "budget",
    "MitigationOptions": "estimation.mitigation",
    "Patience": "sending.protocol",
    "Price": "price",
    "SamplingOptions": "adapters.seam",
    "Spending": "budget",
    "Store": "store.store",
    "expectation_values": "recording",
    "resolve_device": "devices.device",
    "snapshot_names": "devices.device",
    "transpile_template": "devices.transpiling",
}

__all__ = [
    "BackendAdapter",
    "Device",
    "ISATemplate",
    "JobFailedError",
    "JobManager",
    "JobState",
    "Meter",
    "MitigationOptions",
    "Patience",
    "Price",
    "SamplingOptions",
    "Spending",
    "Store",
    "expectation_values",
    "resolve_device",
    "snapshot_names",
    "transpile_template",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"qiskit_hqnn.jobs.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'qiskit_hqnn.jobs' has no attribute {name!r}")
