"""Whether cost grows linearly in batch, layers and copies: measured, fitted and plotted."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

from benchmarks.contenders import ours
from benchmarks.timing import measure
from benchmarks.workloads import Workload
from qiskit_hqnn.circuits import hqnn_parallel

SIZES = {
    "batch": [16, 64, 256, 512, 1024],
    "layers": [1, 2, 4, 8, 12, 16],
    "copies": [1, 2, 4, 8, 16],
}


def measure_scaling(budget: float) -> dict[str, list[tuple[int, float]]]:
    """(size, milliseconds) for each axis, around HQNN-Parallel's 64 × 4 copies × 3 layers of 5 qubits."""
    curves = {}
    for axis, sizes in SIZES.items():
        steps = {str(size): ours(_workload(axis, size)).step for size in sizes}
        timings = measure(steps, budget=budget)
        curves[axis] = [(size, timings[str(size)].median) for size in sizes]
    return curves


def straightness(curve: list[tuple[int, float]]) -> tuple[float, float, float]:
    """Least squares: (milliseconds at 0, milliseconds a unit, R²)."""
    x, y = np.array(curve, dtype=float).T
    slope, start = np.polyfit(x, y, 1)
    rest = y - (start + slope * x)
    return float(start), float(slope), float(1 - rest.var() / y.var())


def plot(curves: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """One panel an axis, with the fitted line."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(curves), figsize=(10, 3.2), layout="constrained")
    for panel, (axis, curve) in zip(panels, curves.items(), strict=True):
        start, slope, r2 = straightness(curve)
        sizes = np.array([size for size, _ in curve])
        panel.plot(sizes, [value for _, value in curve], "o", label="measured")
        panel.plot(
            sizes, start + slope * sizes, "-", label=f"{start:.2f} + {slope:.3g} · {axis}, R² = {r2:.3f}"
        )
        panel.set(xlabel=axis, ylabel="ms, forward + backward", ylim=(0, None), xlim=(0, None))
        panel.legend(fontsize=7)
    figure.suptitle("HQNN-Parallel's quantum layer around 64 × 4 copies × 3 layers, 5 qubits", fontsize=10)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _workload(axis: str, size: int) -> Workload:
    layers = size if axis == "layers" else 3
    return Workload(
        f"{axis} {size}",
        "scaling",
        lambda: hqnn_parallel(depth=layers),
        size if axis == "batch" else 64,
        size if axis == "copies" else 4,
    )
