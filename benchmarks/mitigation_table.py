"""What error mitigation does to a trained network's outputs on snapshots of devices: errors, accuracy and price.

    python -m benchmarks.mitigation_table RUN [RUN …] --images 40 --shots 10000 --out table.md

Each RUN is the folder of an HQNN-Parallel run (`hqnn run quickstart --set 'seeds=[0,1,2,3,4]'` makes five). The same
images go to every device with every option; exact values come from `qiskit_hqnn.simulation`. Intervals are Student's,
at 95 %, over the runs: training seed and shot noise differ between them, the images do not.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

from benchmarks.accuracies import accuracy_of
from qiskit_hqnn.jobs import JobManager, MitigationOptions
from qiskit_hqnn.training import first_half, load_run, second_half

DEVICES = ("fake_sherbrooke", "fake_torino", "fake_fez")
IDLE = "delays"  # the schedule that decoupling has, without its pulses
# Few draws are enough for single-qubit Z observables: every bit is flipped in exactly half of each pair.
OPTIONS = {
    "none": MitigationOptions(),
    "gate twirling": MitigationOptions(twirl_gates=True, randomizations=8),
    "TREX": MitigationOptions(readout="trex", randomizations=4),
    "M3": MitigationOptions(readout="m3"),
    "ZNE": MitigationOptions(zne=(1, 3, 5)),
    "TREX + ZNE": MitigationOptions(readout="trex", zne=(1, 3, 5), randomizations=4),
    "none, idle noise": MitigationOptions(dynamical_decoupling=IDLE),
    "DD (XX), idle noise": MitigationOptions(dynamical_decoupling="XX"),
    "DD (XpXm), idle noise": MitigationOptions(dynamical_decoupling="XpXm"),
    "DD (XY4), idle noise": MitigationOptions(dynamical_decoupling="XY4"),
}


def measure(
    run: Any,
    seed: int,
    images: int,
    shots: int,
    devices: Sequence[str],
    names: Sequence[str],
    cache: Path,
) -> list[dict[str, Any]]:
    """One row for each device and option: mean absolute error of the outputs, share of right answers, price."""
    half = first_half(run, images)
    with torch.no_grad():
        exact = np.asarray(run.model.quantum(half.encoded).double())
    rows = []
    for device in devices:
        for name in names:
            manager = JobManager(device, shots=shots, mitigation=OPTIONS[name], seed=seed, cache=cache)
            start = time.perf_counter()
            estimation, outcomes = manager.estimate(half.pub)
            data = estimation.result(outcomes).data
            evs = np.asarray(data.evs)
            reached = np.moveaxis(evs, 0, -1).reshape(exact.shape)  # (observables, sets) → (images, outputs)
            rows.append(
                {
                    "device": device,
                    "option": name,
                    "seed": seed,
                    "error": float(np.abs(reached - exact).mean()),
                    "standard_error": float(np.mean(data.stds)),
                    "accuracy": accuracy_of(second_half(run, images, evs)),
                    "qpu_seconds": manager.qpu_seconds,
                    "executions": manager.executions,
                    "seconds": time.perf_counter() - start,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of Student's 95 % interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan")
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return mean, float(half)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown; changes are paired: each run's error against the same run's without mitigation."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["device"], row["option"]].append(row)
    lines = [
        "| device | option | mean absolute error of outputs | change of it, paired | accuracy | QPU seconds |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for (device, option), cell in grouped.items():
        control = "none, idle noise" if option.endswith("idle noise") else "none"
        before = {row["seed"]: row["error"] for row in grouped[device, control]}
        error, width = interval([row["error"] for row in cell])
        change = interval([row["error"] - before[row["seed"]] for row in cell])
        accuracy, around = interval([100 * row["accuracy"] for row in cell])
        changed = "" if option == control else f"{change[0]:+.4f} ± {change[1]:.4f}"
        lines.append(
            f"| {device} | {option} | {error:.4f} ± {width:.4f} | {changed} | {accuracy:.1f} ± {around:.1f} % | "
            f"{np.mean([row['qpu_seconds'] for row in cell]):,.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--shots", type=int, default=10_000)
    parser.add_argument("--devices", nargs="+", default=list(DEVICES))
    parser.add_argument("--options", nargs="+", default=list(OPTIONS), choices=list(OPTIONS))
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("runs/templates"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for seed, folder in enumerate(given.runs):
        run = load_run(folder, given.data_root)
        rows += measure(run, seed, given.images, given.shots, given.devices, given.options, given.cache)
    text = table(rows)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
