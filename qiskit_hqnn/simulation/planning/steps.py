"""The steps of a plan, and which of them become one matrix before they are applied to samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from qiskit_hqnn.simulation.planning.measurement import Basis

WHOLE = 6
"""Up to this many qubits, a layer of one-qubit gates is applied as one matrix."""
BLOCK = 5
"""Above, as one matrix for each block of at most this many qubits."""


@dataclass(frozen=True, eq=False)
class Gates:
    """The one-qubit gates of a layer.

    Attributes:
        fixed: a matrix for each active qubit, if none of them depends on weights; otherwise None.
        position: index among the plan's weighted layers, if one depends on weights; otherwise None.
        blocks: (lowest qubit, number of qubits) of each block that is applied as one matrix.
    """

    fixed: dict[int, np.ndarray] | None
    position: int | None
    blocks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Phases:
    """The phase polynomial of a layer: exp(−i Σ_k angle_k (−1)^|j & mask_k| / 2).

    Attributes:
        by_row, of_weights: slices of the plan's row slots and weight slots.
        row_masks, weight_masks: their parity masks.
        constant: (mask, angle) of the phases without parameters.
    """

    by_row: slice
    of_weights: slice
    row_masks: tuple[int, ...]
    weight_masks: tuple[int, ...]
    constant: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Step:
    """One layer: gates, then phases, then a permutation (rows over GF(2)); None if there is nothing to do."""

    gates: Gates | None
    phases: Phases | None
    rows: tuple[int, ...] | None

    @property
    def by_row(self) -> bool:
        return self.phases is not None and bool(self.phases.row_masks)

    @property
    def of_weights(self) -> bool:
        """Whether anything in it depends on weights."""
        gates = self.gates is not None and self.gates.position is not None
        return gates or (self.phases is not None and bool(self.phases.weight_masks))


@dataclass(frozen=True, eq=False)
class Product:
    """Steps without inputs, multiplied into one matrix per copy, which is then applied to all samples."""

    steps: tuple[Step, ...]


def each_step(steps: Sequence[Step | Product]) -> Iterator[Step]:
    """All steps in order, including those inside products."""
    for step in steps:
        if isinstance(step, Product):
            yield from step.steps
        else:
            yield step


def multiply_runs(
    steps: Sequence[Step], bases: list[Basis], num_qubits: int
) -> tuple[tuple[Step | Product, ...], list[Basis]]:
    """Runs of steps without inputs as products, where at least two layers of weights are multiplied.

    Where all inputs come at the start, everything after them is one product: `one_upload` runs it.

    A run's matrix has as many columns as the state has amplitudes, which for small circuits is fewer than a batch has
    samples; the batch then costs one matrix product, however deep the run. The change of basis of a single measurement
    joins the last run.
    """
    if num_qubits > WHOLE:
        return tuple(steps), bases
    if bases and is_one_upload(steps):
        upload, *rest = steps
        rest = [Step(None, None, upload.rows), *rest] if upload.rows else rest
        return (replace(upload, rows=None), *([Product(tuple(rest))] if rest else [])), bases
    runs: list[list[Step]] = [[]]
    for step in steps:
        if not step.by_row:
            runs[-1].append(step)
            continue
        if step.gates is not None:
            runs[-1].append(Step(step.gates, None, None))
        runs += [[replace(step, gates=None)], []]
    if len(bases) == 1 and bases[0].gates and _weighted(runs[-1]) > 1:
        fixed = bases[0].gates
        runs[-1].append(Step(Gates(fixed, None, tight_blocks(sorted(fixed))), None, None))
        bases = [replace(bases[0], gates={})]
    joined: list[Step | Product] = []
    for run in runs:
        if _weighted(run) > 1:
            joined.append(Product(tuple(run)))
        else:
            joined += run
    return _rejoin(joined), bases


def is_one_upload(steps: Sequence[Step | Product]) -> bool:
    """Whether phases on the initial state are the only step that depends on inputs."""
    first = steps[0] if steps else None
    return (
        isinstance(first, Step)
        and first.gates is None
        and first.by_row
        and not any(step.by_row for step in each_step(steps[1:]))
    )


def _weighted(run: Sequence[Step]) -> int:
    return sum(step.gates is not None and step.gates.position is not None for step in run)


def _rejoin(steps: list[Step | Product]) -> tuple[Step | Product, ...]:
    """Gates and the phases after them as one step again, where the split gained nothing."""
    joined: list[Step | Product] = []
    for step in steps:
        last = joined[-1] if joined else None
        if (
            isinstance(step, Step)
            and isinstance(last, Step)
            and step.gates is None
            and last.phases is None
            and last.rows is None
        ):
            joined[-1] = replace(step, gates=last.gates)
        else:
            joined.append(step)
    return tuple(joined)


def qubit_blocks(num_qubits: int) -> list[tuple[int, int]]:
    """(lowest qubit, size) of the blocks that cover all qubits."""
    count = 1 if num_qubits <= WHOLE else -(-num_qubits // BLOCK)
    bounds = [round(index * num_qubits / count) for index in range(count + 1)]
    return [(start, stop - start) for start, stop in pairwise(bounds)]


def tight_blocks(active: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Blocks of at most BLOCK qubits (WHOLE where one suffices) that start and end with an active one."""
    if active and active[-1] - active[0] < WHOLE:
        return ((active[0], active[-1] - active[0] + 1),)
    blocks: list[tuple[int, int]] = []
    for qubit in active:
        if blocks and qubit - blocks[-1][0] < BLOCK:
            blocks[-1] = (blocks[-1][0], qubit - blocks[-1][0] + 1)
        else:
            blocks.append((qubit, 1))
    return tuple(blocks)


def explain(step: Step | Product) -> list[str]:
    """One line for each part of a step, in words."""
    if isinstance(step, Product):
        weighted = _weighted(step.steps)
        inner = [f"  {line}" for part in step.steps for line in explain(part)]
        layers = f", {weighted} layers of weights multiplied" if weighted > 1 else ""
        return [f"one matrix for all samples{layers}:", *inner]
    parts = []
    if step.gates is not None:
        kind = "of weights, one for all samples" if step.gates.fixed is None else "constant"
        sizes = " ⊗ ".join(f"{2**size}×{2**size}" for _, size in step.gates.blocks)
        parts.append(f"one-qubit gates ({kind}) as {sizes} matrices")
    if step.phases is not None:
        rows, weights = len(step.phases.row_masks), len(step.phases.weight_masks)
        parts.append(
            f"phases, elementwise: {rows} per sample, {weights} of weights, {len(step.phases.constant)} constant"
        )
    if step.rows is not None:
        parts.append("CNOTs as one permutation of basis states")
    return parts
