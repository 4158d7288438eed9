"""The results of a sweep: means on validation images, the point that they choose, and differences from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.sweeps.grid import Point
from qiskit_hqnn.sweeps.side_by_side import Outcome
from qiskit_hqnn.training import (
    ACCURACY,
    Mean,
    Repeat,
    Score,
    TunedSection,
    best_epoch,
    mean_of,
    score_of_history,
)


@dataclass(frozen=True)
class Row:
    """A point of the grid, or a control at it.

    Attributes:
        point: of the grid.
        control: None for the network itself.
        values, losses: score (accuracy, or R² of numbers) and loss of the kept epoch on the validation images, by seed
            (or draw and seed).
        epochs: the kept one, by seed.
        parameters: (classical, quantum).
        seconds: of one training, on average.
        failures: why runs failed, by name.
        difference: the chosen point's score minus this one's, on the seeds that both have; None for itself.
        score: by which it is judged.
    """

    point: Point
    control: str | None
    values: dict[Repeat, float]
    losses: dict[Repeat, float]
    epochs: dict[Repeat, int]
    parameters: tuple[int, int]
    seconds: float
    failures: dict[str, str] = field(default_factory=dict)
    difference: Mean | None = None
    score: Score = ACCURACY

    @property
    def mean(self) -> Mean | None:
        return mean_of(self.values) if self.values else None

    @property
    def loss(self) -> Mean | None:
        return mean_of(self.losses) if self.losses else None


@dataclass(frozen=True)
class Judged:
    """A sweep's rows in the order of its grid, and the chosen one among them.

    Attributes:
        rows: networks and controls.
        chosen: the network of the best mean validation score, among equals of the lowest loss; None if none has
            all of its runs.
        notes: what a reader must know.
        controls: of each control the best point, chosen in the same way.
    """

    rows: list[Row]
    chosen: Row | None
    notes: list[str]
    controls: dict[str, Row] = field(default_factory=dict)


def judge(points: Sequence[Point], outcomes: Sequence[Outcome]) -> Judged:
    """Read all finished runs, and choose a point on their validation images; no test set is read.

    Args:
        points: of the grid.
        outcomes: of all of its runs, point by point.

    Raises:
        RunFolderError: if a run has no validation images.
    """
    rows, left, labels = [], list(outcomes), set()
    for point in points:
        own = len(point.job.repeats) * (1 + len(point.job.controls))
        mine, left = left[:own], left[own:]
        rows += [
            _row(point, control, [one for one in mine if one.plan.control == control])
            for control in (None, *point.job.controls)
        ]
        labels |= {_images_of(one) for one in mine if one.failure is None}
    networks = [row for row in rows if row.control is None and not row.failures]
    chosen = max(networks, key=_worth, default=None)
    best = _best_of_controls(rows)
    notes = [_for_a_control(control, row) for control, row in best.items()]
    same = len(labels) <= max(1, points[0].job.data.draws)
    if not same:
        notes.append(
            "The points do not have the same validation images: their figures are of different tasks, and not paired."
        )
    if chosen is not None and same:
        rows = [row if row is chosen else _against(chosen, row) for row in rows]
    if len(networks) > 1:
        notes.append(
            f"The best of {len(networks)} points looks better on the images that chose it than it is, and each "
            "interval is that of one comparison alone: the chosen point's test set says what it is worth."
        )
    return Judged(rows, chosen, notes, best)


def _best_of_controls(rows: Sequence[Row]) -> dict[str, Row]:
    """A control without a search would lose to a network with one, whatever its quality."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.control is not None and not row.failures:
            other = best.get(row.control)
            if other is None or _worth(row) > _worth(other):
                best[row.control] = row
    return best


def _for_a_control(control: str, row: Row) -> str:
    """The lines for the job file."""
    assert row.mean is not None
    words = f"Control {control!r} is best at {row.point.name} ({row.score.words(row.mean.mean)})"
    keys = [key.removeprefix("train.") for key in row.point.values]
    if all(key in TunedSection.model_fields for key in keys):
        values = ", ".join(
            f"{key} = {value}" for key, value in zip(keys, row.point.values.values(), strict=True)
        )
        words += f": [tuned.{control}] with {values} gives it these"
    return f"{words}."


def _row(point: Point, control: str | None, outcomes: Sequence[Outcome]) -> Row:
    values, losses, epochs, score = {}, {}, {}, ACCURACY
    parameters, seconds = (0, 0), []
    for outcome in outcomes:
        if outcome.failure is not None:
            continue
        metrics, repeat = outcome.run.read_metrics(), outcome.plan.repeat
        kept = best_epoch(outcome.run.history())
        if kept is None or metrics.parameters is None:
            raise RunFolderError(
                f"{outcome.plan.folder} has no epoch with validation images, which the choice needs."
            )
        score = score_of_history([kept])
        values[repeat], losses[repeat] = kept[f"validation_{score.key}"], kept["validation_loss"]
        epochs[repeat] = int(kept["epoch"])
        parameters = (metrics.parameters.classical, metrics.parameters.quantum)
        seconds.append(metrics.seconds["train"])
    return Row(
        point,
        control,
        values,
        losses,
        epochs,
        parameters,
        float(np.mean(seconds)) if seconds else float("nan"),
        {one.plan.name: one.failure for one in outcomes if one.failure is not None},
        score=score,
    )


def _worth(row: Row) -> tuple[float, float]:
    assert row.mean is not None
    assert row.loss is not None
    return round(row.mean.mean, 9), -row.loss.mean  # equal means, whatever the order of summation


def _against(chosen: Row, row: Row) -> Row:
    pairs = {
        repeat: value - row.values[repeat] for repeat, value in chosen.values.items() if repeat in row.values
    }
    difference = mean_of(pairs) if pairs else None
    return Row(**{**vars(row), "difference": difference})


def _images_of(outcome: Outcome) -> str:
    """The images of a run: the digest of all labels."""
    data = outcome.run.read_metrics().data
    return repr([data.get(key) for key in ("labels", "validation")])
