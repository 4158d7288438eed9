"""What Lightning, logging and checkpoints add to a bare training loop: the quickstart's network, one thread.

python -m benchmarks.training_loop
"""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from qiskit_hqnn.data import Splits, as_it_is
from qiskit_hqnn.training import JobFile, RunFolder, build_model, find_job, fit, load_splits, read_job

EPOCHS = 20


def bare_loop(model: nn.Module, splits: Splits, job: JobFile) -> float:
    """Median seconds an epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=job.train.learning_rate)
    loader: DataLoader[Any] = DataLoader(
        splits.train,
        job.train.batch_size,
        shuffle=True,
        collate_fn=as_it_is,  # type: ignore[arg-type]
    )
    seconds = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        for images, labels in loader:
            optimizer.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def with_fit(model: nn.Module, splits: Splits, job: JobFile) -> float:
    """Median seconds an epoch, validation and checkpoints included."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        folder = RunFolder(Path(name))
        fit(model, splits, job.train, folder, seed=0)
        return statistics.median(row["seconds"] for row in folder.history())


def main() -> None:
    torch.set_num_threads(1)
    job = read_job(find_job("quickstart"), [f"train.epochs={EPOCHS}"])
    splits = load_splits(job, "data")
    steps = -(-len(splits.train) // job.train.batch_size)
    for _ in range(3):
        torch.manual_seed(0)
        bare = bare_loop(build_model(job, splits), splits, job) / steps
        fitted = with_fit(build_model(job, splits), splits, job) / steps
        print(f"bare loop {1e3 * bare:.2f} ms a step, fit {1e3 * fitted:.2f} ms, ratio {fitted / bare:.2f}")


if __name__ == "__main__":
    main()
