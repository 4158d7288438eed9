"""The quanvolutional kernel of HQNN-Quanv (Senokosov et al. 2024, section 2.3)."""

from __future__ import annotations

import math

from qiskit.circuit import ParameterVector, QuantumCircuit

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.embeddings import angle_embedding
from qiskit_hqnn.circuits.operators import pauli_on_each
from qiskit_hqnn.errors import CircuitError


def hqnn_quanv(
    num_qubits: int = 4, depth: int = 1, *, rotation: str = "y", trainable: str = "x", entangle: bool = True
) -> Ansatz:
    """The circuit that reads one image patch (Senokosov et al. 2024, arXiv:2304.09224, figure 6).

    R_rotation(π · pixel) on every qubit, then `depth` times one trainable rotation a qubit and CNOTs
    0 → 1 → … → n − 1; output ⟨Z⟩ of every qubit: one channel each. Pixels lie in [0, 1]. The text does not name the
    axis of the trainable rotations; the figure shows RX.

    Args:
        num_qubits: pixels of a patch; 4 for the published 2×2 kernel.
        depth: number of trainable layers; n · depth weights.
        rotation: axis of the embedding, "y" (published), "x" or "z".
        trainable: axis of the trainable rotations, "x" (published), "y" or "z".
        entangle: False leaves out the CNOTs.

    Example:
        >>> ansatz = hqnn_quanv()
        >>> ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs
        (4, 4, 4)
    """
    check_integer("num_qubits", num_qubits, 1, error=CircuitError)
    check_integer("depth", depth, 1, error=CircuitError)
    inputs = ParameterVector("x", num_qubits)
    weights = ParameterVector("w", num_qubits * depth)
    circuit = QuantumCircuit(num_qubits, name="hqnn_quanv")
    angle_embedding(circuit, [math.pi * pixel for pixel in inputs], rotation)
    for layer in range(depth):
        angle_embedding(circuit, weights[layer * num_qubits : (layer + 1) * num_qubits], trainable)
        if entangle:
            for control in range(num_qubits - 1):
                circuit.cx(control, control + 1)
    return Ansatz(
        circuit,
        tuple(inputs),
        tuple(weights),
        pauli_on_each("Z", num_qubits),
        reference="Senokosov et al. 2024, arXiv:2304.09224, fig. 6",
        name="hqnn-quanv",
    )
