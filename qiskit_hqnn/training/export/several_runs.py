"""A card's part about several runs: means over seeds or draws with their intervals, and differences from controls."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from pydantic import BaseModel, ConfigDict

from qiskit_hqnn.training.scores import ACCURACY, R2, Score


class _Part(BaseModel):
    # Later versions may add to a part.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Spread(_Part):
    """A mean, its 95 % interval (Student's t), and where one value more would lie; None for one value.

    Attributes:
        mean, low, high: the mean and its interval.
        deviation: standard deviation of the values.
        count, unit: how many, seeds or draws of the images.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    deviation: float | None = None
    count: int
    unit: str = "seed"


class Group(_Part):
    """The runs of the network, or of one control, at one place; for numbers `r2` instead of accuracy and F1."""

    run: str
    where: str
    accuracy: Spread | None = None
    macro_f1: Spread | None = None
    r2: Spread | None = None
    images: int
    runs: int
    accuracies: dict[str, float] = {}

    @property
    def score(self) -> Score:
        """The score of its runs."""
        return ACCURACY if self.r2 is None else R2

    @property
    def spread(self) -> Spread:
        """Of its score."""
        spread = self.accuracy if self.r2 is None else self.r2
        assert spread is not None
        return spread


class Difference(_Part):
    """The network minus a control, in accuracy or R², paired; p is of the paired t-test alone."""

    control: str
    difference: Spread
    effect: float | None = None
    p: float | None = None
    detectable: float | None = None


class SeveralRuns(_Part):
    """All runs of a study or of a row."""

    groups: list[Group] = []
    differences: list[Difference] = []


def several_runs(summary: Mapping[str, Any]) -> SeveralRuns:
    """The result of `summarise`, for a card."""
    return SeveralRuns(
        groups=[
            Group.model_validate(
                {name: row[name] for name in ("run", "where", "images", "runs")}
                | {
                    row["score"].key: _spread(row["mean"]),
                    "accuracies": row["values"] if row["score"] is ACCURACY else {},
                    "macro_f1": row["macro_f1"] and _spread(row["macro_f1"]),
                }
            )
            for row in summary["rows"]
        ],
        differences=[
            Difference(
                control=found.control,
                difference=_spread(found.difference),
                **{name: _known(value) for name, value in vars(found.evidence).items()},
            )
            for found in summary["comparisons"]
        ],
    )


def _spread(mean: Any) -> Spread:
    return Spread(
        mean=mean.mean,
        low=_known(mean.low),
        high=_known(mean.high),
        deviation=_known(mean.deviation),
        count=mean.count,
        unit=mean.unit,
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
