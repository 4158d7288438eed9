"""Sampling on Aer and on snapshots of real devices: transpile, price, run, mitigate. Never imports torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.adapter import BackendAdapter, JobState, SamplingOptions
    from qiskit_hqnn.jobs.devices import Device, resolve_device, snapshot_names
    from qiskit_hqnn.jobs.manager import JobManager
    from qiskit_hqnn.jobs.mitigation import MitigationOptions
    from qiskit_hqnn.jobs.price import Price
    from qiskit_hqnn.jobs.transpiling import ISATemplate, transpile_template

_LAZY = {
    "BackendAdapter": "adapter",
    "Device": "devices",
    "ISATemplate": "transpiling",
    "JobManager": "manager",
    "JobState": "adapter",
    "MitigationOptions": "mitigation",
    "Price": "price",
    "SamplingOptions": "adapter",
    "resolve_device": "devices",
    "snapshot_names": "devices",
    "transpile_template": "transpiling",
}

__all__ = [
    "BackendAdapter",
    "Device",
    "ISATemplate",
    "JobManager",
    "JobState",
    "MitigationOptions",
    "Price",
    "SamplingOptions",
    "resolve_device",
    "snapshot_names",
    "transpile_template",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"qiskit_hqnn.jobs.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'qiskit_hqnn.jobs' has no attribute {name!r}")
