"""A compiled circuit: batched, differentiable expectation values, probabilities and states."""

from __future__ import annotations

import torch
from torch import Tensor

from qiskit_hqnn.simulation.batched import BatchedCircuit, check_dtype
from qiskit_hqnn.simulation.functions import full_precision, probabilities, statevectors
from qiskit_hqnn.simulation.gate_by_gate import GateByGate
from qiskit_hqnn.simulation.memory import check_exact
from qiskit_hqnn.simulation.passes import Constants
from qiskit_hqnn.simulation.planning import Plan, Source, make_plan
from qiskit_hqnn.simulation.runner import Runner


class Program(BatchedCircuit):
    """A circuit planned once and run on batches; `compile_ansatz` and `compile_circuit` return one."""

    def __init__(self, source: Source, compile: bool = False) -> None:
        self._compile = compile
        self._source = source
        self.plan = self._sizes = make_plan(source)
        self._runners: dict[tuple[bool, torch.dtype, torch.device], Runner] = {}
        self._state_plan: Plan | None = None
        self._gate_by_gate: dict[bool, GateByGate] = {}

    def probabilities(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Probabilities of all outcomes, of shape (batch, copies, 2^n), in Qiskit's little-endian order."""
        runner = self._states_runner(inputs, weights)
        return probabilities(runner, *runner.columns(inputs, weights))

    def statevectors(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """States of shape (batch, copies, 2^n), complex, little-endian, each up to a global phase."""
        runner = self._states_runner(inputs, weights)
        return statevectors(runner, *runner.columns(inputs, weights))

    def _states_runner(self, inputs: Tensor, weights: Tensor) -> Runner:
        self._check(inputs, weights)
        runner = self._runner(inputs, keep_state=True)
        runner.check_room(inputs.shape[0] * inputs.shape[1])
        return runner

    def _runner(self, inputs: Tensor, keep_state: bool = False) -> Runner:
        key = (keep_state, inputs.dtype, inputs.device)
        if key not in self._runners:
            check_dtype(inputs)
            if keep_state and self._state_plan is None:
                self._state_plan = make_plan(self._source, keep_state=True)
            plan = self._state_plan if keep_state and self._state_plan is not None else self.plan
            check_exact(plan, 1, inputs.dtype, inputs.device)
            with full_precision(inputs.device.type):
                constants = Constants(plan, inputs.dtype, inputs.device)
                self._runners[key] = Runner(constants, self._compile, self.gate_by_gate)
        return self._runners[key]

    def gate_by_gate(self, keep_state: bool = False) -> GateByGate:
        """The same circuit in torch's operators: slower, for torch.func and derivatives of any order.

        Args:
            keep_state: whether states or probabilities are needed, and not only expectation values.
        """
        if keep_state not in self._gate_by_gate:
            self._gate_by_gate[keep_state] = GateByGate(self._source, keep_state)
        return self._gate_by_gate[keep_state]

    def check_room(self, samples: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> None:
        """Raises HQNNError if expectation values of this many samples, batch × copies, do not fit into memory."""
        check_exact(self.plan, samples, dtype, torch.device(device))

    @property
    def num_bytes(self) -> int:
        """Memory of its constants for the dtypes and devices on which it has run."""
        # Lists, since other threads may add while this counts.
        return sum(runner.num_bytes for runner in list(self._runners.values()))

    def __repr__(self) -> str:
        return f"Program({self.plan})"
