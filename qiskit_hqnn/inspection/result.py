"""The result of an inspection: table, proof, budget, pictures, and one page of it all."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from html import escape

import pandas as pd
from matplotlib.figure import Figure

from qiskit_hqnn._page import page
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.inspection.candidates import HEADINGS, Row
from qiskit_hqnn.inspection.pictures import draw_budget, draw_circuit, draw_layout, draw_spread
from qiskit_hqnn.inspection.predictions import Predictions
from qiskit_hqnn.inspection.tiling import TilesOnDevice, draw_regions
from qiskit_hqnn.inspection.timeline import draw_timeline
from qiskit_hqnn.jobs.devices import Device, ISATemplate

TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False)
class DeviceInspection:
    """One ansatz on one device.

    Attributes:
        device: the device.
        best: the template with the largest expected success of all that were tried.
        used: the template that the job manager uses.
        difference: largest difference between the ansatz and `best` or `used`, as `largest_difference` defines it; nan
            if it is unknown.
        budget: of `best`: expected number of failures by cause.
        used_budget: the same of `used`.
        successes: expected success of every seed, by level.
        fractional: whether the device's fractional gates are used, and what the alternative would give and
            cost; empty if it has none.
        tiles: the regions on which it runs side by side, if requested.
    """

    device: Device
    best: ISATemplate
    used: ISATemplate
    difference: float
    budget: dict[str, float]
    used_budget: dict[str, float]
    successes: dict[int, list[float]]
    fractional: str = ""
    tiles: TilesOnDevice | None = None

    @property
    def proven(self) -> bool:
        """Whether the ISA circuits compute the ansatz."""
        return self.difference < TOLERANCE

    def as_dict(self) -> dict[str, object]:
        """All of it but the circuits, in JSON's own types."""
        return {
            "device": self.device.name,
            "proof": {
                "equivalent": self.proven,
                "largest_difference": None if math.isnan(self.difference) else self.difference,
                "tolerance": TOLERANCE,
            },
            "best": _template(self.best) | {"error_budget": self.budget},
            "used": _template(self.used) | {"error_budget": self.used_budget},
            "expected_success_of_seeds": {str(level): values for level, values in self.successes.items()},
            "fractional": self.fractional,
            **({} if self.tiles is None else {"tiles": self.tiles.as_dict()}),
        }


def _template(template: ISATemplate) -> dict[str, object]:
    return {
        "level": template.level,
        "seed": template.seed,
        "expected_success": template.expected_success,
        "qubits": list(template.logical),
    }


