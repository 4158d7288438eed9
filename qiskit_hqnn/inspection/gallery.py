"""The gallery: every published ansatz as OpenQASM 3, a drawing, and a page."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from qiskit import qasm3

from qiskit_hqnn._files import write_text, write_whole
from qiskit_hqnn.circuits import ANSATZE, Ansatz
from qiskit_hqnn.inspection.candidates import HEADINGS
from qiskit_hqnn.inspection.inspecting import inspect
from qiskit_hqnn.inspection.pictures import draw_circuit
from qiskit_hqnn.inspection.result import Inspection

DEVICES = ("fake_fez", "fake_torino", "fake_brisbane")
"""Devices for which the pages give the cost."""
SEEDS = 4
"""Transpiler seeds for each of them."""
LEVELS = (2, 3)
COLUMNS = 18
"""Gates in a row of a drawing."""
_SHORT = 120
"""Circuits of fewer gates are drawn in the overview."""

_COST = {
    column: HEADINGS[column]
    for column in (
        "device",
        "expected_success",
        "two_qubit_gates",
        "two_qubit_depth",
        "swaps_added",
        "duration_us",
        "idle_us",
        "qpu_seconds",
    )
}


def write_gallery(folder: Path, seeds: int = SEEDS) -> list[Path]:
    """Write NAME.qasm, NAME.png and NAME.md for each ansatz, and README.md for all."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    overview = [
        "# Circuits\n",
        "The published ansätze, as files and pages to look at. Written by `hqnn gallery`; tests hold the QASM files, "
        "the pages and the drawings. The factories that make them are the package `qiskit_hqnn.circuits`.\n",
    ]
    for name, factory in ANSATZE.items():
        ansatz = factory()
        inspection = inspect(ansatz, DEVICES, seeds=seeds, levels=LEVELS)
        _draw(ansatz, folder / f"{name}.png")
        write_text(folder / f"{name}.qasm", qasm_of(ansatz))
        write_text(folder / f"{name}.md", page_of(ansatz, inspection))
        written += [folder / f"{name}{suffix}" for suffix in (".qasm", ".png", ".md")]
        overview.append(
            f"## [{name}]({name}.md)\n\n{ansatz.reference}. {_counted(ansatz.num_qubits, 'qubit')}, "
            f"{_counted(ansatz.num_inputs, 'input')}, {_counted(ansatz.num_weights, 'weight')}, "
            f"{_counted(ansatz.num_outputs, 'output')}. [OpenQASM 3]({name}.qasm)\n"
        )
        if len(ansatz.circuit.data) < _SHORT:
            overview.append(f"![{name}]({name}.png)\n")
        else:
            gates = len(ansatz.circuit.data)
            overview.append(f"[The drawing]({name}.png) of its {gates} gates takes several screens.\n")
    write_text(folder / "README.md", "\n".join(overview))
    return [*written, folder / "README.md"]


def _draw(ansatz: Ansatz, path: Path) -> None:
    """A PNG, wrapped so that its angles can be read where a page is 900 pixels wide."""
    file = io.BytesIO()
    draw_circuit(ansatz.circuit, columns=COLUMNS).savefig(file, dpi=150, bbox_inches="tight")
    few = Image.open(file).convert("RGB").quantize(64)  # a quarter of the bytes, without a visible difference
    write_whole(path, lambda beside: few.save(beside, format="png", optimize=True))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def qasm_of(ansatz: Ansatz) -> str:
    """The ansatz as OpenQASM 3, with its open parameters as inputs."""
    return qasm3.dumps(ansatz.circuit)


def page_of(ansatz: Ansatz, inspection: Inspection) -> str:
    """The ansatz's page in Markdown."""
    observables = "\n".join(
        f"- output {index}: " + " + ".join(f"{c.real:g}·{label}" for label, c in observable.to_list())
        for index, observable in enumerate(ansatz.observables)
    )
    lines = ["| " + " | ".join(_COST.values()) + " |", "|---|" + "--:|" * (len(_COST) - 1)]
    for part in inspection.devices:
        row = dict(next(row for row in inspection.table if row["device"] == part.device.name))  # best first
        cells = [f"{row[c]:.3g}" if isinstance(row[c], float) else str(row[c]) for c in _COST]
        lines.append("| " + " | ".join(cells) + " |")
    return (
        f"# {ansatz.name}\n\n{ansatz.reference}\n\n![{ansatz.name}]({ansatz.name}.png)\n\n"
        f"- {_counted(ansatz.num_qubits, 'qubit')}; qubit 0 is the first qubit of the paper\n"
        f"- {_counted(ansatz.num_inputs, 'input')}, {_counted(ansatz.num_weights, 'weight')}\n{observables}\n\n"
        "Leftmost letter: last qubit.\n\n## On devices\n\n" + "\n".join(lines) + "\n\n"
        f"The best of several seeds by the snapshot's calibration. {inspection.price_note}\n\n"
        f"[OpenQASM 3]({ansatz.name}.qasm) · `hqnn circuits show {ansatz.name}` · "
        f"`hqnn inspect {ansatz.name} --where fake_fez`\n"
    )
