"""The six published ansätze by the names that commands and job files use."""

from collections.abc import Callable

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.circuit_centric import circuit_centric
from qiskit_hqnn.circuits.hqnn_parallel import hqnn_parallel
from qiskit_hqnn.circuits.hqnn_quanv import hqnn_quanv
from qiskit_hqnn.circuits.reuploading import reuploading
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
