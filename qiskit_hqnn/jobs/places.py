"""From the one word for a place to its device and its adapter; adapters of hardware are imported when asked for."""

from __future__ import annotations

from typing import Any

from qiskit.primitives import BaseSamplerV2
from qiskit.providers import BackendV2

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapter import BackendAdapter
from qiskit_hqnn.jobs.devices import REP_DELAY, Device, resolve_device


def open_place(where: Any) -> tuple[Device, BackendAdapter]:
    """The device to compile for, and the adapter that samples on it.

    Args:
        where: "aer", "fake_<device>", "ibm_<device>", a BackendV2 (simulated with its noise) or a BaseSamplerV2.

    Raises:
        DeviceError: if there is no such place.
    """
    from qiskit_hqnn.jobs.local import LocalAdapter, SamplerAdapter

    if isinstance(where, str) and where.startswith("ibm_"):
        try:
            from qiskit_hqnn.jobs.ibm import open_ibm
        except ImportError:
            raise DeviceError(
                f"Hardware such as {where!r} cannot be reached by this version; use 'aer' or 'fake_<device>'."
            ) from None
        return open_ibm(where)
    if isinstance(where, BaseSamplerV2) and not isinstance(where, BackendV2):
        device = Device(type(where).__name__, None, REP_DELAY, "sampler")
        return device, SamplerAdapter(where, device)
    device = resolve_device(where)
    return device, LocalAdapter(device)
