"""A sweep from its points to the chosen one, and that point's test set, which is read on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit_hqnn.sweeps.grid import Point
from qiskit_hqnn.sweeps.judging import Judged, judge
from qiskit_hqnn.sweeps.pages import write_sweep
from qiskit_hqnn.sweeps.side_by_side import Outcome, plans_of, run_plans
from qiskit_hqnn.training import Progress, Run, RunFolder, silent, write_study

if TYPE_CHECKING:
    from distributed import Client


def run_sweep(
    points: Sequence[Point],
    folder: Path,
    data_root: str | Path = "data",
    client: Client | None = None,
    progress: Progress = silent,
) -> tuple[Judged, list[Outcome]]:
    """Train every point with every seed and control, and write the results to `folder`.

    Called again after an interruption, or with more points, it makes only the missing runs. No test set is run.

    Args:
        points: of the grid.
        folder: a folder for each point, with one for each run, and the files of `write_sweep` are written there.
        data_root: folder of the data sets.
        client: of a cluster; None runs one after the other.
        progress: called with each run.

    Returns:
        The results, and the outcome of every run.
    """
    plans = [plan for point in points for plan in plans_of(point.job, folder / point.folder, point.name)]
    outcomes = run_plans(plans, data_root, client, tested=False, progress=progress)
    judged = judge(points, outcomes)
    write_sweep(folder, points, judged)
    return judged, outcomes


def run_test_sets(
    judged: Judged,
    folder: Path,
    data_root: str | Path = "data",
    client: Client | None = None,
    progress: Progress = silent,
) -> tuple[list[Run], list[Outcome]]:
    """Run the test set of the chosen point's runs, once each, and write the study of its seeds and controls.

    Returns:
        The tested runs, and the outcome of each of the point's runs.
    """
    if judged.chosen is None:
        return [], []
    point = judged.chosen.point
    own = folder / point.folder
    outcomes = run_plans(plans_of(point.job, own, point.name), data_root, client, progress=progress)
    runs = [
        (one.plan.repeat, one.plan.control, RunFolder(one.plan.folder))
        for one in outcomes
        if one.failure is None
    ]
    if len(runs) > 1:
        write_study(own, point.job, runs)
    return runs, outcomes
