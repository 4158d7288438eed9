"""Embeddings: how classical features enter a circuit as gate angles."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import ParameterExpression, QuantumCircuit

from qiskit_hqnn._checks import check_choice
from qiskit_hqnn.errors import CircuitError

AXES = ("x", "y", "z")


def angle_embedding(
    circuit: QuantumCircuit,
    angles: Sequence[ParameterExpression],
    axis: str = "x",
    qubits: Sequence[int] | None = None,
) -> None:
    """Append one rotation R_axis(angle) per qubit, in place.

    Args:
        circuit: the circuit to append to.
        angles: one parameter, or expression of parameters, for each qubit; radians.
        axis: "x", "y" or "z".
        qubits: the qubits to rotate; default qubit j for angle j.

    Raises:
        CircuitError: if the axis is unknown or there are more angles than qubits.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import ParameterVector
        >>> circuit = QuantumCircuit(2)
        >>> angle_embedding(circuit, ParameterVector("x", 2), axis="y")
        >>> dict(circuit.count_ops())
        {'ry': 2}
    """
    check_choice("axis", axis, AXES, error=CircuitError)
    targets = range(len(angles)) if qubits is None else qubits
    if len(angles) != len(targets) or len(angles) > circuit.num_qubits:
        raise CircuitError(
            f"Argument `angles` must hold one angle for each rotated qubit, but has {len(angles)} for "
            f"{min(len(targets), circuit.num_qubits)} qubits."
        )
    rotate = {"x": circuit.rx, "y": circuit.ry, "z": circuit.rz}[axis]
    for angle, qubit in zip(angles, targets, strict=True):
        rotate(angle, qubit)
