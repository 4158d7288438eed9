"""Several seeds and controls compared: means, intervals, paired differences, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from scipy.stats import t as student

from qiskit_hqnn._files import write_json, write_text
from qiskit_hqnn._page import page
from qiskit_hqnn._text import plain as plain_text
from qiskit_hqnn.training.charts import Points, points_svg
from qiskit_hqnn.training.export import make_card, several_runs, write_result_card
from qiskit_hqnn.training.job_file import JobFile, Repeat
from qiskit_hqnn.training.metrics import Metrics, Result
from qiskit_hqnn.training.report import render
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.scores import ACCURACY, Score
from qiskit_hqnn.training.significance import Evidence, evidence

Run = tuple[Repeat, str | None, RunFolder]
"""(seed, or draw and seed; control; folder)."""


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, or over draws of the images, with its 95 % interval (Student's t); no interval for one.

    Attributes:
        mean, low, high: the mean and its interval.
        count: of seeds, or of draws.
        unit: which of both.
    """

    mean: float
    low: float
    high: float
    count: int
    unit: str = "seed"

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def deviation(self) -> float:
        """The standard deviation of the values; NaN of one."""
        return float(self.half_width * self.count**0.5 / student.ppf(0.975, max(1, self.count - 1)))


def interval_words(mean: Mean, score: Score = ACCURACY) -> str:
    """The interval of a mean within its score's range: "97.31 – 100.00 %" of shares; a dash for one seed."""
    return "–" if mean.count < 2 else score.interval(mean.low, mean.high)


def percent(mean: Mean) -> str:
    """A mean of shares as "97.3 ± 1.2 %"; of one value alone "97.31 %"."""
    if mean.count < 2:
        return f"{100 * mean.mean:.2f} %"
    digits = 2 if mean.half_width < 0.01 else 1
    return f"{100 * mean.mean:.{digits}f} ± {100 * mean.half_width:.{digits}f} %"


