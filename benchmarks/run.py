"""The benchmarks in one command: `python -m benchmarks.run [W1 W4 W5 …] [--seconds 8] [--out benchmarks/results]`.

Runs ours beside the limit and beside the peers that are installed (`pip install qiskit-hqnn[bench]`), checks every
contender's values and gradients against ours in float64 before it is timed, and writes report.md, results.json and
scaling.png.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import accelerated, noise, report, starts
from benchmarks.alone import in_own_process
from benchmarks.contenders import CONTENDERS, Contender, ours
from benchmarks.scaling import measure_scaling, plot
from benchmarks.timing import Timing, measure
from benchmarks.training_step import layers, measure_steps
from benchmarks.workloads import WORKLOADS, Workload

TOLERANCE = 1e-3
"""Float32 against float64; weight gradients are sums over a whole batch."""
Notes = dict[tuple[str, str], str]


def main() -> None:
    """Measure what was asked for and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "only", nargs="*", help="W1 to W6, accelerate, scaling, alone, noise, starts; default all"
    )
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="time for each workload, all contenders together"
    )
    parser.add_argument("--pairs", type=int, default=200, help="pairs of training steps in W5")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    for contender in CONTENDERS:
        if contender.missing:
            print(f"SKIPPED {contender.name}: {', '.join(contender.missing)} not installed")
    results, sections = _measure(options, set(options.only)), []
    for title, text in results.pop("sections"):
        sections.append(f"## {title}\n\n{text}")
    page = "\n\n".join(["# Benchmarks", report.machine(), *sections])
    _replace(options.out / "report.md", page + "\n")
    _replace(options.out / "results.json", json.dumps(results, indent=1) + "\n")
    print(f"\n{page}\n\nWritten to {options.out}/report.md")


def _measure(options: argparse.Namespace, only: set[str]) -> dict[str, Any]:
    def wanted(name: str) -> bool:
        return not only or name in only or name.split("-")[0] in only

    sections: list[tuple[str, str]] = []
    results: dict[str, Any] = {"machine": report.machine(), "sections": sections}
    if wanted("W5"):
        costs = measure_steps(layers(), options.pairs)
        results["W5"] = {name: asdict(cost) for name, cost in costs.items()}
        sections.append(
            ("W5: a whole training step, 28×28 images, batch 64, Adam", report.steps_table(costs))
        )
        print(report.steps_table(costs), flush=True)
    chosen = [workload for workload in WORKLOADS if wanted(workload.name)]
    if chosen:
        notes: Notes = {}
        timings = {workload.name: _workload(workload, options.seconds, notes) for workload in chosen}
        results["workloads"] = {
            name: {who: asdict(timing) for who, timing in row.items()} for name, row in timings.items()
        }
        table = report.workloads_table(timings, notes)
        sections.append(("One forward and backward pass of the layer, float32", table))
    if wanted("accelerate"):
        measured = accelerated.measure_accelerated()
        results["accelerate"] = {name: asdict(pairs) for name, pairs in measured.items()}
        title = "qiskit-machine-learning's own networks, and the same after `accelerate`"
        sections.append((title, accelerated.table(measured)))
        print(accelerated.table(measured), flush=True)
    if wanted("noise"):
        threads = torch.get_num_threads()
        results["noise"] = noise.measure()
        torch.set_num_threads(threads)
        sections.append(("Under a device's noise", noise.table(results["noise"])))
        print(noise.table(results["noise"]), flush=True)
    if wanted("scaling"):
        curves = measure_scaling(options.seconds)
        plot(curves, options.out / "scaling.png")
        results["scaling"] = curves
        sections.append(("Cost against batch, layers and copies", report.scaling_table(curves)))
    if wanted("starts"):
        found = {name: asdict(start) for name, start in starts.measure_starts(rounds=15).items()}
        results["starts"] = found
        sections.append(("The commands' start", starts.table(found)))
        print(starts.table(found), flush=True)
    if wanted("alone"):
        results["alone"] = {what: in_own_process(what) for what in ("first_call", "memory")}
        first, memory = results["alone"]["first_call"], results["alone"]["memory"]
        text = (
            f"First call of W1 in a fresh process: plan {first['plan_ms']:.0f} ms, first forward and backward pass "
            f"{first['first_step_ms']:.0f} ms. Training step of 20 qubits × 20 layers × batch 1: "
            f"{memory['added_mib']:.0f} MiB above the imports ({memory['peak_mib']:.0f} MiB in all), "
            f"{memory['seconds']:.1f} s."
        )
        sections.append(("First call and memory", text))
    return results


def _workload(workload: Workload, seconds: float, notes: Notes) -> dict[str, Timing]:
    expected = ours(workload, torch.float64).results()
    steps = {}
    for contender in CONTENDERS:
        note = contender.declines(workload)
        if note is not None:
            notes[workload.name, contender.name] = note
            print(f"SKIPPED {workload.name} {contender.name}: {note}", flush=True)
            continue
        prepared = contender.prepare(workload)
        if not contender.is_limit:
            _check(contender, workload, prepared.results(), expected)
        steps[contender.name] = prepared.step
    timings = measure(steps, budget=seconds)
    for name, timing in timings.items():
        print(f"{workload.name:6} {name:45} {timing.median:9.3f} ms, {timing.ratio:8.2f} × ours", flush=True)
    return timings


def _check(
    contender: Contender,
    workload: Workload,
    results: tuple[np.ndarray, ...],
    expected: tuple[np.ndarray, ...],
) -> None:
    for what, got, right in zip(
        ("outputs", "input gradients", "weight gradients"), results, expected, strict=True
    ):
        error = np.abs(got.reshape(right.shape) - right).max(initial=0.0)
        if error > TOLERANCE:
            raise SystemExit(f"{contender.name} gives wrong {what} on {workload.name}: off by {error:.1e}.")


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".part")
    beside.write_text(text)
    os.replace(beside, path)


if __name__ == "__main__":
    main()
