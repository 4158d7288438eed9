"""A plan executed: the states of a whole batch, and the adjoint pass that gives every angle's gradient.

States are complex tensors of shape (copies, 2^n, batch), little-endian. A gradient λ of a real loss with respect to a
state is ∂L/∂Re ψ + i ∂L/∂Im ψ, as torch writes it, so that dL = Re⟨λ, dψ⟩.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from qiskit_hqnn.simulation.constants import Blocks, Constants
from qiskit_hqnn.simulation.plan import Phases

_STORED_BYTES = 64 << 20
"""Intermediate states are kept for the adjoint pass up to this size; beyond it they are computed back, gate by gate,
so that memory does not grow with depth."""


_STACKED = 1 << 16
"""States of up to so many amplitudes are small enough that operators cost more than copies: the gradients of all
layers are then read from one stack."""


@dataclass(eq=False)
class Angles:
    """Slots of a plan in radians.

    Rows have shape (copies, K, batch), weights (copies, K), gates (copies, layers, qubits, length).
    """

    rows: Tensor
    weights: Tensor
    gates: Tensor

    @property
    def copies(self) -> int:
        return self.rows.shape[0]

    @property
    def batch(self) -> int:
        return self.rows.shape[2]


@dataclass(eq=False)
class WeightedGates:
    """The one-qubit gates of weights, made once for the whole batch.

    Attributes:
        suffixes: (copies, layers, qubits, length, 2, 2): the product of all later factors of the same gate.
        blocks: for each block of qubits its matrices, (copies, layers, 2^size, 2^size).
        adjoints: the same, conjugate transposed, made when the adjoint pass begins.
    """

    suffixes: Tensor
    blocks: dict[tuple[int, int], Tensor]
    adjoints: dict[tuple[int, int], Tensor]


@dataclass(eq=False)
class Trace:
    """What the adjoint pass needs of the forward pass; `states` is None where they are computed back."""

    final: Tensor
    gates: WeightedGates | None
    states: list[Tensor] | None
    factors: list[Tensor | None]


def evolve(constants: Constants, angles: Angles, for_gradient: bool) -> Trace:
    """The final states, and what their gradient needs."""
    plan = constants.plan
    gates = weighted_gates(constants, angles.gates) if plan.weighted_layers else None
    state = constants.initial[None, :, None].expand(angles.copies, -1, angles.batch)
    kept = for_gradient and state.numel() * state.element_size() * len(plan.steps) <= _STORED_BYTES
    states: list[Tensor] | None = [] if kept else None
    factors: list[Tensor | None] = []
    for step, fixed in zip(plan.steps, constants.steps, strict=True):
        if step.gates is not None:
            state = apply_blocks(state, _blocks(step.gates.position, fixed.blocks, gates, step.gates.blocks))
        if states is not None:
            states.append(state)
        factor = (
            None if step.phases is None else _factor(constants, step.phases, fixed.constant_phase, angles)
        )
        if factor is not None:
            state = state * factor
        if fixed.gather is not None:
            state = state.index_select(1, fixed.gather)
        factors.append(factor if kept else None)
    return Trace(state, gates, states, factors)


def pull_back(constants: Constants, angles: Angles, trace: Trace, gradient: Tensor) -> Angles:
    """Gradients of all angles from the gradient (copies, 2^n, batch) of the final states."""
    plan = constants.plan
    rows, weights = torch.zeros_like(angles.rows), torch.zeros_like(angles.weights)
    operators = _Operators(constants, angles)
    if trace.gates is not None:
        trace.gates.adjoints = {block: adjoint(matrices) for block, matrices in trace.gates.blocks.items()}
    state, lam = trace.final, gradient
    for index in range(len(plan.steps) - 1, -1, -1):
        step, fixed = plan.steps[index], constants.steps[index]
        stored = None if trace.states is None else trace.states[index]
        if fixed.scatter is not None:
            lam = lam.index_select(1, fixed.scatter)
            if stored is None:
                state = state.index_select(1, fixed.scatter)
        if step.phases is not None:
            factor = trace.factors[index]
            if factor is None:
                factor = _factor(constants, step.phases, fixed.constant_phase, angles)
            back = factor.conj()
            lam = lam * back
            if stored is None:
                state = state * back
        if stored is not None:
            state = stored
        if step.phases is not None:
            _phase_gradients(constants, step.phases, lam, state, rows, weights)
        if step.gates is None:
            continue
        position = step.gates.position
        if position is not None:
            operators.add(position, step.gates.blocks, lam, state, at_once=stored is None)
        if index:
            back_blocks = _adjoint_blocks(position, fixed.adjoint_blocks, trace.gates, step.gates.blocks)
            lam = apply_blocks(lam, back_blocks)
            if stored is None:
                state = apply_blocks(state, back_blocks)
    return Angles(rows, weights, operators.gate_gradients(trace.gates))


def weighted_gates(constants: Constants, angles: Tensor) -> WeightedGates:
    """Matrices of all gates of weights, from angles (copies, layers, qubits, length)."""
    plan = constants.plan
    half = (angles / 2)[..., None, None]
    factors = half.cos() * constants.gate_cos + half.sin() * constants.gate_sin
    product = factors[..., -1, :, :]
    suffixes = [constants.identity.expand_as(product)]
    for position in range(factors.shape[3] - 2, -1, -1):
        suffixes.append(product)
        product = product @ factors[..., position, :, :]
    needed = {
        block for step in plan.steps if step.gates and step.gates.fixed is None for block in step.gates.blocks
    }
    return WeightedGates(
        torch.stack(suffixes[::-1], dim=3), {block: kronecker(product, *block) for block in needed}, {}
    )


def kronecker(gates: Tensor, start: int, size: int) -> Tensor:
    """Product over a block of qubits of gates (copies, layers, qubits, 2, 2)."""
    block = gates[:, :, start + size - 1]
    for qubit in range(start + size - 2, start - 1, -1):
        side = 2 * block.shape[-1]
        low = gates[:, :, qubit, None, :, None, :]
        block = (block[..., :, None, :, None] * low).reshape(*block.shape[:2], side, side)
    return block


def adjoint(matrices: Tensor) -> Tensor:
    """Conjugate transposed; conjugated here and not lazily, or every product would do it again."""
    return matrices.conj_physical().transpose(-1, -2)


def apply_blocks(states: Tensor, blocks: Blocks) -> Tensor:
    """Matrices on blocks of qubits applied to states (copies, 2^n, batch)."""
    shape = states.shape
    for start, size, matrices in blocks:
        before, side, after = shape[1] >> (start + size), 2**size, shape[2] << start
        if before == 1:
            states = torch.matmul(matrices, states.reshape(shape[0], side, after))
        else:
            moved = states.reshape(shape[0], before, side, after).transpose(1, 2)
            product = torch.matmul(matrices, moved.reshape(shape[0], side, before * after))
            states = product.view(shape[0], side, before, after).transpose(1, 2)
    return states.reshape(shape)


def _blocks(
    position: int | None,
    fixed: Blocks | None,
    gates: WeightedGates | None,
    blocks: tuple[tuple[int, int], ...],
) -> Blocks:
    if position is None or gates is None:
        assert fixed is not None
        return fixed
    return [(start, size, gates.blocks[start, size][:, position]) for start, size in blocks]


def _adjoint_blocks(
    position: int | None,
    fixed: Blocks | None,
    gates: WeightedGates | None,
    blocks: tuple[tuple[int, int], ...],
) -> Blocks:
    if position is None or gates is None:
        assert fixed is not None
        return fixed
    return [(start, size, gates.adjoints[start, size][:, position]) for start, size in blocks]


def _factor(constants: Constants, phases: Phases, constant: Tensor | None, angles: Angles) -> Tensor:
    """exp(−i Σ angle (−1)^|j & mask| / 2), of shape (copies or 1, 2^n, batch or 1)."""
    total: Tensor | None = None
    if phases.row_masks:
        total = torch.matmul(constants.half_signs(phases.row_masks).T, angles.rows[:, phases.by_row])
    if phases.weight_masks:
        of_weights = angles.weights[:, phases.of_weights] @ constants.half_signs(phases.weight_masks)
        total = of_weights[..., None] if total is None else total + of_weights[..., None]
    if total is None:
        assert constant is not None
        return constant[None]
    factor = torch.complex(total.cos(), -total.sin())
    return factor if constant is None else factor * constant


def _phase_gradients(
    constants: Constants, phases: Phases, lam: Tensor, state: Tensor, rows: Tensor, weights: Tensor
) -> None:
    """dL/dangle = Σ_j sign_j/2 Im(λ_j* ψ_j), written into the slots' gradients."""
    if not (phases.row_masks or phases.weight_masks):
        return
    overlap = (lam.conj() * state).imag
    if phases.row_masks:
        rows[:, phases.by_row] = torch.matmul(constants.half_signs(phases.row_masks), overlap)
    if phases.weight_masks:
        weights[:, phases.of_weights] = overlap.sum(-1) @ constants.half_signs(phases.weight_masks).T


