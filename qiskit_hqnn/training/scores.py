"""The one figure by which a network is judged: accuracy where it answers classes, R² where it answers numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Score:
    """A figure of merit; more is better.

    Attributes:
        key: in metrics.json, metrics.csv and study.json.
        name: in tables.
        low, high: its range.
        percent: whether it is written in percent, and differences in points.
        better, worse: how a sentence says that a network has more, or less, of it.
    """

    key: str
    name: str
    low: float
    high: float
    percent: bool
    better: str
    worse: str

    def words(self, value: float, digits: int | None = None) -> str:
        """Such as "97.31 %" or "0.8213"."""
        if self.percent:
            return f"{100 * value:.{2 if digits is None else digits}f} %"
        return f"{value:.{4 if digits is None else digits}f}"

    def interval(self, low: float, high: float) -> str:
        """Such as "97.31 – 100.00 %", within the score's range."""
        low, high = max(self.low, low), min(self.high, high)
        return f"{100 * low:.2f} – {100 * high:.2f} %" if self.percent else f"{low:.4f} – {high:.4f}"

    def signed(self, difference: float) -> str:
        """A difference as a number with its sign, in points or in the score's own unit."""
        return f"{100 * difference:+.2f}" if self.percent else f"{difference:+.4f}"

    def change(self, difference: float) -> str:
        """A difference with its sign and unit."""
        return (
            f"{self.signed(difference)} points"
            if self.percent
            else f"{self.signed(difference)} in {self.name}"
        )

    def size(self, difference: float) -> str:
        """The size of a difference with its unit."""
        return self.change(abs(difference)).removeprefix("+")


ACCURACY = Score("accuracy", "accuracy", 0.0, 1.0, True, "more accurate", "less accurate")
R2 = Score("r2", "R²", -inf, 1.0, False, "higher in R²", "lower in R²")
SCORES = {score.key: score for score in (ACCURACY, R2)}
"""By their keys."""


class Errors(BaseModel):
    """How far one number is off on a test set.

    Attributes:
        mse, mae: mean squared and mean absolute error, in the number's own unit (and its square).
        r2: the share of the number's variance on these images that is explained; 0 for naming their mean always, None
            where the number does not vary.
    """

    # Later versions may add to it.
    model_config = ConfigDict(extra="ignore", frozen=True)

    mse: float
    mae: float
    r2: float | None
