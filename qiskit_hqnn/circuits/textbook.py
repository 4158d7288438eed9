"""The one-qubit circuit of the Qiskit textbook's hybrid network."""

from __future__ import annotations

from qiskit.circuit import Parameter, QuantumCircuit

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.operators import probability_of


def textbook() -> Ansatz:
    """H, RY(θ), P(1) of one qubit: P(1) = (1 + sin θ) / 2 (Qiskit textbook, hybrid networks chapter).

    θ is the input, the output of the preceding classical layer; there is no trainable quantum weight and nothing to
    entangle.

    Example:
        >>> textbook().observables  # P(1)
        (SparsePauliOp(['I', 'Z'],
                      coeffs=[ 0.5+0.j, -0.5+0.j]),)
    """
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, name="textbook")
    circuit.h(0)
    circuit.ry(theta, 0)
    return Ansatz(
        circuit,
        (theta,),
        (),
        (probability_of(1, qubit=0, num_qubits=1),),
        reference="Qiskit textbook, Hybrid quantum-classical neural networks with PyTorch and Qiskit",
        name="textbook",
    )
