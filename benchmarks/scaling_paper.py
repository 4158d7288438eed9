"""What a million images, 156 qubits and a thousand devices would take: measured cost per unit, extrapolated.

    python -m benchmarks.scaling_paper          # benchmarks/scaling_paper.json, and the tables of docs/scaling.md

QPU seconds are the library's own prices of real requests on fake_fez, HQNN-Parallel with four copies of five qubits: of
a test of 10,000 images, and of one training step of 64 by each rule, times as many as there are. Money is that of
`PLANS`. Aer's seconds are CPU time of one core, measured here. Training seconds are those of
docs/results/hqnn-parallel-mnist.json, and of hqnn-parallel-cifar10.json on a GPU. Everything is taken to grow linearly
in images; where it does not, the page says so.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.jobs import PLANS, JobManager, in_words
from qiskit_hqnn.layers import Gradient, QuantumLayer, RandomShift

FILE = Path(__file__).with_name("scaling_paper.json")
RESULTS = Path(__file__).parents[1] / "docs/results/hqnn-parallel-mnist.json"
RESULTS_ON_A_GPU = RESULTS.with_name("hqnn-parallel-cifar10.json")
IMAGES, DEVICES, EPOCHS, SHOTS, TRAINING_SHOTS, BATCH = 1_000_000, 1_000, 15, 1000, 200, 64
COPIES, QUBITS, DEPTH, DEVICE = 4, 5, 3, "fake_fez"
PRICED = 10_000
TILES = (None, "auto")


def _pub(sets: int) -> EstimatorPub:
    """All outputs of the circuit for so many sets of gate angles."""
    ansatz = hqnn_parallel(QUBITS, DEPTH)
    template = make_template(ansatz)
    values = np.random.default_rng(0).uniform(-3, 3, (sets, template.num_angles))
    return EstimatorPub.coerce(
        (template.circuit, [[observable] for observable in ansatz.observables], values)
    )


def inference() -> dict[str, Any]:
    """QPU seconds of a million images, alone and side by side on the chip."""
    pub = _pub(PRICED * COPIES)
    found = {}
    for tiles in TILES:
        manager = JobManager(DEVICE, shots=SHOTS, tiles=tiles)
        price = manager.price(manager.plan(pub)) * (IMAGES // PRICED)
        found[_name(tiles)] = _costs(price.qpu_seconds) | {
            "executions": price.executions,
            "jobs": price.jobs,
            "payload_gb": price.payload_bytes / 1e9,
            "result_gb": price.result_bytes / 1e9,
        }
    return found


def training() -> dict[str, Any]:
    """QPU seconds of one epoch over a million images, by rule: one job a step of 64 images."""
    rules: dict[str, Gradient] = {
        "parameter-shift": "parameter-shift",
        "inputs + 3 random pairs": RandomShift(3, all_inputs=True),
    }
    torch.manual_seed(0)
    layer = QuantumLayer(hqnn_parallel(QUBITS, DEPTH), copies=COPIES)
    inputs = torch.rand(BATCH, COPIES * QUBITS, requires_grad=True)
    steps = -(-IMAGES // BATCH)
    found: dict[str, Any] = {}
    for name, rule in rules.items():
        pub = layer.pub(inputs, rule)
        for tiles in TILES:
            manager = JobManager(DEVICE, shots=TRAINING_SHOTS, tiles=tiles)
            price = manager.price(manager.plan(pub))
            found[f"{name}, {_name(tiles)}"] = _costs(price.qpu_seconds * steps) | {
                "circuits": int(pub.shape[-1]),
                "jobs": price.jobs * steps,
            }
    return found


def aer() -> dict[str, Any]:
    """CPU seconds of a set of values on Aer, one thread, and bytes of it in the store."""
    found = {}
    for place, sets in (("aer", 1000), (DEVICE, 200)):
        pub = _pub(sets)
        with tempfile.TemporaryDirectory() as folder:
            manager = JobManager(place, shots=SHOTS, seed=0, store=Path(folder) / "jobs.db")
            manager.estimate(_pub(20))  # everything is loaded then
            before, started = _size(folder), time.process_time()
            manager.estimate(pub)
            each = (time.process_time() - started) / sets
            hours = each * IMAGES * COPIES / 3600
            found[place] = {
                "cpu_seconds_per_set": each,
                "core_hours": hours,
                "store_gb": (_size(folder) - before) / sets * IMAGES * COPIES / 1e9,
            }
    return found


def exact_training(results: Path) -> dict[str, Any]:
    """Hours of exact training, from a published row's seconds."""
    kept = json.loads(results.read_text())
    runs = [run for run in kept["runs"] if run["control"] is None]
    each = statistics.mean(
        run["seconds"]["train"] / (run["data"]["train"] * run["training"]["epochs"]) for run in runs
    )
    machines = {run["machine"] for run in runs}
    return {
        "seconds_per_image_and_epoch": each,
        "hours": each * IMAGES * EPOCHS / 3600,
        "runs": len(runs),
        "machines": [kept["machines"][index] for index in sorted(machines)],
    }


def states() -> dict[str, int]:
    """The most qubits whose state fits, by what there is of memory in GiB."""
    return {
        f"{what}, {gib} GiB": int(math.log2(gib * 2**30 / 16) / power)
        for what, power in (("state vector", 1), ("density matrix", 2))
        for gib in (16, 80, 1024)
    }


def _costs(qpu_seconds: float) -> dict[str, Any]:
    return {
        "qpu_seconds": qpu_seconds,
        "one_device": in_words(qpu_seconds),
        "all_devices": in_words(qpu_seconds / DEVICES),
        "dollars": {name: plan.dollars(qpu_seconds) for name, plan in PLANS.items() if plan.seconds is None},
    }


def _name(tiles: str | None) -> str:
    return "one at a time" if tiles is None else "side by side"


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).iterdir())


def tables(found: Mapping[str, Any]) -> str:
    """The page's tables."""
    lines = [
        "| | QPU time of one device | of 1,000 | pay-as-you-go | flex | premium | jobs |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    parts = {"inference": "test, ", "training": "an epoch, "}
    for part, prefix in parts.items():
        for name, cost in found[part].items():
            money = " | ".join(
                f"${cost['dollars'][plan]:,.0f}" for plan in ("pay-as-you-go", "flex", "premium")
            )
            lines.append(
                f"| {prefix}{name} | {cost['one_device']} | {cost['all_devices']} | {money} | {cost['jobs']:,} |"
            )
    lines += ["", "| place | CPU s per set | core hours | store, GB |", "|---|--:|--:|--:|"]
    for place, cost in found["aer"].items():
        lines.append(
            f"| {place} | {cost['cpu_seconds_per_set']:.4f} | {cost['core_hours']:.1f} | {cost['store_gb']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    found = {
        "assumed": {
            "images": IMAGES, "devices": DEVICES, "copies": COPIES, "qubits": QUBITS, "depth": DEPTH,
            "test_shots": SHOTS, "training_shots": TRAINING_SHOTS, "batch": BATCH, "epochs": EPOCHS, "device": DEVICE,
        },
        "inference": inference(),
        "training": training(),
        "aer": aer(),
        "exact_training": exact_training(RESULTS),
        "exact_training_on_a_gpu": exact_training(RESULTS_ON_A_GPU),
        "most_qubits": states(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
    }  # fmt: skip
    FILE.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
