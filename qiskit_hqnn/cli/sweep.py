"""`hqnn sweep`: a job file over a grid of settings and several seeds, compared on validation images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.clusters import RUNS_IN_WORKERS, RUNS_ON_DASK, ClusterWords
from qiskit_hqnn.cli.options import DATA_ROOT
from qiskit_hqnn.cli.terminal import note, print_rows, say

if TYPE_CHECKING:
    from distributed import Client

    from qiskit_hqnn.sweeps import Judged, Outcome, Point
    from qiskit_hqnn.training import Terminal


def sweep(
    job: Annotated[str, typer.Argument(help="A job file, or the name of one that `hqnn ls` lists.")],
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="KEY=A,B", help="A setting's values, such as model.depth=1,2,3."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Seeds 0 to N−1 instead of the job file's.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting of all points, such as train.epochs=3."
        ),
    ] = None,
    data_root: DATA_ROOT = Path("data"),
    workers: RUNS_IN_WORKERS = None,
    dask: RUNS_ON_DASK = None,
    test: Annotated[
        bool, typer.Option("--test", help="At the end, run the test set of the chosen point only.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the runs; runs/NAME-sweep by default.")] = None,
    quiet: Annotated[bool, typer.Option(help="No progress bar.")] = False,
) -> None:
    """Train a job at every point of a grid, with several seeds, and choose the point that is best on validation images.

    No test set is read without --test, and then that of the chosen point only. Finished runs are not repeated: after an
    interruption, or with more values or seeds, the same command makes the missing runs. A failed run is reported, and
    does not end the others; the exit code is then 1. OUT has a table (sweep.md, sweep.csv), every run (runs.csv)
    and a picture (sweep.svg).

    Example: hqnn sweep quickstart --grid model.depth=1,2,3 --grid model.copies=2,4 --seeds 5 --workers 2
    """
    from qiskit_hqnn.sweeps import read_points
    from qiskit_hqnn.training import Terminal, find_job

    cluster = ClusterWords(dask, workers)  # a wrong word is reported before anything is loaded
    path = find_job(job)
    points = read_points(path, settings or [], grid or [], seeds)
    folder = out or Path("runs") / f"{path.stem}-sweep"
    with cluster.client() as client, Terminal(bar=not quiet) as progress:
        try:
            failed = _run(points, folder, data_root, client, progress, test)
        except KeyboardInterrupt:
            say("Interrupted. The same command makes the missing runs.", err=True)
            raise
    if failed:
        raise typer.Exit(1)


def _run(
    points: Sequence[Point],
    folder: Path,
    data_root: Path,
    client: Client | None,
    progress: Terminal,
    test: bool,
) -> bool:
    """Run, print and test; returns whether a run failed."""
    from qiskit_hqnn.sweeps import run_sweep, run_test_sets

    runs = sum(len(point.job.repeats) * (1 + len(point.job.controls)) for point in points)
    say(f"{len(points)} points, {runs} runs", err=True)
    judged, outcomes = run_sweep(points, folder, data_root, client, progress)
    _print(judged, folder)
    tested: list[Outcome] = []
    if test and judged.chosen is not None:
        from qiskit_hqnn.cli.tables import print_comparison, print_results

        say(f"Test set of the chosen point, {judged.chosen.point.name}:")
        shown, tested = run_test_sets(judged, folder, data_root, client, progress)
        print_results(shown)
        if len(shown) > 1:
            print_comparison(shown)
    return any(outcome.failure is not None for outcome in [*outcomes, *tested])


def _print(judged: Judged, folder: Path) -> None:
    from qiskit_hqnn.sweeps import table_of

    titles, rows = table_of(judged)
    print_rows(titles, rows, left=titles[: titles.index("validation")])
    for row in judged.rows:
        for name, why in row.failures.items():
            say(f"{name} failed: {why}", err=True)
    for words in judged.notes:
        note(words)
    if judged.chosen is None:
        say("No point has all of its runs: none is chosen.")
    else:
        say(
            f"chosen   {judged.chosen.point.name}, by {judged.chosen.score.name} on validation images; "
            "--test runs its test set"
        )
    say(f"table    {folder / 'sweep.md'}")
