"""The measured figures as one Markdown page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata

import torch

from benchmarks.scaling import straightness
from benchmarks.timing import Timing
from benchmarks.training_step import StepCost
from benchmarks.workloads import WORKLOADS

PACKAGES = (
    "torch",
    "qiskit",
    "pennylane",
    "pennylane-lightning",
    "jax",
    "deepquantum",
    "pyqtorch",
    "tensorcircuit-ng",
    "numpy",
)


def machine() -> str:
    """Processor, cores, threads and versions."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return (
        f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, Python {platform.python_version()}; "
        + ", ".join(versions)
    )


def workloads_table(timings: Mapping[str, Mapping[str, Timing]], notes: Mapping[tuple[str, str], str]) -> str:
    """Milliseconds of every contender, and its ratio to ours in the same rounds."""
    titles = {workload.name: workload for workload in WORKLOADS}
    lines = [
        "| | workload | contender | ms, median | quartiles | fastest | × ours, paired | steps | load |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in timings.items():
        workload = titles[name]
        for contender, timing in row.items():
            lines.append(
                f"| {name} | {workload.title}, batch {workload.batch} | {contender} | {timing.median:.3g} | "
                f"{timing.low:.3g} to {timing.high:.3g} | {timing.fastest:.3g} | {timing.ratio:.2f} | {timing.steps} | "
                f"{timing.load:.1f} |"
            )
        lines += [f"| {name} | | {who} | {note} | | | | | |" for (w, who), note in notes.items() if w == name]
    return "\n".join(lines)


def steps_table(costs: Mapping[str, StepCost]) -> str:
    """W5."""
    lines = [
        "| in the quantum layer's place | ms a step, median | fastest | × Identity, paired | "
        "quartiles | extra ms, paired | pairs | load |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, cost in costs.items():
        lines.append(
            f"| {name} | {cost.median:.2f} | {cost.fastest:.2f} | {cost.ratio:.3f} | "
            f"{cost.low:.3f} to {cost.high:.3f} | "
            f"{cost.extra:.2f} | {cost.steps} | {cost.load:.1f} |"
        )
    return "\n".join(lines)


def scaling_table(curves: Mapping[str, list[tuple[int, float]]]) -> str:
    """The measured points and how straight they lie."""
    lines = ["| axis | ms at each size | fitted ms | R² |", "|---|---|---|--:|"]
    for axis, curve in curves.items():
        start, slope, r2 = straightness(curve)
        points = ", ".join(f"{size}: {value:.2f}" for size, value in curve)
        lines.append(f"| {axis} | {points} | {start:.2f} + {slope:.3g} · {axis} | {r2:.3f} |")
    return "\n".join(lines)
