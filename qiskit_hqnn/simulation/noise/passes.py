"""Forward pass and analytic adjoint of a noisy plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.simulation.noise import sizes
from qiskit_hqnn.simulation.noise.carrying import Found, Way, ordered
from qiskit_hqnn.simulation.noise.joining import ProductJoin, join, pull_join
from qiskit_hqnn.simulation.noise.plan import NoisyPlan
from qiskit_hqnn.simulation.noise.remembered import RememberedStates
from qiskit_hqnn.simulation.noise.starting import Samples, product, pull_product
from qiskit_hqnn.simulation.noise.weighted import WeightedBlocks

_BATCH = 32
"""Samples for which layouts of states are chosen."""


class NoisyPasses:
    """One way through a plan, with its constants for a dtype and device.

    Args:
        plan: what runs.
        backwards: whether the steps after all uploads are applied to the observables.
        like: a tensor with the dtype and device.
    """

    def __init__(self, plan: NoisyPlan, backwards: bool, like: Tensor) -> None:
        self.plan = plan
        steps = plan.before if backwards else (*plan.before, *plan.behind)
        behind = plan.behind[::-1] if backwards else ()
        self.states = Way(steps, plan.num_qubits, _BATCH, True, like)
        self.observables = Way(behind, plan.num_qubits, plan.num_outputs, False, like)
        blocks = [*self.states.blocks, *self.observables.blocks]
        self.weighted = WeightedBlocks(blocks, plan.of_weights, like) if blocks else None
        self.samples = Samples(plan.starts, self.states.angles, plan.by_sample, like)
        axes = (0, *(qubit + 1 for qubit in self.observables.first))
        effects = plan.effects.transpose(axes).reshape(plan.num_outputs, -1).T
        self.effects = torch.as_tensor(effects.copy())[None].to(like)
        self.joined = self.unjoined = None
        if steps:
            # Observables end in the same order as the states.
            order = tuple(self.observables.last.index(qubit) for qubit in self.states.last)
            self.joined = None if order == tuple(range(plan.num_qubits)) else order
            self.unjoined = None if self.joined is None else tuple(np.argsort(order).tolist())
        self.order = self.states.first if steps else self.observables.last
        self.carries = bool(steps)
        self._front = self.states.first_kept(False)
        # With few steps before the first weights, computing the states again costs less than a look-up.
        uploads = any(leg.turns for leg in self.states.legs[: self._front])
        self._remembered = RememberedStates() if uploads and 2 * self._front > len(self.states.legs) else None

    @property
    def tensors(self) -> list[Tensor]:
        """Its constants."""
        weighted = [] if self.weighted is None else self.weighted.tensors
        return [
            *self.states.tensors,
            *self.observables.tensors,
            *weighted,
            *self.samples.tensors,
            self.effects,
        ]

    @property
    def num_bytes(self) -> int:
        """Memory of its constants and cached states."""
        constants = sum(tensor.numel() * tensor.element_size() for tensor in self.tensors)
        return constants + (0 if self._remembered is None else self._remembered.num_bytes)

    def front(self, rows: Tensor) -> tuple[Tensor, int] | None:
        """States (copies, 4^n, batch) of samples without gradient before a leg, and its index.

        Args:
            rows: of shape (batch, copies, C).

        Returns:
            None if there is nothing to gain.
        """
        # Reading values of another device would wait for it.
        if self._remembered is None or rows.device.type != "cpu":
            return None
        batch, copies, width = rows.shape
        flat = rows.transpose(0, 1).reshape(copies * batch, width)
        states = self._remembered.states(flat, self._front_of)
        return states[0].unflatten(1, (copies, batch)).transpose(0, 1).contiguous(), self._front

    def _front_of(self, rows: Tensor) -> Tensor:
        """States (4^n, M) of rows (M, C)."""
        _, waves = self.samples.arguments(rows[:, None])
        vectors = self.samples.vectors(waves)
        start, _ = product([vectors[qubit] for qubit in self.order])
        start = start.expand(-1, -1, len(rows)).contiguous()
        return self.states.up_to(self._front, start, self.samples.turns(waves))[0]

    def parts(self, batch: int, copies: int, itemsize: int, of_rows: bool) -> tuple[int, int]:
        """Number of parts of the backward passes of states and of observables, with or without the rows' gradient.

        Raises:
            HQNNError: if the tensors of this many samples do not fit into memory.
        """
        numbers = 4**self.plan.num_qubits
        parts = []
        for way, columns, what in (
            (self.states, batch, "samples"),
            (self.observables, self.plan.num_outputs, "observables"),
        ):
            state_bytes = copies * columns * numbers * itemsize
            states = way.keeps(of_rows)
            kept = sizes.kept_at_once(states, state_bytes)
            if way is self.observables or self.carries:
                words = f"{columns:,} {what}" + f" × {copies} copies" * (copies > 1)
                sizes.check_run(state_bytes, kept, self.plan.num_qubits, self.effects.device, words)
            parts.append(sizes.segments(states, state_bytes))
        return parts[0], parts[1]


class NoisyPass:
    """One evaluation: `measure`, and `pull_back` with the tensors that it kept.

    Without `of_rows` the rows have no gradient: if nothing before the circuit is trained, samples need not be
    carried back through their uploads.
    """

    def __init__(self, passes: NoisyPasses, of_rows: bool = True) -> None:
        self._passes, self._of_rows = passes, of_rows
        self._counts: list[int] = []
        self._parts, self._begin = (1, 1), 0

    def measure(self, rows: Tensor, columns: Tensor, for_gradient: bool) -> tuple[Tensor, list[Tensor]]:
        """Expectation values (batch, copies, outputs), and what `pull_back` needs.

        Args:
            rows: of shape (batch, copies, C), the columns of the uploads' angles.
            columns: of shape (copies, D), the columns of all other angles.
            for_gradient: whether `pull_back` will be called.
        """
        passes = self._passes
        batch, copies, _ = rows.shape
        self._parts = passes.parts(batch, copies, rows.element_size(), self._of_rows)
        forth, back = self._parts if for_gradient else (0, 0)
        matrices, of_weights = ([], []) if passes.weighted is None else passes.weighted.matrices(columns)
        arguments, waves = passes.samples.arguments(rows)
        split = len(passes.states.blocks)
        observed, of_observed = passes.observables.carry(passes.effects, matrices[split:], None, back, False)
        observed = observed.expand(copies, -1, -1)
        vectors = passes.samples.vectors(waves)
        lined = [vectors[qubit] for qubit in passes.order]
        of_states: list[Tensor] = []
        if passes.carries:
            start, joined = self._start(rows, lined)
            turns = passes.samples.turns(waves)
            states, of_states = passes.states.carry(
                start, matrices[:split], turns, forth, self._of_rows, self._begin
            )
            observed, states = ordered(observed, passes.joined), states.expand(copies, -1, -1)
            outputs = join(observed, states)
            joined = [*joined, observed, states]
        else:
            outputs, joined = ProductJoin(lined, copies, batch).outputs(observed.contiguous())
        outputs = outputs.permute(2, 0, 1)
        if not for_gradient:
            return outputs, []
        groups = [matrices, of_weights, of_observed, of_states, [arguments, waves], lined, joined]
        self._counts = [len(group) for group in groups]
        return outputs, [tensor for group in groups for tensor in group]

    def _start(self, rows: Tensor, lined: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """States that are carried forward, and the products that they come from, where a gradient needs them."""
        front = None if self._of_rows else self._passes.front(rows)
        if front is not None:
            states, self._begin = front
            return states, []
        start, joined = product(lined)
        return start.expand(-1, -1, len(rows)).contiguous(), joined

    def pull_back(self, kept: Sequence[Tensor], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of rows and columns from the expectation values'; without `of_rows` that of the rows is zero."""
        passes, waiting = self._passes, iter(kept)
        groups = [[next(waiting) for _ in range(count)] for count in self._counts]
        matrices, of_weights, of_observed, of_states, (arguments, waves), lined, joined = groups
        copies, _, batch = arguments.shape
        varied = set(passes.samples.varied if self._of_rows else ())
        wanted = [qubit in varied for qubit in passes.order]
        split, (forth, back) = len(passes.states.blocks), self._parts
        slopes, of_turns = gradient.permute(1, 2, 0).contiguous(), None
        if passes.carries:
            *partial, observed, states = joined
            of_observables, of_last = pull_join(slopes, observed, states)
            of_observables = ordered(of_observables, passes.unjoined)
            turns = passes.samples.turns(waves)
            of_turns = None if turns is None or not self._of_rows else torch.empty_like(turns[:, 0])
            found = Found(matrices[:split], turns, list(matrices[:split]), of_turns)
            of_start = passes.states.pull_back(of_last, of_states, found, forth, any(wanted), self._begin)
            of_lined = pull_product(of_start, lined, partial, wanted) if any(wanted) else []
            of_matrices = found.of_matrices
        else:
            of_observables, of_lined = ProductJoin(lined, copies, batch).pull_back(slopes, joined, wanted)
            of_matrices = []
        found = Found(matrices[split:], None, list(matrices[split:]), None)
        if passes.observables.blocks:
            passes.observables.pull_back(of_observables, of_observed, found, back, False)
        of_vectors = dict(zip(passes.order, of_lined, strict=False))
        if self._of_rows:
            rows = passes.samples.pull_back(of_vectors, of_turns, arguments)
        else:
            rows = passes.samples.no_rows(arguments)
        if passes.weighted is None:
            return rows, arguments.new_zeros(copies, len(passes.plan.of_weights.chosen))
        return rows, passes.weighted.pull_back([*of_matrices, *found.of_matrices], of_weights)
