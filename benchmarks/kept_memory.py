"""What `training.kept_memory` saves: `python -m benchmarks.kept_memory [--rounds 7] [--out FILE]`.

Steps of networks with and without it, each in a process of its own on one thread, the two in turns; and the pages that
the kernel had to map for a step.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

from qiskit_hqnn.models import HQNNParallel
from qiskit_hqnn.training import kept_memory

SECONDS = 4.0


def _training(network: nn.Module, images: Tensor) -> Callable[[], object]:
    optimizer = torch.optim.Adam(network.parameters())

    def step() -> None:
        optimizer.zero_grad()
        network(images).square().mean().backward()
        optimizer.step()

    return step


def _evaluation(network: nn.Module, images: Tensor) -> Callable[[], object]:
    network.eval()

    @torch.no_grad()
    def evaluation() -> Tensor:
        return network(images)

    return evaluation


def _of_cifar() -> nn.Module:
    return HQNNParallel(channels=3, image_size=32, convolutions=3, filters=(40, 64, 72), kernel=3)


CASES: dict[str, Callable[[], Callable[[], object]]] = {
    "CIFAR-10, step of 256 images": lambda: _training(_of_cifar(), torch.rand(256, 3, 32, 32)),
    "CIFAR-10, evaluation of 512 images": lambda: _evaluation(_of_cifar(), torch.rand(512, 3, 32, 32)),
    "MNIST, step of 64 images": lambda: _training(HQNNParallel(), torch.rand(64, 1, 28, 28)),
    "MNIST, evaluation of 512 images": lambda: _evaluation(HQNNParallel(), torch.rand(512, 1, 28, 28)),
}


def measured(name: str, kept: bool) -> tuple[float, float]:
    """Median milliseconds of a step in this process, and pages mapped for a step."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    step = CASES[name]()
    with kept_memory() if kept else nullcontext():
        for _ in range(3):
            step()
        times: list[float] = []
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        while len(times) < 5 or sum(times) < SECONDS:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        pages = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / len(times)
    return 1e3 * statistics.median(times), pages


def in_turns(name: str, rounds: int) -> dict[str, float]:
    """Medians over processes, and the median of the rounds' ratios."""
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for _ in range(rounds):
        for kept, results in found.items():
            words = [sys.executable, "-m", "benchmarks.kept_memory", "--alone", name, str(int(kept))]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            milliseconds, pages = map(float, done.stdout.split())
            results.append((milliseconds, pages))
    usual, kept_ones = found[False], found[True]
    ratios = [new / old for (new, _), (old, _) in zip(kept_ones, usual, strict=True)]
    return {
        "usual_ms": round(statistics.median(value for value, _ in usual), 2),
        "ms": round(statistics.median(value for value, _ in kept_ones), 2),
        "ratio": round(statistics.median(ratios), 3),
        "usual_pages": round(statistics.median(pages for _, pages in usual)),
        "pages": round(statistics.median(pages for _, pages in kept_ones)),
    }


def table(found: dict[str, dict[str, float]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| | ms, memory given back | kept | ratio | pages mapped: given back | kept |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, case in found.items():
        lines.append(
            f"| {name} | {case['usual_ms']:.1f} | {case['ms']:.1f} | {case['ratio']:.2f} | "
            f"{case['usual_pages']:,} | {case['pages']:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write the file where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--alone", nargs=2, metavar=("CASE", "KEPT"), help="one case in this process")
    options = parser.parse_args()
    if options.alone:
        print(*measured(options.alone[0], options.alone[1] == "1"))
        return
    found = {name: in_turns(name, options.rounds) for name in CASES}
    print(table(found))
    if options.out is not None:
        content = {"rounds": options.rounds, "load": os.getloadavg()[0], "networks": found}
        options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
