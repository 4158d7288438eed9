"""What a device is, and circuits as it takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.devices.device import (
        CutDevice,
        Device,
        calibration_id,
        check_snapshot,
        cut_target,
        device_of,
        resolve_device,
        snapshot_names,
    )

__all__ = [
    "CutDevice",
    "Device",
    "calibration_id",
    "check_snapshot",
    "cut_target",
    "device_of",
    "resolve_device",
    "snapshot_names",
]


def __getattr__(name: str) -> Any:
    # On first use: who needs a circuit's identity alone does not load Aer.
    if name in __all__:
        from qiskit_hqnn.jobs.devices import device

        return getattr(device, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
