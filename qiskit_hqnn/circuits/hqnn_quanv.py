"""The quanvolutional kernel of HQNN-Quanv (Senokosov et al. 2024, section 2.3), in several readings of the text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qiskit.circuit import ParameterVector, QuantumCircuit

from qiskit_hqnn._checks import check_choice, check_integer
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.embeddings import angle_embedding
from qiskit_hqnn.circuits.operators import pauli_on_each
from qiskit_hqnn.errors import CircuitError


@dataclass(frozen=True)
class Reading:
    """What the text leaves open about one trainable layer.

    Attributes:
        trainable: axis of the trainable rotations.
        cnots: (control, target) of the CNOTs on n qubits, in order.
        front: qubits with a rotation before the CNOTs; None is all.
        behind: qubits with a rotation about Y after the CNOTs.
    """

    trainable: str
    cnots: Callable[[int], Sequence[tuple[int, int]]]
    front: tuple[int, ...] | None = None
    behind: tuple[int, ...] = ()


READINGS = {
    "chain": Reading("x", lambda n: [(k, k + 1) for k in range(n - 1)]),
    "star": Reading("y", lambda n: [(k, 0) for k in range(1, n)]),
    "upward": Reading("y", lambda n: [(k, k + 1) for k in reversed(range(n - 1))]),
    "pairs": Reading("y", lambda n: [(k, k + 1) for start in (0, 1) for k in range(start, n - 1, 2)]),
    "replicas": Reading("x", lambda n: [(2, 3), (0, 2), (0, 3)], front=(0, 1), behind=(0, 3)),
}
"""The readings by name; "chain" is that of the first release, whose weights only scale whole channels."""


def hqnn_quanv(
    num_qubits: int = 4,
    depth: int = 1,
    *,
    rotation: str = "y",
    trainable: str | None = None,
    reading: str = "chain",
    entangle: bool = True,
) -> Ansatz:
    """The circuit that reads one image patch (Senokosov et al. 2024, arXiv:2304.09224, section 2.3).

    R_rotation(π · pixel) on every qubit, then `depth` times one trainable rotation per qubit and CNOTs; output ⟨Z⟩ of
    every qubit: one channel each. Pixels lie in [0, 1]. The text gives four rotations with one weight each and three
    CNOTs, but neither the axis and place of the rotations nor the wires of the CNOTs (figure 7 is the network), so
    these are a `reading`:

    - "chain": RX, then CNOTs 0 → 1 → 2 → 3. Its outputs are Π_{j ≤ k} cos w_j · cos πx_j: weights only scale channels.
    - "star": RY, then CNOTs 1 → 0, 2 → 0, 3 → 0.
    - "upward": RY, then CNOTs 2 → 3, 1 → 2, 0 → 1.
    - "pairs": RY, then CNOTs 0 → 1, 2 → 3, 1 → 2.
    - "replicas": RX on qubits 0 and 1, then CNOTs 2 → 3, 0 → 2, 0 → 3, then RY on qubits 0 and 3; four qubits only.

    Args:
        num_qubits: pixels of a patch; 4 for the published 2×2 kernel.
        depth: number of trainable layers; n · depth weights.
        rotation: axis of the embedding, "y" (published), "x" or "z".
        trainable: axis of the trainable rotations before the CNOTs; None is the reading's.
        reading: one of those above.
        entangle: False leaves out the CNOTs.

    Raises:
        CircuitError: if a number or a word is not allowed, or "replicas" does not have four qubits.

    Example:
        >>> ansatz = hqnn_quanv(reading="star")
        >>> ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs
        (4, 4, 4)
    """
    check_integer("num_qubits", num_qubits, 1, error=CircuitError)
    check_integer("depth", depth, 1, error=CircuitError)
    chosen, front = _reading(reading, num_qubits)
    inputs = ParameterVector("x", num_qubits)
    weights = ParameterVector("w", num_qubits * depth)
    circuit = QuantumCircuit(num_qubits, name="hqnn_quanv")
    angle_embedding(circuit, [math.pi * pixel for pixel in inputs], rotation)
    for layer in range(depth):
        angles = weights[layer * num_qubits : (layer + 1) * num_qubits]
        angle_embedding(circuit, angles[: len(front)], trainable or chosen.trainable, front)
        for control, target in chosen.cnots(num_qubits) if entangle else []:
            circuit.cx(control, target)
        angle_embedding(circuit, angles[len(front) :], "y", chosen.behind)
    return Ansatz(
        circuit,
        tuple(inputs),
        tuple(weights),
        pauli_on_each("Z", num_qubits),
        reference="Senokosov et al. 2024, arXiv:2304.09224, section 2.3",
        name="hqnn-quanv",
    )


def _reading(word: str, num_qubits: int) -> tuple[Reading, tuple[int, ...]]:
    """A reading, and the qubits with a rotation before its CNOTs."""
    check_choice("reading", word, READINGS, error=CircuitError)
    reading = READINGS[word]
    front = tuple(range(num_qubits)) if reading.front is None else reading.front
    if len(front) + len(reading.behind) != num_qubits:
        raise CircuitError(
            f"Reading {word!r} of hqnn-quanv must have 4 qubits, but `num_qubits` is {num_qubits}."
        )
    return reading, front
