"""The results page's record of a run: small enough for a repository, so that figures outlive their run folders."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qiskit_hqnn._files import write_text
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.training import (
    DataSection,
    JobFile,
    ModelSection,
    Repeat,
    RunFolder,
    differences,
    settings_of,
)

Settings = dict[str, Any]
"""Settings by dotted key, such as {"train.epochs": 3}."""

History = dict[str, list[float | None]]
"""By quantity its values from the first epoch on; None where an epoch has none."""

_CURVES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class Record:
    """A tested run.

    Attributes:
        seed, control: which run it is; control is None for the network itself.
        settings: those that determine its weights.
        metrics: its metrics.json: parameters, seconds, training, data, and the results under `test` by place.
        machine: its environment.json.
        folder: its run folder, if it exists.
        history: losses and accuracies by epoch, rounded to five digits; empty where the file beside the page was
            written before they were kept.
    """

    seed: int
    control: str | None
    settings: Settings
    metrics: dict[str, Any]
    machine: dict[str, Any]
    folder: Path | None = None
    history: History = field(default_factory=dict)

    @property
    def epochs(self) -> list[dict[str, float]]:
        """The history, one row for each epoch, as a run folder has it."""
        columns = zip(*self.history.values(), strict=True)
        return [
            {"epoch": number}
            | {name: value for name, value in zip(self.history, values, strict=True) if value is not None}
            for number, values in enumerate(columns, start=1)
        ]

    def repeat(self, job: JobFile) -> Repeat:
        """Which repetition of a row's job it is: its seed, with its draw if the job has several."""
        return (self.settings["data.seed"], self.seed) if job.data.draws > 1 else self.seed


@dataclass(frozen=True)
class Records:
    """A row's tested runs, sorted by seed and control.

    Attributes:
        runs: those made with the row's settings.
        left_out: a sentence for each kind of other runs that were found.
    """

    runs: Sequence[Record] = ()
    left_out: Sequence[str] = ()
    networks: list[Record] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", [run for run in self.runs if run.control is None])


def record_of(run: RunFolder) -> Record | None:
    """The record of a run folder; None if nothing was tested yet."""
    metrics = run.metrics()
    if not metrics.get("test"):
        return None
    job = run.read_job()
    environment = run.path / "environment.json"
    machine = json.loads(environment.read_text(encoding="utf-8")) if environment.exists() else {}
    # The version of the kernel does not affect a result.
    machine["platform"] = machine.get("platform", "").split("-")[0] or None
    control = job.model.options.get("control")
    return Record(job.seeds[0], control, settings_of(job), metrics, machine, run.path, _history_of(run))


def _history_of(run: RunFolder) -> History:
    rows = run.history()
    return {
        name: [round(row[name], 5) if name in row else None for row in rows]
        for name in _CURVES
        if any(name in row for row in rows)
    }


def records_in(folder: Path, job: JobFile) -> Records:
    """The tested runs in a row's folder: one in the folder itself, or many beside it, or both.

    Args:
        folder: the row's folder; need not be there.
        job: the row's job; runs with other settings are left out.
    """
    places = [*sorted(folder.glob("seed-*")), *sorted(folder.glob("draw-*")), folder]
    found, damaged = [], []
    for place in places:
        if not (place / "job.toml").exists():
            continue
        try:
            record = record_of(RunFolder(place))
        except (HQNNError, ValueError):
            damaged.append(f"The run in {place.name} was left out: its files cannot be read, or no longer.")
        else:
            found += [record] if record else []
    records = sort_out(found, job)
    return Records(records.runs, [*records.left_out, *damaged])


def sort_out(found: Sequence[Record], job: JobFile) -> Records:
    """Those made with a job's settings, the first of each draw, seed and control; and words about the others."""
    kept: dict[tuple[int, int, str], Record] = {}
    others: Counter[str] = Counter()
    draws = range(job.data.seed, job.data.seed + job.data.draws)
    for record in found:
        draw = record.settings["data.seed"]
        wanted = settings_of(job.single((draw if draw in draws else draws[0], record.seed), record.control))
        if differing := differences(record.settings, wanted):
            others[differing] += 1
        else:
            kept.setdefault((draw, record.seed, record.control or ""), record)
    sentences = [
        f"{count} {'runs were' if count > 1 else 'run was'} left out, made with other settings ({differing})."
        for differing, count in others.items()
    ]
    return Records([kept[key] for key in sorted(kept)], sentences)


