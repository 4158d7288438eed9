"""HQNN-Parallel on CIFAR-10: which convolutions and which learning rate, judged by validation images.

`python -m benchmarks.cifar10_choice --data-root DIR --write FILE` trains hybrid and classical twin on the training
images of the job file `hqnn-parallel-cifar10` under each of eight settings with at most 90,000 parameters (the text
gives three convolutions and 81,578 parameters, but no sizes), several side by side, and keeps the best accuracy on the
validation images. The dense layer gets the three learning rates at the sizes that were chosen, and has no part in the
choice. The test set is not read. It takes a GPU; on one core of a processor it takes a day.

What FILE has already is not trained again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

SETTINGS: dict[str, list[str]] = {
    "5×5: 16, 32, 64": [],
    "5×5: 32, 40, 40": ["model.filters=[32, 40, 40]"],
    "3×3: 32, 64, 64": ["model.kernel=3", "model.filters=[32, 64, 64]"],
    "3×3: 48, 64, 64": ["model.kernel=3", "model.filters=[48, 64, 64]"],
    "3×3: 40, 64, 72": ["model.kernel=3", "model.filters=[40, 64, 72]"],
    "3×3: 40, 64, 72, rate 4e-3": [
        "model.kernel=3",
        "model.filters=[40, 64, 72]",
        "train.learning_rate=4e-3",
    ],
    "3×3: 40, 64, 72, rate 1.6e-2": [
        "model.kernel=3",
        "model.filters=[40, 64, 72]",
        "train.learning_rate=1.6e-2",
    ],
    "3×3: 40, 64, 72, no smoothing": [
        "model.kernel=3",
        "model.filters=[40, 64, 72]",
        "train.label_smoothing=",
    ],
}
COMMON = [
    'data.augment=["crop", "flip"]',
    "train.batch_size=256",
    'train.optimizer="adamw"',
    "train.learning_rate=8e-3",
    "train.weight_decay=1e-3",
    'train.schedule="one-cycle"',
    "train.label_smoothing=0.05",
    "train.threads=1",
]
NETWORKS = ("hybrid", "twin")
"""Those for which the settings are chosen together."""

DENSE = "matched-dense"
RATES = ("3×3: 40, 64, 72", "3×3: 40, 64, 72, rate 4e-3", "3×3: 40, 64, 72, rate 1.6e-2")
"""The settings that the dense layer is trained under."""


def trained(words: tuple[str, str, int, str]) -> dict[str, Any]:
    """One training: its best validation accuracy by epoch, and how long an epoch took."""
    import torch

    from qiskit_hqnn.models import count_parameters
    from qiskit_hqnn.training import RunFolder, build_model, find_job, fit, load_splits, read_job

    name, network, epochs, data_root = words
    changes = [*COMMON, f"train.epochs={epochs}", *SETTINGS[name]]
    job = read_job(find_job("hqnn-parallel-cifar10"), changes).single(
        0, None if network == "hybrid" else network
    )
    splits = load_splits(job, data_root)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build_model(job, splits)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.path.mkdir()
        started = time.perf_counter()
        fit(model, splits, job.train, run, seed=0)
        rows = run.history()
    best = max(row["validation_accuracy"] for row in rows)
    seconds = (time.perf_counter() - started) / epochs
    found = {
        "settings": name,
        "network": network,
        "validation": best,
        "parameters": sum(count_parameters(model).values()),
        "epoch_seconds": round(seconds, 2),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
    }
    print(f"{name:34} {network:7} {best:.2%}  {found['parameters']:,}  {seconds:.2f} s an epoch", flush=True)
    return found


def main() -> None:
    """Train all, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, required=True)
    settings = parser.parse_args()
    kept = []
    if settings.write.exists():
        earlier = json.loads(settings.write.read_text("utf-8"))
        if earlier["epochs"] != settings.epochs:
            parser.error(
                f"{settings.write} has trainings of {earlier['epochs']} epochs, but --epochs is {settings.epochs}"
            )
        kept = earlier["trainings"]
    wanted = [(name, network) for name in SETTINGS for network in NETWORKS] + [
        (name, DENSE) for name in RATES
    ]
    there = {(row["settings"], row["network"]) for row in kept}
    tasks = [(*pair, settings.epochs, settings.data_root) for pair in wanted if pair not in there]
    with multiprocessing.get_context("spawn").Pool(settings.processes) as pool:
        found = kept + pool.map(trained, tasks, chunksize=1)
    mean = {
        name: statistics.mean(
            row["validation"] for row in found if row["settings"] == name and row["network"] in NETWORKS
        )
        for name in SETTINGS
    }
    chosen = max(mean, key=lambda name: mean[name])
    content = {
        "about": "Written by `python -m benchmarks.cifar10_choice`: best validation accuracy of an epoch, one seed.",
        "epochs": settings.epochs,
        "common": COMMON,
        "chosen": chosen,
        "changes": SETTINGS[chosen],
        "trainings": found,
    }
    settings.write.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    print(f"best for both networks: {chosen}, {mean[chosen]:.2%}")


if __name__ == "__main__":
    main()
