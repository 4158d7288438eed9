"""What a request costs with and without a device's fractional gates: both are shown before one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.errors import DeviceError, HQNNError
from qiskit_hqnn.jobs.adapters import open_place
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.price import Price

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.manager import JobManager


def the_other_way(device: Device) -> Device | None:
    """A device with its fractional gates where they are left out, or without them; None if there is no such choice."""
    hardware = device.name.startswith("ibm_")
    if not (device.fractional or device.left_out or hardware):
        return None
    try:
        other, _ = open_place(device.name, not device.fractional)
    except DeviceError:
        return None
    return (
        other if device.fractional != other.fractional and device.calibration != other.calibration else None
    )


def price_the_other_way(manager: JobManager, pub: EstimatorPub) -> Price | None:
    """What a PUB would cost if the manager took, or left out, fractional gates; None if it has no such choice."""
    from qiskit_hqnn.jobs.manager import JobManager
    from qiskit_hqnn.jobs.store import Store

    if the_other_way(manager.device) is None:
        return None
    store = (
        Store("sqlite://") if manager.device.name.startswith("ibm_") else None
    )  # in memory: nothing is sent
    try:
        other = JobManager(
            manager.where,
            store=store,
            shots=manager.shots,
            mitigation=manager.mitigation,
            options=manager.options,
            fractional=not manager.device.fractional,
            tiles=manager.tiles,
        )
        return other.price(other.plan(pub, pub.precision))
    except HQNNError:  # such as a mitigation that takes no rzz: then there is no choice either
        return None