def write_records(path: Path, job: JobFile, records: Records) -> None:
    """Write records to a JSON file, one run a line.

    Args:
        path: the file.
        job: the row's job as its file has it; of each run's settings those are written that differ.
        records: what to write.
    """
    base = settings_of(job.single(job.repeats[0], None))
    machines: list[dict[str, object]] = []
    lines = []
    for record in records.runs:
        if record.machine not in machines:
            machines.append(record.machine)
        own = record.settings
        changed = {key: own.get(key) for key in {**base, **own} if own.get(key) != base.get(key)}
        entry = {"seed": record.seed, "control": record.control, "settings": changed}
        kept = {"history": record.history} if record.history else {}
        lines.append(_line(entry | {"machine": machines.index(record.machine)} | record.metrics | kept))
    parts = {
        "about": '"Written by `hqnn reproduce`, which makes the results page of it; settings are those of the job '
        'file, and each run names what it changes in them."',
        "settings": _line(base),
        "left_out": _line(list(records.left_out)),
        "machines": _lines([_line(machine) for machine in machines]),
        "runs": _lines(lines),
    }
    write_text(path, "{\n" + ",\n".join(f'"{name}": {value}' for name, value in parts.items()) + "\n}\n")


def read_records(path: Path, job: JobFile) -> Records:
    """Read what `write_records` wrote; an empty record where there is no file.

    Args:
        path: the file.
        job: the row's job; runs with other settings are left out.

    Raises:
        HQNNError: if the file was damaged.
    """
    if not path.exists():
        return Records()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = [_read(entry, content["settings"], content["machines"]) for entry in content["runs"]]
        said = list(content["left_out"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise HQNNError(
            f"{path} is not a file of results that `hqnn reproduce` wrote ({type(error).__name__}: {error})."
        ) from error
    records = sort_out(found, job)
    return Records(records.runs, [*said, *records.left_out])


def gather(folder: Path, path: Path, job: JobFile) -> tuple[Records, bool]:
    """A row's records from its run folders, and what those lack from the file beside the page.

    The folders alone count if they hold all of the job file's draws, seeds and controls. If the file's runs are of
    other images, the folders count if they hold as many runs, and else the file.

    Args:
        folder: the row's folder.
        path: the row's file.
        job: the row's job.

    Returns:
        The records, and whether they all come from the file.
    """
    here = records_in(folder, job)
    try:
        kept = read_records(path, job)
    except HQNNError:
        if here.networks:
            return here, False
        raise
    wanted = {(repeat, control) for repeat in job.repeats for control in (None, *job.controls)}
    whole = wanted <= {(run.repeat(job), run.control) for run in here.runs}
    if whole or not kept.runs:
        return here, False
    if not here.runs:
        return kept, True
    if not _of_the_same_images(here, kept):
        return (here, False) if len(here.runs) >= len(kept.runs) else (kept, True)
    both = sort_out([*here.runs, *kept.runs], job)  # of a run that both have, the first one: the folder's
    return Records(both.runs, list(dict.fromkeys([*here.left_out, *kept.left_out]))), False


def _of_the_same_images(here: Records, kept: Records) -> bool:
    """Whether no draw of the images has other labels here than there."""

    def labels(records: Records) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for run in records.runs:
            if digest := run.metrics.get("data", {}).get("labels"):
                found.setdefault(run.settings["data.seed"], set()).add(digest)
        return found

    ours, theirs = labels(here), labels(kept)
    return all(ours[draw] == theirs[draw] for draw in ours.keys() & theirs.keys())


def _read(entry: dict[str, Any], base: Settings, machines: Sequence[dict[str, Any]]) -> Record:
    rest = dict(entry)
    seed, control, changed = rest.pop("seed"), rest.pop("control"), rest.pop("settings")
    machine, history = machines[rest.pop("machine")], rest.pop("history", {})
    # A key that came to job files since is at its default here.
    known = {**base, **changed}
    model, data = ModelSection(name=known["model.name"]), DataSection(name=known["data.name"])
    settings = {**settings_of(JobFile(model=model, data=data)), **known}
    settings = {key: value for key, value in settings.items() if value is not None}
    if not rest["test"] or not {"parameters", "seconds"} <= rest.keys():
        raise ValueError(f"the run of seed {seed} has no results")
    if len({len(values) for values in history.values()}) > 1:
        raise ValueError(f"the run of seed {seed} has histories of different lengths")
    return Record(seed, control, settings, rest, machine, None, history)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(entries: Sequence[str]) -> str:
    return "[\n" + ",\n".join(entries) + "\n]" if entries else "[]"
