"""A sweep's table as Markdown, CSV and JSON, its single runs as CSV, and its picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qiskit_hqnn._files import write_bytes, write_json, write_text
from qiskit_hqnn._text import one_line
from qiskit_hqnn.sweeps.grid import Point, short_names
from qiskit_hqnn.sweeps.judging import Judged, Row
from qiskit_hqnn.sweeps.picture import sweep_svg
from qiskit_hqnn.training import Mean, Score, interval_words, repeat_words

Table = tuple[list[str], list[list[str]]]
"""Titles and rows of cells."""


def table_of(judged: Judged) -> Table:
    """The table for readers: a row for each network and control, the chosen one with a star."""
    keys = list(judged.rows[0].point.values)
    short = short_names(keys)
    controls = any(row.control for row in judged.rows)
    titles = [
        *(short[key] for key in keys),
        *(["control"] if controls else []),
        "validation",
        "95 % interval",
        "loss",
        "runs",
        "parameters",
        "seconds",
        "best − this",
        "95 % interval of it",
    ]
    rows = []
    for row in judged.rows:
        star = " *" if row is judged.chosen else ""
        rows.append(
            [
                *(one_line(row.point.values[key]) for key in keys),
                *([row.control or "–"] if controls else []),
                *_figures(row, star),
            ]
        )
    return titles, rows


def _figures(row: Row, star: str) -> list[str]:
    count, failed = len(row.values), len(row.failures)
    runs = f"{count}" + (f", {failed} failed" if failed else "")
    if row.mean is None or row.loss is None:
        return ["–", "–", "–", runs, "–", "–", "–", "–"]
    return [
        f"{row.score.words(row.mean.mean)}{star}",
        interval_words(row.mean, row.score),
        f"{row.loss.mean:.4f}",
        runs,
        f"{row.parameters[0]:,} + {row.parameters[1]:,}",
        f"{row.seconds:.1f}",
        *_difference_words(row.difference, row.score),
    ]


def _difference_words(difference: Mean | None, score: Score) -> tuple[str, str]:
    if difference is None:
        return "–", "–"
    points = score.change(round(difference.mean, 4) + 0.0)  # not minus zero
    if difference.count < 2:
        return points, "–"
    most = score.high - score.low
    low, high = max(-most, difference.low), min(most, difference.high)
    return points, f"{score.signed(low)} to {score.signed(high)}"


def write_sweep(folder: Path, points: Sequence[Point], judged: Judged) -> Path:
    """sweep.md (table and picture), sweep.csv, runs.csv, sweep.json and sweep.svg; returns the first one's path."""
    keys = list(points[0].values)
    write_text(folder / "sweep.csv", _csv([_numbers(row, keys, row is judged.chosen) for row in judged.rows]))
    write_text(folder / "runs.csv", _csv([run for row in judged.rows for run in _runs(row, keys)]))
    if any(row.values for row in judged.rows):
        write_bytes(folder / "sweep.svg", sweep_svg(judged))
    chosen = judged.chosen
    write_json(
        folder / "sweep.json",
        {
            "judged_on": "validation",
            "chosen": chosen and chosen.point.values,
            "chosen_for_controls": {control: row.point.values for control, row in judged.controls.items()},
            "notes": judged.notes,
            "rows": [_plain(_numbers(row, keys, row is chosen)) for row in judged.rows],
        },
    )
    write_text(folder / "sweep.md", _markdown(points[0], judged))
    return folder / "sweep.md"


def _markdown(first: Point, judged: Judged) -> str:
    titles, rows = table_of(judged)
    lines = [titles, ["---"] * len(titles), *rows]
    table = ["| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines]
    failures = [f"- {name} failed: {why}" for row in judged.rows for name, why in row.failures.items()]
    return "\n".join(
        [
            f"# Sweep: {one_line(first.job.title or first.job.model.name)}",
            "",
            f"{judged.rows[0].score.name.capitalize()} and loss of each run's kept epoch on the validation images, "
            "means over the seeds with 95 % "
            "intervals (Student's t). `best − this` is the difference from the chosen point (*), paired by seed. "
            "Parameters are classical + quantum, seconds those of one training. No test set was read.",
            "",
            *table,
            "",
            f"![Validation {judged.rows[0].score.name} by point](sweep.svg)",
            "",
            *(f"- {note}" for note in judged.notes),
            *failures,
            "",
        ]
    )


def _numbers(row: Row, keys: Sequence[str], chosen: bool) -> dict[str, Any]:
    key, mean, loss, difference = row.score.key, row.mean, row.loss, row.difference
    return {
        **{key: row.point.values[key] for key in keys},
        "control": row.control or "",
        key: mean and mean.mean,
        f"{key}_low": mean and mean.low,
        f"{key}_high": mean and mean.high,
        "loss": loss and loss.mean,
        "runs": len(row.values),
        "failed": len(row.failures),
        "classical": row.parameters[0] if row.values else None,
        "quantum": row.parameters[1] if row.values else None,
        "seconds": row.seconds,
        "difference": difference and difference.mean,
        "difference_low": difference and difference.low,
        "difference_high": difference and difference.high,
        "chosen": chosen,
    }


def _runs(row: Row, keys: Sequence[str]) -> list[dict[str, Any]]:
    base = {**{key: row.point.values[key] for key in keys}, "control": row.control or ""}
    done = [
        {
            **base,
            "run": repeat_words(repeat),
            row.score.key: value,
            "loss": row.losses[repeat],
            "epoch": row.epochs[repeat],
            "failure": "",
        }
        for repeat, value in row.values.items()
    ]
    failed = [
        {**base, "run": name, row.score.key: None, "loss": None, "epoch": None, "failure": why}
        for name, why in row.failures.items()
    ]
    return [*done, *failed]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Without NaN, which is no JSON."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()
    }


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(_plain(row) for row in rows)
    return text.getvalue()
