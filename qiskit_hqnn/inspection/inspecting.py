"""What devices will do to an ansatz: every level and seed, what each costs, and which one the job manager uses."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape

import pandas as pd
from matplotlib.figure import Figure
from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.inspection.equivalence import largest_difference
from qiskit_hqnn.inspection.error_budget import error_budget
from qiskit_hqnn.inspection.pictures import draw_budget, draw_circuit, draw_layout, draw_spread
from qiskit_hqnn.inspection.predictions import Predictions
from qiskit_hqnn.inspection.timeline import draw_timeline
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.places import open_place
from qiskit_hqnn.jobs.price import SECONDS_A_JOB
from qiskit_hqnn.jobs.transpiling import LEVELS, SEEDS, ISATemplate, candidates, transpile_template

TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False)
class DeviceInspection:
    """One ansatz on one device.

    Attributes:
        device: the device.
        best: the template with the largest expected success of all that were tried.
        used: the template that the job manager uses.
        difference: largest difference between the ansatz and `best` or `used`, as `largest_difference` defines it.
        budget: expected number of failures by cause.
        successes: expected success of every seed, by level.
    """

    device: Device
    best: ISATemplate
    used: ISATemplate
    difference: float
    budget: dict[str, float]
    successes: dict[int, list[float]]

    @property
    def proven(self) -> bool:
        """Whether the ISA circuit computes the ansatz."""
        return self.difference < TOLERANCE


@dataclass(frozen=True, eq=False)
class Inspection:
    """The result of `inspect`; shows itself in a notebook.

    Attributes:
        ansatz: what was inspected.
        devices: one part for each device, in the order asked for.
        table: a row for each device and optimisation level: the best of its seeds.
        samples, shots: what the price in QPU seconds is for.
        predictions: of a trained run, its outputs on each device; empty for a circuit alone.
    """

    ansatz: Ansatz
    devices: tuple[DeviceInspection, ...]
    table: pd.DataFrame
    samples: int
    shots: int
    predictions: list[Predictions] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, Callable[[], Figure]]:
        """Pictures by name; each is drawn when called."""
        pictures: dict[str, Callable[[], Figure]] = {
            "logical circuit": lambda: draw_circuit(self.ansatz.circuit, self.ansatz.name),
            "expected success over seeds": lambda: draw_spread(
                {part.device.name: part.successes for part in self.devices}
            ),
            "expected failures by cause": lambda: draw_budget(
                {part.device.name: part.budget for part in self.devices}
            ),
        }
        for part in self.devices:
            name = part.device.name
            pictures[f"{name}: layout"] = partial(draw_layout, part.device, part.best)
            pictures[f"{name}: timeline"] = partial(draw_timeline, part.device, part.best)
            pictures[f"{name}: ISA circuit"] = partial(
                draw_circuit, part.best.circuit, f"{self.ansatz.name} on {name}"
            )
        return pictures

    def _repr_html_(self) -> str:
        parts = [
            f"<h1>{escape(self.ansatz.name)} on {escape(', '.join(p.device.name for p in self.devices))}</h1>"
        ]
        parts.append(f"<p>{escape(self.ansatz.reference)}</p><p>{escape(self.verdict)}</p>")
        parts.append(
            f'<div class="wide">{self.table.to_html(index=False, border=0, float_format="%.4g")}</div>'
            f"<p>Each row is the best of its seeds. QPU seconds are for {self.samples:,} samples at {self.shots:,} "
            "shots. The job manager uses the row marked “used”.</p>"
        )
        parts += [predictions.html() for predictions in self.predictions]
        for name, draw in self.figures.items():
            picture = base64.b64encode(_png(draw())).decode()
            parts.append(
                f'<h2>{escape(name)}</h2><div class="wide"><img alt="{escape(name)}" '
                f'src="data:image/png;base64,{picture}"></div>'
            )
        return "\n".join(parts)

    @property
    def verdict(self) -> str:
        """Which device is best, and whether every ISA circuit was proven to compute the ansatz."""
        best = max(self.devices, key=lambda part: part.best.expected_success)
        broken = [part.device.name for part in self.devices if not part.proven]
        proof = (
            f"NOT EQUIVALENT on {', '.join(broken)}: the ISA circuit does not compute the ansatz."
            if broken
            else "Every ISA circuit computes the ansatz: outputs at random parameters (of large "
            f"circuits: whole states) agree to {max(part.difference for part in self.devices):.1e}."
        )
        return f"Largest expected success: {best.best.expected_success:.3f} on {best.device.name}. {proof}"

    def page(self) -> str:
        """One self-contained HTML page."""
        style = (
            "body{font:16px/1.5 system-ui,sans-serif;max-width:80rem;margin:0 auto;padding:1.5rem}"
            "h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}.wide{overflow-x:auto}"
            "img{max-width:100%;background:white}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
            "td,th{padding:.3rem .7rem;text-align:right;border-bottom:1px solid #8884;white-space:nowrap}"
            "td:first-child,th:first-child{text-align:left}@media(max-width:40rem){body{padding:1rem}.wide img{"
            "max-width:none;width:44rem}}:root{color-scheme:light dark}"
        )
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.ansatz.name)} – qiskit_hqnn</title><style>{style}</style></head><body>"
            f"{self._repr_html_()}</body></html>"
        )


def inspect(
    ansatz: Ansatz,
    devices: Sequence[str],
    seeds: int = SEEDS,
    levels: Sequence[int] = (0, 1, 2, 3),
    samples: int = 100,
    shots: int = 1000,
    progress: Callable[[str], None] | None = None,
) -> Inspection:
    """Transpile an ansatz for devices at every level and seed, and compare.

    Args:
        ansatz: the circuit; its parameters stay open.
        devices: words such as "fake_fez".
        seeds: transpiler seeds for each level.
        levels: optimisation levels, 0 to 3.
        samples, shots: what the price is for.
        progress: told each finished device.

    Raises:
        DeviceError: if a device is unknown or too small.
        HQNNError: if a level or a count is out of range.
    """
    if not devices:
        raise HQNNError("At least one device is needed, such as 'fake_fez'.")
    if not levels or any(level not in (0, 1, 2, 3) for level in levels):
        raise HQNNError(f"Optimisation levels must be from 0 to 3, but are {list(levels)}.")
    if min(seeds, samples, shots) < 1:
        raise HQNNError(
            f"Seeds, samples and shots must be at least 1, but are {seeds}, {samples} and {shots}."
        )
    parts, rows = [], []
    for word in devices:
        device, _ = open_place(word)
        target = _target(device)
        found = candidates(ansatz.circuit, device, range(seeds), levels)
        used = _used(ansatz.circuit, device, found)
        best = max(found[0], used, key=lambda template: template.expected_success)
        for level in levels:
            of_level = [template for template in found if template.level == level]
            rows.append(_row(device, target, of_level[0], samples, shots, used))
        if used.level not in levels or used.seed >= seeds:
            rows.append(_row(device, target, used, samples, shots, used))
        successes = {
            level: [template.expected_success for template in found if template.level == level]
            for level in levels
        }
        # Both are proven: the best is exported, the other one is what the job manager sends.
        shown = [best] if best is used else [best, used]
        difference = max(largest_difference(ansatz, template) for template in shown)
        parts.append(DeviceInspection(device, best, used, difference, error_budget(best, target), successes))
        if progress:
            progress(word)
    return Inspection(ansatz, tuple(parts), pd.DataFrame(rows), samples, shots)


def _used(circuit: QuantumCircuit, device: Device, found: Sequence[ISATemplate]) -> ISATemplate:
    """The job manager's template; found among these where they hold all that it tries."""
    tried = {(level, seed) for level in LEVELS for seed in range(SEEDS)}
    ours = [template for template in found if (template.level, template.seed) in tried]
    return ours[0] if len(ours) == len(tried) else transpile_template(circuit, device)


def _target(device: Device) -> Target:
    if device.target is None:
        raise HQNNError(f"{device.name!r} takes any gate and makes no error: there is nothing to inspect.")
    return device.target


def _row(
    device: Device, target: Target, template: ISATemplate, samples: int, shots: int, used: ISATemplate
) -> dict[str, object]:
    circuit = template.circuit
    counts = circuit.count_ops()
    two = sum(count for name, count in counts.items() if target.operation_from_name(name).num_qubits == 2)
    same = (template.seed, template.level) == (used.seed, used.level)
    return {
        "device": device.name,
        "level": template.level,
        "seed": template.seed,
        "expected success": template.expected_success,
        "two-qubit gates": two,
        "two-qubit depth": circuit.depth(lambda step: step.operation.num_qubits == 2),
        "gates": sum(counts.values()),
        "depth": circuit.depth(),
        "duration, µs": template.duration * 1e6,
        "qubits": " ".join(map(str, template.logical)),
        "QPU seconds": SECONDS_A_JOB + samples * shots * (device.rep_delay + template.duration),
        "": "used" if same else "",
    }


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, bbox_inches="tight")
    return file.getvalue()
