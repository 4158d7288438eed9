"""What `training.kept_memory` saves: `python -m benchmarks.kept_memory [--rounds 7] [--out FILE]`.

Steps of networks with and without it, each in a process of its own on one thread, the two in turns; and the pages that
the kernel had to map for a step.
"""

from __future__ import annotations

import argparse
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

from benchmarks.figures import show
from benchmarks.memory_format import CASES as NETWORKS
from benchmarks.memory_format import evaluation, training_step
from qiskit_hqnn.training import kept_memory

SECONDS = 4.0


# What is done, the network of the other benchmark, and how many images.
CASES: dict[str, tuple[Callable[[nn.Module, Tensor], Callable[[], object]], str, int]] = {
    "CIFAR-10, step of 256 images": (training_step, "HQNN-Parallel, CIFAR-10", 256),
    "CIFAR-10, evaluation of 512 images": (evaluation, "HQNN-Parallel, CIFAR-10", 512),
    "MNIST, step of 64 images": (training_step, "HQNN-Parallel, MNIST", 64),
    "MNIST, evaluation of 512 images": (evaluation, "HQNN-Parallel, MNIST", 512),
}


def measured(name: str, kept: bool) -> tuple[float, float]:
    """Median milliseconds of a step in this process, and pages mapped for a step."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    make, network, images = CASES[name]
    case = NETWORKS[network]
    step = make(case.build(), torch.rand(images, *case.images[1:]))
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
    show(table(found), options.out, {"rounds": options.rounds}, networks=found)


if __name__ == "__main__":
    main()
