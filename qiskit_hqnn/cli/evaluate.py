"""`hqnn evaluate`: a trained run's test set at a different place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qiskit_hqnn.cli.clusters import DASK, WORKERS, ClusterWords
from qiskit_hqnn.cli.options import (
    CONFIDENCE,
    DATA_ROOT,
    FRACTIONAL,
    RUN,
    SUBSET,
    TILES,
    check_confidence_option,
    check_run_folder,
    check_shots_option,
    tiles_of_option,
)
from qiskit_hqnn.cli.terminal import say
from qiskit_hqnn.where import Where, check_devices


def evaluate(
    folder: RUN,
    where: Annotated[str, typer.Option(help="exact, noisy:fake_<device>, aer or fake_<device>.")] = "exact",
    shots: Annotated[
        int | None, typer.Option(help="Shots per expectation value; the job's by default.")
    ] = None,
    confidence: CONFIDENCE = None,
    fractional: FRACTIONAL = None,
    tiles: TILES = None,
    subset: SUBSET = None,
    dask: DASK = None,
    workers: WORKERS = None,
    data_root: DATA_ROOT = Path("data"),
) -> None:
    """Run the test set of a trained run at one place, and add the result to its metrics and report.

    Example: hqnn evaluate runs/quickstart --where aer --shots 4000
    """
    from qiskit_hqnn.errors import HQNNError

    check_shots_option(shots)
    changed: dict[str, int | str | bool | None] = {} if tiles is None else {"tiles": tiles_of_option(tiles)}
    check_confidence_option(confidence)
    check_run_folder(folder)
    cluster = ClusterWords(dask, workers)

    place = Where.parse(where)
    check_devices([place])
    if place.hardware:
        raise HQNNError(
            f"Option --where must be exact, noisy:fake_<device>, aer or fake_<device> here, but is {where!r}: hardware "
            "is paid, so use hqnn submit, which shows the price first."
        )

    if confidence is not None and not place.sampled and shots is None:
        raise HQNNError(f"Option --confidence needs samples: --shots is missing, and --where is {where!r}.")
    if fractional and not (place.simulated and place.device):
        raise HQNNError(f"Option --fractional takes effect on devices only, but --where is {where!r}.")

    if changed.get("tiles") and (place.device is None or (place.noisy and shots is None)):
        raise HQNNError(
            f"Option --tiles takes effect on samples of a device only, but --where is {where!r}"
            + (", without --shots." if place.noisy else ".")
        )

    cluster.check_places([place])
    if fractional is not None:
        changed["fractional"] = fractional
    with cluster.opened():
        _run(folder, data_root, place, shots, confidence, subset, changed)


def _run(
    folder: Path,
    data_root: Path,
    where: Where,
    shots: int | None,
    confidence: float | None,
    subset: int | None,
    changed: dict[str, int | str | bool | None],
) -> None:
    """Run the test set with some settings of the run's job changed; prints the results, and where their report is."""
    from qiskit_hqnn.cli.tables import print_results
    from qiskit_hqnn.errors import HQNNError
    from qiskit_hqnn.training import load_run, run_test_set, write_report

    run = load_run(folder, data_root)
    images = run.splits.test
    if subset is not None:
        if not 1 <= subset <= len(images):
            raise HQNNError(f"Option --subset must be from 1 to {len(images)}, but is {subset}.")
        images = images.subset(range(subset))
    job = run.job.model_copy(update=changed)
    run_test_set(run.folder, job, run.model, run.splits, where, shots, images, confidence=confidence)
    write_report(run.folder, run.job)
    print_results([(run.job.seeds[0], None, run.folder)])
    say(f"report   {run.folder.report}")