def mean_of(values: Sequence[float] | Mapping[Repeat, float]) -> Mean:
    """Mean and 95 % interval of a few independent values.

    Args:
        values: independent ones, or those of repetitions. Seeds on one draw of the images share those images, so each
            draw counts once, with the mean of its seeds.
    """
    kept = list(by_draw(values).values()) if isinstance(values, Mapping) else list(values)
    unit = "draw" if isinstance(values, Mapping) and any(isinstance(key, tuple) for key in values) else "seed"
    array = np.asarray(kept, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return Mean(mean, float("nan"), float("nan"), len(array), unit)
    half = float(student.ppf(0.975, len(array) - 1) * array.std(ddof=1) / len(array) ** 0.5)
    return Mean(mean, mean - half, mean + half, len(array), unit)


def of_one_more(mean: Mean) -> tuple[float, float]:
    """Where one value more of the same kind lies with a probability of 95 %: the prediction interval (Student's t)."""
    half = mean.half_width * (mean.count + 1) ** 0.5
    return max(0.0, mean.mean - half), min(1.0, mean.mean + half)


def by_draw(values: Mapping[Repeat, float]) -> dict[int, float]:
    """The mean over the seeds of each draw, by draw; of seeds alone each value as it is."""
    groups: dict[int, list[float]] = {}
    for repeat, value in values.items():
        groups.setdefault(repeat[0] if isinstance(repeat, tuple) else repeat, []).append(value)
    return {key: float(np.mean(group)) for key, group in groups.items()}


MARGIN = 0.10
"""So far above guessing is a network that learned: two standard errors of 100 images where it is right in half."""


def learned(result: Result | Mapping[str, Any]) -> bool:
    """Whether a test result's mean recall is above that of guessing, one over the number of classes, by `MARGIN`; of
    numbers R², which is 0 for naming the mean always.

    Accuracy would not tell: where one class has most of the images, naming it always is right nearly always, and
    nothing can be 10 points better. Where classes are of one size the mean recall is the accuracy.
    """
    if isinstance(result, Result) and result.targets:
        return result.value >= MARGIN
    confusion = result.confusion if isinstance(result, Result) else result["confusion"]
    recalls = [row[label] / sum(row) for label, row in enumerate(confusion) if sum(row)]
    # Images of one class say nothing about what was learned.
    return len(recalls) < 2 or bool(sum(recalls) / len(recalls) >= 1 / len(recalls) + MARGIN)


@dataclass(frozen=True)
class Comparison:
    """The network against one control on the same seeds: network − control, in accuracy or R².

    Attributes:
        control: its word.
        difference: the mean difference.
        sentence: what it supports by itself.
        evidence: its p, effect size and the smallest difference that could have been seen.
        score: what the difference is of.
    """

    control: str
    difference: Mean
    sentence: str
    evidence: Evidence
    score: Score = ACCURACY


class SummaryRow(TypedDict):
    """A network or a control at one place: means over its runs; `mean` is that of the score (accuracy, or R² of
    numbers), `values` are the score of the runs one by one; numbers have no F1.
    """

    run: str
    where: str
    score: Score
    mean: Mean
    macro_f1: Mean | None
    loss: Mean
    parameters: dict[str, int]
    seconds: float
    images: int
    runs: int
    not_learned: int
    values: dict[str, float]


class Summary(TypedDict):
    """All runs of a job, side by side."""

    rows: list[SummaryRow]
    comparisons: list[Comparison]


def compare(
    control: str, network: Mapping[Repeat, float], other: Mapping[Repeat, float], score: Score = ACCURACY
) -> Comparison:
    """Paired difference over the repetitions that both have, and the sentence that it supports."""
    differences = {key: network[key] - other[key] for key in network if key in other}
    difference = mean_of(differences)
    points, size = score.change(difference.mean), score.size(difference.mean)
    if difference.count < 2:
        sentence = f"One {difference.unit} cannot tell the network from {control!r} (difference {points})."
    elif difference.low > 0:
        sentence = f"The network is better than {control!r} by {size} (95 % interval excludes 0)."
    elif difference.high < 0:
        sentence = f"The network is worse than {control!r} by {size} (95 % interval excludes 0)."
    else:
        sentence = (
            f"No difference from {control!r} is shown ({points}, 95 % interval {score.signed(difference.low)} to "
            f"{score.signed(difference.high)}): what it changes adds nothing that these {difference.unit}s can see."
        )
    return Comparison(control, difference, sentence, evidence(list(by_draw(differences).values())), score)


def summarise(runs: Sequence[tuple[Repeat, str | None, Mapping[str, Any]]]) -> Summary:
    """Means by control and place, and the network's paired differences from each control (the exact score first).

    Args:
        runs: (seed or (draw, seed), control, metrics) of each tested run.
    """
    results: dict[str, dict[str, dict[Repeat, Result]]] = {}
    parameters: dict[str, dict[str, int]] = {}
    seconds: dict[str, list[float]] = {}
    for repeat, control, content in runs:
        name, metrics = control or "network", Metrics.model_validate(content)
        assert metrics.parameters is not None  # a run that was tested has been trained
        parameters[name] = metrics.parameters.model_dump()
        seconds.setdefault(name, []).append(metrics.seconds["train"])
        for where, result in metrics.test.items():
            if result.loss is not None:  # of images that were decided in rounds there is none
                results.setdefault(name, {}).setdefault(where, {})[repeat] = result
    rows: list[SummaryRow] = [
        {
            "run": name,
            "where": where,
            "score": next(iter(by_repeat.values())).score,
            "mean": mean_of({key: result.value for key, result in by_repeat.items()}),
            "macro_f1": _mean_f1(by_repeat),
            "loss": mean_of(
                {key: result.loss for key, result in by_repeat.items() if result.loss is not None}
            ),
            "parameters": parameters[name],
            "seconds": float(np.mean(seconds[name])),
            "images": max(result.images for result in by_repeat.values()),
            "runs": len(by_repeat),
            "not_learned": sum(not learned(result) for result in by_repeat.values()),
            "values": {_key(key): result.value for key, result in by_repeat.items()},
        }
        for name, places in results.items()
        for where, by_repeat in places.items()
    ]
    comparisons: list[Comparison] = []
    for name, places in results.items():
        common = places.keys() & results.get("network", {}).keys()
        if name != "network" and common:
            where = "exact" if "exact" in common else sorted(common)[0]
            network = {key: result.value for key, result in results["network"][where].items()}
            other = {key: result.value for key, result in places[where].items()}
            score = next(iter(places[where].values())).score
            comparisons.append(compare(name, network, other, score))
    return {"rows": rows, "comparisons": comparisons}


def _mean_f1(results: Mapping[Repeat, Result]) -> Mean | None:
    scores = {key: result.macro_f1 for key, result in results.items() if result.macro_f1 is not None}
    return mean_of(scores) if scores else None


def in_plain_words(summary: Summary) -> list[str]:
    """What a comparison says, for somebody who has had no course in statistics: a sentence for each control."""
    sentences = []
    for comparison in summary["comparisons"]:
        difference, score = comparison.difference, comparison.score
        better = score.better if difference.mean >= 0 else score.worse
        amount = score.signed(abs(difference.mean)).removeprefix("+")
        unit = "percentage points " if score.percent else ""
        size = f"{amount} {unit}{better} than {comparison.control!r}"
        if difference.count < 2:
            end = f"one {difference.unit} cannot tell that from chance, five or more can"
        elif difference.low > 0 or difference.high < 0:
            end = "this is too much for chance alone, as the 95 % interval of the difference leaves out 0"
        else:
            end = "this may be chance, as the 95 % interval of the difference has 0 in it"
        interval = (
            f" ({score.signed(difference.low)} to {score.signed(difference.high)})"
            if difference.count > 1
            else ""
        )
        sentences.append(
            f"With the same {_counted(difference)}, the network is on average {size}{interval}: {end}."
        )
    return sentences


def _counted(mean: Mean) -> str:
    return f"{mean.count} {mean.unit}s" if mean.count > 1 else mean.unit


def _key(repeat: Repeat) -> str:
    """A repetition as a key of JSON: its seed, or "draw:seed"."""
    return ":".join(map(str, repeat)) if isinstance(repeat, tuple) else str(repeat)


def repeat_words(repeat: Repeat) -> str:
    """A repetition in words, "seed 3" or "draw 0, seed 3"."""
    return f"draw {repeat[0]}, seed {repeat[1]}" if isinstance(repeat, tuple) else f"seed {repeat}"


def _charts(rows: Sequence[SummaryRow]) -> list[tuple[str, str]]:
    """A chart for each place: its name, and the points of all runs there."""
    places: dict[str, list[Points]] = {}
    for row in rows:
        mean, score = row["mean"], row["score"]
        ends = (max(score.low, mean.low), min(score.high, mean.high)) if mean.count > 1 else None
        places.setdefault(row["where"], []).append(Points(row["run"], row["values"], mean.mean, ends))
    score = rows[0]["score"] if rows else ACCURACY
    return [(place, points_svg(points, score)) for place, points in places.items()]


_WRITTEN_AS = {"accuracy": {"mean": "accuracy", "values": "accuracies"}, "r2": {"mean": "r2"}}
"""What a row's parts are called in study.json, by its score."""


def _as_json(row: SummaryRow) -> dict[str, object]:
    names = _WRITTEN_AS[row["score"].key]
    parts = (
        (names.get(key, key), value) for key, value in row.items() if key != "score" and value is not None
    )
    return {key: vars(value) if isinstance(value, Mean) else value for key, value in parts}


def _known(evidence: Evidence) -> dict[str, float | None]:
    return {name: value if value == value else None for name, value in vars(evidence).items()}


def write_study(folder: Path, job: JobFile, runs: Sequence[Run]) -> Path:
    """study.json, report.html and the result card over all runs of a job; returns the page's path."""
    summary = summarise([(repeat, control, run.metrics()) for repeat, control, run in runs])
    plain = {
        "rows": [_as_json(row) for row in summary["rows"]],
        "comparisons": [
            {
                "control": c.control,
                "difference": vars(c.difference),
                "sentence": c.sentence,
                **_known(c.evidence),
            }
            for c in summary["comparisons"]
        ],
    }
    write_json(folder / "study.json", plain)
    _, _, first = runs[0]
    several = several_runs(summary)
    write_result_card(
        make_card(job, first.read_metrics(), first.environment(), first.description(), several), folder
    )
    links = [
        (repeat_words(repeat), control, run.report.relative_to(folder).as_posix())
        for repeat, control, run in runs
    ]
    body = render(
        "study.html.j2",
        job=job,
        links=links,
        charts=_charts(summary["rows"]),
        interval=interval_words,
        score=summary["rows"][0]["score"] if summary["rows"] else ACCURACY,
        **summary,
    )
    write_text(folder / "report.html", page(plain_text(job.title or job.model.name), body))
    return folder / "report.html"
