"""A grid of settings: every combination is a point with a separate job, which is checked before anything starts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path

from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.training import (
    JobFile,
    check_words,
    read_job,
    settings_of,
)

MOST_RUNS = 10_000
_LONGEST = 60


@dataclass(frozen=True)
class Point:
    """A point of a grid.

    Attributes:
        values: as written, by dotted key.
        job: with these values, all seeds and controls.
        folder: name of the folder with its runs.
    """

    values: dict[str, str]
    job: JobFile
    folder: str

    @property
    def name(self) -> str:
        """Such as "depth 2, qubits 4"."""
        short = short_names(list(self.values))
        return ", ".join(f"{short[key]} {value}" for key, value in self.values.items())


def read_points(
    path: str | Path, settings: Sequence[str], grid: Sequence[str], seeds: int | None = None
) -> list[Point]:
    """The points of a grid over a job file.

    Args:
        path: of the job file.
        settings: changes to it for all points, as in `read_job`.
        grid: "key=value,value,…" for each key; values are TOML, otherwise text.
        seeds: seeds 0 … N − 1 instead of the job file's.

    Raises:
        JobFileError: if a key is unknown, a value has the wrong type or is out of range, a key changes nothing that is
            learned, or there are no validation images to choose on.
    """
    base = read_job(path, settings)
    if not grid:
        raise JobFileError("A sweep takes a grid, such as model.depth=1,2,3; several multiply.")
    axes = [_axis(text) for text in grid]
    keys = [key for key, _ in axes]
    if (twice := next((key for key in keys if keys.count(key) > 1), None)) is not None:
        raise JobFileError(f"A grid names each key once, but {twice!r} is given twice.")
    count = len(seeds_of(base, seeds)) * base.data.draws * (1 + len(base.controls))
    for _, values in axes:
        count *= len(values)
    if count > MOST_RUNS:
        raise JobFileError(f"A sweep has {MOST_RUNS:,} runs at most, but this one would have {count:,}.")
    if base.data.validation == 0:
        raise JobFileError("A sweep chooses on validation images, but data.validation is 0.")
    points = []
    for combination in product(*(values for _, values in axes)):
        chosen = dict(zip(keys, combination, strict=True))
        points.append(Point(chosen, _job_at(path, settings, chosen, seeds), _folder_of(chosen)))
    _check_each_counts(points, axes)
    return points


def seeds_of(job: JobFile, seeds: int | None) -> list[int]:
    return list(job.seeds) if seeds is None else list(range(seeds))


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each key; the whole key if two parts are equal."""
    last = [key.rpartition(".")[2] for key in keys]
    return {key: part if last.count(part) == 1 else key for key, part in zip(keys, last, strict=True)}


def _axis(text: str) -> tuple[str, list[str]]:
    key, separator, written = text.partition("=")
    values = _parted(written)
    if not separator or not key.strip() or not all(values):
        raise JobFileError(
            f"A grid must have the form key=value,value, such as model.depth=1,2,3, but is {text!r}."
        )
    if len(set(values)) < len(values):
        raise JobFileError(f"A grid has each value once, but {text!r} repeats one.")
    return key.strip(), values


def _parted(text: str) -> list[str]:
    """A list's values, split at commas outside brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        depth += (letter in "[{") - (letter in "]}") if not quote else 0
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _job_at(path: str | Path, settings: Sequence[str], values: dict[str, str], seeds: int | None) -> JobFile:
    try:
        job = read_job(path, [*settings, *(f"{key}={value}" for key, value in values.items())])
    except JobFileError as error:
        # Without the grid it can be read.
        raise JobFileError(str(error).replace("--set: ", "Grid: ", 1)) from None
    # A sweep searches for every control as for the network; earlier results would override the grid's values.
    job = job.model_copy(update={"seeds": seeds_of(job, seeds), "tuned": None})
    if any(place.hardware for place in job.places):
        raise JobFileError(
            "A sweep does not go to hardware, where every run would be paid: leave out ibm_<device> in where and test, "
            "and submit the chosen network's test set."
        )
    check_words(job)

    from qiskit_hqnn.training import check_circuit, check_controls, check_snapshots  # these load torch

    check_snapshots(job)
    check_controls(job)
    if job.model.name == "hybrid":
        check_circuit(job)
    return job


def _check_each_counts(points: Sequence[Point], axes: Sequence[tuple[str, list[str]]]) -> None:
    """Raises JobFileError if two points are the same training."""
    learned: dict[str, Point] = {}
    for point in points:
        settings = settings_of(point.job)
        text = repr(sorted(settings.items(), key=str))
        if text in learned:
            other = learned[text].values
            key = next(key for key, value in point.values.items() if value != other[key])
            why = (
                "changes nothing that is learned"
                if key not in settings
                else f"has one value in {other[key]} and {point.values[key]}"
            )
            raise JobFileError(f"Key {key!r} {why}, so a grid over it would train the same thing twice.")
        learned[text] = point


def _folder_of(values: dict[str, str]) -> str:
    short = short_names(list(values))
    words = "_".join(f"{short[key]}-{value}" for key, value in values.items())
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", words)
    if plain == words and len(plain) <= _LONGEST:
        return plain
    # Two values may have the same letters and digits.
    return f"{plain[:_LONGEST]}-{sha256(repr(values).encode()).hexdigest()[:8]}"
