"""A trained network on images with numbers in the place of classes: how far its answers are off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.training.losses import Loss
from qiskit_hqnn.training.scores import Errors

_RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Regression:
    """Answers of a network on N images with K numbers each.

    Attributes:
        outputs: answers in the numbers' own units, (N, K).
        labels: the true numbers, (N, K).
        loss: mean squared error of the standardised numbers.
        targets: the errors of each number by name.
        r2: mean R² of the numbers; None where one of them does not vary.
        r2_interval: its 95 % interval (percentiles of 1,000 resamples of the images); None without R².
    """

    outputs: Tensor
    labels: Tensor
    loss: float | None
    targets: dict[str, Errors]
    r2: float | None
    r2_interval: tuple[float, float] | None

    def summary(self) -> dict[str, object]:
        """What metrics.json keeps."""
        return {
            "r2": self.r2,
            "r2_interval": self.r2_interval,
            "targets": {name: errors.model_dump() for name, errors in self.targets.items()},
            "loss": self.loss,
            "images": len(self.labels),
        }

    def table(self) -> list[list[object]]:
        """True and answered numbers: the titles, then a row for each image."""
        titles = ["image", *(f"{what} {name}" for name in self.targets for what in ("true", "answered"))]
        pairs = torch.stack([self.labels, self.outputs], dim=2).flatten(1)
        return [list(titles), *([index, *row] for index, row in enumerate(pairs.tolist()))]


def judge_numbers(outputs: Tensor, labels: Tensor, loss: Loss) -> Regression:
    """The metrics of standardised outputs (N, K) for numbers (N, K)."""
    assert loss.targets is not None
    answers = loss.answers(outputs)
    errors = (answers - labels).double().numpy()
    wanted = labels.double().numpy()
    shares = _explained(errors, wanted)
    targets = {
        name: Errors(
            mse=float(np.mean(errors[:, k] ** 2)),
            mae=float(np.mean(np.abs(errors[:, k]))),
            r2=float(shares[k]) if np.isfinite(shares[k]) else None,
        )
        for k, name in enumerate(loss.targets.names)
    }
    whole = bool(np.isfinite(shares).all())
    return Regression(
        answers,
        labels,
        loss(outputs, labels).item(),
        targets,
        float(shares.mean()) if whole else None,
        _interval(errors, wanted) if whole else None,
    )


def _explained(errors: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """R² (K,) of errors and true values (N, K); not finite where values do not vary."""
    spread = ((wanted - wanted.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - (errors**2).sum(axis=0) / spread


def _interval(errors: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean R², by resampling images; the same for the same answers."""
    random, found = np.random.default_rng(0), np.empty(_RESAMPLES)
    for index in range(_RESAMPLES):
        chosen = random.integers(len(errors), size=len(errors))
        found[index] = _explained(errors[chosen], wanted[chosen]).mean()
    # A resample of one image again and again has no R².
    low, high = np.percentile(found[np.isfinite(found)], [2.5, 97.5])
    return float(low), float(high)
