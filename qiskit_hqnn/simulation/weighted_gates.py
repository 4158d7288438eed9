"""The one-qubit gates of weights: their matrices for the whole batch, and the gradients of their angles.

A gate of up to three rotations is multilinear in the cosines and sines of its half angles, so all gates of a circuit
are one product of monomials with constants, and all their gradients one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.plan import Plan
from qiskit_hqnn.simulation.steps import each_step

Block = tuple[int, int]
"""(lowest qubit, number of qubits)."""


@dataclass(frozen=True, eq=False)
class GateConstants:
    """What the gates of a plan are computed from; G = layers · qubits, L = rotations in the longest gate.

    Attributes:
        layers, qubits: how many; their product is G.
        entries: real array (G, 2^L, 8): from monomials to the four entries of the gate, real and imaginary parts.
        slopes: real array (G, 8 · 2^L, L): from (gradient of an entry) × (monomial) to the gradients of the angles.
        blocks: the blocks of qubits whose matrices are wanted.
    """

    layers: int
    qubits: int
    entries: Tensor
    slopes: Tensor
    blocks: tuple[Block, ...]


def gate_constants(plan: Plan, dtype: torch.dtype, device: torch.device) -> GateConstants:
    """The constants of a plan's weighted gates, worked out in float64."""
    layers, qubits, length = plan.gate_cos.shape[:3]
    cos, sin = (part.reshape(-1, length, 2, 2) for part in (plan.gate_cos, plan.gate_sin))
    entries = np.empty((layers * qubits, 2**length, 2, 2), dtype=complex)
    for index, choice in enumerate(product((cos, sin), repeat=length)):
        matrix = choice[0][:, 0]
        for position in range(1, length):
            matrix = choice[position][:, position] @ matrix
        entries[:, index] = matrix
    real = np.stack([entries.real, entries.imag], axis=-1).reshape(layers * qubits, 2**length, 8)
    turn = np.array([[0.0, -0.5], [0.5, 0.0]])  # d(cos θ/2, sin θ/2)/dθ
    slopes = np.empty((layers * qubits, 8, 2**length, length))
    for position in range(length):
        left, right = np.eye(2**position), np.eye(2 ** (length - 1 - position))
        slopes[..., position] = real.swapaxes(1, 2) @ np.kron(np.kron(left, turn), right)
    wanted = (step.gates for step in each_step(plan.steps) if step.gates is not None)
    blocks = {block for gates in wanted if gates.position is not None for block in gates.blocks}
    return GateConstants(
        layers,
        qubits,
        torch.from_numpy(real).to(device, dtype),
        torch.from_numpy(slopes.reshape(layers * qubits, -1, length)).to(device, dtype),
        tuple(sorted(blocks)),
    )


@dataclass(eq=False)
class WeightedGates:
    """Gates computed from one set of weights.

    Attributes:
        monomials: (G, copies, 2^L).
        matrices: (layers, qubits, copies, 2, 2).
        blocks: for each block of qubits its matrices, (layers, copies, 2^size, 2^size).
    """

    constants: GateConstants
    monomials: Tensor
    matrices: Tensor
    blocks: dict[Block, Tensor]

    def angle_gradients(self, operators: Tensor) -> Tensor:
        """Gradients (copies, layers · qubits · L) from operators Y*, (layers, qubits, copies, 2, 2).

        Behind a gate G, dL = Re Tr(Y† dG G†) = Re Tr((Y G)† dG): the gradient with respect to G itself is Y G.
        """
        gates, copies, count = self.monomials.shape
        shape = (gates * copies, 2, 2)
        wanted = torch.bmm(operators.conj_physical().reshape(shape), self.matrices.view(shape))
        entries = torch.view_as_real(wanted).view(gates, copies, 8, 1)
        pairs = (entries * self.monomials[:, :, None, :]).view(gates, copies, 8 * count)
        return torch.bmm(pairs, self.constants.slopes).transpose(0, 1).reshape(copies, -1)


def weighted_gates(constants: GateConstants, angles: Tensor) -> WeightedGates:
    """All gates of weights, from angles (copies, layers · qubits · L) in radians."""
    copies, gates = len(angles), constants.layers * constants.qubits
    length = constants.slopes.shape[2]
    half = (angles * 0.5).view(copies, gates, length).transpose(0, 1)
    parts = angles.new_empty(gates, copies, length, 2)
    torch.cos(half, out=parts[..., 0])
    torch.sin(half, out=parts[..., 1])
    monomials, *others = parts.unbind(2)
    for other in others:
        monomials = (monomials[..., None] * other[:, :, None]).flatten(2)
    entries = torch.bmm(monomials, constants.entries).view(
        constants.layers, constants.qubits, copies, 2, 2, 2
    )
    matrices = torch.view_as_complex(entries)
    single = matrices.unbind(1)
    blocks = {(start, size): kronecker(single[start : start + size]) for start, size in constants.blocks}
    return WeightedGates(constants, monomials, matrices, blocks)


def kronecker(gates: Sequence[Tensor]) -> Tensor:
    """Product of gates (layers, copies, 2, 2), lowest qubit first: (layers, copies, 2^n, 2^n)."""
    block = gates[0]
    layers, copies, side, _ = block.shape
    for gate in gates[1:]:
        # The longer axis is the inner one: elementwise products run along it.
        high, low = gate.view(layers, copies, 2, 1, 2, 1), block.view(layers, copies, 1, side, 1, side)
        side *= 2
        block = (high * low).view(layers, copies, side, side)
    return block
