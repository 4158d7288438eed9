"""A plan's constants as tensors of one dtype on one device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.passes.weighted_gates import gate_constants
from qiskit_hqnn.simulation.planning import (
    Basis,
    Phases,
    Plan,
    Step,
    each_step,
    inverse_columns,
    tight_blocks,
)

Blocks = list[tuple[int, int, Tensor]]
"""(lowest qubit, number of qubits, matrices of shape (copies or 1, 2^size, 2^size))."""

_KEPT_SIGNS = 1 << 24
"""Sign vectors with more elements than this in all are computed in each pass instead of kept."""


_WHOLE_MAP = 14
"""Up to this many qubits a map of basis states is kept whole; above, it is computed from two small ones when used."""


@dataclass(frozen=True, eq=False)
class IndexMap:
    """A linear map of basis states over GF(2): state (i << k) + j goes to high[i] ^ low[j]; without `high`, i is 0."""

    low: Tensor
    high: Tensor | None

    def indices(self) -> Tensor:
        """The images of all basis states, (2^n,)."""
        return self.low if self.high is None else (self.high[:, None] ^ self.low).flatten()


@dataclass(frozen=True, eq=False)
class StepConstants:
    """The tensors of one step; None where the step has no such part."""

    blocks: Blocks | None
    constant_phase: Tensor | None
    gather: IndexMap | None
    scatter: IndexMap | None


@dataclass(frozen=True, eq=False)
class Measured:
    """A measurement: change of basis, its transposed, signs (outputs, 2^n), and twice the signs, (2^n, outputs)."""

    blocks: Blocks
    transposed_blocks: Blocks
    signs: Tensor
    slopes: Tensor


class Constants:
    """Everything of a plan that does not depend on inputs and weights.

    Attributes:
        nothing: a real tensor without elements.
        initial: the constant state in front of the first step, (2^n,).
        initial_is_ones: whether its amplitudes all are 1.
        scale: what the states must be multiplied with to be of norm 1.
        steps: the tensors of each step.
        bases: the measurements, `scale` included.
        gates: what the gates of weights are computed from.
    """

    def __init__(self, plan: Plan, dtype: torch.dtype, device: torch.device) -> None:
        self.plan, self.dtype, self.device = plan, dtype, device
        self.complex = torch.complex128 if dtype == torch.float64 else torch.complex64
        self.nothing = torch.empty(0, dtype=dtype, device=device)
        self.initial, self.scale = self._initial()
        self.initial_is_ones = self.scale != 1.0
        self._maps: dict[tuple[int, ...], tuple[IndexMap, IndexMap]] = {}
        self.steps = {step: self._step(step) for step in each_step(plan.steps)}
        self.bases = [self._measurement(basis) for basis in plan.bases]
        self.gates = gate_constants(plan, dtype, device) if plan.weighted_layers else None
        self.row_slots = self._slots(plan.row_slots.matrix, plan.row_slots.offsets)
        self.weight_slots = self._slots(plan.weight_slots.matrix, plan.weight_slots.offsets)
        self.gate_slots = self._slots(plan.gate_slots.matrix, plan.gate_slots.offsets)
        self._traces: dict[int, Tensor] = {}
        masks = sum(
            len(step.phases.row_masks) + len(step.phases.weight_masks)
            for step in each_step(plan.steps)
            if step.phases is not None
        )
        self._keep_signs = masks << plan.num_qubits <= _KEPT_SIGNS
        self._signs: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}

    @property
    def num_bytes(self) -> int:
        """Memory of all these tensors that exist so far."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._tensors())

    def _tensors(self) -> Iterator[Tensor]:
        yield self.initial
        for step in self.steps.values():
            yield from (matrices for _, _, matrices in step.blocks or [])
            if step.constant_phase is not None:
                yield step.constant_phase
        for maps in list(self._maps.values()):
            yield from (
                part for index_map in maps for part in (index_map.low, index_map.high) if part is not None
            )
        for basis in self.bases:
            yield from (matrices for _, _, matrices in basis.blocks)
            yield from (basis.signs, basis.slopes)
        if self.gates is not None:
            yield from (self.gates.sums, self.gates.shifts, self.gates.entries, self.gates.slopes)
        for slots in (self.row_slots, self.weight_slots, self.gate_slots):
            yield from (part for part in slots if part is not None)
        yield from list(self._traces.values())
        yield from (part for both in list(self._signs.values()) for part in both)

    def half_signs(self, masks: tuple[int, ...]) -> Tensor:
        """(−1)^|j & mask| / 2, of shape (masks, 2^n)."""
        return self._both_signs(masks)[0]

    def negative_half_signs(self, masks: tuple[int, ...]) -> Tensor:
        """−(−1)^|j & mask| / 2, of shape (2^n, masks): what an angle adds to the exponents of the basis states."""
        return self._both_signs(masks)[1]

    def _both_signs(self, masks: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        if masks in self._signs:
            return self._signs[masks]
        signs = torch.stack(
            [parity_signs(mask, self.plan.num_qubits, self.dtype, self.device) for mask in masks]
        )
        both = signs / 2, signs.T / -2
        if self._keep_signs:
            self._signs[masks] = both
        return both

    def partial_traces(self, size: int) -> Tensor:
        """Positions of the summands of single-qubit operators in a flattened block operator.

        Of shape (4 · size · 2^(size − 1),): for each qubit and each entry (a, b) of its operator, the entries of the
        block operator where this qubit's bits are a and b, and all other bits of row and column agree.
        """
        if size not in self._traces:
            rest = np.arange(2 ** (size - 1))
            places = np.empty((size, 2, 2, len(rest)), dtype=np.int64)
            for qubit in range(size):
                below = rest & ((1 << qubit) - 1)
                others = (rest - below) * 2 + below
                for row, column in np.ndindex(2, 2):
                    places[qubit, row, column] = ((others | row << qubit) << size) + (
                        others | column << qubit
                    )
            self._traces[size] = torch.from_numpy(places.ravel()).to(self.device)
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

    def _initial(self) -> tuple[Tensor, float]:
        """The constant initial state and its norm's factor; equal amplitudes become ones, which need no product."""
        state = np.ones(1, dtype=complex)
        for qubit in range(self.plan.num_qubits):
            gate = self.plan.initial.get(qubit)
            state = np.kron(np.array([1, 0]) if gate is None else gate[:, 0], state)
        if len(state) > 1 and np.abs(state - state[0]).max() <= 1e-15 * abs(state[0]):
            return self._tensor(np.ones_like(state)), float(abs(state[0]))
        return self._tensor(state), 1.0

    def _fixed_blocks(self, gates: dict[int, np.ndarray]) -> Blocks:
        blocks: Blocks = []
        for start, size in tight_blocks(sorted(gates)):
            matrix = np.ones((1, 1), dtype=complex)
            for qubit in range(start, start + size):
                matrix = np.kron(gates.get(qubit, np.eye(2)), matrix)
            blocks.append((start, size, self._tensor(matrix)[None]))
        return blocks

    def _step(self, step: Step) -> StepConstants:
        fixed = step.gates.fixed if step.gates is not None else None
        blocks = None if fixed is None else self._fixed_blocks(fixed)
        gather = scatter = None
        if step.rows is not None:
            if step.rows not in self._maps:
                self._maps[step.rows] = permutation(step.rows, self.device)
            gather, scatter = self._maps[step.rows]
        return StepConstants(
            blocks,
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

    def _measurement(self, basis: Basis) -> Measured:
        blocks = self._fixed_blocks(basis.gates)
        transposed = [(start, size, matrices.mT) for start, size, matrices in blocks]
        signs = self._measured_signs(basis) * self.scale**2
        return Measured(blocks, transposed, signs, 2 * signs.T.contiguous())

    def _measured_signs(self, basis: Basis) -> Tensor:
        """Array (outputs, 2^n): each output as a signed sum of probabilities."""
        signs = torch.zeros(
            self.plan.num_outputs, 2**self.plan.num_qubits, dtype=self.dtype, device=self.device
        )
        for output, coefficient, mask in basis.terms:
            signs[output] += coefficient * parity_signs(mask, self.plan.num_qubits, self.dtype, self.device)
        return signs


def parity_signs(mask: int, num_qubits: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(−1)^|j & mask| for every basis state j, little-endian."""
    signs = torch.ones(1, dtype=dtype, device=device)
    for qubit in range(num_qubits):
        signs = torch.cat([signs, -signs if mask >> qubit & 1 else signs])
    return signs


def permutation(rows: tuple[int, ...], device: torch.device) -> tuple[IndexMap, IndexMap]:
    """Maps of y = L x on basis states, new[y] = old[first[y]], and its inverse."""
    size = len(rows)
    columns = [sum((row >> column & 1) << bit for bit, row in enumerate(rows)) for column in range(size)]
    return _index_map(inverse_columns(list(rows)), device), _index_map(columns, device)


def _index_map(columns: list[int], device: torch.device) -> IndexMap:
    if len(columns) <= _WHOLE_MAP:
        return IndexMap(_sums(columns, device), None)
    half = len(columns) // 2
    return IndexMap(_sums(columns[:half], device), _sums(columns[half:], device))


def _sums(columns: list[int], device: torch.device) -> Tensor:
    """The sum over GF(2) of the columns that the bits of each index select."""
    sums = np.zeros(1, dtype=np.int64)
    for column in columns:
        sums = np.concatenate([sums, sums ^ column])
    return torch.from_numpy(sums).to(device)
