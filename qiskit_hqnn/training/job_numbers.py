"""What a job may ask for where its data has numbers in the place of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qiskit_hqnn.data import HANDED_OVER, WITH_NUMBERS
from qiskit_hqnn.errors import JobFileError


class Training(Protocol):
    """Of [train], what depends on what is learned."""

    @property
    def loss(self) -> str | None: ...

    @property
    def early_stopping_metric(self) -> str | None: ...

    @property
    def class_weights(self) -> object: ...

    @property
    def label_smoothing(self) -> float | None: ...


def check_numbers(name: str, targets: Sequence[str], classes: bool, balanced: bool) -> None:
    """Of [data]: that a data set can have numbers, and nothing is asked for that only classes have.

    Raises:
        JobFileError: if not.
    """
    if len(set(targets)) < len(targets) or not all(map(str.strip, targets)):
        raise JobFileError(
            f'data.targets must name each number once, such as ["age"], but is {list(targets)}.'
        )
    if name not in WITH_NUMBERS and name != HANDED_OVER:
        allowed = ", ".join(map(repr, WITH_NUMBERS))
        raise JobFileError(
            f"data.targets goes with data.name = {allowed}, but data.name is {name!r}, which has classes."
        )
    for key, given in (("classes", classes), ("balanced", balanced)):
        if given:
            raise JobFileError(
                f"data.{key} chooses classes, but data.targets says that the data has numbers."
            )


def check_training(train: Training, targets: Sequence[str] | None) -> None:
    """Of [train]: that loss and metrics are those of classes, or of numbers.

    Raises:
        JobFileError: if not.
    """
    metric = train.early_stopping_metric
    if targets is None:
        if metric == "validation_r2":
            raise JobFileError(
                "train.early_stopping_metric = 'validation_r2' is of numbers, but without data.targets the data has "
                "classes: take 'validation_loss' or 'validation_accuracy'."
            )
        return
    if metric == "validation_accuracy":
        raise JobFileError(
            "train.early_stopping_metric = 'validation_accuracy' is of classes, but data.targets are numbers: take "
            "'validation_loss' or 'validation_r2'."
        )
    if train.loss not in (None, "mse"):
        raise JobFileError(
            f"train.loss = {train.loss!r} is of classes, but data.targets are numbers, which are learned with 'mse'."
        )
    for key in ("class_weights", "label_smoothing"):
        if getattr(train, key) is not None:
            raise JobFileError(f"train.{key} is of classes, but data.targets are numbers.")
