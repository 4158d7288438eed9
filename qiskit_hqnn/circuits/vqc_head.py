"""One of the ten class circuits of Rizvi et al. 2023."""

from __future__ import annotations

from qiskit.circuit import ParameterVector, QuantumCircuit

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.operators import probability_of


def vqc_head(*, entangle: bool = True) -> Ansatz:
    """The circuit that scores one class (Rizvi et al. 2023, figure 3): four angles in, p(0) of the first qubit out.

    H on all three qubits, RZ(φ1), RZ(φ2), RZ(φ3), CNOT 3 → 2, RZ(φ4) on qubit 2, CNOT 2 → 1, H on qubit 1 (the paper
    counts qubits from 1, the circuit from 0). All four angles are inputs; there is no trainable quantum weight. Use
    ten of them with `QuantumLayer(vqc_head(), copies=10)`: the predicted class has the largest p(0).

    As published, p(0) = (1 + cos φ1) / 2: X on qubit 1 commutes with the CNOT whose target is qubit 1, so φ2, φ3 and
    φ4 never reach the output and get no gradient. The circuit is the published one.

    Args:
        entangle: False leaves out the CNOTs.

    Example:
        >>> ansatz = vqc_head()
        >>> ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs
        (4, 0, 1)
    """
    phi = ParameterVector("phi", 4)
    circuit = QuantumCircuit(3, name="vqc_head")
    circuit.h(range(3))
    for qubit in range(3):
        circuit.rz(phi[qubit], qubit)
    if entangle:
        circuit.cx(2, 1)
    circuit.rz(phi[3], 1)
    if entangle:
        circuit.cx(1, 0)
    circuit.h(0)
    return Ansatz(
        circuit,
        tuple(phi),
        (),
        (probability_of(0, qubit=0, num_qubits=3),),
        reference="Rizvi et al. 2023, fig. 3",
        name="vqc-head",
    )
