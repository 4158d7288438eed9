"""A circuit under noise, compiled: batched, differentiable expectation values."""

from __future__ import annotations

import torch
from torch import Tensor

from qiskit_hqnn.simulation.batched import BatchedCircuit, check_dtype
from qiskit_hqnn.simulation.noise.columns import Values
from qiskit_hqnn.simulation.noise.passes import NoisyPass, NoisyPasses
from qiskit_hqnn.simulation.noise.plan import NoisyPlan


class NoisyRunner:
    """A plan for one dtype and device.

    Attributes:
        plan: what runs.
        kind: of the device, such as "cpu".
        plain: whether the plan's columns are inputs and weights themselves.
    """

    in_operators = None
    """None: there are no second derivatives under noise."""

    def __init__(self, plan: NoisyPlan, like: Tensor) -> None:
        self.plan, self.kind = plan, like.device.type
        self._like = like.new_empty(0)
        self._passes: dict[bool, NoisyPasses] = {}
        self._rows = Values(plan.by_sample, plan.parameters)
        self._columns = Values(plan.of_weights, plan.parameters)
        self.plain = self._rows.are(range(plan.num_inputs)) and self._columns.are(
            range(plan.num_inputs, len(plan.parameters))
        )

    @property
    def sees_all(self) -> bool:
        """Whether every input and weight reaches an output."""
        return self.plan.sees_all

    @property
    def num_bytes(self) -> int:
        """Memory of the plan's constants."""
        return sum(passes.num_bytes for passes in list(self._passes.values()))

    def columns(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The columns that angles are affine in: (batch, copies, columns) and (copies, columns), by autograd."""
        if self.plain:
            return inputs, weights
        everything = torch.cat([inputs, weights.expand(len(inputs), *weights.shape)], dim=-1)
        of_weights = torch.cat([inputs.new_zeros(*weights.shape[:1], inputs.shape[2]), weights], dim=-1)
        return self._rows(everything), self._columns(of_weights)

    def passes_for(
        self, rows: Tensor, columns: Tensor, for_gradient: bool, of_rows: bool = True
    ) -> NoisyPass:
        """The passes for columns of these shapes."""
        return NoisyPass(self._passes_of(len(rows)), of_rows)

    def check_room(self, batch: int, copies: int) -> None:
        """Raises HQNNError if a forward and backward pass of a batch does not fit into memory."""
        self._passes_of(batch).parts(batch, copies, self._like.element_size(), True)

    def _passes_of(self, batch: int) -> NoisyPasses:
        backwards = batch >= self.plan.observables_from
        if backwards not in self._passes:
            self._passes[backwards] = NoisyPasses(self.plan, backwards, self._like)
        return self._passes[backwards]


class NoisyProgram(BatchedCircuit):
    """A circuit under noise, planned once and run on batches; `compile_noisy` returns one."""

    def __init__(self, plan: NoisyPlan) -> None:
        self.plan = self._sizes = plan
        self._runners: dict[tuple[torch.dtype, torch.device], NoisyRunner] = {}

    def check_room(self, batch: int, copies: int = 1, dtype: torch.dtype = torch.float32) -> None:
        """Raises HQNNError, which gives the memory needed, if a training step of a batch does not fit into memory."""
        self._runner(torch.empty(0, dtype=dtype)).check_room(batch, copies)

    @property
    def num_bytes(self) -> int:
        """Memory of its constants for the dtypes and devices on which it has run."""
        return sum(runner.num_bytes for runner in self._runners.values())

    def _runner(self, inputs: Tensor) -> NoisyRunner:
        key = (inputs.dtype, inputs.device)
        if key not in self._runners:
            check_dtype(inputs)
            self._runners[key] = NoisyRunner(self.plan, inputs)
        return self._runners[key]

    def __repr__(self) -> str:
        return f"NoisyProgram({self.plan})"


class NoisyOutcomes:
    """Probabilities of a measured circuit's outcomes under noise; `compile_noisy_outcomes` returns one.

    Args:
        parities: the program of the parities of all subsets of the bits, in the order of the subsets as masks.
    """

    def __init__(self, parities: NoisyProgram) -> None:
        self.parities = parities
        self._changes: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    def probabilities(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Probabilities of all outcomes, of shape (batch, copies, 2^n), in Qiskit's little-endian order.

        Raises:
            ShapeError, HQNNError: as `NoisyProgram.expectation_values`.
        """
        parities = self.parities.expectation_values(inputs, weights)
        key = (parities.dtype, parities.device)
        if key not in self._changes:
            index = torch.arange(parities.shape[2])
            both = index[:, None] & index
            signs = torch.ones(both.shape, dtype=torch.float64)
            for bit in range(parities.shape[2].bit_length() - 1):
                signs *= 1 - 2 * (both >> bit & 1)
            self._changes[key] = (signs / len(signs)).to(parities)
        return parities @ self._changes[key]
