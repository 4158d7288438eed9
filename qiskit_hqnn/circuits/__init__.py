"""Circuit factories: the published ansätze as parameterised `QuantumCircuit`s, and their building blocks.

Qubit 0 is the first qubit of the paper. Every trainable gate angle is a Parameter of its own.
"""

from collections.abc import Callable

from qiskit_hqnn.circuits.ansatz import Ansatz, pauli_on_each, probability_of
from qiskit_hqnn.circuits.circuit_centric import circuit_centric
from qiskit_hqnn.circuits.embeddings import angle_embedding
from qiskit_hqnn.circuits.entanglers import strongly_entangling_layer, strongly_entangling_layers
from qiskit_hqnn.circuits.hqnn_parallel import hqnn_parallel
from qiskit_hqnn.circuits.hqnn_quanv import hqnn_quanv
from qiskit_hqnn.circuits.mottonen import mottonen_angles, mottonen_embedding
from qiskit_hqnn.circuits.reuploading import reuploading
from qiskit_hqnn.circuits.template import Template, make_template
from qiskit_hqnn.circuits.textbook import textbook
from qiskit_hqnn.circuits.vqc_head import vqc_head

ANSATZE: dict[str, Callable[..., Ansatz]] = {
    "hqnn-parallel": hqnn_parallel,
    "hqnn-quanv": hqnn_quanv,
    "vqc-head": vqc_head,
    "textbook": textbook,
    "circuit-centric": circuit_centric,
    "reuploading": reuploading,
}
"""The six published ansätze by the names that commands and job files use."""

__all__ = [
    "ANSATZE",
    "Ansatz",
    "Template",
    "angle_embedding",
    "circuit_centric",
    "hqnn_parallel",
    "hqnn_quanv",
    "make_template",
    "mottonen_angles",
    "mottonen_embedding",
    "pauli_on_each",
    "probability_of",
    "reuploading",
    "strongly_entangling_layer",
    "strongly_entangling_layers",
    "textbook",
    "vqc_head",
]
