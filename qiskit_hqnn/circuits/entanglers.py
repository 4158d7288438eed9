"""Trainable layers: general rotations and rings of CNOTs."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import ParameterExpression, QuantumCircuit

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.errors import CircuitError


def strongly_entangling_layer(
    circuit: QuantumCircuit,
    angles: Sequence[ParameterExpression],
    entangling_range: int = 1,
    entangle: bool = True,
) -> None:
    """Append one strongly entangling layer (Schuld et al. 2018, arXiv:1804.00633) to all qubits, in place.

    On every qubit Rot(φ, θ, ω) = RZ(ω) RY(θ) RZ(φ) (RZ(φ) acts first), then a ring of CNOTs i → (i + r) mod n.

    Args:
        circuit: n qubits.
        angles: 3n angles, radians, in the order (φ, θ, ω) of qubit 0, of qubit 1, …
        entangling_range: r, from 1 to n − 1. One qubit has no ring.
        entangle: False leaves out the ring: the control that shows what entanglement contributes.

    Raises:
        CircuitError: if there are not 3n angles, or the range does not fit.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import ParameterVector
        >>> circuit = QuantumCircuit(3)
        >>> strongly_entangling_layer(circuit, ParameterVector("w", 9))
        >>> dict(circuit.count_ops())
        {'rz': 6, 'ry': 3, 'cx': 3}
    """
    num_qubits = circuit.num_qubits
    if len(angles) != 3 * num_qubits:
        raise CircuitError(
            f"Argument `angles` must hold 3 angles for each of {num_qubits} qubits, but has {len(angles)}."
        )
    for qubit in range(num_qubits):
        phi, theta, omega = angles[3 * qubit : 3 * qubit + 3]
        circuit.rz(phi, qubit)
        circuit.ry(theta, qubit)
        circuit.rz(omega, qubit)
    if entangle and num_qubits > 1:
        check_integer("entangling_range", entangling_range, 1, num_qubits - 1, error=CircuitError)
        for control in range(num_qubits):
            circuit.cx(control, (control + entangling_range) % num_qubits)


def strongly_entangling_layers(
    circuit: QuantumCircuit, angles: Sequence[ParameterExpression], depth: int, entangle: bool = True
) -> None:
    """Append `depth` strongly entangling layers with ranges r = (layer mod (n − 1)) + 1, layers counted from 0.

    Args:
        circuit: n qubits.
        angles: 3n · depth angles, radians, layer by layer.
        depth: number of layers.
        entangle: see `strongly_entangling_layer`.

    Raises:
        CircuitError: if there are not 3n · depth angles.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import ParameterVector
        >>> circuit = QuantumCircuit(3)
        >>> strongly_entangling_layers(circuit, ParameterVector("w", 18), depth=2)
        >>> dict(circuit.count_ops())
        {'rz': 12, 'ry': 6, 'cx': 6}
    """
    per_layer = 3 * circuit.num_qubits
    if len(angles) != depth * per_layer:
        raise CircuitError(
            f"Argument `angles` must hold {per_layer} angles for each of {depth} layers, but has {len(angles)}."
        )
    for layer in range(depth):
        strongly_entangling_layer(
            circuit,
            angles[layer * per_layer : (layer + 1) * per_layer],
            entangling_range=layer_range(layer, circuit.num_qubits),
            entangle=entangle,
        )


def layer_range(layer: int, num_qubits: int) -> int:
    """The range of the CNOT ring of one layer, (layer mod (n − 1)) + 1."""
    return layer % (num_qubits - 1) + 1 if num_qubits > 1 else 1
