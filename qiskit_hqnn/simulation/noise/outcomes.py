"""Probabilities of all outcomes of a measured circuit, with or without noise, for many sets of values.

Sets of values are mostly related: a training step by parameter shifts evaluates every sample with each angle shifted.
Where the sets after a first one each differ from it in one step of the circuit, the states of the first ones
are carried forward, the probabilities' effects backwards, and every other set is one step between both: a
step of the layer costs about as much as its derivative would.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer.noise import NoiseModel
from torch import Tensor

from qiskit_hqnn.simulation.noise import sizes
from qiskit_hqnn.simulation.noise.attaching import attach
from qiskit_hqnn.simulation.noise.blocks import Block, gather, in_sight, renumbered
from qiskit_hqnn.simulation.noise.carrying import Leg, Way, applied, ordered
from qiskit_hqnn.simulation.noise.columns import Values, columns_of
from qiskit_hqnn.simulation.noise.starting import Samples, product
from qiskit_hqnn.simulation.noise.weighted import SingleBlock
from qiskit_hqnn.simulation.planning import Angle

_START, _NOWHERE, _SEVERAL = -1, -2, -3
"""Where a parameter acts: on initial vectors; on nothing that is measured; in several places."""
_PRECISION = torch.float32
"""The states' dtype; angles are float64. Errors of 1e-6 are far below what any number of shots resolves."""
_CHUNK_BYTES = 32 << 20
"""Most bytes of states at once."""


