"""The pictures of a row's page, drawn from its records: they need no run folders, and all rows have one style."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import relpath
from pathlib import Path

import torch

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.records import Record
from qiskit_hqnn.training import draw_confusion, draw_curves_of_runs


def pictures(outcome: Outcome, path: Path, quick: bool) -> str:
    """Links to the confusion matrix and the curves of the row's networks, drawn into `images/`.

    What the records do not give (files of older versions have neither epochs nor names of classes) is copied from the
    first network's run folder; where there is none, the picture that stands in `images/` is kept.
    """
    runs, images = outcome.records.networks, path.parent.parent / "images"
    start = f"results-{outcome.row.job}{'-quick' if quick else ''}"
    confusion, curves = images / f"{start}-confusion.png", images / f"{start}-curves.png"
    place = next(iter(runs[0].metrics["test"]))
    if not _draw_confusion(runs, place, confusion):
        _copy(runs[0], f"confusion-{place}.png", confusion)
    if histories := [run.epochs for run in runs if run.history]:
        draw_curves_of_runs(histories, curves)
    else:
        _copy(runs[0], "curves.png", curves)
    count = f" of {len(histories)} runs and their mean" if len(histories) > 1 else ""
    links = [(confusion, "confusion matrix"), (curves, f"loss and accuracy by epoch{count}")]
    return " ".join(
        f"![{outcome.row.job}: {what}]({relpath(target, path.parent)})"
        for target, what in links
        if target.exists()
    )


def _draw_confusion(runs: Sequence[Record], place: str, target: Path) -> bool:
    """The matrix of all runs together; False where a record does not name its classes."""
    names = list(runs[0].metrics.get("data", {}).get("classes", {}).get("test", {}))
    tested = [run.metrics["test"][place]["confusion"] for run in runs if place in run.metrics["test"]]
    if not names or any(len(matrix) != len(names) for matrix in tested):
        return False
    count = f", {len(tested)} runs together" if len(tested) > 1 else ""
    draw_confusion(torch.tensor(tested).sum(dim=0), names, f"Test set on {place}{count}", target)
    return True


def _copy(run: Record, source: str, target: Path) -> None:
    if run.folder is None or not (run.folder / source).exists():
        return
    write_bytes(target, (run.folder / source).read_bytes())
