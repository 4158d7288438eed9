"""README's picture, drawn from docs/results/*.json: each network's accuracy under a device's noise, and what it costs.

Run it with `python -m benchmarks.device_picture` after `hqnn reproduce` has written these files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
DEVICE = "fake_fez"
ROWS = {
    "hqnn-parallel-mnist": "HQNN-Parallel, MNIST",
    "hqnn-parallel-cifar10": "HQNN-Parallel, CIFAR-10",
    "hqnn-parallel-medical-mnist": "HQNN-Parallel, Medical MNIST",
    "hqnn-quanv": "HQNN-Quanv, MNIST, 500 images",
    "vqc-head": "VQC head, MNIST",
    "textbook-37": "Textbook, digits 3 and 7",
    "circuit-centric": "Circuit-centric, digits 0, 1, 2",
    "reuploading-4": "Re-uploading, Fashion-MNIST, 4 classes",
    "reuploading-10": "Re-uploading, Fashion-MNIST, 10 classes",
}


def first_run(name: str) -> dict[str, Any]:
    """The test results of the run that was tested on the device too: the first seed, without a control."""
    runs = json.loads((ROOT / "docs" / "results" / f"{name}.json").read_text(encoding="utf-8"))["runs"]
    return next(run["test"] for run in runs if DEVICE in run["test"] and run["control"] is None)


def draw(rows: dict[str, str]) -> Figure:
    """A line for each network, from its exact accuracy to the one under the device's noise, with its interval."""
    tests = {title: first_run(name) for name, title in rows.items()}
    titles = sorted(tests, key=lambda title: -tests[title][DEVICE]["qpu_seconds"])
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for height, title in enumerate(titles):
        exact, noisy = tests[title]["exact"], tests[title][DEVICE]
        low, high = noisy["accuracy_interval"]
        axes.plot(
            [100 * low, 100 * high],
            [height, height],
            color="#8a3ffc",
            alpha=0.25,
            linewidth=7,
            solid_capstyle="butt",
        )
        axes.plot(
            [100 * exact["accuracy"], 100 * noisy["accuracy"]], [height] * 2, color="#6f6f6f", linewidth=1
        )
        axes.plot(100 * noisy["accuracy"], height, "o", color="#8a3ffc")
        axes.plot(100 * exact["accuracy"], height, "|", color="#161616", markersize=13, markeredgewidth=2)
    axes.plot([], [], "|", color="#161616", markersize=13, markeredgewidth=2, label="exact, whole test set")
    axes.plot([], [], "o", color="#8a3ffc", label="IBM Fez's noise, 100 images, 1,000 shots, 95 % interval")
    axes.set_yticks(range(len(titles)), titles)
    axes.set_xlim(0, 101)
    axes.set_xlabel("test accuracy, %")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    seconds = axes.secondary_yaxis("right")
    seconds.set_yticks(
        range(len(titles)), [f"{tests[title][DEVICE]['qpu_seconds']:.0f} s" for title in titles]
    )
    seconds.set_ylabel("price on the QPU")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "accuracy-and-price.png")
    draw(ROWS).savefig(parser.parse_args().out, dpi=160)


if __name__ == "__main__":
    main()
