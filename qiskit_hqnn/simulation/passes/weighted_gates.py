"""The one-qubit gates of weights: their matrices for the whole batch, and the gradients of their angles.

A gate of up to three rotations is multilinear in the cosines and sines of its half angles, and products of these are
sums of cosines of (±θ1 ± θ2 ± θ3)/2, shifted by a right angle or not: its waves. In dG G†, from which gradients are
read, half angles occur twice and become whole ones. So all gates of a circuit and all axes of their gradients are one
matrix product, one cosine, and one product with constants each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.planning import Plan, each_step

Block = tuple[int, int]
"""(lowest qubit, number of qubits)."""


@dataclass(frozen=True, eq=False)
class GateConstants:
    """The constants of a plan's gates; G = layers · qubits, L = rotations in the longest gate.

    Attributes:
        layers, qubits: their numbers; the product is G.
        sums, shifts: real arrays (L, V + W) and (V + W,): cos(angles @ sums + shifts) are V waves of half angles, then
            W of whole ones.
        entries: real array (G, V, 8): from waves of half angles to the four entries of the gate, real and imaginary.
        slopes: real array (G, 8 · W, L): from (entry of Y*) × (wave of whole angles) to the gradients of the angles.
        blocks: the blocks of qubits whose matrices are needed.
    """

    layers: int
    qubits: int
    sums: Tensor
    shifts: Tensor
    entries: Tensor
    slopes: Tensor
    blocks: tuple[Block, ...]


def gate_constants(plan: Plan, dtype: torch.dtype, device: torch.device) -> GateConstants:
    """The constants of a plan's weighted gates, computed in float64."""
    layers, qubits, length = plan.gate_cos.shape[:3]
    cos, sin = (part.reshape(-1, length, 2, 2) for part in (plan.gate_cos, plan.gate_sin))
    half, whole = _half_waves(length), _whole_waves(length)
    entries, slopes = _entries(cos, sin, half), _slopes(cos, sin, whole)
    frequencies = np.concatenate([half.frequencies, whole.frequencies])
    wanted = (step.gates for step in each_step(plan.steps) if step.gates is not None)
    blocks = {block for gates in wanted if gates.position is not None for block in gates.blocks}
    shifts = np.concatenate([half.shifts, whole.shifts])

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device, dtype)

    return GateConstants(
        layers,
        qubits,
        tensor(frequencies.T.copy()),
        tensor(shifts),
        tensor(entries),
        tensor(slopes),
        tuple(sorted(blocks)),
    )


@dataclass(frozen=True, eq=False)
class _Waves:
    """cos(frequencies @ angles + shifts), linearly independent; frequencies (waves, L), shifts (waves,)."""

    frequencies: np.ndarray
    shifts: np.ndarray

    def at(self, angles: np.ndarray) -> np.ndarray:
        """Their values at angles (points, L): (points, waves)."""
        return np.cos(angles @ self.frequencies.T + self.shifts)


def _half_waves(length: int) -> _Waves:
    """What products of one cosine or sine of each half angle are sums of."""
    signs = np.array([(1, *others) for others in product((1, -1), repeat=length - 1)]) / 2
    return _Waves(np.repeat(signs, 2, axis=0), np.tile([0.0, -np.pi / 2], len(signs)))


def _whole_waves(length: int) -> _Waves:
    """What products of 1, a cosine, or a sine of each whole angle but the first are sums of."""
    found, shifts = [(0,) * length], [0.0]
    for later in product((1, 0, -1), repeat=length - 1):
        if next((sign for sign in later if sign), 0) > 0:  # the opposite frequency is the same wave
            found += [(0, *later)] * 2
            shifts += [0.0, -np.pi / 2]
    return _Waves(np.array(found, dtype=float), np.array(shifts))


def _entries(cos: np.ndarray, sin: np.ndarray, waves: _Waves) -> np.ndarray:
    """(G, V, 8) from the factors' (G, L, 2, 2): values at as many points as there are waves determine a gate."""
    length = cos.shape[1]
    points = np.array(list(product((0.0, np.pi), repeat=length)))
    gates = _products(cos, sin, points, 0)
    return _real(np.einsum("vp,gpij->gvij", np.linalg.inv(waves.at(points)), gates))


