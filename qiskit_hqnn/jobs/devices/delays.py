"""Delays in the time steps that a device can keep."""

from __future__ import annotations

import warnings
from math import lcm

from qiskit import QuantumCircuit
from qiskit.circuit import Delay, ParameterExpression
from qiskit.transpiler import Target

from qiskit_hqnn.errors import CircuitError

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}


def with_device_delays(circuit: QuantumCircuit, target: Target, name: str) -> QuantumCircuit:
    """The circuit with each delay in whole time steps of a device, the nearest multiple that its electronics can keep.

    A warning says by how much the lengths differ, if any does.

    Args:
        circuit: not altered.
        target: the device's.
        name: of the device.

    Raises:
        CircuitError: if a length is open, or in time steps of a device that does not say how long these are.
    """
    if not any(step.name == "delay" for step in circuit.data):
        return circuit
    grid = lcm(target.granularity or 1, target.pulse_alignment or 1)
    result, changed = circuit.copy_empty_like(), 0.0
    for step in circuit.data:
        if step.name != "delay":
            result.append(step)
            continue
        length, unit = _length(step.operation, circuit, name), step.operation.unit
        if not target.dt:
            if unit == "dt" and length:
                raise CircuitError(
                    f"Circuit {circuit.name!r} has a delay of {length:g} dt, but {name} does not say how long its dt "
                    "is: give it in ns."
                )
            seconds = length * _SECONDS.get(unit, 0.0)
            result.append(Delay(seconds, "s"), step.qubits)
            continue
        steps = length if unit == "dt" else length * _SECONDS[unit] / target.dt
        whole = grid * round(steps / grid)
        changed = max(changed, abs(whole - steps) * target.dt)
        result.append(Delay(whole, "dt"), step.qubits)
    if target.dt and changed > target.dt / 1000:
        warnings.warn(
            f"Delays on {name} are whole multiples of {grid * target.dt * 1e9:.3g} ns: those of circuit "
            f"{circuit.name!r} differ from what was asked for by up to {changed * 1e9:.3g} ns.",
            stacklevel=2,
        )
    return result


def without_delays(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit for a simulator without errors, to which time does nothing; itself where it has none."""
    if not any(step.name == "delay" for step in circuit.data):
        return circuit
    result = circuit.copy_empty_like()
    for step in circuit.data:
        if step.name != "delay":
            result.append(step)
    return result


def _length(delay: Delay, circuit: QuantumCircuit, name: str) -> float:
    length = delay.duration
    if isinstance(length, ParameterExpression) and not length.parameters:
        length = float(length)
    if not isinstance(length, int | float):
        raise CircuitError(
            f"Circuit {circuit.name!r} has a delay of open length {length}, but {name} needs to know it when the "
            "circuit is transpiled: assign it, and send one circuit for each length."
        )
    return float(length)
