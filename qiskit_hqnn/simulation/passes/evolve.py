"""A plan executed: the states of a whole batch, and the adjoint pass that gives every angle's gradient.

States are complex tensors of shape (copies, 2^n, batch), little-endian. A gradient λ of a real loss with respect to a
state is ∂L/∂Re ψ + i ∂L/∂Im ψ, as torch writes it, so that dL = Re⟨λ, dψ⟩. A product of weights is evolved in the same
way, with the basis states for a batch.

For small circuits the number of torch operators determines the cost. So the adjoint pass carries μ = λ*: every λ ψ† is
then a plain μ ψᵀ and every U† a transposed view, and nothing is conjugated. The batched product is called directly,
since `matmul` inspects its arguments first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from qiskit_hqnn.simulation.passes.constants import Blocks, Constants
from qiskit_hqnn.simulation.passes.operators import Operators
from qiskit_hqnn.simulation.passes.slots import Angles
from qiskit_hqnn.simulation.passes.weighted_gates import WeightedGates, weighted_gates
from qiskit_hqnn.simulation.planning import Phases, Product, Step

Steps = Sequence[Step | Product]

_STORED_BYTES = 64 << 20
"""Intermediate states are kept for the adjoint pass up to this size; beyond it they are computed backwards, gate by
gate, so that memory does not grow with depth."""


@dataclass(eq=False)
class Kept:
    """What one step keeps for the adjoint pass.

    Attributes:
        state: after the gates of a step, or before a product; None if it is computed backwards.
        factor: of the step's phases.
        matrix, inside: of a product, and what its steps kept.
    """

    state: Tensor | None
    factor: Tensor | None = None
    matrix: Tensor | None = None
    inside: list[Kept] | None = None


class Evolution:
    """One batch through steps of a plan: `forth` and, from the tensors that it keeps, `back`.

    Attributes:
        final: the states after the last step.
    """

    final: Tensor
    _kept: list[Kept]

    def __init__(
        self,
        constants: Constants,
        steps: Steps,
        angles: Angles,
        gates: WeightedGates | None,
        for_gradient: bool,
    ) -> None:
        self._constants, self._steps, self._angles, self._gates = constants, steps, angles, gates
        self._for_gradient = for_gradient

    @classmethod
    def forth(cls, constants: Constants, angles: Angles, for_gradient: bool) -> Evolution:
        """All steps of the plan on its initial state; with `for_gradient`, `tensors` are the input of `back`."""
        steps = constants.plan.steps
        initial = constants.initial[None, :, None].expand(angles.copies, -1, angles.batch)
        kept_bytes = initial.numel() * initial.element_size() * len(steps)
        return cls._forth(
            constants, steps, angles, initial, for_gradient, for_gradient and kept_bytes <= _STORED_BYTES
        )

    @classmethod
    def matrix(cls, constants: Constants, steps: Steps, angles: Angles, for_gradient: bool) -> Evolution:
        """The same of steps without inputs on all basis states: `final` is their product, (copies, 2^n, 2^n)."""
        return cls._forth(constants, steps, angles, None, for_gradient, for_gradient)

    @classmethod
    def _forth(
        cls,
        constants: Constants,
        steps: Steps,
        angles: Angles,
        state: Tensor | None,
        for_gradient: bool,
        keeps: bool,
    ) -> Evolution:
        gates = None if constants.gates is None else weighted_gates(constants.gates, angles.gates)
        made = cls(constants, steps, angles, gates, for_gradient)
        made.final, made._kept = made._run(steps, state, keeps)
        return made

    @classmethod
    def back(
        cls, constants: Constants, steps: Steps, copies: int, tensors: Sequence[Tensor | None]
    ) -> Evolution:
        """The evolution that kept these tensors."""
        taken: Any = iter(tensors)
        angles = Angles(copies, next(taken), next(taken), constants.nothing)
        final, gates = next(taken), None
        if constants.gates is not None:
            axes = next(taken)
            layers = range(constants.gates.layers)
            blocks = {block: tuple(next(taken) for _ in layers) for block in constants.gates.blocks}
            gates = WeightedGates(constants.gates, axes, blocks)
        made = cls(constants, steps, angles, gates, for_gradient=True)
        made.final, made._kept = final, _kept_from(steps, taken)
        return made

    def tensors(self) -> list[Tensor | None]:
        """All that `back` needs, so that autograd can keep it, free it, and notice changes in place."""
        angles, gates = self._angles, self._gates
        left: list[Tensor | None] = [angles.rows, angles.weights, self.final]
        if gates is not None:
            left.append(gates.axes)
            for of_layers in gates.blocks.values():
                left += of_layers
        _lay_out(self._kept, left)
        return left

    def pull_back(self, mu: Tensor) -> Angles:
        """Gradients of all angles from the conjugated gradient μ, (copies, 2^n, batch), of the final states."""
        copies, rows, weights = self._angles.copies, self._angles.rows, self._angles.weights
        # A tensor without elements is its own gradient, but not a part of the graph.
        rows, weights = (
            torch.zeros_like(angles) if angles.numel() else angles.detach() for angles in (rows, weights)
        )
        if self._gates is None:
            self._pull(self._steps, self._kept, mu, self.final, None, rows, weights)
            return Angles(copies, rows, weights, self._angles.gates)
        operators = Operators(self._constants, copies)
        self._pull(self._steps, self._kept, mu, self.final, operators, rows, weights)
        return Angles(copies, rows, weights, self._gates.angle_gradients(operators.all()))

    def _run(self, steps: Steps, state: Tensor | None, keep: bool) -> tuple[Tensor, list[Kept]]:
        """The state after the steps; None before them means all basis states, the identity."""
        kept, start = [], state
        for step in steps:
            if isinstance(step, Product):
                assert state is not None
                matrix, inside = self._run(step.steps, None, self._for_gradient)
                kept.append(Kept(state if keep else None, None, matrix, inside))
                state = torch.bmm(matrix, state)
                continue
            fixed = self._constants.steps[step]
            if step.gates is not None:
                state = self._apply_gates(step, fixed.blocks, state)
            elif state is None:
                state = self._identity()
            behind_gates = state
            factor = None
            if step.phases is not None:
                factor = self._factor(step.phases, fixed.constant_phase)
                state = self._times(state, factor, step, untouched=state is start)
            if fixed.gather is not None:
                state = state.index_select(1, fixed.gather.indices())
            if self._for_gradient:
                kept.append(Kept(behind_gates, factor) if keep else Kept(None))
        return self._identity() if state is None else state, kept

    def _pull(
        self,
        steps: Steps,
        all_kept: list[Kept],
        mu: Tensor,
        state: Tensor,
        operators: Operators | None,
        rows: Tensor,
        weights: Tensor,
    ) -> None:
        """From μ and the state after the steps to the gradients of their angles, written to `rows` and `weights`."""
        for index in range(len(steps) - 1, -1, -1):
            step, kept = steps[index], all_kept[index]
            stored = kept.state
            if isinstance(step, Product):
                assert kept.matrix is not None
                assert kept.inside is not None
                transposed = kept.matrix.transpose(1, 2)
                state = torch.bmm(transposed.conj_physical(), state) if stored is None else stored
                of_matrix = torch.bmm(mu, state.transpose(1, 2))
                self._pull(step.steps, kept.inside, of_matrix, kept.matrix, operators, rows, weights)
                if index:
                    mu = torch.bmm(transposed, mu)
                continue
            fixed = self._constants.steps[step]
            if fixed.scatter is not None:
                back = fixed.scatter.indices()
                mu = mu.index_select(1, back)
                if stored is None:
                    state = state.index_select(1, back)
            if step.phases is not None:
                factor = kept.factor
                if factor is None:
                    factor = self._factor(step.phases, fixed.constant_phase)
                if not index and step.gates is None:
                    # Nothing comes before these phases: their gradient is the same on either side of them.
                    first = step is self._constants.plan.steps[0]
                    behind = state if stored is None else self._times(stored, factor, step, untouched=first)
                    self._phase_gradients(step.phases, mu, behind, rows, weights)
                    return
                mu = mu * factor
                state = state * factor.conj_physical() if stored is None else stored
                self._phase_gradients(step.phases, mu, state, rows, weights)
            elif stored is not None:
                state = stored
            if step.gates is None:
                continue
            if step.gates.position is not None:
                assert operators is not None
                operators.add(step.gates.position, step.gates.blocks, mu, state, at_once=stored is None)
            if index:
                transposed_blocks = [
                    (start, size, matrices.transpose(1, 2))
                    for start, size, matrices in self._blocks(step, fixed.blocks)
                ]
                mu = apply_blocks(mu, transposed_blocks)
                if stored is None:
                    state = apply_blocks(state, [(s, n, m.conj_physical()) for s, n, m in transposed_blocks])

    def _times(self, state: Tensor, factor: Tensor, step: Step, untouched: bool) -> Tensor:
        ones = untouched and self._constants.initial_is_ones
        return factor if ones and step.by_row else state * factor

    def _apply_gates(self, step: Step, fixed: Blocks | None, state: Tensor | None) -> Tensor:
        blocks = self._blocks(step, fixed)
        if state is not None:
            return apply_blocks(state, blocks)
        if len(blocks) == 1 and blocks[0][1] == self._constants.plan.num_qubits:
            matrix = blocks[0][2]
            return (
                matrix if len(matrix) == self._angles.copies else matrix.expand(self._angles.copies, -1, -1)
            )
        return apply_blocks(self._identity(), blocks)

    def _blocks(self, step: Step, fixed: Blocks | None) -> Blocks:
        if fixed is not None:
            return fixed
        assert self._gates is not None
        assert step.gates is not None
        made, position = self._gates.blocks, step.gates.position
        assert position is not None
        return [(start, size, made[start, size][position]) for start, size in step.gates.blocks]

    def _identity(self) -> Tensor:
        side = 2**self._constants.plan.num_qubits
        identity = torch.eye(side, dtype=self._constants.complex, device=self._constants.device)
        return identity.expand(self._angles.copies, -1, -1)

    def _factor(self, phases: Phases, constant: Tensor | None) -> Tensor:
        """exp(−i Σ angle (−1)^|j & mask| / 2), of shape (copies or 1, 2^n, batch or 1)."""
        angles, constants = self._angles, self._constants
        total: Tensor | None = None
        if phases.row_masks:
            signs = constants.negative_half_signs(phases.row_masks).expand(angles.copies, -1, -1)
            total = torch.bmm(signs, angles.rows[:, phases.by_row])
        if phases.weight_masks:
            signs = constants.negative_half_signs(phases.weight_masks)
            of_weights = torch.mm(angles.weights[:, phases.of_weights], signs.T)[..., None]
            total = of_weights if total is None else total + of_weights
        if total is None:
            assert constant is not None
            return constant[None]
        factor = torch.complex(total.cos(), total.sin())
        return factor if constant is None else factor * constant

    def _phase_gradients(
        self, phases: Phases, mu: Tensor, state: Tensor, rows: Tensor, weights: Tensor
    ) -> None:
        """dL/dangle = Σ_j sign_j/2 Im(μ_j ψ_j), written into the slots' gradients."""
        if not (phases.row_masks or phases.weight_masks):
            return
        # Real parts are included: selecting the imaginary ones first would copy the whole batch.
        overlap = torch.view_as_real(mu * state).flatten(2)
        constants = self._constants
        if phases.row_masks:
            signs = constants.half_signs(phases.row_masks).expand(len(overlap), -1, -1)
            rows[:, phases.by_row] = torch.bmm(signs, overlap)[..., 1::2]
        if phases.weight_masks:
            signs = constants.half_signs(phases.weight_masks)
            weights[:, phases.of_weights] = torch.mm(overlap[..., 1::2].sum(-1), signs.T)


