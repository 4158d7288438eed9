"""The effect of each row's quantum layer: its network against the controls, in words and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.summaries import summary_of
from qiskit_hqnn.training import Comparison, detectable, holm

LEVEL = 0.05

CONTROLS = {
    "twin": ("the classical twin", "The quantum layer in place of the classical twin's part"),
    "twin-1": ("the classical twin with one kernel", "The quantum layer in place of one classical kernel"),
    "frozen": ("frozen quantum weights", "Training the quantum weights"),
    "no-entanglement": ("no entangling gates", "The entangling gates"),
    "matched-dense": (
        "a dense layer with as many parameters",
        "The quantum layer in place of a dense layer with as many parameters",
    ),
    "left-out": ("nothing in the layer's place", "The quantum layer in place of nothing"),
}
"""The name of each control, and the effect that the difference from it measures."""


@dataclass(frozen=True)
class Found:
    """A comparison, as one of all in the table.

    Attributes:
        comparison: by itself.
        adjusted: its p-value, adjusted for all comparisons (Holm).
        seen: the mean difference that would be shown with a probability of 80 %, at the strictest level that Holm asks
            for: `LEVEL` over the number of comparisons. NaN where the differences do not scatter.
    """

    comparison: Comparison
    adjusted: float
    seen: float

    @property
    def shown(self) -> bool:
        """Whether the difference is significant."""
        return self.adjusted < LEVEL

    @property
    def word(self) -> str:
        """The result: "better", "worse", "no difference shown" or "one seed"."""
        if isnan(self.adjusted):
            return f"one {self.comparison.difference.unit}"
        if not self.shown:
            return "no difference shown"
        return "better" if self.comparison.difference.mean > 0 else "worse"


def find_differences(outcomes: Sequence[Outcome]) -> dict[str, list[Found]]:
    """Every row's comparisons, by its job, with p-values adjusted over the whole table."""
    by_row = {
        outcome.row.job: summary_of(outcome)["comparisons"]
        for outcome in outcomes
        if outcome.records.networks
    }
    values = {(job, c.control): c.evidence.p for job, found in by_row.items() for c in found}
    adjusted, count = holm(values), sum(not isnan(p) for p in values.values())
    return {
        job: [Found(c, adjusted[job, c.control], _seen(c, count)) for c in found]
        for job, found in by_row.items()
    }


def _seen(comparison: Comparison, count: int) -> float:
    """As `Evidence.detectable`, for one of this many comparisons."""
    pairs = comparison.difference.count
    if isnan(comparison.evidence.detectable):
        return float("nan")
    return comparison.evidence.detectable / detectable(pairs) * detectable(pairs, level=LEVEL / count)


def differences_table(outcomes: Sequence[Outcome], found: Mapping[str, Sequence[Found]], folder: str) -> str:
    """One line for each row and control; empty where no control was run."""
    count = sum(not isnan(item.adjusted) for items in found.values() for item in items)
    lines = [
        "## What the quantum layers did\n",
        "Accuracy of the hybrid minus that of a control with the same images, seeds and budget: mean with its 95 % "
        "interval (Student's t), Hedges' g (the mean over the standard deviation of the paired differences, corrected "
        f"for few pairs), p of the paired t-test, p adjusted for the {count} comparisons of this table (Holm), and the "
        "smallest mean difference that would have been shown with a probability of 80 % (at the strictest level that "
        f"Holm's procedure asks for, 0.05 / {count}). Where images were drawn several times a draw is one pair. Three "
        "seeds can show next to nothing among so many comparisons; the intervals are those of each one alone.\n",
        "| row | control | pairs | hybrid − control | g | p | p, Holm | smallest that could be shown | |",
        "|---|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    start = len(lines)
    for outcome in outcomes:
        for item in found.get(outcome.row.job, ()):
            comparison = item.comparison
            name = CONTROLS.get(comparison.control, (comparison.control, ""))[0]
            lines.append(
                f"| {link_to(outcome, folder)} | {name} | {comparison.difference.count} | {_points(comparison)} | "
                f"{_number(comparison.evidence.effect)} | {_p(comparison.evidence.p)} | {_p(item.adjusted)} | "
                f"{_size(item.seen)} | {item.word} |"
            )
    return "\n".join(lines) if len(lines) > start else ""


def paragraph(outcome: Outcome, found: Sequence[Found]) -> str:
    """What the row's quantum layer did, in sentences that follow from its figures."""
    if not outcome.records.networks:
        return ""
    if not found:
        return "**What the quantum layer did.** No control was run, so these figures say nothing about it."
    sentences = [_sentence(item) for item in found]
    helped = [_cause(item) for item in found if item.word == "better"]
    harmed = [_cause(item) for item in found if item.word == "worse"]
    if helped:
        sentences.append(f"Shown to help here: {'; '.join(helped)}.")
        if any(item.comparison.control == "twin" and item.word != "better" for item in found):
            sentences.append("Beside the classical twin no gain is shown.")
    elif any(not isnan(item.adjusted) for item in found):
        sentences.append("Nothing quantum is shown to help here.")
    if harmed:
        sentences.append(f"Shown to cost accuracy: {'; '.join(harmed)}.")
    return f"**What the quantum layer did.** {' '.join(sentences)}"


def link_to(outcome: Outcome, folder: str) -> str:
    """A row's name, as a link from the front page to its page in a folder."""
    return f"[{outcome.row.system}, {outcome.row.data}]({folder}/{outcome.row.job}.md)"


def _cause(item: Found) -> str:
    what = CONTROLS.get(
        item.comparison.control, ("", f"The network in place of {item.comparison.control!r}")
    )[1]
    return what[0].lower() + what[1:]


def _sentence(item: Found) -> str:
    comparison, unit = item.comparison, item.comparison.difference.unit
    what = CONTROLS.get(comparison.control, ("", f"The network in place of {comparison.control!r}"))[1]
    if isnan(item.adjusted):
        return (
            f"{what} changed the accuracy by {_points(comparison)}, which one {unit} cannot tell from chance."
        )
    details = [f"p {_p(comparison.evidence.p)}, {_p(item.adjusted)} by Holm"]
    if not isnan(comparison.evidence.effect):
        details.insert(0, f"Hedges' g {_number(comparison.evidence.effect)}")
    changed = f"{what} changed the accuracy by {_points(comparison)} ({'; '.join(details)})"
    if item.shown:
        return f"{changed}."
    seen = _size(item.seen)
    rest = f", and one of {seen} would have been shown with a probability of 80 %" if seen else ""
    return f"{changed}: no difference is shown{rest}."


def _points(comparison: Comparison) -> str:
    mean = comparison.difference
    if mean.count < 2:
        return f"{100 * mean.mean:+.2f} points"
    if mean.high - mean.low < 1e-12:
        return f"{100 * mean.mean:+.2f} points in every pair"
    return f"{100 * mean.mean:+.2f} points ({100 * mean.low:+.2f} to {100 * mean.high:+.2f})"


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:+.2f}"


def _size(value: float) -> str:
    if isnan(value):
        return ""
    return f"{100 * value:.2f} points" if value < 1 else "more than 100 points"


def _p(value: float) -> str:
    if isnan(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
