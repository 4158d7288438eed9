"""W5: what the quantum layer adds to a whole training step, each step paired with one without it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.models import HQNNParallel

BATCH = 64
_ENOUGH = 15


@dataclass(frozen=True)
class StepCost:
    """Milliseconds a training step, and beside the step with nn.Identity in the layer's place.

    Attributes:
        median, fastest: of this network's steps.
        ratio, low, high: median and quartiles of (this step / the Identity step right before it).
        extra: median of the paired differences, milliseconds.
        steps: how many pairs.
        load: the machine's load average at the end.
    """

    median: float
    fastest: float
    ratio: float
    low: float
    high: float
    extra: float
    steps: int
    load: float


class PennyLaneLayer(nn.Module):
    """HQNN-Parallel's quantum layer as one PennyLane QNode over batch · copies rows."""

    def __init__(self, copies: int = 4) -> None:
        super().__init__()
        from benchmarks.pennylane_layers import torch_layer

        ansatz = hqnn_parallel()
        self.shape = (copies, ansatz.num_inputs)
        self.run = torch_layer(ansatz, "default.qubit")
        self.weight = nn.Parameter(2 * torch.pi * torch.rand(copies, ansatz.num_weights))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.run(inputs.view(-1, *self.shape), self.weight).flatten(1).to(inputs.dtype)


def layers() -> dict[str, Callable[[], nn.Module | None]]:
    """What stands in the quantum layer's place; None leaves the network's own."""
    found: dict[str, Callable[[], nn.Module | None]] = {
        "limit: nn.Identity": nn.Identity,
        "limit: nn.Linear(20, 20)": lambda: nn.Linear(20, 20),
        "qiskit_hqnn": lambda: None,
    }
    if find_spec("pennylane") is not None:
        found["PennyLane default.qubit, torch"] = PennyLaneLayer
    return found


def measure_steps(choices: Mapping[str, Callable[[], nn.Module | None]], pairs: int) -> dict[str, StepCost]:
    """Training steps of HQNN-Parallel on 28×28 images with Adam, the networks taking turns step by step.

    The first choice is what the others are compared with.
    """
    steps = {name: _training_step(build()) for name, build in choices.items()}
    first = next(iter(steps))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(5):
            step()
    for number in range(pairs):
        for name, step in steps.items():
            if number >= _ENOUGH and statistics.median(times[name]) > 2 * statistics.median(times[first]):
                continue  # far from the limit: a few pairs say enough
            start = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: _cost(values, times[first][: len(values)]) for name, values in times.items()}


def _cost(values: list[float], limit: list[float]) -> StepCost:
    ratios = sorted(value / other for value, other in zip(values, limit, strict=True))
    return StepCost(
        median=statistics.median(values),
        fastest=min(values),
        ratio=statistics.median(ratios),
        low=ratios[len(ratios) // 4],
        high=ratios[(3 * len(ratios)) // 4],
        extra=statistics.median(value - other for value, other in zip(values, limit, strict=True)),
        steps=len(values),
        load=os.getloadavg()[0],
    )


def _training_step(layer: nn.Module | None) -> Callable[[], Tensor]:
    torch.manual_seed(0)
    network = HQNNParallel()
    if layer is not None:
        network.quantum = layer
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(7)
    images = torch.randn(BATCH, 1, 28, 28, generator=generator)
    labels = torch.randint(0, 10, (BATCH,), generator=generator)

    def step() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step
