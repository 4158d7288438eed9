"""A trained quantum layer behind an amplitude embedding as plain torch: a quadratic form for each output, exactly.

The state that enters the circuit is x / |x|, so an output ⟨U†OU⟩ is xᵀ M x / |x|² with a real symmetric M of 2^n × 2^n
numbers, in which the weights are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import AmplitudeAngles, QuantumLayer
from qiskit_hqnn.training.export.closed_form import AGREES, POINTS, in_double

LARGEST = 8
"""Qubits: 256 × 256 numbers for each output, found from 32,896 states; each qubit more has four times as many."""

_AT_ONCE = 1024


class Amplitudes(nn.Module):
    """Features (..., F) as amplitudes (..., 2^n): padded with zeros, of length 1; zeros alone are |0…0⟩."""

    def __init__(self, num_qubits: int) -> None:
        super().__init__()
        self.size = 2**num_qubits

    def forward(self, features: Tensor) -> Tensor:
        padded = functional.pad(features, (0, self.size - features.shape[-1]))
        first = functional.one_hot(torch.zeros((), dtype=torch.long), self.size).to(padded)
        # Scaled first, so that no square leaves the range of its type.
        largest = padded.abs().amax(dim=-1, keepdim=True)
        scaled = torch.where(largest == 0, first, padded / torch.where(largest == 0, 1.0, largest))
        return scaled / scaled.square().sum(dim=-1, keepdim=True).sqrt()


class QuadraticForm(nn.Module):
    """Outputs (..., O) of amplitudes (..., 2^n).

    Args:
        matrix: (O, 2^n, 2^n), symmetric.
    """

    matrix: Tensor

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)

    def forward(self, amplitudes: Tensor) -> Tensor:
        own = amplitudes.to(self.matrix.dtype)
        return torch.einsum("...i,oij,...j->...o", own, self.matrix, own).to(amplitudes.dtype)


def quadratic_form(layer: QuantumLayer, embedding: AmplitudeAngles) -> QuadraticForm:
    """A quantum layer whose inputs are the angles of an embedding, as a function of the amplitudes.

    Args:
        layer: one copy, with its present weights.
        embedding: whose angles it takes.

    Raises:
        HQNNError: if there are too many qubits, or outputs are no quadratic forms of the amplitudes, as where they are
            embedded several times.
    """
    qubits, name = embedding.num_qubits, layer.ansatz.name
    if layer.copies != 1 or layer.ansatz.num_inputs != 2**qubits - 1:
        raise HQNNError(
            f"Circuit {name!r} does not take the angles of one amplitude embedding: it has no closed form."
        )
    if qubits > LARGEST:
        raise HQNNError(
            f"Circuit {name!r} has amplitudes of {qubits} qubits, and its outputs would be quadratic forms of "
            f"{4**qubits:,} numbers each, above the limit of {LARGEST} qubits: export it as .safetensors instead."
        )
    exact, angles = in_double(layer), AmplitudeAngles(qubits).double()

    def outputs(states: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([exact(angles(part)) for part in states.split(_AT_ONCE)])

    form = QuadraticForm(_matrix(outputs, 2**qubits))
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(POINTS, 2**qubits, generator=generator, dtype=torch.float64)
    difference = float((form(Amplitudes(qubits)(states)) - outputs(states)).abs().max())
    if not difference < AGREES:
        raise HQNNError(
            f"The outputs of circuit {name!r} are no quadratic forms of its amplitudes (off by {difference:.1e}), as "
            "where they are embedded several times: export it as .safetensors instead."
        )
    return form.to(layer.weight.dtype)


def _matrix(outputs: object, size: int) -> Tensor:
    """(O, size, size) from the outputs of all basis states, and of the sums of any two of them."""
    assert callable(outputs)
    basis = torch.eye(size, dtype=torch.float64)
    alone: Tensor = outputs(basis)
    rows, columns = torch.triu_indices(size, size, 1)
    between = outputs(basis[rows] + basis[columns]) - (alone[rows] + alone[columns]) / 2
    matrix = torch.diag_embed(alone.T)
    matrix[:, rows, columns] = matrix[:, columns, rows] = between.T
    return matrix
