"""One row of the table of candidates: a template's gates, errors and cost."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TypedDict

from qiskit import QuantumCircuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import Target

from qiskit_hqnn.inspection.subjects import Subject
from qiskit_hqnn.inspection.timeline import idle_times, schedule
from qiskit_hqnn.jobs import Price, price_requests
from qiskit_hqnn.jobs.devices import Device, ISATemplate, folded, transpiled, with_device_delays
from qiskit_hqnn.jobs.estimation import prepare


class Row(TypedDict):
    """Everything about one template."""

    device: str
    level: int
    seed: int
    expected_success: float
    lowest_of_seeds: float
    median_of_seeds: float
    two_qubit_gates: int
    two_qubit_depth: int
    swaps_added: int
    gates: int
    gate_counts: str
    depth: int
    duration_us: float
    idle_us: float
    qubits: str
    executions: int
    jobs: int
    qpu_seconds: float
    used: bool


HEADINGS = {
    "device": "device",
    "used": "used",
    "expected_success": "expected success",
    "lowest_of_seeds": "lowest seed",
    "level": "level",
    "seed": "seed",
    "two_qubit_gates": "two-qubit gates",
    "two_qubit_depth": "two-qubit depth",
    "swaps_added": "swaps added",
    "duration_us": "duration, µs",
    "idle_us": "idle, µs",
    "qpu_seconds": "QPU seconds",
}
"""Columns that are shown, with their headings; a row has more."""


def row_of(
    subject: Subject,
    device: Device,
    target: Target,
    template: ISATemplate,
    of_level: Sequence[ISATemplate],
    used: ISATemplate,
    samples: int,
    shots: int,
) -> Row:
    """Everything about one template; `of_level` are those of all seeds of its level."""
    circuit = folded(template.circuit, target).circuit  # as it is sent
    counts = {name: count for name, count in circuit.count_ops().items() if name != "barrier"}
    successes = [one.expected_success for one in of_level]
    price = price_of(subject, template, device, samples, shots)
    return {
        "device": device.name,
        "level": template.level,
        "seed": template.seed,
        "expected_success": template.expected_success,
        "lowest_of_seeds": min(successes),
        "median_of_seeds": median(successes),
        "two_qubit_gates": sum(
            count for name, count in counts.items() if target.operation_from_name(name).num_qubits == 2
        ),
        "two_qubit_depth": circuit.depth(lambda step: step.operation.num_qubits == 2),
        "swaps_added": swaps_added(
            with_device_delays(subject.sent, target, device.name), device, template.seed, template.level
        ),
        "gates": sum(counts.values()),
        "gate_counts": ", ".join(f"{name} {count}" for name, count in sorted(counts.items())),
        "depth": circuit.depth(),
        "duration_us": template.duration * 1e6,
        "idle_us": sum(idle_times(schedule(template, target)).values()) * 1e6,
        "qubits": " ".join(map(str, template.logical)),
        "executions": price.executions,
        "jobs": price.jobs,
        "qpu_seconds": price.qpu_seconds,
        "used": (template.seed, template.level) == (used.seed, used.level),
    }


def price_of(subject: Subject, template: ISATemplate, device: Device, samples: int, shots: int) -> Price:
    """The job manager's price of this many samples with this template: its plan, its formula."""
    estimation = prepare(
        subject.pub(samples),
        shots,
        device,
        lambda _: (template.circuit, template.logical),
        subject.mitigation,
        seed=0,
    )
    return price_requests(estimation.requests, estimation.durations, device)


def swaps_added(circuit: QuantumCircuit, device: Device, seed: int, level: int) -> int:
    """SWAP gates that routing inserts.

    Later passes decompose them into the device's gates, so they are counted while the same seeded transpilation runs.
    """
    before, added = 0, 0

    def watch(dag: DAGCircuit, pass_: object, **_: object) -> None:
        nonlocal before, added
        swaps = dag.count_ops().get("swap", 0)
        if type(pass_).__name__ in ("SabreLayout", "SabreSwap"):
            added += swaps - before
        before = swaps

    transpiled(circuit, device, seed, level, watch)
    return added
