"""The published rows' search: learning rate and epochs, one grid for a network and its controls, on validation images.

`python -m benchmarks.search --data-root DIR --out DIR` runs `hqnn sweep`'s points of every row in `GRIDS`, and writes
docs/search.json row by row: the rows' pages have their tables from it (`hqnn reproduce all --page-only`). What is
finished is not run again. No test set is read. `[tuned.CONTROL]` in the rows' job files has what was chosen for a
control.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit_hqnn.sweeps import Judged, Row, read_points, run_sweep
from qiskit_hqnn.training import JobFile, find_job, read_job

FILE = Path(__file__).parents[1] / "docs" / "search.json"

CLEARLY = 0.01
"""A network leaves the settings of its job file only for others that are better by more than this with every seed."""


@dataclass(frozen=True)
class Grid:
    """A row's grid.

    Attributes:
        rates: learning rates.
        epochs: numbers of epochs; with validation images every epoch up to there is judged, too.
        seeds: 0 … seeds − 1.
        changes: settings of all points.
    """

    rates: Sequence[float]
    epochs: Sequence[int]
    seeds: int
    changes: Sequence[str] = ()

    @property
    def axes(self) -> list[str]:
        """As `hqnn sweep` takes them."""
        return [
            f"train.learning_rate={','.join(map(str, self.rates))}",
            f"train.epochs={','.join(map(str, self.epochs))}",
        ]


_AROUND = {"1e-3": (3e-4, 1e-3, 3e-3), "1e-2": (3e-3, 1e-2, 3e-2), "3e-3": (1e-3, 3e-3, 1e-2)}
_CLASSICAL = 'controls=["twin", "matched-dense"]'

GRIDS = {
    "circuit-centric-binary": Grid(_AROUND["1e-2"], [15, 30], 3),
    "circuit-centric": Grid(_AROUND["1e-2"], [40, 100], 2, [_CLASSICAL]),
    "vqc-head": Grid(_AROUND["1e-3"], [20], 1, [_CLASSICAL]),
    "reuploading-10": Grid(_AROUND["1e-2"], [1], 1, [_CLASSICAL]),
    # The jobs themselves have no validation images: a fifth of the training images is held out here.
    "textbook-01": Grid(_AROUND["1e-3"], [20], 3, ["data.validation=0.2"]),
    "textbook-37": Grid(_AROUND["1e-3"], [20], 3, ["data.validation=0.2"]),
    "reuploading-4": Grid(_AROUND["1e-2"], [8], 1, [_CLASSICAL]),
    "hqnn-parallel-digits": Grid(_AROUND["3e-3"], [30], 2, [_CLASSICAL]),
    "hqnn-parallel-mnist": Grid(_AROUND["1e-3"], [15], 1, [_CLASSICAL]),
}


def search(name: str, grid: Grid, out: Path, data_root: Path) -> dict[str, Any]:
    """What a row's sweep found, for the network and each control."""
    job = read_job(find_job(name))
    points = read_points(find_job(name), list(grid.changes), grid.axes, grid.seeds)
    judged, outcomes = run_sweep(points, out / name, data_root)
    if failed := [one.failure for one in outcomes if one.failure is not None]:
        raise SystemExit(f"{name}: {len(failed)} runs failed; {failed[0]}")
    words = [*(f"--grid {axis}" for axis in grid.axes), f"--seeds {grid.seeds}"]
    words += [f"--set '{change}'" for change in grid.changes]
    return {
        "command": f"hqnn sweep {name} {' '.join(words)}",
        "seeds": grid.seeds,
        "changes": [change for change in grid.changes if not change.startswith("controls")],
        "networks": {
            control or "network": _network(control, judged, job) for control in (None, *judged.controls)
        },
    }


def _network(control: str | None, judged: Judged, job: JobFile) -> dict[str, Any]:
    """A network's points, and the one that is taken."""
    rows = [row for row in judged.rows if row.control == control]
    own = next(row for row in rows if _settings(row) == (job.train.learning_rate, job.train.epochs))
    # More epochs than the row's would be another budget.
    within = [row for row in rows if _settings(row)[1] <= job.train.epochs]
    best = max(within, key=_worth)
    if control is None:
        best = max(rows, key=_worth)
        gains = [best.values[repeat] - own.values[repeat] for repeat in own.values]
        best = best if min(gains) > CLEARLY else own
    return {"taken": _point(best), "points": [_point(row) | _found(row) for row in rows]}


def _worth(row: Row) -> tuple[float, float]:
    assert row.mean is not None
    assert row.loss is not None
    return round(row.mean.mean, 9), -row.loss.mean


def _settings(row: Row) -> tuple[float, int]:
    train = row.point.job.train
    return train.learning_rate, train.epochs


def _point(row: Row) -> dict[str, float]:
    rate, epochs = _settings(row)
    return {"learning_rate": rate, "epochs": epochs}


def _found(row: Row) -> dict[str, list[float]]:
    """Of every seed the validation accuracy and loss of the kept epoch, and which one that was."""
    return {
        "accuracies": [round(value, 5) for value in row.values.values()],
        "losses": [round(value, 5) for value in row.losses.values()],
        "kept": list(row.epochs.values()),
    }


def main() -> None:
    """Search, print and write, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="ROW", help=f"of {', '.join(GRIDS)}; all by default")
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs/search"))
    parser.add_argument("--write", type=Path, default=FILE)
    settings = parser.parse_args()
    if unknown := [name for name in settings.names if name not in GRIDS]:
        parser.error(f"ROW must be of {', '.join(GRIDS)}, but is {unknown[0]!r}")
    for name in settings.names or GRIDS:
        found = search(name, GRIDS[name], settings.out, settings.data_root)
        kept = json.loads(settings.write.read_text("utf-8")) if settings.write.exists() else {}
        kept |= {name: found}
        ordered = {row: kept[row] for row in GRIDS if row in kept}
        settings.write.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
        for network, content in found["networks"].items():
            print(f"{name:24} {network:16} {content['taken']}", flush=True)


if __name__ == "__main__":
    main()
