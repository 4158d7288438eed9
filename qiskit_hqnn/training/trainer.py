"""Lightning's parts of a training, as a job's [train] sets them."""

from __future__ import annotations

import lightning as L
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger

from qiskit_hqnn.training.classifier import Classifier
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.processes import Processes, strategy_of
from qiskit_hqnn.training.shares import SharedStatistics


def best_of(classifier: Classifier, validated: bool) -> ModelCheckpoint:
    """The callbacks that keep the weights of the best epoch and of the last one."""
    return ModelCheckpoint(
        classifier.checkpoints,
        filename="best",
        monitor="validation_rank" if validated else None,
        mode="max",
        save_last=True,
        enable_version_counter=False,
    )


def early_stopping_of(settings: TrainSection) -> list[Callback]:
    """The callback for early stopping on validation images, if the job requests it."""
    if not settings.early_stopping:
        return []
    metric = settings.early_stopping_metric or "validation_loss"
    mode = "min" if metric == "validation_loss" else "max"
    return [EarlyStopping(metric, patience=settings.early_stopping, mode=mode)]


def trainer_of(
    settings: TrainSection,
    device: str,
    loggers: list[Logger],
    callbacks: list[Callback],
    processes: Processes,
) -> L.Trainer:
    """The loop, without Lightning's own progress bar and checks."""
    return L.Trainer(
        max_epochs=settings.epochs,
        accelerator={"cuda": "gpu"}.get(device, device),
        devices=settings.devices or 1,
        num_nodes=settings.nodes or 1,
        strategy=strategy_of(processes),
        plugins=[SharedStatistics()] if processes.others else None,
        use_distributed_sampler=False,
        gradient_clip_val=settings.gradient_clipping,
        logger=loggers or False,
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