class _Operators:
    """Collects Y = Tr_rest Σ_batch λ ψ† for each qubit of each weighted layer, and turns them into gradients.

    Behind a gate G, dL = Re⟨λ, dG G† ψ⟩ = Re Tr(Y† dG G†): one 2×2 matrix a qubit holds the gradients of all its
    angles.
    """

    def __init__(self, constants: Constants, angles: Angles) -> None:
        self.constants = constants
        self.angles = angles.gates
        shape = (*angles.gates.shape[:3], 2, 2)
        self.operators = torch.zeros(shape, dtype=constants.complex, device=constants.device)
        self.waiting: dict[tuple[tuple[int, int], ...], list[tuple[int, Tensor, Tensor]]] = {}

    def add(
        self, position: int, blocks: tuple[tuple[int, int], ...], lam: Tensor, state: Tensor, at_once: bool
    ) -> None:
        if at_once or lam.numel() > _STACKED:
            self._read(slice(position, position + 1), blocks, lam, state)
        else:
            self.waiting.setdefault(blocks, []).append((position, lam, state))

    def _read_waiting(self) -> None:
        for blocks, entries in self.waiting.items():
            positions = [position for position, _, _ in entries]
            lam, state = (
                torch.stack(part, dim=1).flatten(0, 1) for part in list(zip(*entries, strict=True))[1:]
            )
            self._read(positions, blocks, lam, state)

    def _read(
        self, positions: slice | list[int], blocks: tuple[tuple[int, int], ...], lam: Tensor, state: Tensor
    ) -> None:
        """From gradients and states of shape (copies · positions, 2^n, batch)."""
        count, size_of_state, batch = lam.shape
        copies = len(self.operators)
        for start, size in blocks:
            side = 2**size
            if side == size_of_state:
                operator = torch.matmul(lam, state.mH)
            else:
                shape = (count, size_of_state >> (start + size), side, batch << start)
                left = lam.reshape(shape).transpose(1, 2).reshape(count, side, -1)
                right = state.reshape(shape).transpose(1, 2).reshape(count, side, -1)
                operator = torch.matmul(left, right.mH)
            single = operator.reshape(count, side * side) @ self.constants.partial_traces(size)
            single = single.view(copies, -1, size, 2, 2)
            if positions == list(range(self.operators.shape[1] - 1, -1, -1)):
                self.operators[:, :, start : start + size] = single.flip(1)
            else:
                self.operators[:, positions, start : start + size] = single

    def gate_gradients(self, gates: WeightedGates | None) -> Tensor:
        if gates is None:
            return torch.zeros_like(self.angles)
        self._read_waiting()
        seen = gates.suffixes.mH @ self.operators[:, :, :, None] @ gates.suffixes
        return (seen.conj() * self.constants.generators).real.sum(dim=(-2, -1))
