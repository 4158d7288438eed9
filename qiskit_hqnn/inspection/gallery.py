"""The gallery: every published ansatz as OpenQASM 3, a drawing, and a page."""

from __future__ import annotations

from pathlib import Path

from qiskit import qasm3

from qiskit_hqnn.circuits import ANSATZE, Ansatz
from qiskit_hqnn.inspection.inspecting import Inspection, inspect

DEVICES = ("fake_fez", "fake_torino", "fake_brisbane")
"""Devices whose cost the pages give."""
SEEDS = 4
"""Transpiler seeds for each of them."""
LEVELS = (2, 3)


def write_gallery(folder: Path, seeds: int = SEEDS) -> list[Path]:
    """Write NAME.qasm, NAME.png and NAME.md for each ansatz, and README.md over all."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    overview = [
        "# Circuits\n",
        "The published ansätze. Written by `hqnn gallery`; a test holds the QASM files.\n",
    ]
    for name, factory in ANSATZE.items():
        ansatz = factory()
        inspection = inspect(ansatz, DEVICES, seeds=seeds, levels=LEVELS)
        figure = ansatz.circuit.draw("mpl", fold=24, scale=0.7)
        figure.savefig(folder / f"{name}.png", dpi=80, bbox_inches="tight")
        _write(folder / f"{name}.qasm", qasm_of(ansatz))
        _write(folder / f"{name}.md", page_of(ansatz, inspection))
        written += [folder / f"{name}{suffix}" for suffix in (".qasm", ".png", ".md")]
        overview.append(
            f"## [{name}]({name}.md)\n\n{ansatz.reference}. {ansatz.num_qubits} qubits, {ansatz.num_inputs} inputs, "
            f"{ansatz.num_weights} weights, {ansatz.num_outputs} outputs. [OpenQASM 3]({name}.qasm)\n"
        )
        if len(ansatz.circuit.data) < 120:
            overview.append(f"![{name}]({name}.png)\n")
    _write(folder / "README.md", "\n".join(overview))
    return [*written, folder / "README.md"]


def qasm_of(ansatz: Ansatz) -> str:
    """The ansatz as OpenQASM 3, with its open parameters as inputs."""
    return qasm3.dumps(ansatz.circuit)


def page_of(ansatz: Ansatz, inspection: Inspection) -> str:
    """The ansatz's page in Markdown."""
    observables = "\n".join(
        f"- output {index}: " + " + ".join(f"{c.real:g}·{label}" for label, c in observable.to_list())
        for index, observable in enumerate(ansatz.observables)
    )
    columns = [
        "device",
        "expected success",
        "two-qubit gates",
        "two-qubit depth",
        "duration, µs",
        "QPU seconds",
    ]
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    for part in inspection.devices:
        rows = inspection.table[inspection.table["device"] == part.device.name]
        row = rows.loc[rows["expected success"].idxmax()]
        cells = [f"{row[c]:.3g}" if isinstance(row[c], float) else str(row[c]) for c in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return (
        f"# {ansatz.name}\n\n{ansatz.reference}\n\n![{ansatz.name}]({ansatz.name}.png)\n\n"
        f"- {ansatz.num_qubits} qubits; qubit 0 is the first qubit of the paper\n"
        f"- {ansatz.num_inputs} inputs, {ansatz.num_weights} weights\n{observables}\n\n"
        "Leftmost letter: last qubit.\n\n## On devices\n\n" + "\n".join(lines) + "\n\n"
        f"The best of several seeds by the snapshot's calibration; QPU seconds for {inspection.samples} samples at "
        f"{inspection.shots:,} shots.\n\n[OpenQASM 3]({ansatz.name}.qasm) · `hqnn circuits show {ansatz.name}` · "
        f"`hqnn inspect {ansatz.name} --where fake_fez`\n"
    )


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