class OutcomeProgram:
    """A measured circuit's outcomes.

    Args:
        circuit: measured at its end; with or without parameters.
        names: of its parameters, in the order of the values' columns.
        noise: of the circuit's qubits; None for none.

    Raises:
        CircuitError: if no channel describes a part of the circuit.
        HQNNError: if its states do not fit into memory.
    """

    def __init__(self, circuit: QuantumCircuit, names: Sequence[str], noise: NoiseModel | None) -> None:
        noisy = attach(circuit, noise)
        self._bits = {bit: noisy.readouts[bit] for bit in sorted(noisy.readouts)}
        self._width = circuit.num_clbits
        operations, qubits = in_sight(noisy.operations, {qubit for qubit, _ in self._bits.values()})
        sizes.check_plan(len(qubits), 1 << len(self._bits))
        self._place = {qubit: index for index, qubit in enumerate(qubits)}
        starts, steps = gather(renumbered(operations, self._place), len(qubits), None)
        states, angles_like = torch.zeros(0, dtype=_PRECISION), torch.zeros(0, dtype=torch.float64)
        by_name = {parameter.name: parameter for parameter in circuit.parameters}
        parameters = [by_name.get(name, Parameter(name)) for name in names]
        blocks = [step for step in steps if isinstance(step, Block)]
        early = [angle for start in starts for angle in start.angles]
        angles = early + [angle for block in blocks for _, angle in block.turns]
        columns = columns_of(noisy.expressions, angles, parameters, range(len(parameters)))
        self._values = Values(columns, parameters)
        self._way = Way(steps, len(qubits), 1, True, states)
        self._samples = Samples(starts, [], columns, angles_like)
        self._blocks = [SingleBlock(block, lie, columns, states) for block, lie in self._way.blocks]
        self._places = self._places_of(early, columns.matrix, len(parameters))
        late = {angle.index for block in blocks for _, angle in block.turns if angle.index is not None}
        self._behind = (columns.matrix[sorted(late), :-1] != 0).any(axis=0)
        self.num_qubits = len(qubits)

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Probabilities (sets, 2^bits) of outcomes, from values (sets, parameters) in radians."""
        sets = torch.from_numpy(np.ascontiguousarray(values, dtype=float))
        length = self._sweep_length(sets)
        found = self._swept(sets, length) if length > 1 else self._direct(sets)
        outcomes = found.double().numpy().clip(min=0.0)
        return outcomes / outcomes.sum(axis=1, keepdims=True)

    def _places_of(self, early: Sequence[Angle], matrix: np.ndarray, count: int) -> np.ndarray:
        """For each parameter, the leg that it acts in, or one of the words above."""
        places = np.full(count, _NOWHERE)
        steps = [(_START, early)] + [
            (place, [angle for _, angle in self._way.blocks[leg.weighted][0].turns])
            for place, leg in enumerate(self._way.legs)
            if leg.weighted is not None
        ]
        for place, angles in steps:
            rows = matrix[sorted({angle.index for angle in angles if angle.index is not None})]
            here = (rows[:, :count] != 0).any(axis=0)
            places[here] = np.where(places[here] == _NOWHERE, place, _SEVERAL)
        for column in range(count, matrix.shape[1] - 1):
            # An expression that is not affine may contain any of the parameters.
            if (matrix[:, column] != 0).any():
                places[:] = _SEVERAL
        return places

    def _sweep_length(self, sets: Tensor) -> int:
        """The length of groups of sets that differ from their first one in one step each; 1 if there are none."""
        if len(sets) < 3:
            return 1
        alone = self._step_of(sets[1:] != sets[:1]) != _SEVERAL
        length = len(sets) if bool(alone.all()) else 1 + int(np.flatnonzero(~alone)[0])
        if length < 3 or len(sets) % length:
            return 1
        blocks = sets.view(-1, length, sets.shape[1])
        steps = self._step_of((blocks[:, 1:] != blocks[:, :1]).flatten(0, 1))
        return 1 if (steps == _SEVERAL).any() else length

    def _step_of(self, changed: Tensor) -> np.ndarray:
        """The one step in which the changed parameters (sets, P) act, or one of the words above."""
        seen = changed.numpy() & (self._places != _NOWHERE)
        low = np.where(seen, self._places, len(self._way.legs)).min(axis=1, initial=len(self._way.legs))
        high = np.where(seen, self._places, _SEVERAL).max(axis=1, initial=_SEVERAL)
        step = np.where(low == high, low, _SEVERAL)
        return np.where(seen.any(axis=1), step, _NOWHERE)

    def _states(self, sets: Tensor) -> Tensor:
        """Initial states (sets, 4^n, 1)."""
        _, waves = self._samples.arguments(self._values(sets)[:, None])
        vectors = self._samples.vectors(waves)
        state, _ = product([vectors[qubit].to(_PRECISION) for qubit in self._way.first])
        return state[0].expand(-1, len(sets)).T.contiguous()[:, :, None]

    def _direct(self, sets: Tensor) -> Tensor:
        """Probabilities of sets that are each carried forward."""
        found = []
        for part in sets.split(self._chunk(1)):
            state, groups = self._states(part), self._groups(part)
            for leg in self._way.legs:
                matrix = groups.matrices(leg)
                state = applied(matrix, ordered(state, leg.order), leg.outer, True)
            found.append(self._read(state[:, :, 0]))
        return torch.cat(found)

    def _swept(self, sets: Tensor, length: int) -> Tensor:
        """Probabilities of blocks of sets that differ from their first one in one step each."""
        blocks = sets.view(-1, length, sets.shape[1])
        order = self._groups(blocks[:, 0]).order
        parts = blocks[order].split(self._chunk(len(self._way.legs) + 1))
        found = torch.cat([self._one_sweep(part) for part in parts]).unflatten(0, (len(order), length))
        return found[order.argsort()].flatten(0, 1)

    def _one_sweep(self, blocks: Tensor) -> Tensor:
        bases, legs = blocks[:, 0], self._way.legs
        steps = self._step_of((blocks != blocks[:, :1]).flatten(0, 1))
        sets, length = blocks.flatten(0, 1), blocks.shape[1]
        groups = self._groups(bases)
        state, states = self._states(bases), []
        for leg in legs:
            state = ordered(state, leg.order)
            states.append(state)
            state = applied(groups.matrices(leg), state, leg.outer, True)
        found = self._read(state[:, :, 0]).repeat_interleave(length, 0)
        effects = self._effects()
        for place in range(len(legs) - 1, -1, -1):
            leg = legs[place]
            for chosen in self._chosen(steps == place):
                assert leg.weighted is not None
                own = self._blocks[leg.weighted].matrices(self._values(sets[chosen]))
                base = chosen // length
                moved = applied(own, states[place][base], leg.outer, True)
                found[chosen] = groups.joined(moved, effects, base)
            effects = groups.effects_before(leg, effects)
        for chosen in self._chosen(steps == _START):
            found[chosen] = groups.joined(self._states(sets[chosen]), effects, chosen // length)
        return found

    def _chosen(self, mask: np.ndarray) -> Sequence[Tensor]:
        """Indices of the sets in a mask, as many at a time as fit."""
        numbers = torch.from_numpy(np.flatnonzero(mask))
        return numbers.split(self._chunk(1)) if len(numbers) else ()

    def _groups(self, sets: Tensor) -> _Groups:
        return _Groups(self._values(sets), self._behind, self._blocks)

    def _chunk(self, states: int) -> int:
        """Number of sets at once if each needs this many states."""
        return max(1, _CHUNK_BYTES // (4 * 4**self.num_qubits * states))

    def _readers(self) -> list[np.ndarray]:
        """The readout of each qubit in the last layout: (4, 2) for its outcomes, (4, 1) if it is not measured."""
        by_place = {self._place[qubit]: confusion for qubit, confusion in self._bits.values()}
        signs = np.array([[0.5, 0.5], [0, 0], [0, 0], [0.5, -0.5]])
        return [signs @ by_place[q] if q in by_place else np.eye(4)[:, :1] for q in self._way.last]

    def _bit_axes(self) -> list[int]:
        """Axes of the measured qubits in the last layout, the most significant bit first."""
        measured = [
            place for place in self._way.last if place in {self._place[q] for q, _ in self._bits.values()}
        ]
        return [measured.index(self._place[self._bits[bit][0]]) for bit in sorted(self._bits, reverse=True)]

    def _read(self, states: Tensor) -> Tensor:
        """Probabilities (sets, 2^width) from states (sets, 4^n) in the last layout."""
        found = states
        for reader in self._readers():
            split = found.reshape(len(states), 4, -1)
            # The axis that was read moves to the end: after the loop all are in order again.
            found = torch.einsum("sab,ac->sbc", split, torch.from_numpy(reader).to(states))
        return self._in_order(found.reshape(len(states), -1))

    def _in_order(self, found: Tensor) -> Tensor:
        """Columns of all classical bits from those of the measured qubits in the last layout."""
        tensor = found.reshape(len(found), *(2 for _ in self._bits))
        moved = tensor.permute(0, *(axis + 1 for axis in self._bit_axes())).reshape(len(found), -1)
        return spread(moved, tuple(self._bits), self._width)

    def _effects(self) -> Tensor:
        """Effects (1, 4^n, 2^width) of all outcomes on the last states: products of the qubits' readouts."""
        found = torch.ones(1, 1, dtype=_PRECISION)
        for reader in self._readers():
            found = torch.kron(found, torch.from_numpy(reader).to(found))
        return self._in_order(found)[None].contiguous()


