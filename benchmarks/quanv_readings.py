"""Which reading of HQNN-Quanv's circuit: each trained on random draws of MNIST, and judged by validation images.

`python -m benchmarks.quanv_readings --data-root DIR --write FILE` trains every reading that the text allows, and both
classical kernels (which have no freedom, so they calibrate the training), as the job file `hqnn-quanv`
does: 500 training images, Adam at 1e-2, batches of 20, 20 epochs. Accuracy is that on 2,000 other images of
MNIST's training set; the test set is not read. Differences are paired by draw and seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import torch
from torch import Tensor, nn

from qiskit_hqnn.circuits import READINGS
from qiskit_hqnn.data import as_float, load
from qiskit_hqnn.models import build

EPOCHS, BATCH, RATE = 20, 20, 1e-2
TRAIN, VALIDATION = 500, 2000


def trained(options: dict[str, str], images: Tensor, labels: Tensor, seed: int) -> nn.Module:
    """A network after 20 epochs."""
    torch.manual_seed(seed)
    model = build("hqnn-quanv", **options)
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--resize", choices=("bilinear", "antialias"), default="bilinear")
    parser.add_argument("--write", type=Path, required=True)
    settings = parser.parse_args()
    torch.set_num_threads(1)
    kinds = {name: {"reading": name} for name in READINGS} | {
        "CNN4": {"control": "twin"},
        "CNN1": {"control": "twin-1"},
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for draw in range(settings.draws):
        splits = load(
            "mnist",
            settings.data_root,
            image_size=14,
            resize=settings.resize,
            train_samples=TRAIN + VALIDATION,
            test_samples=10,
            validation=VALIDATION,
            seed=draw,
        )
        images, labels = as_float(splits.train.images), splits.train.labels
        for seed in range(settings.seeds):
            for name, options in kinds.items():
                model = trained(options, images, labels, seed)
                with torch.no_grad():
                    answers = model(as_float(splits.validation.images)).argmax(1)
                found[name].append(float((answers == splits.validation.labels).float().mean()))
        print(
            f"draw {draw}: " + ", ".join(f"{name} {values[-1]:.1%}" for name, values in found.items()),
            flush=True,
        )
    means = {name: statistics.mean(values) for name, values in found.items()}
    chosen = max(READINGS, key=lambda name: means[name])
    about = {
        "about": "Written by `python -m benchmarks.quanv_readings`: accuracy on validation images.",
        "settings": {
            "train": TRAIN,
            "validation": VALIDATION,
            "epochs": EPOCHS,
            "batch": BATCH,
            "rate": RATE,
            "resize": settings.resize,
        },
        "draws": settings.draws,
        "seeds": settings.seeds,
        "chosen": chosen,
        "accuracy": found,
    }
    settings.write.write_text(json.dumps(about, indent=1) + "\n")
    for name, values in found.items():
        gains = [value - other for value, other in zip(values, found["chain"], strict=True)]
        print(
            f"{name:10} {means[name]:.1%} ± {statistics.stdev(values):.1%}   beside chain {statistics.mean(gains):+.1%}"
        )


if __name__ == "__main__":
    main()
