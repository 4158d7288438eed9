"""Channels and rotations gathered into few blocks, which the passes run.

Between two uploads of inputs, everything on one pair of qubits is one matrix, constant or of weights. What happens to a
qubit before it meets another one, up to its last upload, belongs to its initial vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qiskit_hqnn.simulation.noise import channels
from qiskit_hqnn.simulation.noise.attaching import Channel, Operation, Turn
from qiskit_hqnn.simulation.planning import Angle

_START_UPLOADS = 3
"""Most uploads in an initial vector; further ones turn the state."""


@dataclass(eq=False)
class Block:
    """Constants and turns of weights on some qubits: constants[m] · T(angle m−1) · … · T(angle 0) · constants[0].

    Attributes:
        qubits: in the order of the constants' digits.
        constants: channels on all of the qubits; one more than there are turns.
        turns: (position within `qubits`, angle).
    """

    qubits: tuple[int, ...]
    constants: list[np.ndarray]
    turns: list[tuple[int, Angle]] = field(default_factory=list)

    def add(self, operation: Operation) -> None:
        """An operation on some of these qubits, after the present ones."""
        positions = [self.qubits.index(qubit) for qubit in operation.qubits]
        if isinstance(operation, Turn):
            self.turns.append((positions[0], operation.angle))
            self.constants.append(np.eye(4 ** len(self.qubits)))
        else:
            whole = channels.embedded(operation.matrix, positions, len(self.qubits))
            self.constants[-1] = whole @ self.constants[-1]


@dataclass(eq=False)
class Uploads:
    """Turns by angles that differ from sample to sample, on different qubits."""

    turns: list[tuple[int, Angle]]

    @property
    def qubits(self) -> tuple[int, ...]:
        return tuple(qubit for qubit, _ in self.turns)


Step = Block | Uploads


@dataclass(eq=False)
class Start:
    """One qubit's initial vector: constants[m] · T(angle m−1) · … · constants[0], the last of them a vector."""

    constants: list[np.ndarray]
    angles: list[Angle] = field(default_factory=list)

    def add(self, operation: Operation) -> None:
        if isinstance(operation, Turn):
            self.angles.append(operation.angle)
            self.constants.append(np.eye(4))
        else:
            self.constants[-1] = operation.matrix @ self.constants[-1]


def gather(
    operations: Sequence[Operation], num_qubits: int, by_sample: np.ndarray | None
) -> tuple[list[Start], list[Step]]:
    """Initial vectors, and blocks and uploads in an order in which they may run.

    Args:
        operations: in order.
        num_qubits: n.
        by_sample: mask over the turns' expressions: those that differ from sample to sample. None treats all alike:
            the first ones are in the initial vectors, the others in blocks.
    """
    gatherer = _Gatherer(num_qubits, by_sample)
    for operation in operations:
        gatherer.add(operation)
    for qubit in range(num_qubits):
        gatherer.flush(qubit)
    return gatherer.starts, gatherer.steps


