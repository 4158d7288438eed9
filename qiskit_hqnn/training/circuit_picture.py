"""The quantum layer's circuit in a run folder: drawn once, when the network exists."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from qiskit import QuantumCircuit
from torch import nn

from qiskit_hqnn._circuit_figure import circuit_figure
from qiskit_hqnn._files import write_json
from qiskit_hqnn.models import quantum_layer_of

CIRCUIT = "circuit.json"

_DRAWN = 150
"""Most instructions that Qiskit's drawer handles in under a second; longer circuits are drawn as text."""

_COLUMNS, _LETTERS = 24, 110


def keep_circuit(folder: Path, network: nn.Module) -> None:
    """Draw a network's circuit into circuit.json, unless it exists; nothing for a network without a circuit."""
    layer = quantum_layer_of(network)
    if layer is None or (folder / CIRCUIT).exists():
        return
    ansatz = layer.ansatz
    circuit = ansatz.circuit
    copies = (
        f"{layer.copies} of these circuits side by side, each with"
        if layer.copies > 1
        else "One circuit with"
    )
    words = (
        f"{copies} {ansatz.num_qubits} qubits, depth {circuit.depth()}, {ansatz.num_inputs} inputs, "
        f"{ansatz.num_weights} weights and {layer.neural_network.output_shape[0] // layer.copies} outputs."
    )
    content: dict[str, object] = {"words": words}
    if len(circuit.data) <= _DRAWN:
        content["svg"] = _svg(_Drawing(str(circuit.draw("text", fold=-1)), circuit))
    else:
        content["text"] = str(circuit.draw("text", fold=_LETTERS))
    write_json(folder / CIRCUIT, content)


def read_circuit(folder: Path) -> dict[str, str] | None:
    """The content of circuit.json: "words", and "svg" or "text"; None if it is missing or damaged."""
    file = folder / CIRCUIT
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        kept = {name: str(content[name]) for name in ("words", "svg", "text") if name in content}
    except (ValueError, TypeError, OSError):
        return None  # a page without its drawing still has the numbers
    return kept if len(kept) == 2 and "words" in kept else None


@dataclass(frozen=True)
class _Drawing:
    """A circuit, known by its drawing as text: it has every gate, name and angle, in a hundredth of the time."""

    text: str
    circuit: QuantumCircuit = field(compare=False)


@lru_cache(maxsize=16)  # seeds and controls of a study, and points of a sweep, have the same few circuits
def _svg(drawing: _Drawing) -> str:
    style = {"subfontsize": 9.5}
    figure = circuit_figure(drawing.circuit, fold=_COLUMNS, scale=0.6, style=style)
    file = io.StringIO()
    figure.savefig(file, format="svg", bbox_inches="tight")
    return file.getvalue()
