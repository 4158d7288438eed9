"""A plan's constants as tensors of one dtype on one device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.measurement import Basis
from qiskit_hqnn.simulation.plan import Phases, Plan, tight_blocks

Blocks = list[tuple[int, int, Tensor]]
"""(lowest qubit, number of qubits, matrices of shape (copies or 1, 2^size, 2^size))."""

_KEPT_SIGNS = 1 << 24
"""Sign vectors with more elements than this in all are made anew in each pass instead of kept."""


@dataclass(frozen=True, eq=False)
class StepConstants:
    """The tensors of one step; None where the step has no such part."""

    blocks: Blocks | None
    adjoint_blocks: Blocks | None
    constant_phase: Tensor | None
    gather: Tensor | None
    scatter: Tensor | None


class Constants:
    """Everything of a plan that does not depend on inputs and weights."""

    def __init__(self, plan: Plan, dtype: torch.dtype, device: torch.device) -> None:
        self.plan, self.dtype, self.device = plan, dtype, device
        self.complex = torch.complex128 if dtype == torch.float64 else torch.complex64
        self.initial = self._initial()
        self.steps = [self._step(index) for index in range(len(plan.steps))]
        self.identity = torch.eye(2, dtype=self.complex, device=device)
        self.bases = [self._measurement(basis) for basis in plan.bases]
        self.gate_cos, self.gate_sin = self._tensor(plan.gate_cos), self._tensor(plan.gate_sin)
        # dG G† of a gate G = cos(θ/2) A + sin(θ/2) B, the same at every θ.
        generators = plan.gate_sin @ plan.gate_cos.conj().swapaxes(-1, -2) / 2
        self.generators = self._tensor(generators)
        self.row_slots = self._slots(plan.row_slots.matrix, plan.row_slots.offsets)
        self.weight_slots = self._slots(plan.weight_slots.matrix, plan.weight_slots.offsets)
        self.gate_slots = self._slots(plan.gate_slots.matrix, plan.gate_slots.offsets)
        self._traces: dict[int, Tensor] = {}
        masks = sum(
            len(s.phases.row_masks) + len(s.phases.weight_masks) for s in plan.steps if s.phases is not None
        )
        self._keep_signs = masks << plan.num_qubits <= _KEPT_SIGNS
        self._signs: dict[tuple[int, ...], Tensor] = {}

    def half_signs(self, masks: tuple[int, ...]) -> Tensor:
        """(−1)^|j & mask| / 2, of shape (masks, 2^n)."""
        if masks in self._signs:
            return self._signs[masks]
        signs = (
            torch.stack([parity_signs(mask, self.plan.num_qubits, self.dtype, self.device) for mask in masks])
            / 2
        )
        if self._keep_signs:
            self._signs[masks] = signs
        return signs

    def partial_traces(self, size: int) -> Tensor:
        """Matrix (4^size, 4 · size) that takes a flattened block operator to the operators of its single qubits."""
        if size not in self._traces:
            side = 2**size
            traces = np.zeros((side, side, size, 2, 2))
            index = np.arange(side)
            for qubit in range(size):
                for flip in (0, 1):
                    other = index ^ (flip << qubit)
                    traces[index, other, qubit, index >> qubit & 1, other >> qubit & 1] = 1
            self._traces[size] = self._tensor(traces.reshape(side * side, size * 4).astype(complex))
        return self._traces[size]

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device, self.complex)

    def _slots(self, matrix: np.ndarray, offsets: np.ndarray) -> tuple[Tensor | None, Tensor | None]:
        """(matrix, offsets); None for an identity and for zeros, which then cost nothing."""
        identity = matrix.shape[0] == matrix.shape[1] and np.array_equal(matrix, np.eye(len(matrix)))
        return (
            None if identity else torch.from_numpy(matrix).to(self.device, self.dtype),
            torch.from_numpy(offsets).to(self.device, self.dtype) if offsets.any() else None,
        )

    def _initial(self) -> Tensor:
        state = np.ones(1, dtype=complex)
        for qubit in range(self.plan.num_qubits):
            gate = self.plan.initial.get(qubit)
            state = np.kron(np.array([1, 0]) if gate is None else gate[:, 0], state)
        return self._tensor(state)

    def _fixed_blocks(self, gates: dict[int, np.ndarray]) -> Blocks:
        blocks: Blocks = []
        for start, size in tight_blocks(sorted(gates)):
            matrix = np.ones((1, 1), dtype=complex)
            for qubit in range(start, start + size):
                matrix = np.kron(gates.get(qubit, np.eye(2)), matrix)
            blocks.append((start, size, self._tensor(matrix)[None]))
        return blocks

    def _step(self, index: int) -> StepConstants:
        step = self.plan.steps[index]
        fixed = step.gates.fixed if step.gates is not None else None
        blocks = None if fixed is None else self._fixed_blocks(fixed)
        gather = scatter = None
        if step.rows is not None:
            gather, scatter = permutation(step.rows, self.device)
        return StepConstants(
            blocks,
            None if blocks is None else _adjoints(blocks),
            None if step.phases is None else self._constant_phase(step.phases),
            gather,
            scatter,
        )

    def _constant_phase(self, phases: Phases) -> Tensor | None:
        if not phases.constant:
            return None
        angle = torch.zeros(2**self.plan.num_qubits, dtype=torch.float64, device=self.device)
        for mask, value in phases.constant:
            angle += value / 2 * parity_signs(mask, self.plan.num_qubits, torch.float64, self.device)
        return torch.polar(torch.ones_like(angle), -angle).to(self.complex)[:, None]

    def _measurement(self, basis: Basis) -> tuple[Blocks, Blocks, Tensor]:
        """The change of basis, its adjoint, and the signs."""
        blocks = self._fixed_blocks(basis.gates)
        return blocks, _adjoints(blocks), self._measured_signs(basis)

    def _measured_signs(self, basis: Basis) -> Tensor:
        """Array (outputs, 2^n): each output as a signed sum of probabilities."""
        signs = torch.zeros(
            self.plan.num_outputs, 2**self.plan.num_qubits, dtype=self.dtype, device=self.device
        )
        for output, coefficient, mask in basis.terms:
            signs[output] += coefficient * parity_signs(mask, self.plan.num_qubits, self.dtype, self.device)
        return signs


def _adjoints(blocks: Blocks) -> Blocks:
    return [(start, size, matrices.mH.resolve_conj()) for start, size, matrices in blocks]


def parity_signs(mask: int, num_qubits: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(−1)^|j & mask| for every basis state j, little-endian."""
    signs = torch.ones(1, dtype=dtype, device=device)
    for qubit in range(num_qubits):
        signs = torch.cat([signs, -signs if mask >> qubit & 1 else signs])
    return signs


def permutation(rows: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Indices that carry out y = L x on basis states, and its inverse: new[y] = old[gather[y]]."""
    index = np.arange(2 ** len(rows))
    image = np.zeros_like(index)
    for bit, row in enumerate(rows):
        image |= (np.bitwise_count(index & row) & 1).astype(index.dtype) << bit
    gather = np.empty_like(index)
    gather[image] = index
    return torch.from_numpy(gather).to(device), torch.from_numpy(image).to(device)
