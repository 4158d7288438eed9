"""The device of a training, and its loggers, by their words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.run_folder import RunFolder

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger


def device_of(settings: TrainSection) -> str:
    """The kind of device that a training runs on: "cpu", "cuda" or "mps".

    Raises:
        JobFileError: if it is not available.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    wanted = settings.device or "auto"
    if wanted == "auto":
        return next((word for word, is_there in there.items() if is_there), "cpu")
    if not there.get(wanted, True):
        has = ", ".join(["cpu", *(word for word, is_there in there.items() if is_there)])
        raise JobFileError(f"train.device is {wanted!r}, but torch finds no such device here; it has {has}.")
    return wanted


def make_loggers(settings: TrainSection, folder: RunFolder) -> list[Logger]:
    """Lightning's loggers for a run, which write into the run folder unless their own settings differ.

    Raises:
        JobFileError: if the package of one is not installed.
    """
    words = dict.fromkeys([*(settings.loggers or []), *(["tensorboard"] if settings.tensorboard else [])])
    for word in words:
        if word != "csv" and find_spec(word) is None:
            raise JobFileError(
                f"train.loggers names {word!r}, but the package {word} is not installed: pip install {word}."
            )
    return [_logger(word, folder) for word in words]


def _logger(word: str, folder: RunFolder) -> Logger:
    from lightning.pytorch import loggers

    if word == "csv":
        return loggers.CSVLogger(folder.path, name="", version="lightning")
    if word == "tensorboard":
        return loggers.TensorBoardLogger(folder.path, name="", version="tensorboard", default_hp_metric=False)
    if word == "mlflow":
        place = folder.path.absolute()
        return loggers.MLFlowLogger(
            "qiskit-hqnn",
            run_name=folder.path.name,
            tracking_uri=_mlflow_store(place),
            artifact_location=str(place / "mlruns"),
        )
    return loggers.WandbLogger(name=folder.path.name, project="qiskit-hqnn", save_dir=folder.path)


_MADE: set[str] = set()
"""MLflow's stores that this process has named: MLflow sets its variable to them, and the next seed is not to follow."""


def _mlflow_store(place: Path) -> str:
    """The user's own store, by MLflow's variable, or one in the run folder: MLflow 3 refuses plain files."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if given and given not in _MADE:
        return given
    made = f"sqlite:///{place / 'mlflow.db'}"
    _MADE.add(made)
    return made


def finish(loggers: Sequence[Logger]) -> None:
    """End what a logger keeps open in the process: wandb would write the next seed's training into the same run."""
    if not loggers:
        return
    from lightning.pytorch.loggers import WandbLogger

    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.experiment.finish()