def _lay_out(all_kept: list[Kept], left: list[Tensor | None]) -> None:
    for kept in all_kept:
        left += (kept.state, kept.factor, kept.matrix)
        if kept.inside is not None:
            _lay_out(kept.inside, left)


def _kept_from(steps: Steps, taken: Iterator[Tensor | None]) -> list[Kept]:
    return [
        Kept(
            next(taken),
            next(taken),
            next(taken),
            _kept_from(step.steps, taken) if isinstance(step, Product) else None,
        )
        for step in steps
    ]


def apply_blocks(states: Tensor, blocks: Blocks) -> Tensor:
    """Matrices on blocks of qubits applied to states (copies, 2^n, batch)."""
    copies, amplitudes, batch = states.shape
    for start, size, matrices in blocks:
        if 1 << size == amplitudes and len(matrices) == copies:
            return torch.bmm(matrices, states)
        before, side, after = amplitudes >> (start + size), 2**size, batch << start
        if len(matrices) != copies:
            matrices = matrices.expand(copies, -1, -1)
        if before == 1:
            states = torch.bmm(matrices, states.reshape(copies, side, after))
        else:
            moved = states.reshape(copies, before, side, after).transpose(1, 2)
            product = torch.bmm(matrices, moved.reshape(copies, side, before * after))
            states = product.view(copies, side, before, after).transpose(1, 2)
    return states.reshape(copies, amplitudes, batch)
