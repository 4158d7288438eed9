"""The quantum layer of HQNN-Parallel (Senokosov et al. 2024, section 2.2)."""

from __future__ import annotations

from qiskit.circuit import ParameterVector, QuantumCircuit

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.embeddings import angle_embedding
from qiskit_hqnn.circuits.entanglers import strongly_entangling_layers
from qiskit_hqnn.circuits.operators import pauli_on_each
from qiskit_hqnn.errors import CircuitError


def hqnn_parallel(
    num_qubits: int = 5,
    depth: int = 3,
    *,
    rotation: str = "x",
    measured: str = "Y",
    entangle: bool = True,
) -> Ansatz:
    """One of the c parallel circuits of HQNN-Parallel (Senokosov et al. 2024, arXiv:2304.09224, eqs. (1) and (2)).

    R_rotation(x_j) on qubit j, then `depth` strongly entangling layers, then ⟨P_j⟩ on every qubit. Run c of them side
    by side with `QuantumLayer(hqnn_parallel(), copies=c)`; the paper's best is q = 5, i = 3, c = 4.

    Args:
        num_qubits: q, also the number of inputs and of outputs.
        depth: i, the number of strongly entangling layers; 3 q i weights.
        rotation: axis of the embedding, "x" (published), "y" or "z".
        measured: Pauli measured on every qubit, "Y" (published), "X" or "Z".
        entangle: False leaves out the CNOTs.

    Raises:
        CircuitError: if an argument is out of range.

    Example:
        >>> ansatz = hqnn_parallel(num_qubits=5, depth=3)
        >>> ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs
        (5, 45, 5)
    """
    check_integer("num_qubits", num_qubits, 1, error=CircuitError)
    check_integer("depth", depth, 1, error=CircuitError)
    inputs = ParameterVector("x", num_qubits)
    weights = ParameterVector("w", 3 * num_qubits * depth)
    circuit = QuantumCircuit(num_qubits, name="hqnn_parallel")
    angle_embedding(circuit, list(inputs), rotation)
    strongly_entangling_layers(circuit, list(weights), depth, entangle)
    return Ansatz(
        circuit,
        tuple(inputs),
        tuple(weights),
        pauli_on_each(measured, num_qubits),
        reference="Senokosov et al. 2024, arXiv:2304.09224, eq. (1)",
        name="hqnn-parallel",
    )
