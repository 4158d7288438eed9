"""Qiskit's transpiler with its pass managers kept: to build one takes longer than to run it on a small circuit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.circuit import ControlledGate, Gate, Instruction, Operation
from qiskit.circuit.library import UnitaryGate
from qiskit.transpiler import PassManager, Target

from qiskit_hqnn.jobs.devices.device import Device

_KEPT = 96
"""Those of eight seeds and three levels for four devices; each takes less than 1 MB for 156 qubits."""
_OPEN = {Instruction, Gate, ControlledGate, UnitaryGate}
"""What these do is a matter of the single object."""
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
        device: with a target; its name and calibration identify it.
        seed, level: the transpiler's.
        callback: called behind each pass, as Qiskit calls it.

    Raises:
        QiskitError: as `qiskit.transpile`.
    """
    target = device.target
    assert target is not None
    key = (device.name, device.calibration, device.fractional, _gates(target), _times(target), seed, level)
    # Passes keep the properties of the circuit that they run on: a manager in use is nobody else's.
    manager = _managers.pop(key, None) or generate_preset_pass_manager(
        level, target=target, seed_transpiler=seed
    )
    result: QuantumCircuit = manager.run(circuit, callback=callback)
    _managers[key] = manager
    while len(_managers) > _KEPT:
        _managers.popitem(last=False)
    return result


def _gates(target: Target) -> Hashable:
    """What its gates are, which a calibration's id calls by name only: a backend may give any gate any name."""
    return tuple(
        (name, _meaning(target.operation_from_name(name))) for name in sorted(target.operation_names)
    )


def _meaning(operation: Operation | type[Operation]) -> Hashable:
    if isinstance(operation, type):  # control flow
        return operation
    kind = getattr(operation, "base_class", type(operation))
    if kind in _OPEN or not kind.__module__.startswith("qiskit."):
        return id(operation)  # the manager's target keeps it alive
    return kind, tuple(map(str, operation.params))


def _times(target: Target) -> Hashable:
    """What a calibration's id does not contain."""
    return (
        target.dt,
        target.granularity,
        target.min_length,
        target.pulse_alignment,
        target.acquire_alignment,
    )