@dataclass(frozen=True, eq=False)
class Inspection:
    """The result of `inspect`; notebooks show it.

    Attributes:
        ansatz: what was inspected; of a run with its trained weights.
        devices: one part for each device, in the order asked for.
        table: the candidates, best first: of each device and optimisation level the best of its seeds, and what the
            job manager uses, marked by "used". A list of rows; `pandas.DataFrame(table)` takes it.
        samples, shots: of the price.
        circuits: sets of values per sample.
        predictions: of a trained run, its outputs on each device; empty for a circuit alone.
    """

    ansatz: Ansatz
    devices: tuple[DeviceInspection, ...]
    table: list[Row]
    samples: int
    shots: int
    circuits: int = 1
    predictions: list[Predictions] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, Callable[[], Figure]]:
        """Pictures by name; each is drawn when called."""
        pictures: dict[str, Callable[[], Figure]] = {
            "expected success over seeds": lambda: draw_spread(
                {part.device.name: part.successes for part in self.devices}
            ),
            "expected failures by cause": lambda: draw_budget(
                {part.device.name: part.budget for part in self.devices}
            ),
        }
        for part in self.devices:
            if part.tiles is not None:
                pictures[f"{part.device.name}: regions side by side"] = partial(draw_regions, part.tiles)
        for part in self.devices:
            pictures[f"{part.device.name}: layout"] = partial(draw_layout, part.device, part.best)
            pictures[f"{part.device.name}: timeline"] = partial(draw_timeline, part.device, part.best)
        # Circuits may be long, so everything short comes before them.
        pictures["logical circuit"] = partial(draw_circuit, self.ansatz.circuit)
        for part in self.devices:
            pictures[f"{part.device.name}: ISA circuit"] = partial(draw_circuit, part.best.circuit)
        return pictures

    @property
    def verdict(self) -> str:
        """The best device, what the job manager would do there, and whether every ISA circuit was proven."""
        best = max(self.devices, key=lambda part: part.best.expected_success)
        used = max(self.devices, key=lambda part: part.used.expected_success)
        unknown = [part.device.name for part in self.devices if math.isnan(part.difference)]
        broken = [part.device.name for part in self.devices if part.difference >= TOLERANCE]
        proof = (
            f"NOT EQUIVALENT on {', '.join(broken)}: the ISA circuit does not compute the ansatz."
            if broken
            else f"Not proven on {', '.join(unknown)}: too many qubits to simulate, and the transpiler has computed "
            "new angles for fixed gates; level 0 or 1 keeps them."
            if unknown
            else "Every ISA circuit computes the ansatz: outputs at random parameters (of large "
            f"circuits: whole states) agree to {max(part.difference for part in self.devices):.1e}."
        )
        choice = (
            "the job manager's own choice"
            if best.best is best.used
            else f"the job manager's own choice reaches {used.used.expected_success:.3f} on {used.device.name}"
        )
        return (
            f"Largest expected success: {best.best.expected_success:.3f} on {best.device.name} (level "
            f"{best.best.level}, seed {best.best.seed}), {choice}. {proof}"
        )

    @property
    def fractional_notes(self) -> str:
        """How fractional gates are used, a line for each device that has them."""
        return "\n".join(part.fractional for part in self.devices if part.fractional)

    @property
    def price_note(self) -> str:
        """What is priced."""
        if not self.ansatz.circuit.parameters:
            return f"QPU seconds are for the circuit at {self.shots:,} shots of each measured basis."
        sets = f", {self.circuits:,} circuits each," if self.circuits > 1 else ""
        return (
            f"QPU seconds are the job manager's price of {self.samples:,} samples{sets} at {self.shots:,} shots of "
            "each measured basis."
        )

    def as_dict(self) -> dict[str, object]:
        """Everything but circuits and pictures in JSON's own types; of the same shape for circuits and runs."""
        return {
            "ansatz": {
                "name": self.ansatz.name,
                "reference": self.ansatz.reference,
                "qubits": self.ansatz.num_qubits,
                "inputs": self.ansatz.num_inputs,
                "weights": self.ansatz.num_weights,
                "outputs": self.ansatz.num_outputs,
            },
            "price_for": {"samples": self.samples, "circuits": self.circuits, "shots": self.shots},
            "verdict": self.verdict,
            "equivalent": all(part.proven for part in self.devices),
            "devices": [part.as_dict() for part in self.devices],
            "table": self.table,
            "predictions": [part.as_dict() for part in self.predictions],
        }

    def shown_table(self) -> pd.DataFrame:
        """The printed table: fewer columns, with headings, the job manager's rows marked."""
        shown = pd.DataFrame(self.table)[list(HEADINGS)].rename(columns=HEADINGS)
        mark = HEADINGS["used"]
        shown[mark] = ["✓" if used else "" for used in shown[mark]]
        return shown

    def _repr_html_(self) -> str:
        names = ", ".join(part.device.name for part in self.devices)
        parts = [f"<h1>{escape(self.ansatz.name)} on {escape(names)}</h1>"]
        parts.append(f"<p>{escape(self.ansatz.reference)}</p><p>{escape(self.verdict)}</p>")
        table = self.shown_table().to_html(index=False, border=0, float_format="%.4g")
        parts.append(
            f'<div class="wide">{table}</div><p>Best first. Each row is the best seed of its level, beside the '
            "expected success of the lowest; “used” marks what the job manager takes. Swaps are those that "
            "routing adds; idle time is that of all "
            f"qubits from their first gate on. {escape(self.price_note)}</p>"
        )
        parts += [f"<p>{escape(part.fractional)}</p>" for part in self.devices if part.fractional]
        parts += [f"<p>{escape(part.tiles.note)}</p>" for part in self.devices if part.tiles]
        parts += [predictions.html() for predictions in self.predictions]
        for name, draw in self.figures.items():
            picture = base64.b64encode(_png(draw())).decode()
            parts.append(
                f'<h2>{escape(name)}</h2><div class="wide"><img alt="{escape(name)}" '
                f'src="data:image/png;base64,{picture}"></div>'
            )
        return "\n".join(parts)

    def page(self) -> str:
        """One self-contained HTML page."""
        return page(
            f"{self.ansatz.name} on {', '.join(part.device.name for part in self.devices)}",
            self._repr_html_(),
        )


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, bbox_inches="tight")
    return file.getvalue()
