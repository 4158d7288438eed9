"""`hqnn run`: train a job's network, test it, write its run folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from qiskit_hqnn.cli.options import DATA_ROOT, FRACTIONAL
from qiskit_hqnn.cli.terminal import say


def run(
    job: Annotated[str, typer.Argument(help="A job file, or the name of one that `hqnn ls` lists.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, as train.epochs=3."),
    ] = None,
    data_root: DATA_ROOT = Path("data"),
    where: Annotated[
        str | None, typer.Option(help="Where training runs: exact, aer, fake_<device> or ibm_<device>.")
    ] = None,
    fractional: FRACTIONAL = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME by default.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on after the last finished epoch.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what it would cost, and do nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option(help="No progress bar.")] = False,
) -> None:
    """Train a job's network, run its test set, and write a run folder with a report.

    Several seeds or controls become one run folder each, and a report that compares them.

    Example: hqnn run quickstart --set train.epochs=10
    """
    from qiskit_hqnn.training import find_job, read_job

    path = find_job(job)
    if fractional is not None:
        settings = [*(settings or []), f"fractional={str(fractional).lower()}"]
    changes = [*(settings or []), *([f'where="{where}"'] if where else [])]
    content = read_job(path, changes)
    if dry_run:
        from qiskit_hqnn.cli.pricing import print_price

        print_price(content, data_root)
        return
    folder = out or Path("runs") / path.stem

    from qiskit_hqnn.cli.tables import print_results
    from qiskit_hqnn.training import run_each, run_job

    try:
        runs = run_each(
            content,
            folder,
            lambda single, place: run_job(single, place, data_root, resume=resume, progress=not quiet),
        )
    except KeyboardInterrupt:
        say(f"Interrupted. Go on with: {_again(job, settings or [], where, out)}", err=True)
        raise
    print_results(runs)
    if len(runs) > 1:
        from qiskit_hqnn.training.study import write_study

        say(f"report   {write_study(folder, content, runs)}")
    else:
        say(f"report   {runs[0][2].report}")


def _again(job: str, settings: list[str], where: str | None, out: Path | None) -> str:
    """The command that goes on with this run: the same one, for another job or folder would be another run."""
    words = ["hqnn", "run", job]
    for setting in settings:
        words += ["--set", setting]
    words += ["--where", where] if where else []
    words += ["--out", str(out)] if out else []
    return shlex.join([*words, "--resume"])
