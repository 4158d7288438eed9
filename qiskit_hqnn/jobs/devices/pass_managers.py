"""Qiskit's transpiler with its pass managers kept: to build one takes longer than to run it on a small circuit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.transpiler import PassManager, Target

from qiskit_hqnn.jobs.devices.device import Device

_KEPT = 96
"""Those of eight seeds and three levels for four devices; each takes less than 1 MB for 156 qubits."""
_managers: OrderedDict[Hashable, PassManager] = OrderedDict()


def transpiled(
    circuit: QuantumCircuit,
    device: Device,
    seed: int,
    level: int,
    callback: Callable[..., None] | None = None,
) -> QuantumCircuit:
    """What `qiskit.transpile` gives for a device's target.

    Args:
        circuit: any.
        device: with a target; its name, calibration and times identify it.
        seed, level: the transpiler's.
        callback: called behind each pass, as Qiskit calls it.

    Raises:
        QiskitError: as `qiskit.transpile`.
    """
    target = device.target
    assert target is not None
    key = (device.name, device.calibration, device.fractional, _times(target), seed, level)
    # Passes keep the properties of the circuit that they run on: a manager in use is nobody else's.
    manager = _managers.pop(key, None) or generate_preset_pass_manager(
        level, target=target, seed_transpiler=seed
    )
    result: QuantumCircuit = manager.run(circuit, callback=callback)
    _managers[key] = manager
    while len(_managers) > _KEPT:
        _managers.popitem(last=False)
    return result


def _times(target: Target) -> Hashable:
    """What a calibration's id does not contain."""
    return (
        target.dt,
        target.granularity,
        target.min_length,
        target.pulse_alignment,
        target.acquire_alignment,
    )
