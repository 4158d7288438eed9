"""Data re-uploading for reduced Fashion-MNIST."""

from __future__ import annotations

from qiskit.circuit import ParameterVector, QuantumCircuit

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.entanglers import strongly_entangling_layer
from qiskit_hqnn.circuits.mottonen import mottonen_embedding
from qiskit_hqnn.circuits.operators import pauli_on_each
from qiskit_hqnn.errors import CircuitError


def reuploading(
    num_qubits: int = 6, depth: int = 8, *, upload_every: int = 2, entangle: bool = True
) -> Ansatz:
    """Alternating Möttönen uploads and strongly entangling layers of range 1; ⟨Z⟩ of every qubit.

    "Hybrid Quantum Neural Network for reduced MNIST Data" (October 2021); re-uploading after Pérez-Salinas et al.
    2020, arXiv:1907.02085. Every `upload_every`-th layer begins with Möttönen's whole unitary, without resetting the
    state. The inputs are its 2^n − 1 angles, the same in each upload, so each input occurs in several gates.

    Args:
        num_qubits: n; up to 2^n features.
        depth: number of layers; 3 n · depth weights.
        upload_every: 2 as published: the features are uploaded at layers 0, 2, 4, …
        entangle: False leaves out the CNOTs of the trainable layers; those of the uploads stay.

    Example:
        >>> ansatz = reuploading(num_qubits=2, depth=4)
        >>> ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs
        (3, 24, 2)
    """
    check_integer("num_qubits", num_qubits, 1, error=CircuitError)
    check_integer("depth", depth, 1, error=CircuitError)
    check_integer("upload_every", upload_every, 1, error=CircuitError)
    inputs = ParameterVector("a", 2**num_qubits - 1)
    weights = ParameterVector("w", 3 * num_qubits * depth)
    circuit = QuantumCircuit(num_qubits, name="reuploading")
    per_layer = 3 * num_qubits
    for layer in range(depth):
        if layer % upload_every == 0:
            mottonen_embedding(circuit, list(inputs))
        strongly_entangling_layer(circuit, weights[layer * per_layer : (layer + 1) * per_layer], 1, entangle)
    return Ansatz(
        circuit,
        tuple(inputs),
        tuple(weights),
        pauli_on_each("Z", num_qubits),
        reference='"Hybrid Quantum Neural Network for reduced MNIST Data" (2021); quant-ph/0407010',
        name="reuploading",
    )