def _slopes(cos: np.ndarray, sin: np.ndarray, waves: _Waves) -> np.ndarray:
    """(G, 8 · W, L): dL/dθ = Re Tr(Y† dG G†) = Σ_entries Re Y* dG G†, where dG G† does not depend on θ itself."""
    gates, length = cos.shape[:2]
    points = np.array(
        [(0.0, *others) for others in product((0.0, 2 * np.pi / 3, -2 * np.pi / 3), repeat=length - 1)]
    )
    to_waves = np.linalg.inv(waves.at(points))
    slopes = np.empty((gates, 8, len(points), length))
    for position in range(length):
        later = _products(cos, sin, points, position + 1)
        # d(cos θ/2 A + sin θ/2 B)(…)† is B A† / 2: a Pauli matrix, or zero where the gate has no such rotation.
        turn = sin[:, position] @ cos[:, position].conj().swapaxes(1, 2) / 2
        generator = later @ turn[:, None] @ later.conj().swapaxes(2, 3)
        # Re(Y* H) is Re Y* Re H − Im Y* Im H.
        coefficients = _real(np.einsum("wp,gpij->gwij", to_waves, generator.conj()))
        slopes[..., position] = coefficients.swapaxes(1, 2)
    return slopes.reshape(gates, -1, length)


def _products(cos: np.ndarray, sin: np.ndarray, points: np.ndarray, start: int) -> np.ndarray:
    """Each gate's factors from `start` on, multiplied, at angles (points, L): (G, points, 2, 2)."""
    matrix = np.broadcast_to(np.eye(2, dtype=complex), (len(cos), len(points), 2, 2))
    for position in range(start, cos.shape[1]):
        half = points[:, position, None, None] / 2
        matrix = (np.cos(half) * cos[:, position, None] + np.sin(half) * sin[:, position, None]) @ matrix
    return matrix


def _real(matrices: np.ndarray) -> np.ndarray:
    """(G, X, 2, 2) complex to (G, X, 8) real."""
    return np.stack([matrices.real, matrices.imag], axis=-1).reshape(*matrices.shape[:2], 8)


@dataclass(eq=False)
class WeightedGates:
    """Gates computed from one set of weights.

    Attributes:
        axes: waves of whole angles, (G, copies, W): they turn the axes of the gradients.
        blocks: for each block of qubits the matrices of each layer, (copies, 2^size, 2^size).
    """

    constants: GateConstants
    axes: Tensor
    blocks: dict[Block, tuple[Tensor, ...]]

    def angle_gradients(self, operators: Tensor) -> Tensor:
        """Gradients (copies, layers · qubits · L) from operators Y*, (layers, qubits, copies, 2, 2).

        After a gate G, dL = Re Tr(Y† dG G†).
        """
        gates, copies, count = self.axes.shape
        entries = torch.view_as_real(operators).reshape(gates, copies, 8, 1)
        pairs = (entries * self.axes[:, :, None]).view(gates, copies, 8 * count)
        return torch.bmm(pairs, self.constants.slopes).transpose(0, 1).reshape(copies, -1)


def weighted_gates(constants: GateConstants, angles: Tensor) -> WeightedGates:
    """All gates of weights, from angles (copies, layers · qubits · L) in radians."""
    copies, layers, qubits = len(angles), constants.layers, constants.qubits
    length, count = constants.sums.shape
    waves = torch.addmm(constants.shifts, angles.reshape(-1, length), constants.sums).cos_()
    waves = waves.view(copies, layers * qubits, count).transpose(0, 1)
    halves = constants.entries.shape[1]
    entries = torch.bmm(waves[..., :halves], constants.entries)
    single = torch.view_as_complex(entries.view(layers, qubits, copies, 2, 1, 2, 1, 2)).unbind(1)
    blocks = {
        (start, size): kronecker(single[start : start + size]).unbind(0) for start, size in constants.blocks
    }
    return WeightedGates(constants, waves[..., halves:], blocks)


def kronecker(gates: Sequence[Tensor]) -> Tensor:
    """Product of gates (layers, copies, 2, 1, 2, 1), lowest qubit first: (layers, copies, 2^n, 2^n)."""
    block, side = gates[0], 2
    layers, copies = block.shape[:2]
    for gate in gates[1:]:
        # The longer axis is the inner one, since elementwise products run along it.
        block = gate * block.view(layers, copies, 1, side, 1, side)
        side *= 2
    return block.view(layers, copies, side, side)
