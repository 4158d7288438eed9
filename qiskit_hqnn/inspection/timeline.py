"""When each gate of an ISA circuit runs, and for how long each qubit waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from qiskit.transpiler import Target

from qiskit_hqnn.jobs.devices import Device, ISATemplate

_COLOURS = {"one qubit": "#a9bdd3", "two qubits": "#4a6f9c", "readout": "#c4572e"}
_WAITING = "#d9b44a"


@dataclass(frozen=True)
class Slot:
    """One operation on one qubit, in seconds from the start; `kind` is "one qubit", "two qubits" or "readout"."""

    qubit: int
    start: float
    duration: float
    kind: str


def schedule(template: ISATemplate, target: Target) -> list[Slot]:
    """Every gate as late as its followers allow, then the readout of all logical qubits at once.

    As the device runs it: a qubit before its first gate is in |0⟩ and loses nothing by waiting. Gates without duration
    (RZ is a change of frame) are left out.
    """
    free: dict[int, float] = {}  # seconds before the readout
    found: list[Slot] = []
    for step in reversed(template.circuit.data):
        name = step.operation.name
        if name in {"barrier", "delay", "measure"}:
            continue
        qubits = tuple(template.circuit.find_bit(qubit).index for qubit in step.qubits)
        properties = target[name].get(qubits)
        duration = float(getattr(properties, "duration", None) or 0.0)
        end = max(free.get(qubit, 0.0) for qubit in qubits)
        for qubit in qubits:
            free[qubit] = end + duration
            if duration:
                kind = "one qubit" if len(qubits) == 1 else "two qubits"
                found.append(Slot(qubit, -(end + duration), duration, kind))
    begin = min((slot.start for slot in found), default=0.0)
    shifted = [Slot(slot.qubit, slot.start - begin, slot.duration, slot.kind) for slot in found]
    for qubit in template.logical:
        properties = target["measure"].get((qubit,))
        readout = float(getattr(properties, "duration", None) or 0.0)
        shifted.append(Slot(qubit, -begin, readout, "readout"))
    return sorted(shifted, key=lambda slot: (slot.start, slot.qubit))


def idle_times(slots: Sequence[Slot]) -> dict[int, float]:
    """Seconds for which each qubit waits between its first gate and its last operation.

    Before its first gate a qubit is in |0⟩ and loses nothing; after its last operation its state does not matter.
    """
    idle = {}
    for qubit in sorted({slot.qubit for slot in slots}):
        own = [slot for slot in slots if slot.qubit == qubit]
        if any(slot.kind != "readout" for slot in own):
            span = max(slot.start + slot.duration for slot in own) - min(slot.start for slot in own)
            idle[qubit] = max(0.0, span - sum(slot.duration for slot in own))
        else:
            idle[qubit] = 0.0
    return idle


def draw_timeline(device: Device, template: ISATemplate) -> Figure:
    """A line for each used qubit; the thin yellow line between bars is time in which it only decays."""
    assert device.target is not None
    slots = schedule(template, device.target)
    qubits = sorted({slot.qubit for slot in slots})
    figure = Figure(figsize=(9, 0.34 * len(qubits) + 1.3), layout="constrained")
    axis = figure.subplots()
    for qubit in qubits:
        own = [slot for slot in slots if slot.qubit == qubit]
        start, end = min(slot.start for slot in own), max(slot.start + slot.duration for slot in own)
        axis.barh(qubits.index(qubit), (end - start) * 1e6, left=start * 1e6, height=0.16, color=_WAITING)
    for slot in slots:
        axis.barh(
            qubits.index(slot.qubit),
            slot.duration * 1e6,
            left=slot.start * 1e6,
            height=0.7,
            color=_COLOURS[slot.kind],
            edgecolor="white",
            linewidth=0.3 if len(slots) < 400 else 0,  # otherwise invisible between many narrow bars
        )
    places = {qubit: index for index, qubit in enumerate(template.logical)}
    names = [f"q{places[qubit]} on {qubit}" if qubit in places else str(qubit) for qubit in qubits]
    axis.set_yticks(range(len(qubits)), names, fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("µs")
    axis.spines[["top", "right"]].set_visible(False)
    kinds = {**_COLOURS, "waiting": _WAITING}
    handles = [axis.barh(0, 0, color=colour, label=kind) for kind, colour in kinds.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=4, frameon=False, fontsize=8)
    return figure
