"""Where the expected failures of an ISA circuit come from, by its device's calibration."""

from __future__ import annotations

import math

from qiskit.transpiler import Target

from qiskit_hqnn.jobs.transpiling import ISATemplate


def error_budget(template: ISATemplate, target: Target) -> dict[str, float]:
    """Expected number of failures in one execution: one-qubit gates, two-qubit gates, readout, idle time.

    Gates and readout count −ln(1 − error), so their sum is −ln of the expected success. Idle time counts
    t/T1 + t/T2 over two for each used qubit, which the expected success leaves out: a circuit is rated by its gates.
    """
    budget = {"one-qubit gates": 0.0, "two-qubit gates": 0.0, "readout": 0.0, "idle": 0.0}
    busy: dict[int, float] = {}
    for step in template.circuit.data:
        name = step.operation.name
        if name in {"barrier", "delay"}:
            continue
        qubits = tuple(template.circuit.find_bit(qubit).index for qubit in step.qubits)
        properties = target[name].get(qubits)
        error = min(0.999, float(getattr(properties, "error", None) or 0.0))
        budget["one-qubit gates" if len(qubits) == 1 else "two-qubit gates"] -= math.log1p(-error)
        for qubit in qubits:
            busy[qubit] = busy.get(qubit, 0.0) + float(getattr(properties, "duration", None) or 0.0)
    for qubit in template.logical:
        properties = target["measure"].get((qubit,))
        budget["readout"] -= math.log1p(-min(0.999, float(getattr(properties, "error", None) or 0.0)))
        busy[qubit] = busy.get(qubit, 0.0) + float(getattr(properties, "duration", None) or 0.0)
    for qubit, seconds in busy.items():
        times = (target.qubit_properties or {})[qubit] if target.qubit_properties else None
        idle = max(0.0, template.duration - seconds)
        for time in (getattr(times, "t1", None), getattr(times, "t2", None)):
            budget["idle"] += idle / (2 * time) if time else 0.0
    return budget
