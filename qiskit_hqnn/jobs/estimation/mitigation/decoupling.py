"""Dynamical decoupling: pulses in the idle times of a scheduled circuit."""

from __future__ import annotations

from math import pi

from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit.library import RZGate, XGate
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import (
    ALAPScheduleAnalysis,
    ConstrainedReschedule,
    PadDelay,
    PadDynamicalDecoupling,
)

from qiskit_hqnn.errors import MitigationError

# Y and −X are X beside a virtual Z rotation, which takes no time: the space between both is 0.
_Z = RZGate(pi)
_SEQUENCES: dict[str, tuple[list[Gate], list[float]]] = {
    "XX": ([XGate(), XGate()], [1 / 4, 1 / 2, 1 / 4]),
    "XpXm": ([XGate(), _Z, XGate(), _Z], [1 / 4, 1 / 2, 0, 0, 1 / 4]),
    "XY4": (
        [XGate(), XGate(), _Z, XGate(), XGate(), _Z],
        [1 / 8, 1 / 4, 0, 1 / 4, 1 / 4, 0, 1 / 8],
    ),
}


def decoupled(circuit: QuantumCircuit, target: Target | None, sequence: str) -> QuantumCircuit:
    """The measured ISA circuit, scheduled as late as possible, with pulses in every idle time that has room for them.

    Args:
        circuit: in the device's gates; parameters stay.
        target: durations of all gates.
        sequence: "XX", "XpXm", "XY4" (Viola & Lloyd 1998; Viola et al. 1999), or "delays" for idle times alone.

    Raises:
        MitigationError: if the device has no durations or no X gate.
    """
    if target is None:
        raise MitigationError(
            f"Dynamical decoupling ({sequence!r}) needs a device with gate durations, which 'aer' has not."
        )
    missing = {"delay"} - set(target.operation_names) | ({"x", "rz"} - set(target.operation_names))
    if missing or target.durations() is None or target.dt is None:
        raise MitigationError(
            f"Dynamical decoupling ({sequence!r}) needs a device with durations and the gates x, rz and delay; this "
            f"one has {', '.join(sorted(target.operation_names))}."
        )
    if sequence == "delays":
        pad = PadDelay(target=target)
    else:
        gates, spacing = _SEQUENCES[sequence]
        pad = PadDynamicalDecoupling(target=target, dd_sequence=gates, spacing=spacing)
    schedule = [ALAPScheduleAnalysis(target=target), ConstrainedReschedule(target=target), pad]
    return _without_idle_qubits(PassManager(schedule).run(circuit), circuit)


def _without_idle_qubits(padded: QuantumCircuit, circuit: QuantumCircuit) -> QuantumCircuit:
    """Qubits that the circuit does not touch wait for nothing: without their delays they need no simulation."""
    used = {
        circuit.find_bit(qubit).index
        for step in circuit.data
        if step.operation.name != "barrier"
        for qubit in step.qubits
    }
    result = padded.copy_empty_like()
    for step in padded.data:
        places = [padded.find_bit(qubit).index for qubit in step.qubits]
        if step.operation.name == "barrier" or any(place in used for place in places):
            result.append(step)
    return result
