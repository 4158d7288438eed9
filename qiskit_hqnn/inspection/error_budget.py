"""The expected failures of an ISA circuit by cause, from its device's calibration."""

from __future__ import annotations

import math

from qiskit.transpiler import Target

from qiskit_hqnn.inspection.timeline import idle_times, schedule
from qiskit_hqnn.jobs.devices import ISATemplate, gate_error


def error_budget(template: ISATemplate, target: Target) -> dict[str, float]:
    """Expected number of failures in one execution: one-qubit gates, two-qubit gates, readout, idle time.

    Gates and readout count −ln(1 − error), so their sum is −ln of the expected success. Idle time counts
    (t/T1 + t/T2)/2 for the t that each qubit waits between its first gate and its last operation, as the timeline
    shows it. The expected success leaves it out: a circuit is rated by its gates.
    """
    budget = {"one-qubit gates": 0.0, "two-qubit gates": 0.0, "readout": 0.0, "idle": 0.0}
    for step in template.circuit.data:
        name = step.operation.name
        if name in {"barrier", "delay"}:
            continue
        qubits = tuple(template.circuit.find_bit(qubit).index for qubit in step.qubits)
        cause = "one-qubit gates" if len(qubits) == 1 else "two-qubit gates"
        budget[cause] -= math.log1p(-_error(target, name, qubits))
    for qubit in template.logical:
        budget["readout"] -= math.log1p(-_error(target, "measure", (qubit,)))
    for qubit, seconds in idle_times(schedule(template, target)).items():
        properties = target.qubit_properties[qubit] if target.qubit_properties else None
        for time in (getattr(properties, "t1", None), getattr(properties, "t2", None)):
            budget["idle"] += seconds / (2 * time) if time else 0.0
    return budget


def _error(target: Target, name: str, qubits: tuple[int, ...]) -> float:
    # A gate that always fails counts as failing 999 times in 1000: its logarithm would be infinite.
    return min(0.999, gate_error(target, name, qubits))
