"""Amplitude embedding by Möttönen's circuit for real amplitudes (Möttönen et al. 2004, quant-ph/0407010).

A cascade of uniformly controlled RY rotations, each resolved into 2^k RY gates and 2^k CNOTs along a Gray code:
2^n − 1 angles in all. The circuit is a *unitary*, so it may be in mid-circuit, where data re-uploading needs it;
Qiskit's `initialize` would reset the qubits there, and a different synthesis would be a different unitary.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from qiskit.circuit import ParameterExpression, QuantumCircuit

from qiskit_hqnn.errors import CircuitError, ShapeError


def mottonen_embedding(circuit: QuantumCircuit, angles: Sequence[ParameterExpression]) -> None:
    """Append Möttönen's state-preparation unitary to all qubits of `circuit`, in place.

    Qubit k is rotated under the control of qubits 0 … k−1. Applied to |0…0⟩ with the angles of
    `mottonen_angles(features)`, it prepares Σ_i features[i] |i⟩, where qubit 0 is the *most* significant bit of i
    (the first qubit of the paper).

    Args:
        circuit: n qubits.
        angles: 2^n − 1 RY angles in the order of `mottonen_angles`: 1 for qubit 0, 2 for qubit 1, 4 for qubit 2, …

    Raises:
        CircuitError: if there are not exactly 2^n − 1 angles.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.quantum_info import Statevector
        >>> circuit = QuantumCircuit(2)
        >>> mottonen_embedding(circuit, mottonen_angles(np.array([1.0, 2.0, 2.0, 4.0])))
        >>> Statevector(circuit.reverse_bits()).data.real.round(4)
        array([0.2, 0.4, 0.4, 0.8])
    """
    num_qubits = circuit.num_qubits
    if len(angles) != 2**num_qubits - 1:
        raise CircuitError(
            f"Argument `angles` must hold 2^{num_qubits} - 1 = {2**num_qubits - 1} angles for {num_qubits} qubits, "
            f"but has {len(angles)}."
        )
    position = 0
    for target in range(num_qubits):
        rotations = 2**target
        for step in range(rotations):
            circuit.ry(angles[position + step], target)
            if target:
                circuit.cx(target - 1 - _gray_code_bit(step, rotations), target)
        position += rotations


def mottonen_angles(features: np.ndarray) -> np.ndarray:
    """The RY angles that prepare the normalised features.

    Args:
        features: array of shape (..., 2^n), real, not all zero; normalised here.

    Returns:
        Array of shape (..., 2^n − 1), radians: θ = 2^−k Mᵀ α for each level k, with M_ij = (−1)^{i·g(j)}, g the Gray
        code (quant-ph/0407010, eqs. 3 and 8). Negative features are prepared with their sign.

    Raises:
        ShapeError: if the last axis is not a power of two, at least 2.

    Example:
        >>> import numpy as np
        >>> mottonen_angles(np.array([1.0, 1.0])).round(4)  # RY(π/2) of |0⟩ has equal amplitudes
        array([1.5708])
    """
    values = np.asarray(features, dtype=float)
    size = values.shape[-1] if values.ndim else 0
    if size < 2 or size & (size - 1):
        raise ShapeError(
            f"Argument `features` must have shape (..., 2^n) with n ≥ 1, but has shape {values.shape}."
        )
    levels = []
    while values.shape[-1] > 1:
        zero, one = values[..., 0::2], values[..., 1::2]
        levels.append(2 * np.arctan2(one, zero) @ gray_code_matrix(zero.shape[-1]))
        values = np.hypot(zero, one)
    return np.concatenate(levels[::-1], axis=-1)


@cache
def gray_code_matrix(size: int) -> np.ndarray:
    """M / size with M_ij = (−1)^{i·g(j)}: angles of a uniformly controlled rotation = α @ gray_code_matrix."""
    index = np.arange(size)
    gray = index ^ (index >> 1)
    parity = np.bitwise_count(index[:, None] & gray[None, :]) & 1
    matrix = np.where(parity, -1.0, 1.0) / size
    matrix.setflags(write=False)
    return matrix


def _gray_code_bit(step: int, size: int) -> int:
    """The bit that changes from Gray code word `step` to the next one, cyclically."""
    following = (step + 1) % size
    return ((step ^ (step >> 1)) ^ (following ^ (following >> 1))).bit_length() - 1
