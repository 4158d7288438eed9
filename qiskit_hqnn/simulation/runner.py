"""A plan on one device: from inputs and weights to the columns of its slots, and its passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from qiskit_hqnn.simulation.expressions import TorchFunction
from qiskit_hqnn.simulation.gate_by_gate import GateByGate
from qiskit_hqnn.simulation.memory import check_exact
from qiskit_hqnn.simulation.passes import Constants, FullStates, OneUpload

if TYPE_CHECKING:
    from qiskit_hqnn.simulation.inductor import Compiling, Passes


class Runner:
    """A plan with its constants.

    Attributes:
        constants: of the plan.
        states: the passes that every plan has.
        kind: of the device, such as "cpu".
        plain: whether the columns are inputs and weights themselves.
    """

    def __init__(
        self, constants: Constants, compile: bool, gate_by_gate: Callable[[bool], GateByGate]
    ) -> None:
        self.constants, self.states = constants, FullStates(constants)
        self._gate_by_gate = gate_by_gate
        self._passes = passes_of(constants)
        self._one_by_one: FullStates | None = None
        self._multiplied_from: dict[int, float] = {}
        self._compiling = _compiling() if compile else None
        self._room_for = 1
        plan = constants.plan
        expressions, parameters = plan.template.nonlinear, plan.parameters
        self._row_functions = [TorchFunction(expressions[index], parameters) for index in plan.row_nonlinear]
        self._weight_functions = [
            TorchFunction(expressions[index], parameters[plan.num_inputs :])
            for index in plan.weight_nonlinear
        ]
        self.kind = constants.device.type
        self.plain = not (plan.mixes or plan.row_nonlinear or plan.weight_nonlinear)

    @property
    def sees_all(self) -> bool:
        """Whether every input and weight reaches an output."""
        return self.constants.plan.sees_all

    @property
    def num_bytes(self) -> int:
        """Memory of the plan's constants."""
        more = self._passes.tensors if isinstance(self._passes, OneUpload) else []
        others = 0 if self._one_by_one is None else self._one_by_one.constants.num_bytes
        return self.constants.num_bytes + others + sum(t.numel() * t.element_size() for t in more)

    def columns(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The columns that slots are affine in: (batch, copies, columns) and (copies, columns), by autograd."""
        columns = _with_columns(weights, self._weight_functions, weights)
        if not (self.constants.plan.mixes or self._row_functions):
            return inputs, columns
        both = torch.cat([inputs, weights.expand(len(inputs), *weights.shape)], dim=-1)
        rows = both if self.constants.plan.mixes else inputs
        return _with_columns(rows, self._row_functions, both), columns

    def check_room(self, samples: int) -> None:
        """Raises HQNNError if this many states at once do not fit into memory."""
        if samples > self._room_for:
            check_exact(self.constants.plan, samples, self.constants.dtype, self.constants.device)
            self._room_for = samples

    def passes_for(self, rows: Tensor, columns: Tensor, for_gradient: bool, of_rows: bool = True) -> Passes:
        """The passes for columns of these shapes; the rows' gradient comes with the others."""
        batch, copies = rows.shape[:2]
        self.check_room(batch * copies)
        eager = self._eager(batch, copies)
        if self._compiling is None:
            return eager
        return self._compiling.passes_for(eager, rows, columns, for_gradient)

    def in_operators(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Expectation values (batch, copies, outputs) in torch's operators, for derivatives of any order."""
        return self._gate_by_gate(False).of_columns(self.constants.plan, rows, columns)

    def probabilities_in_operators(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Probabilities (batch, copies, 2^n) in the same way."""
        return self._gate_by_gate(True).probabilities_of_columns(self.constants.plan, rows, columns)

    def _eager(self, batch: int, copies: int) -> Passes:
        """For few samples the layers of weights one by one, else multiplied."""
        if copies not in self._multiplied_from:
            self._multiplied_from[copies] = self.constants.plan.multiplied_from(copies)
        if batch >= self._multiplied_from[copies]:
            return self._passes
        if self._one_by_one is None:
            made = self.constants
            self._one_by_one = FullStates(Constants(made.plan.one_by_one(), made.dtype, made.device))
        return self._one_by_one


def passes_of(constants: Constants) -> OneUpload | FullStates:
    """The passes of a plan, uncompiled."""
    return OneUpload(constants) if constants.plan.one_upload else FullStates(constants)


def _compiling() -> Compiling:
    from qiskit_hqnn.simulation.inductor import Compiling

    return Compiling()


def _with_columns(
    columns: Tensor, functions: Sequence[Callable[[Tensor], Tensor]], parameters: Tensor
) -> Tensor:
    if not functions:
        return columns
    return torch.cat([columns, torch.stack([function(parameters) for function in functions], dim=-1)], dim=-1)
