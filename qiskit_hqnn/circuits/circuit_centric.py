"""The circuit-centric classifier (Schuld et al. 2018) on amplitude-embedded digits."""

from __future__ import annotations

from qiskit.circuit import ParameterVector, QuantumCircuit

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.entanglers import strongly_entangling_layers
from qiskit_hqnn.circuits.mottonen import mottonen_embedding
from qiskit_hqnn.circuits.operators import pauli_on_each
from qiskit_hqnn.errors import CircuitError


def circuit_centric(
    num_qubits: int = 7, depth: int = 2, *, num_outputs: int | None = None, entangle: bool = True
) -> Ansatz:
    """Amplitude embedding and strongly entangling layers (Schuld et al. 2018, arXiv:1804.00633, figure 4).

    The inputs are the 2^n − 1 RY angles of Möttönen's circuit; `mottonen_angles(features)` (NumPy) or
    `qiskit_hqnn.layers.AmplitudeAngles` (torch, differentiable) computes them from up to 2^n features, padded with
    zeros and normalised. Outputs: ⟨Z⟩ of each qubit. The text measures 7 qubits for 64 features.

    Args:
        num_qubits: n; up to 2^n features.
        depth: number of strongly entangling layers; 3 n · depth weights.
        num_outputs: number of outputs, ⟨Z⟩ of the first qubits; default all. The small binary example has 1.
        entangle: False leaves out the CNOTs of the trainable layers; those of the embedding stay.

    Example:
        >>> ansatz = circuit_centric(num_qubits=3)
        >>> ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs
        (7, 18, 3)
    """
    check_integer("num_qubits", num_qubits, 1, error=CircuitError)
    check_integer("depth", depth, 1, error=CircuitError)
    outputs = check_integer(
        "num_outputs", num_qubits if num_outputs is None else num_outputs, 1, num_qubits, error=CircuitError
    )
    inputs = ParameterVector("a", 2**num_qubits - 1)
    weights = ParameterVector("w", 3 * num_qubits * depth)
    circuit = QuantumCircuit(num_qubits, name="circuit_centric")
    mottonen_embedding(circuit, list(inputs))
    strongly_entangling_layers(circuit, list(weights), depth, entangle)
    return Ansatz(
        circuit,
        tuple(inputs),
        tuple(weights),
        pauli_on_each("Z", num_qubits)[:outputs],
        reference="Schuld et al. 2018, arXiv:1804.00633, fig. 4; Möttönen et al. 2004, quant-ph/0407010",
        name="circuit-centric",
    )
