"""Shots as a schedule: by epoch, or another step of it whenever the validation loss has stood still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qiskit_hqnn.training.job_sections import TrainSection


@dataclass(frozen=True)
class Rung:
    """Shots of an epoch.

    Attributes:
        shots: of the plain circuits, and of validation.
        gradient: of the shifted ones; None is as many.
    """

    shots: int
    gradient: int | None = None


def rungs_of(train: TrainSection, shots: int) -> list[Rung]:
    """All steps of a job's schedule, in their order; one if there is none."""
    plain: list[int] = train.shots or [shots]
    own: Sequence[int | None] = train.gradient_shots or (None,)
    return [
        Rung(plain[min(step, len(plain) - 1)], own[min(step, len(own) - 1)])
        for step in range(max(len(plain), len(own)))
    ]


def step_of(train: TrainSection, rows: Sequence[Mapping[str, float]], number: int) -> int:
    """Which of `number` steps the epoch behind `rows` of a log takes.

    Without `shots_plateau` it is the epoch's; with it, one more whenever this many epochs in a row had no lower
    validation loss (training loss, where nothing is validated) than any before.
    """
    if train.shots_plateau is None:
        return min(len(rows), number - 1)
    step, best, still = 0, float("inf"), 0
    for row in rows:
        loss = row.get("validation_loss", row["train_loss"])
        still = 0 if loss < best else still + 1
        best = min(best, loss)
        if still >= train.shots_plateau:
            step, still = step + 1, 0
    return min(step, number - 1)


def check_rungs(train: TrainSection, shots: int, where: str, sampled: bool) -> None:
    """Raises ValueError if a step's shots do not go together, or the schedule takes no effect."""
    given = [
        name for name in ("shots", "gradient_shots", "shots_plateau") if getattr(train, name) is not None
    ]
    if not given:
        return
    if train.shots_plateau is not None and len(rungs_of(train, shots)) < 2:
        raise ValueError(
            "train.shots_plateau takes the next of several shots, as train.shots = [10, 50], but there are none"
        )
    if not sampled:
        raise ValueError(
            f"train.{given[0]} takes effect where training is sampled, on aer or a device or with a gradient that "
            f"shifts angles, but where is {where!r}"
        )
    for rung in rungs_of(train, shots):
        own = rung.gradient or rung.shots
        if max(own, rung.shots) % min(own, rung.shots):
            raise ValueError(
                "train.gradient_shots must divide the shots of the plain circuits or be a multiple of them, but they "
                f"are {own} and {rung.shots}"
            )
