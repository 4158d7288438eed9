"""Who runs a workload: the simulator, the limit, and the peers that are installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch

from benchmarks.workloads import Workload
from qiskit_hqnn.simulation import compile_ansatz


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass: `step` runs it, `results` gives (outputs, input gradients, weight gradients)."""

    step: Callable[[], object]
    results: Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Contender:
    """A way to run a workload.

    Attributes:
        needs: the modules that it takes.
        is_limit: it does something else that takes the same place, so its values are not checked.
        most_gates: a circuit with more gates is declined.
    """

    name: str
    prepare: Callable[[Workload], Pass]
    needs: tuple[str, ...] = ()
    is_limit: bool = False
    most_gates: int | None = None

    @property
    def missing(self) -> list[str]:
        return [module for module in self.needs if find_spec(module) is None]

    def declines(self, workload: Workload) -> str | None:
        """Why it does not run this workload; None if it does."""
        if self.missing:
            return f"{', '.join(self.missing)} not installed"
        gates = workload.build().circuit.size()
        if self.most_gates is not None and gates > self.most_gates:
            return f"{gates} gates would take it minutes to compile (limit here: {self.most_gates})"
        return None


def torch_pass(
    layer: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], workload: Workload, dtype: torch.dtype
) -> Pass:
    """A pass of layer(inputs, weights) under torch's autograd."""
    numbers = workload.numbers()
    inputs = torch.tensor(numbers.inputs, dtype=dtype, requires_grad=True)
    weights = torch.tensor(numbers.weights, dtype=dtype, requires_grad=True)
    cotangent = torch.tensor(numbers.cotangent, dtype=dtype)

    def step() -> torch.Tensor:
        inputs.grad = weights.grad = None
        outputs = layer(inputs, weights)
        outputs.backward(cotangent.to(outputs.dtype))
        return outputs

    def results() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs = step().detach().numpy()
        gradients = [
            np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
            for tensor in (inputs, weights)
        ]
        return outputs, gradients[0], gradients[1]

    return Pass(step, results)


def ours(workload: Workload, dtype: torch.dtype = torch.float32) -> Pass:
    """The simulator, eager."""
    return torch_pass(compile_ansatz(workload.build()).expectation_values, workload, dtype)


def ours_compiled(workload: Workload) -> Pass:
    """The simulator, compiled; the first step compiles."""
    layer = compile_ansatz(workload.build(), compile=True).expectation_values
    return torch_pass(layer, workload, torch.float32)


def dense(workload: Workload) -> Pass:
    """The limit: a dense layer of the same width, which a classical network would have in this place."""
    ansatz = workload.build()
    layer = torch.nn.Linear(workload.copies * ansatz.num_inputs, workload.copies * ansatz.num_outputs)
    shape = (workload.batch, workload.copies, ansatz.num_outputs)
    return torch_pass(lambda x, _: layer(x.flatten(1)).reshape(shape), workload, torch.float32)


def _pennylane(interface: str, device: str) -> Callable[[Workload], Pass]:
    def prepare(workload: Workload) -> Pass:
        from benchmarks import pennylane_layers

        return getattr(pennylane_layers, f"pass_in_{interface}")(workload, device)

    return prepare


def _torch_peer(peer: str) -> Callable[[Workload], Pass]:
    def prepare(workload: Workload) -> Pass:
        from benchmarks import torch_peers

        return torch_peers.pass_in(peer, workload)

    return prepare


CONTENDERS = [
    Contender("qiskit_hqnn", ours),
    Contender("qiskit_hqnn, compile=True", ours_compiled, most_gates=400),
    Contender("limit: nn.Linear of the same width", dense, is_limit=True),
    Contender(
        "PennyLane default.qubit, jax.jit",
        _pennylane("jax", "default.qubit"),
        needs=("pennylane", "jax"),
        most_gates=400,
    ),
    Contender("PennyLane default.qubit, torch", _pennylane("torch", "default.qubit"), needs=("pennylane",)),
    Contender(
        "PennyLane lightning.qubit adjoint, torch",
        _pennylane("torch", "lightning.qubit"),
        needs=("pennylane", "pennylane_lightning"),
    ),
    Contender("deepquantum", _torch_peer("deepquantum"), needs=("deepquantum",)),
    Contender("pyqtorch", _torch_peer("pyqtorch"), needs=("pyqtorch",)),
    Contender(
        "tensorcircuit-ng, torch", _torch_peer("tensorcircuit"), needs=("tensorcircuit",), most_gates=400
    ),
]
