"""What torch's channels_last saves: `python -m benchmarks.memory_format [--threads 1] [--out FILE]`.

Training steps and evaluations of networks with convolutions, as they are (`models.Convolutions`) and with images in
torch's usual format, in turns. A network's outputs are compared in float64 before it is timed.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.figures import show
from benchmarks.timing import Timing, measure
from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.models import Convolutions, HQNNParallel, Hybrid, TextbookHybrid, VQCHead


@dataclass(frozen=True)
class Case:
    """A network and its images.

    Attributes:
        build: makes the network.
        images: (batch, channels, height, width).
    """

    build: Callable[[], nn.Module]
    images: tuple[int, int, int, int]


CASES = {
    "HQNN-Parallel, MNIST": Case(HQNNParallel, (64, 1, 28, 28)),
    "HQNN-Parallel, Medical MNIST": Case(
        lambda: HQNNParallel(classes=6, channels=3, image_size=64), (64, 3, 64, 64)
    ),
    "HQNN-Parallel, CIFAR-10": Case(
        lambda: HQNNParallel(channels=3, image_size=32, convolutions=3, filters=(40, 64, 72), kernel=3),
        (256, 3, 32, 32),
    ),
    "VQC head": Case(VQCHead, (32, 1, 28, 28)),
    "textbook": Case(TextbookHybrid, (1, 1, 28, 28)),
    "custom circuit, encoder cnn": Case(
        lambda: Hybrid(hqnn_parallel(5, 3), (1, 28, 28), classes=10, encoder="cnn", copies=4),
        (64, 1, 28, 28),
    ),
}


def usual(network: nn.Module) -> nn.Module:
    """A copy with the same weights whose images stay in torch's usual format."""
    network = copy.deepcopy(network)
    for name, module in list(network.named_modules()):
        if isinstance(module, Convolutions):
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Sequential(*module))
    return network


def compared(case: Case, seconds: float) -> dict[str, dict[str, float]]:
    """Milliseconds of a training step and of an evaluation; the ratios are those to the usual format.

    Raises:
        SystemExit: if outputs differ.
    """
    torch.manual_seed(0)
    ours, images = case.build(), torch.rand(case.images)
    other = usual(ours)
    _check(ours, other, images)
    steps = {"usual": training_step(other, images), "channels_last": training_step(ours, images)}
    evaluations = {
        "usual": evaluation(other, images),
        "channels_last": evaluation(ours, images),
    }
    return {
        "step": _saved(measure(steps, seconds)),
        "evaluation": _saved(measure(evaluations, seconds)),
    }


def _check(ours: nn.Module, other: nn.Module, images: Tensor) -> None:
    pair = [copy.deepcopy(network).double().eval() for network in (ours, other)]
    with torch.no_grad():
        values, expected = (network(images[:8].double()) for network in pair)
    if not torch.allclose(values, expected, rtol=0, atol=1e-9):
        raise SystemExit(f"outputs differ by {(values - expected).abs().max():.1e}")


def training_step(network: nn.Module, images: Tensor) -> Callable[[], object]:
    """A forward and backward pass and a step of Adam."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        network(images).square().mean().backward()
        optimizer.step()

    return step


def evaluation(network: nn.Module, images: Tensor) -> Callable[[], object]:
    """A forward pass of a copy without gradients."""
    network = copy.deepcopy(network).eval()

    @torch.no_grad()
    def evaluate() -> Tensor:
        return network(images)

    return evaluate


def _saved(timings: dict[str, Timing]) -> dict[str, float]:
    before, now = timings["usual"], timings["channels_last"]
    return {
        "usual_ms": round(before.median, 3),
        "ms": round(now.median, 3),
        "ratio": round(now.ratio, 3),
    }


def table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| | training step, ms: usual | here | ratio | evaluation, ms: usual | here | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, case in found.items():
        parts = (case["step"], case["evaluation"])
        cells = [f"{part['usual_ms']:.1f} | {part['ms']:.1f} | {part['ratio']:.2f}" for part in parts]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write the file where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each comparison")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = {name: compared(case, options.seconds) for name, case in CASES.items()}
    show(table(found), options.out, {"threads": options.threads}, networks=found)


if __name__ == "__main__":
    main()
