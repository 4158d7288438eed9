"""From the word of a place to its device and its adapter; hardware adapters are imported on use."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from qiskit.primitives import BaseSamplerV2
from qiskit.providers import BackendV2

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.seam import BackendAdapter
from qiskit_hqnn.jobs.devices import REP_DELAY, Device, resolve_device


def check_word(where: str) -> None:
    """Raises DeviceError if a place is not a word by which another process can open it."""
    if where != "aer" and not where.startswith(("fake_", "ibm_")):
        raise DeviceError(
            f"A job that outlives its process must be for 'aer', 'fake_<device>' or 'ibm_<device>', but is for "
            f"{where!r}, an object of the script that created it: run that script again."
        )


def open_place(
    where: str | BackendV2 | BaseSamplerV2, fractional: bool = False
) -> tuple[Device, BackendAdapter]:
    """The device to compile for, and the adapter that samples on it.

    Args:
        where: "aer", "fake_<device>", "ibm_<device>", a BackendV2 (simulated with its noise; one without a fixed
            number of qubits runs itself) or a BaseSamplerV2.
        fractional: whether the device's fractional gates are used.

    Raises:
        DeviceError: if there is no such place, or it has no fractional gates.
    """
    from qiskit_hqnn.jobs.adapters.local import LocalAdapter, SamplerAdapter, SimulatorAdapter

    if isinstance(where, str) and where.startswith("ibm_"):
        try:
            from qiskit_hqnn.jobs.adapters.ibm import open_ibm
        except ImportError:
            raise DeviceError(
                f"Hardware such as {where!r} cannot be reached by this version; use 'aer' or 'fake_<device>'."
            ) from None
        return open_ibm(where, fractional=fractional)
    if isinstance(where, BaseSamplerV2) and not isinstance(where, BackendV2):
        if fractional:
            raise DeviceError(
                f"Fractional gates belong to a device, but {type(where).__name__} is a sampler."
            )
        device = _device_behind(where)
        return device, SamplerAdapter(where, device)
    device = resolve_device(where, fractional)
    if device.runs_itself:
        return device, SimulatorAdapter(where, device)
    return device, LocalAdapter(device)


def _device_behind(sampler: BaseSamplerV2) -> Device:
    """What to compile for: the backend of a sampler that has one, which takes that backend's circuits only."""
    # What determines such an object's results is not known: results of a different one are never reused.
    name, calibration = type(sampler).__name__, f"sampler-{uuid4().hex}"
    backend = getattr(sampler, "backend", None)
    backend = backend() if callable(backend) else backend
    if not isinstance(backend, BackendV2):
        return Device(name, None, REP_DELAY, calibration)
    return replace(resolve_device(backend), name=name, calibration=calibration)
