"""The plan of a circuit under noise, computed once; the sizes of a batch determine which of two ways runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.simulation.noise import costs, sizes
from qiskit_hqnn.simulation.noise.attaching import Channel, NoisyCircuit, Turn, attach
from qiskit_hqnn.simulation.noise.blocks import (
    Block,
    Start,
    Step,
    Uploads,
    folded,
    gather,
    in_sight,
    parted,
    renumbered,
)
from qiskit_hqnn.simulation.noise.columns import Columns, columns_of
from qiskit_hqnn.simulation.noise.measuring import Effect, dense, measured_effects


@dataclass(frozen=True, eq=False)
class NoisyPlan:
    """How a circuit under noise is evaluated; `print(plan)` explains it.

    Attributes:
        num_qubits: of the simulation; qubits that no output depends on are left out.
        num_inputs, num_weights, num_outputs: sizes of the circuit.
        starts: each qubit's initial vector, with the inputs that come before it meets another qubit.
        before: steps that a later upload waits for, uploads included.
        behind: steps of weights and constants after all uploads.
        effects: array of shape (outputs, 4, …, 4): the outputs as functions of the last state.
        by_sample, of_weights: the angles of uploads, and of all others.
        parameters: inputs, then weights.
        circuit_qubits: qubits that the circuit uses.
        channels, rotations: numbers of both in the circuit.
    """

    num_qubits: int
    num_inputs: int
    num_weights: int
    num_outputs: int
    starts: tuple[Start, ...]
    before: tuple[Step, ...]
    behind: tuple[Step, ...]
    effects: np.ndarray
    by_sample: Columns
    of_weights: Columns
    parameters: tuple[Parameter, ...]
    circuit_qubits: int
    channels: int
    rotations: int

    @cached_property
    def seen(self) -> np.ndarray:
        """Mask of shape (inputs + weights,): those that reach an output."""
        seen = np.zeros(len(self.parameters), dtype=bool)
        for columns in (self.by_sample, self.of_weights):
            used = (columns.matrix != 0).any(axis=0)
            for column, position in enumerate(columns.chosen):
                seen[position] |= used[column]
            for column, expression in enumerate(columns.others, start=len(columns.chosen)):
                if used[column]:
                    seen |= [parameter in expression.parameters for parameter in self.parameters]
        return seen

    @cached_property
    def sees_all(self) -> bool:
        """Whether every input and weight reaches an output."""
        return bool(self.seen.all())

    @cached_property
    def observables_from(self) -> float:
        """The smallest batch for which observables are carried backwards through `behind`; may be infinite."""
        return costs.observables_from(self.before, self.behind, self.num_outputs)

    def __str__(self) -> str:
        uploads = sum(len(start.angles) for start in self.starts)
        lines = [
            f"{self.circuit_qubits} qubits under noise, {self.num_inputs} inputs, {self.num_weights} weights, "
            f"{self.num_outputs} outputs",
            f"  {self.num_qubits} qubits can reach an output: a state is {4**self.num_qubits:,} real numbers",
            f"  {self.channels} channels and {self.rotations} rotations in {len(self.before) + len(self.behind)} steps",
            f"  start: a vector for each qubit, with {uploads} uploads",
        ]
        if self.before:
            lines.append(f"  states forward through {_counted(self.before)}, for each sample")
        if self.behind:
            small = f"; batches below {self.observables_from:.0f}: states forward" * (
                self.observables_from > 1
            )
            lines.append(
                f"  observables backwards through {_counted(self.behind)}, once for all samples{small}"
            )
        return "\n".join(lines)


def _counted(steps: Sequence[Step]) -> str:
    blocks = [step for step in steps if isinstance(step, Block)]
    weighted = sum(bool(block.turns) for block in blocks)
    uploads = sum(len(step.turns) for step in steps if isinstance(step, Uploads))
    parts = [f"{len(blocks) - weighted} constant blocks", f"{weighted} blocks of weights"]
    return ", ".join(parts + [f"{uploads} uploads"] * bool(uploads))


def make_noisy_plan(
    circuit: QuantumCircuit,
    observables: Sequence[SparsePauliOp],
    where: Sequence[int],
    noise: NoiseModel | None,
    input_params: Sequence[Parameter],
    weight_params: Sequence[Parameter],
) -> NoisyPlan:
    """Plan an unmeasured circuit's expectation values under noise: the limit of many shots.

    Args:
        circuit: on physical qubits, with its parameters; delays have the errors that the model gives them.
        observables: over logical qubits, one for each output.
        where: the circuit's qubit for each logical one.
        noise: of gates, delays, change of basis and readout.
        input_params, weight_params: the circuit's parameters.

    Raises:
        CircuitError: if no channel describes a part of the circuit.
        HQNNError: if a state does not fit into memory.
    """
    noisy = attach(circuit, noise)
    if noisy.readouts:
        raise CircuitError(
            "A circuit whose observables are given must be unmeasured, but it measures qubits."
        )
    effects = measured_effects(observables, where, circuit.num_qubits, noise)
    return plan_of(noisy, effects, len(observables), input_params, weight_params)


def plan_of(
    noisy: NoisyCircuit,
    effects: Sequence[Effect],
    outputs: int,
    input_params: Sequence[Parameter],
    weight_params: Sequence[Parameter],
) -> NoisyPlan:
    """Plan the outputs that are sums of these effects.

    Raises:
        HQNNError: if a state does not fit into memory.
    """
    seen = {qubit for effect in effects for qubit in effect.vectors}
    operations, qubits = in_sight(noisy.operations, seen or {0})
    sizes.check_plan(len(qubits), outputs)
    place = {qubit: index for index, qubit in enumerate(qubits)}
    inputs = set(input_params)
    by_sample = np.array([bool(set(e.parameters) & inputs) for e in noisy.expressions], dtype=bool)
    starts, steps = gather(renumbered(operations, place), len(qubits), by_sample)
    moved = [Effect(e.output, e.coefficient, {place[q]: v for q, v in e.vectors.items()}) for e in effects]
    steps, last = folded(steps, dense(moved, outputs, len(qubits)))
    before, behind = parted(steps)
    parameters, split = (*input_params, *weight_params), len(input_params)
    uploaded = [angle for start in starts for angle in start.angles]
    uploaded += [angle for step in steps if isinstance(step, Uploads) for _, angle in step.turns]
    weighted = [angle for step in steps if isinstance(step, Block) for _, angle in step.turns]
    return NoisyPlan(
        num_qubits=len(qubits),
        num_inputs=split,
        num_weights=len(weight_params),
        num_outputs=outputs,
        starts=tuple(starts),
        before=tuple(before),
        behind=tuple(behind),
        effects=last,
        by_sample=columns_of(noisy.expressions, uploaded, parameters, range(split)),
        of_weights=columns_of(noisy.expressions, weighted, parameters, range(split, len(parameters))),
        parameters=parameters,
        circuit_qubits=noisy.num_qubits,
        channels=sum(isinstance(operation, Channel) for operation in operations),
        rotations=sum(isinstance(operation, Turn) for operation in operations),
    )
