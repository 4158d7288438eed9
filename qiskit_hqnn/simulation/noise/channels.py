"""Channels as real matrices in the Pauli basis.

A state ρ of k qubits is the vector r_P = Tr(ρ P) over all 4^k Pauli strings, a channel the matrix
R_PQ = Tr(P E(Q)) / 2^k. The first qubit of a channel's tuple is the most significant digit of an index, and the digits
0 to 3 are I, X, Y, Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

IDENTITY, X, Y, Z = range(4)
ZERO = np.array([1.0, 0.0, 0.0, 1.0])
"""|0⟩⟨0| of one qubit."""
_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])

# exp(−iθZ/2) is TURN[0] + cos θ · TURN[1] + sin θ · TURN[2].
TURN = np.zeros((3, 4, 4))
TURN[0, [IDENTITY, Z], [IDENTITY, Z]] = 1
TURN[1, [X, Y], [X, Y]] = 1
TURN[2, [X, Y], [Y, X]] = -1, 1


@cache
def _strings(num_qubits: int) -> np.ndarray:
    """All Pauli strings as matrices in Qiskit's order of basis states, of shape (4^k, 2^k, 2^k)."""
    strings = np.ones((1, 1, 1), dtype=complex)
    for _ in range(num_qubits):
        # The next qubit is the next digit of the index, and the next bit, to the left, of a basis state.
        size = 2 * strings.shape[1]
        strings = np.einsum("aij,bkl->abkilj", strings, _PAULIS).reshape(-1, size, size)
    return strings


def of_unitary(matrix: np.ndarray) -> np.ndarray:
    """The channel of a gate, from its matrix in Qiskit's order; shape (4^k, 4^k)."""
    strings = _strings(_num_qubits(matrix))
    images = matrix @ strings @ matrix.conj().T
    return np.einsum("aij,bji->ab", strings, images).real / len(matrix)


def of_superoperator(matrix: np.ndarray) -> np.ndarray:
    """The channel of a column-stacking superoperator, the convention of Qiskit's SuperOp."""
    num_qubits = _num_qubits(matrix) // 2
    columns = _strings(num_qubits).transpose(0, 2, 1).reshape(4**num_qubits, -1)
    return (columns.conj() @ matrix @ columns.T).real / 2**num_qubits


def of_preparation(state: np.ndarray) -> np.ndarray:
    """The channel that replaces any state by a pure state."""
    strings = _strings(_num_qubits(state))
    channel = np.zeros((len(strings), len(strings)))
    channel[:, 0] = np.einsum("i,aij,j->a", state.conj(), strings, state).real
    return channel


def _num_qubits(array: np.ndarray) -> int:
    return len(array).bit_length() - 1


def embedded(matrix: np.ndarray, positions: Sequence[int], count: int) -> np.ndarray:
    """A channel on some of `count` qubits as one on all of them: its j-th qubit is at `positions[j]`."""
    others = [position for position in range(count) if position not in positions]
    whole = np.kron(matrix, np.eye(4 ** len(others))).reshape((4,) * 2 * count)
    order = np.argsort([*positions, *others])
    return whole.transpose(*order, *(order + count)).reshape(4**count, 4**count)


def keeps_identity(matrix: np.ndarray) -> bool:
    """Whether traces are preserved: such a channel does not affect what is measured elsewhere."""
    return bool(np.allclose(matrix[0], np.eye(len(matrix))[0], atol=1e-12))


def applied(matrix: np.ndarray, vectors: np.ndarray, qubits: Sequence[int]) -> np.ndarray:
    """A channel applied to some qubits of vectors of shape (count, 4, …, 4), with an axis for each qubit."""
    size = len(qubits)
    axes = [qubit + 1 for qubit in qubits]
    moved = np.tensordot(matrix.reshape((4,) * 2 * size), vectors, axes=(range(size, 2 * size), axes))
    return np.moveaxis(moved, range(size), axes)
