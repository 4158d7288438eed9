"""A planned request in words: what is measured, and which circuits go out how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qiskit_hqnn.jobs.estimation.expectations import errors_are_bounds

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.adapters import SamplingRequest
    from qiskit_hqnn.jobs.estimation.measurement import Measurement
    from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions

COLUMNS = (
    "circuits",
    "sets",
    "shots",
    "executions",
    "measured qubits",
    "two-qubit gates",
    "two-qubit depth",
    "µs each",
)


class Planned(Protocol):
    """What is said of an `Estimation`."""

    @property
    def measurement(self) -> Measurement: ...
    @property
    def sets_at(self) -> np.ndarray: ...
    @property
    def shots(self) -> int: ...
    @property
    def options(self) -> MitigationOptions: ...
    @property
    def requests(self) -> Sequence[SamplingRequest]: ...
    @property
    def durations(self) -> Sequence[float]: ...


def summary(estimation: Planned) -> str:
    """What is asked, and how it is measured, in two or three lines."""
    measurement = estimation.measurement
    observables = len(measurement.constants)
    lines = [
        f"{_counted(observables, 'observable')} of {_counted(len(set(estimation.sets_at.tolist())), 'set')} of values, "
        f"{estimation.shots:,} shots each"
    ]
    bases = [
        "".join(basis.letters[qubit] for qubit in basis.qubits) + f" on qubits {_ranges(basis.qubits)}"
        for basis in measurement.bases
    ]
    if bases:
        lines.append(f"measured in {_counted(len(bases), 'basis', 'bases')}: {'; '.join(bases)}")
    options = estimation.options
    if options.active:
        chosen = [
            f"readout {options.readout}" if options.readout else "",
            f"noise factors {', '.join(map(str, options.zne))}" if options.zne else "",
            f"decoupling {options.dynamical_decoupling}" if options.dynamical_decoupling else "",
            "twirled gates" if options.twirl_gates else "",
            "twirled readout" if options.twirl_measure else "",
            f"{options.draws} draws" if options.draws > 1 else "",
        ]
        lines.append("mitigation: " + ", ".join(filter(None, chosen)))
    if errors_are_bounds(measurement, options):
        lines.append(
            f"standard errors are lower bounds: {options.draws} draws do not tell what they differ by"
        )
    return "\n".join(lines)


def groups(estimation: Planned) -> list[dict[str, str]]:
    """Requests that differ by the flips of their readout only, counted together: a row of `COLUMNS` for each kind."""
    kinds: Counter[tuple[str, ...]] = Counter()
    for request, duration in zip(estimation.requests, estimation.durations, strict=True):
        kinds[_kind(request, duration)] += 1
    rows = []
    for (sets, shots, bits, gates, depth, length), count in kinds.items():
        executions = count * int(sets) * int(shots)
        values = (
            f"{count:,}",
            f"{int(sets):,}",
            f"{int(shots):,}",
            f"{executions:,}",
            bits,
            gates,
            depth,
            length,
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def as_text(estimation: Planned) -> str:
    """The plan for a terminal."""
    rows = [dict(zip(COLUMNS, COLUMNS, strict=True)), *groups(estimation)]
    widths = {name: max(len(row[name]) for row in rows) for name in COLUMNS}
    table = ["  ".join(row[name].rjust(widths[name]) for name in COLUMNS) for row in rows]
    return "\n".join([summary(estimation), *table])


def as_html(estimation: Planned) -> str:
    """The plan for a notebook."""
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(row[name])}</td>" for name in COLUMNS) + "</tr>"
        for row in groups(estimation)
    )
    words = escape(summary(estimation)).replace("\n", "<br>")
    return f"<p>{words}</p><table><tr>{head}</tr>{body}</table>"


def _kind(request: SamplingRequest, duration: float) -> tuple[str, ...]:
    circuit = request.circuit
    # Flips of the readout differ from draw to draw by X gates, which are no part of a kind.
    gates = sum(1 for step in circuit.data if len(step.qubits) == 2 and step.operation.name != "barrier")
    depth = circuit.depth(lambda step: len(step.qubits) == 2 and step.operation.name != "barrier")
    length = f"{1e6 * duration:.1f}" if duration else "–"
    return str(request.sets), str(request.shots), str(circuit.num_clbits), str(gates), str(depth), length


def _counted(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def _ranges(numbers: tuple[int, ...]) -> str:
    """0, 1, 2, 5 as "0–2, 5"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]}–{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
