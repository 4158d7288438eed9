"""A network with its loss and its optimiser, for Lightning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from qiskit_hqnn.models import quantum_layer_of
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.losses import loss_of
from qiskit_hqnn.training.processes import Processes
from qiskit_hqnn.training.shares import Shares

if TYPE_CHECKING:
    from lightning.pytorch.utilities.types import LRSchedulerConfigType, OptimizerLRScheduler


class Classifier(L.LightningModule):
    """A network with its loss, its optimiser, and its logged metrics."""

    def __init__(
        self,
        model: nn.Module,
        settings: TrainSection,
        total_steps: int,
        checkpoints: Path,
        processes: Processes | None = None,
        batches: Mapping[str, Shares] | None = None,
    ) -> None:
        super().__init__()
        self.processes, self.batches = processes or Processes(), batches or {}
        self.model, self.settings, self.total_steps = model, settings, total_steps
        self.checkpoints = checkpoints
        self.loss = loss_of(model)
        self._sums: dict[str, Tensor | float] = {}

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        images, labels = batch
        outputs = self.model(images)
        loss = self.loss(outputs, labels)
        if self.batches:
            return self._of_a_part("train", index, outputs, labels, loss)
        self._count("train", outputs, labels, loss.detach() * len(labels))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        images, labels = batch
        outputs = self.model(images)
        loss = self.loss(outputs, labels)
        if self.batches:
            self._of_a_part("validation", index, outputs, labels, loss)
        else:
            self._count("validation", outputs, labels, loss.detach() * len(labels))

    def _of_a_part(self, part: str, index: int, outputs: Tensor, labels: Tensor, loss: Tensor) -> Tensor:
        """The loss of this process's part of a batch such that the mean over processes is that of the whole batch."""
        whole = self.batches[part].whole(index)
        own = self.processes.share(whole)  # none where its only image counts for nothing
        size = self.loss.size(labels[:own])
        # Sizes are known in advance if all images weigh the same.
        total = whole if self.loss.class_weights is None else self.processes.total(size)
        share = loss * (size / total)
        self._count(part, outputs[:own], labels[:own], share.detach() * whole)
        return share * self.processes.count

    def _count(self, part: str, outputs: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Of some images, with the sum of their losses."""
        # Separate sums: `self.log` in every step costs as much as a quantum layer.
        tally = self.loss.tally(outputs, labels)
        for name, value in (("loss", loss), ("tally", tally), ("images", len(labels))):
            key = f"{part}_{name}"
            self._sums[key] = self._sums.get(key, 0.0) + value

    def averages(self, part: str, everywhere: bool = False) -> tuple[float, float]:
        """(loss, score) over the images that this process, or all of them, have seen since the last `forget`."""
        loss, images = (float(self._sums.get(f"{part}_{name}", 0.0)) for name in ("loss", "images"))
        tally = torch.as_tensor(self._sums.get(f"{part}_tally", self.loss.nothing()))
        if everywhere and self.processes.others:
            sums = torch.tensor([loss, images, *tally.flatten().tolist()], dtype=torch.float64)
            sums = self.processes.total(sums.to(self.device))
            loss, images = sums[:2].tolist()
            tally = sums[2:].reshape(tally.shape)
        return loss / (images or 1.0), self.loss.score_of(tally, images or 1.0)

    def forget(self, part: str) -> None:
        for name in ("loss", "tally", "images"):
            self._sums.pop(f"{part}_{name}", None)

    def on_validation_epoch_start(self) -> None:
        self.forget("validation")

    def on_validation_epoch_end(self) -> None:
        loss, score = self.averages("validation", everywhere=True)
        # For checkpoints and early stopping; the loggers get the epoch's whole row.
        values = {"validation_loss": loss, f"validation_{self.loss.score.key}": score}
        self.log_dict({**values, "validation_rank": self.loss.rank(loss, score)}, logger=False)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer, schedule = self._optimizer(self._groups())
        if schedule is None:
            return optimizer
        how: LRSchedulerConfigType = {"scheduler": schedule, "interval": "step"}
        if self.settings.schedule not in _OVER_ALL_STEPS:
            how["interval"] = "epoch"
        if self.settings.schedule == "plateau":
            how["monitor"] = "validation_loss"
        return {"optimizer": optimizer, "lr_scheduler": how}

    def _groups(self) -> list[dict[str, object]]:
        """Trained parameters by their learning rate."""
        settings = self.settings
        trained = [
            parameter for parameter in self.parameters() if parameter.requires_grad and parameter.numel()
        ]
        if settings.quantum_learning_rate is None:
            return [{"params": trained, "lr": settings.learning_rate}]
        layer = quantum_layer_of(self.model)
        quantum = {id(parameter) for parameter in layer.parameters()} if layer is not None else set()
        parts = (
            ([parameter for parameter in trained if id(parameter) not in quantum], settings.learning_rate),
            (
                [parameter for parameter in trained if id(parameter) in quantum],
                settings.quantum_learning_rate,
            ),
        )
        return [{"params": part, "lr": rate} for part, rate in parts if part]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adapt a checkpoint to a longer training, and to the present place of its folder.

        A longer training resumes as if its schedule had been the longer one from the start.
        """
        for key, content in checkpoint["callbacks"].items():
            if key.startswith("ModelCheckpoint"):
                _move(content, os.path.realpath(self.checkpoints))
        (state,) = checkpoint["lr_schedulers"] or (None,)
        if state is None or self.settings.schedule not in _OVER_ALL_STEPS:
            return
        if state.get("T_max", state.get("total_steps")) == self.total_steps:
            return
        groups = [{**group, "params": [nn.Parameter(torch.zeros(1))]} for group in self._groups()]
        optimizer, schedule = self._optimizer(groups)
        assert schedule is not None
        optimizer.step()
        for _ in range(state["last_epoch"]):
            schedule.step()
        checkpoint["lr_schedulers"] = [schedule.state_dict()]
        all_stretched = optimizer.state_dict()["param_groups"]
        kept = checkpoint["optimizer_states"][0]["param_groups"]
        for group, stretched in zip(kept, all_stretched, strict=True):
            group.update({name: value for name, value in stretched.items() if name != "params"})

    def _optimizer(self, groups: list[dict[str, Any]]) -> tuple[torch.optim.Optimizer, LRScheduler | None]:
        """The initial optimiser of groups of parameters, and its schedule or None."""
        kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
        settings = self.settings
        options: dict[str, object] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
        if settings.momentum is not None:
            options["momentum"] = settings.momentum
        optimizer: torch.optim.Optimizer = kinds[settings.optimizer](groups, **options)
        return optimizer, _schedule(settings, optimizer, self.total_steps)


_OVER_ALL_STEPS = ("cosine", "one-cycle")


def _schedule(
    settings: TrainSection, optimizer: torch.optim.Optimizer, total_steps: int
) -> LRScheduler | None:
    schedules = torch.optim.lr_scheduler
    epochs, factor = settings.schedule_epochs or 10, settings.schedule_factor or 0.1
    match settings.schedule:
        case "cosine":
            return schedules.CosineAnnealingLR(optimizer, total_steps)
        case "one-cycle":
            rates = [group["lr"] for group in optimizer.param_groups]
            return schedules.OneCycleLR(optimizer, rates, total_steps=total_steps)
        case "step":
            return schedules.StepLR(optimizer, epochs, factor)
        case "exponential":
            return schedules.ExponentialLR(optimizer, settings.schedule_factor or 0.95)
        case "plateau":
            return schedules.ReduceLROnPlateau(optimizer, factor=factor, patience=epochs)
    return None


def _move(state: dict[str, Any], folder: str) -> None:
    """Rewrite the paths in a ModelCheckpoint's state: the run folder may have been moved since."""

    def here(path: str) -> str:
        return os.path.join(folder, os.path.basename(path)) if path else path

    state["dirpath"] = folder
    for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
        state[name] = here(state.get(name, ""))
    state["best_k_models"] = {here(path): score for path, score in state.get("best_k_models", {}).items()}
