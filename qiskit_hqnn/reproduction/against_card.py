"""A row's own figures compared with a result card, such as another lab's: in or out of its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import t as student

from qiskit_hqnn.errors import JobFileError, RunFolderError
from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.summaries import summary_of
from qiskit_hqnn.training import (
    Card,
    Group,
    Metrics,
    Result,
    differences,
    make_card,
    settings_of,
    several_runs,
    wilson_interval,
)

NETWORK = "network"


@dataclass(frozen=True)
class Held:
    """One kind of runs at one place, compared with a card.

    Attributes:
        run: "network", or a control.
        where: the place.
        card: the card's mean accuracy.
        low, high: by the card, a mean of the same number of runs lies there with a probability of 95 %.
        here: the mean accuracy of the own runs.
    """

    run: str
    where: str
    card: float
    low: float
    high: float
    here: float

    @property
    def inside(self) -> bool:
        # A mean of equal values may differ from them in its last bit.
        return self.low - 1e-9 <= self.here <= self.high + 1e-9


def card_of_row(outcome: Outcome) -> Card:
    """The card of a row's runs, from its records alone."""
    first = outcome.records.networks[0]
    metrics = Metrics.model_validate(first.metrics)
    return make_card(outcome.job, metrics, first.machine, None, several_runs(summary_of(outcome)))


def read_card(path: Path) -> Card:
    """A card in JSON.

    Raises:
        RunFolderError: if it is missing, damaged, or of a different version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"Card {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RunFolderError(f"Card {path} is not a text in UTF-8.") from error
    return Card.read(text, path)


def check_settings(outcome: Outcome, card: Card, path: Path) -> None:
    """Check that a card is of the same job.

    Raises:
        JobFileError: if its settings differ.
    """
    other = card.read_job()
    theirs, ours = (settings_of(job.single(job.repeats[0], None)) for job in (other, outcome.job))
    if differing := differences(theirs, ours):
        raise JobFileError(
            f"Card {path} is of a job with other settings than {outcome.row.job} ({differing})."
        )


def hold(outcome: Outcome, card: Card, path: Path) -> list[Held]:
    """Every kind of runs that both have, at each place; the network itself comes first.

    Raises:
        JobFileError: if the card is of a different job.
        RunFolderError: if there are no own runs, the images differ, or no place is common.
    """
    check_settings(outcome, card, path)
    if not outcome.records.networks:
        raise RunFolderError(f"There are no runs of {outcome.row.job} to compare with {path}.")
    own = card_of_row(outcome)
    for part in ("train", "validation", "test"):
        theirs, ours = card.data.get(part), own.data.get(part)
        if None not in (theirs, ours) and theirs != ours:
            raise RunFolderError(
                f"Card {path} is of {theirs:,} {part} images, but the own runs are of {ours:,}."
            )
    found = {(group.run, group.where): group for group in _groups(card)}
    pairs = [(found[key], group) for group in _groups(own) if (key := (group.run, group.where)) in found]
    if not any(group.run == NETWORK for _, group in pairs):
        raise RunFolderError(f"Card {path} has no place in common with the own runs of {outcome.row.job}.")
    if any(theirs.score is not ours.score for theirs, ours in pairs):
        raise RunFolderError(f"Card {path} is of numbers, but {outcome.row.job} answers classes.")
    held = [_held(theirs, ours) for theirs, ours in pairs]
    return sorted(held, key=lambda item: item.run != NETWORK)


def inside(held: Sequence[Held]) -> bool:
    """Whether the network itself lies within the card's interval wherever both were tested."""
    return all(item.inside for item in held if item.run == NETWORK)


def _groups(card: Card) -> list[Group]:
    """The groups of a card; the card of one run has one for each place that saw the whole test set."""
    if card.runs is not None:
        most = max((group.images for group in card.runs.groups), default=0)
        return [group for group in card.runs.groups if group.images == most]
    name = card.read_job().model.options.get("control") or NETWORK
    most = max((result.images for result in card.results.values()), default=0)
    return [_alone(name, where, result) for where, result in card.results.items() if result.images == most]


def _alone(run: str, where: str, result: Result) -> Group:
    return Group.model_validate(
        {
            "run": run,
            "where": where,
            result.score.key: {"mean": result.value, "count": 1},
            "macro_f1": None if result.macro_f1 is None else {"mean": result.macro_f1, "count": 1},
            "images": result.images,
            "runs": 1,
        }
    )


def _held(theirs: Group, ours: Group) -> Held:
    """The interval of several values on the card by their scatter, of one by its test images (Wilson)."""
    spread, count = theirs.spread, ours.spread.count
    if spread.count < 2 or spread.deviation is None:
        low, high = wilson_interval(round(spread.mean * theirs.images), theirs.images)
    else:
        half = (
            float(student.ppf(0.975, spread.count - 1))
            * spread.deviation
            * (1 / spread.count + 1 / count) ** 0.5
        )
        half = max(half, 1 / theirs.images)  # equal values are precise only to one image
        low, high = max(0.0, spread.mean - half), min(1.0, spread.mean + half)
    return Held(ours.run, ours.where, spread.mean, low, high, ours.spread.mean)