class _Gatherer:
    def __init__(self, num_qubits: int, by_sample: np.ndarray | None) -> None:
        self._by_sample = by_sample
        self.starts = [Start([channels.ZERO.copy()]) for _ in range(num_qubits)]
        self.steps: list[Step] = []
        self._last: list[Step | None] = [None] * num_qubits
        self._pending: list[list[Operation]] = [[] for _ in range(num_qubits)]

    def add(self, operation: Operation) -> None:
        if len(operation.qubits) > 1:
            assert isinstance(operation, Channel)
            self._on_several(operation)
        elif isinstance(operation, Turn) and self._by_sample is None:
            self._wherever(operation)
        elif (
            isinstance(operation, Turn)
            and self._by_sample is not None
            and self._by_sample[operation.angle.index]
        ):
            self._upload(operation)
        else:
            self._on_one(operation)

    def _on_one(self, operation: Operation) -> None:
        (qubit,) = operation.qubits
        last, pending = self._last[qubit], self._pending[qubit]
        if isinstance(operation, Turn) or pending:
            pending.append(operation)
        elif last is None:
            self.starts[qubit].add(operation)
        elif isinstance(last, Block):
            last.add(operation)
        else:
            pending.append(operation)

    def _wherever(self, turn: Turn) -> None:
        start = self.starts[turn.qubit]
        first = self._last[turn.qubit] is None and not self._pending[turn.qubit]
        if first and len(start.angles) < _START_UPLOADS:
            start.add(turn)
        else:
            self._on_one(turn)

    def _upload(self, turn: Turn) -> None:
        qubit = turn.qubit
        start = self.starts[qubit]
        if self._last[qubit] is None and len(start.angles) < _START_UPLOADS:
            waiting = sum(isinstance(operation, Turn) for operation in self._pending[qubit])
            if len(start.angles) + waiting < _START_UPLOADS:
                for operation in (*self._pending[qubit], turn):
                    start.add(operation)
                self._pending[qubit] = []
                return
        self.flush(qubit)
        before = self.steps[-1] if self.steps else None
        if isinstance(before, Uploads) and qubit not in before.qubits:
            before.turns.append((qubit, turn.angle))
        else:
            before = Uploads([(qubit, turn.angle)])
            self.steps.append(before)
        self._last[qubit] = before

    def _on_several(self, channel: Channel) -> None:
        last = self._last[channel.qubits[0]]
        same = (
            isinstance(last, Block)
            and set(last.qubits) == set(channel.qubits)
            and all(self._last[qubit] is last for qubit in channel.qubits)
        )
        block = last if same else self._new(channel.qubits)
        assert isinstance(block, Block)
        for qubit in channel.qubits:
            for operation in self._pending[qubit]:
                block.add(operation)
            self._pending[qubit] = []
        block.add(channel)

    def flush(self, qubit: int) -> None:
        """What waits for a qubit's next block goes to the previous block, or becomes a separate one."""
        pending, last = self._pending[qubit], self._last[qubit]
        if not pending:
            return
        block = last if isinstance(last, Block) else self._new((qubit,))
        for operation in pending:
            block.add(operation)
        self._pending[qubit] = []

    def _new(self, qubits: tuple[int, ...]) -> Block:
        block = Block(qubits, [np.eye(4 ** len(qubits))])
        self.steps.append(block)
        for qubit in qubits:
            self._last[qubit] = block
        return block


def parted(steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """Steps that an upload waits for, uploads included, and all others, through which no sample need be carried."""
    needed: set[int] = set()
    before: list[Step] = []
    behind: list[Step] = []
    for step in reversed(steps):
        if isinstance(step, Uploads) or needed & set(step.qubits):
            needed |= set(step.qubits)
            before.append(step)
        else:
            behind.append(step)
    return before[::-1], behind[::-1]


def folded(steps: Sequence[Step], effects: np.ndarray) -> tuple[list[Step], np.ndarray]:
    """Constant blocks after all turns, included in the effects (outputs, 4, …, 4)."""
    busy: set[int] = set()
    left: list[Step] = []
    for step in reversed(steps):
        if isinstance(step, Block) and not step.turns and not busy & set(step.qubits):
            effects = channels.applied(step.constants[0].T, effects, step.qubits)
        else:
            busy |= set(step.qubits)
            left.append(step)
    return left[::-1], effects


def in_sight(operations: Sequence[Operation], seen: set[int]) -> tuple[list[Operation], list[int]]:
    """The operations that can affect what is measured on the qubits `seen`, and all their qubits."""
    seen = set(seen)
    kept: list[Operation] = []
    for operation in reversed(operations):
        hidden = not seen & set(operation.qubits)
        if hidden and (isinstance(operation, Turn) or channels.keeps_identity(operation.matrix)):
            continue
        seen |= set(operation.qubits)
        kept.append(operation)
    return kept[::-1], sorted(seen)


def renumbered(operations: Sequence[Operation], place: dict[int, int]) -> list[Operation]:
    """The operations with the qubits' positions instead of their indices."""
    return [
        Turn(place[operation.qubit], operation.angle)
        if isinstance(operation, Turn)
        else Channel(tuple(place[qubit] for qubit in operation.qubits), operation.matrix)
        for operation in operations
    ]