def spread(found: Tensor, bits: Sequence[int], width: int) -> Tensor:
    """Probabilities of measured bits as those of all `width` classical bits, of which the others are 0."""
    if len(bits) == width:
        return found
    index = torch.zeros(1, dtype=torch.long)
    for bit in sorted(bits, reverse=True):
        index = (index[:, None] + torch.tensor([0, 1 << bit])).flatten()
    return found.new_zeros(len(found), 1 << width).index_copy_(1, index, found)


class _Groups:
    """Sets that have the same values after their initial vectors share matrices and effects."""

    def __init__(self, columns: Tensor, used: np.ndarray, blocks: Sequence[SingleBlock]) -> None:
        _, first, group = np.unique(columns.numpy()[:, used], axis=0, return_index=True, return_inverse=True)
        self._rows, self._group = columns[torch.from_numpy(first)], torch.from_numpy(group.reshape(-1))
        self._blocks = blocks

    def matrices(self, leg: Leg) -> Tensor:
        """Transposed matrices, (sets or 1, D, D)."""
        if leg.weighted is None:
            return leg.matrix(())
        matrices = self._blocks[leg.weighted].matrices(self._rows)
        return matrices if len(matrices) == 1 else matrices[self._group]

    def effects_before(self, leg: Leg, effects: Tensor) -> Tensor:
        """Effects (groups or 1, 4^n, outcomes) before a leg, from those after it."""
        matrices = leg.matrix(()) if leg.weighted is None else self._blocks[leg.weighted].matrices(self._rows)
        return ordered(applied(matrices, effects, leg.outer, False), leg.inverse)

    def joined(self, states: Tensor, effects: Tensor, sets: Tensor) -> Tensor:
        """Probabilities (V, outcomes) of states (V, 4^n, 1) under the effects of these sets."""
        if len(effects) == 1:
            return states[:, :, 0] @ effects[0]
        found = states.new_empty(len(states), effects.shape[2])
        groups, counts = self._group[sets].unique_consecutive(return_counts=True)
        ends = counts.cumsum(0).tolist()
        for group, start, end in zip(groups.tolist(), [0, *ends], ends, strict=False):
            torch.mm(states[start:end, :, 0], effects[group], out=found[start:end])
        return found

    @property
    def order(self) -> Tensor:
        """The sets, one group after the other."""
        return self._group.argsort(stable=True)
