"""The log of a training: a row per epoch, and reports while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn

from qiskit_hqnn.training.classifier import Classifier
from qiskit_hqnn.training.progress import Event, Progress, silent
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.running_on import Place
from qiskit_hqnn.training.scores import Score

_REPORT_SECONDS = 0.1


class History(Callback):
    """One row per epoch in metrics.csv, and reports during training."""

    def __init__(
        self,
        folder: RunFolder,
        epochs: int,
        resumed: bool,
        place: Place,
        progress: Progress,
        first: bool = True,
    ) -> None:
        self.first = first  # in several processes, only one writes and reports
        self.folder, self.epochs, self.place, self.progress = folder, epochs, place, progress
        self.reported = 0.0
        self.rows: list[dict[str, float]] = folder.history() if resumed else []
        self.norms: dict[str, float] = {}
        self.started = time.perf_counter()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.started = time.perf_counter()
        _ours(pl_module).forget("train")

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if trainer.is_last_batch:
            self.norms = _gradient_norms(_ours(pl_module).model)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Before the checkpoint, which would create its folder again.
        self.folder.check_there()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        row: dict[str, float] = {"epoch": trainer.current_epoch + 1}
        averages, score = _ours(pl_module).averages, _ours(pl_module).loss.score
        row["train_loss"], row[f"train_{score.key}"] = averages("train", True)
        if trainer.callback_metrics.get("validation_loss") is not None:
            row["validation_loss"], row[f"validation_{score.key}"] = averages("validation", True)
        row["seconds"] = round(time.perf_counter() - self.started, 3)
        if self.place.manager:
            lap = self.place.meter.lap()
            row["executions"], row["qpu_seconds"] = lap.executions, lap.qpu_seconds
        row.update(self.norms)
        self.rows = [old for old in self.rows if old["epoch"] < row["epoch"]] + [row]
        if not self.first:
            return
        self.folder.write_history(self.rows)
        values = {name: value for name, value in row.items() if name != "epoch"}
        for logger in trainer.loggers:
            logger.log_metrics(values, int(row["epoch"]))
        epoch = int(row["epoch"])
        self.progress(Event("epoch", _line(row, self.epochs, score), epoch, self.epochs, epoch, row))
        self.folder.check_there()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        # Reading a running loss waits for the step, so it is done only a few times a second.
        now = time.monotonic()
        if self.progress is silent or not self.first or now - self.reported < _REPORT_SECONDS:
            return
        self.reported = now
        loss, value = _ours(pl_module).averages("train")
        epoch, total = trainer.current_epoch + 1, int(trainer.num_training_batches)
        values = {"loss": loss, _ours(pl_module).loss.score.name: value}
        self.progress(Event("step", "", batch_idx + 1, total, epoch, values))


def _ours(module: L.LightningModule) -> Classifier:
    assert isinstance(module, Classifier)  # only this trainer receives it
    return module


def _line(row: Mapping[str, float], epochs: int, score: Score) -> str:
    """An epoch in less than 80 columns."""
    words = [f"epoch {row['epoch']:.0f}/{epochs}", *_figures(row, "train", "loss", score)]
    if "validation_loss" in row:
        words += _figures(row, "validation", "validation", score)
    return "  ".join([*words, f"{row['seconds']:.1f} s"])


def _figures(row: Mapping[str, float], part: str, name: str, score: Score) -> list[str]:
    value = row[f"{part}_{score.key}"]
    words = score.words(value, 1) if score.percent else f"{score.name} {score.words(value, 3)}"
    return [f"{name} {row[f'{part}_loss']:.4f}, {words}"]


def _gradient_norms(model: nn.Module) -> dict[str, float]:
    """Norm of each part's gradient in the last step of an epoch, which would show a plateau."""
    norms: dict[str, float] = {}
    for name, part in model.named_children():
        gradients = [parameter.grad.norm() for parameter in part.parameters() if parameter.grad is not None]
        if gradients:
            norms[f"gradient_{name}"] = float(torch.stack(gradients).norm())
    return norms
