"""`hqnn run`: train a job's network, test it, write its run folder."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.clusters import RUN_IN_WORKERS, RUN_ON_DASK, ClusterWords
from qiskit_hqnn.cli.options import DATA_ROOT, FRACTIONAL, PLAN, YES_TO_HARDWARE
from qiskit_hqnn.cli.terminal import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distributed import Client

    from qiskit_hqnn.training import JobFile, Run


_JOB = Annotated[str, typer.Argument(help="A job file, or the name of one that `hqnn ls` lists.")]
_SETTINGS = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as train.epochs=3."),
]
_WHERE = Annotated[
    str | None, typer.Option(help="Where training runs: exact, aer, fake_<device> or ibm_<device>.")
]
_DEVICES = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Train in N processes, one for each GPU or core, that divide every batch."
    ),
]
_NODES = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="M", help="Train on M machines; torchrun or srun starts this command on each."
    ),
]
_OUT = Annotated[Path | None, typer.Option(help="Run folder; runs/NAME by default.")]
_RESUME = Annotated[bool, typer.Option(help="Resume after the last finished epoch.")]
_DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Print the price and do nothing.")]
_QUIET = Annotated[bool, typer.Option(help="No progress bar.")]


def run(
    job: _JOB,
    settings: _SETTINGS = None,
    data_root: DATA_ROOT = Path("data"),
    where: _WHERE = None,
    fractional: FRACTIONAL = None,
    devices: _DEVICES = None,
    nodes: _NODES = None,
    dask: RUN_ON_DASK = None,
    workers: RUN_IN_WORKERS = None,
    out: _OUT = None,
    resume: _RESUME = False,
    dry_run: _DRY_RUN = False,
    yes: YES_TO_HARDWARE = False,
    plan: PLAN = None,
    quiet: _QUIET = False,
) -> None:
    """Train a job's network, run its test set, and write a run folder with a report.

    Several seeds or controls become one run folder each, and a report that compares them; a cluster (--workers, --dask)
    makes them side by side, and one that fails does not end the others (exit code 1). For a single run it samples Aer
    and snapshots. A job that goes to hardware without a budget (max_qpu_seconds) shows its price and asks first. A
    finished run resumes with more epochs.

    Example: hqnn run quickstart --set train.epochs=10
    """
    from qiskit_hqnn.cli.pricing import may_send, money_line, print_price
    from qiskit_hqnn.training import check_words, find_job, read_job

    cluster = ClusterWords(dask, workers)
    money_line(plan)  # a wrong word is reported before anything is loaded
    path = find_job(job)
    settings = [*(settings or []), *([] if fractional is None else [f"fractional={str(fractional).lower()}"])]
    content = read_job(path, _changes(settings, where, devices, nodes))
    check_words(content)
    if not _several(content):
        cluster.check_places(content.places)
    if content.model.name == "hybrid":  # its circuit needs Qiskit, and nothing here needs torch so far
        from qiskit_hqnn.training import check_circuit

        check_circuit(content)
    folder = out or Path("runs") / path.stem
    if dry_run:
        print_price(content, data_root, plan)
        return
    if content.train.processes > 1 and is_further_process():
        _take_part(content, folder, data_root, resume)
        return
    check_free(folder, content, resume)
    if not may_send(content, data_root, yes, plan):
        raise typer.Exit(1)

    again = _again(job, settings, data_root, where, out, yes, devices, nodes, cluster)
    if cluster and _several(content):
        with cluster.client() as client:
            _train_side_by_side(content, folder, data_root, resume, client, again)
    else:
        with cluster.opened():
            _train(content, folder, data_root, resume, quiet, again)


def _changes(settings: list[str], where: str | None, devices: int | None, nodes: int | None) -> list[str]:
    """The changes of a command line to a job file."""
    changes = [*settings, *([f'where="{where}"'] if where else [])]
    for key, count in (("devices", devices), ("nodes", nodes)):
        changes += [f"train.{key}={count}"] if count is not None else []
    return changes


def _train(job: JobFile, folder: Path, data_root: Path, resume: bool, quiet: bool, again: str) -> None:
    """Train and test each seed and control of a job; prints the results, and where their report is."""
    from qiskit_hqnn.training import Terminal, run_each, run_job

    with Terminal(bar=not quiet) as progress:
        try:
            runs = run_each(
                job,
                folder,
                lambda single, place: run_job(single, place, data_root, resume, progress),
                progress,
            )
        except KeyboardInterrupt:
            say(f"Interrupted. Resume with: {again}", err=True)
            raise
    _show(job, folder, runs)


def _train_side_by_side(
    job: JobFile, folder: Path, data_root: Path, resume: bool, client: Client | None, again: str
) -> None:
    """The same on a cluster's workers, for several runs."""
    from qiskit_hqnn.sweeps import plans_of, run_plans
    from qiskit_hqnn.training import Terminal

    plans = plans_of(job, folder)
    for plan in plans:
        check_free(plan.folder, plan.job, resume)
    with Terminal(bar=False) as progress:
        try:
            outcomes = run_plans(plans, data_root, client, resume, progress=progress)
        except KeyboardInterrupt:
            say(f"Interrupted. Resume with: {again}", err=True)
            raise
    done = [(one.plan.repeat, one.plan.control, one.run) for one in outcomes if one.failure is None]
    if done:
        _show(job, folder, done)
    if len(done) < len(outcomes):
        say(f"{len(outcomes) - len(done)} of {len(outcomes)} runs failed, as reported above.", err=True)
        raise typer.Exit(1)


def _show(job: JobFile, folder: Path, runs: Sequence[Run]) -> None:
    """The results of finished runs, and where their report is."""
    from qiskit_hqnn.cli.tables import print_comparison, print_results
    from qiskit_hqnn.training import write_study

    print_results(runs)
    if len(runs) > 1:
        print_comparison(runs)
        say(f"report   {write_study(folder, job, runs)}")
    else:
        say(f"report   {runs[0][2].report}")


def _several(job: JobFile) -> bool:
    return len(job.repeats) * (1 + len(job.controls)) > 1


def check_free(folder: Path, job: JobFile, resume: bool) -> None:
    """Check that a single run's folder is unused or resumed, before torch is loaded.

    Raises:
        RunFolderError: if it is in use.
    """
    if resume or _several(job) or not (folder / "job.toml").exists():
        return
    from qiskit_hqnn.errors import RunFolderError

    raise RunFolderError(
        f"Run folder {folder} is already in use: resume it with --resume, or name another one with --out."
    )


def is_further_process() -> bool:
    """Whether Lightning, torchrun or Slurm started this process in addition to a first one."""
    named = ("RANK", "SLURM_PROCID") if "RANK" in os.environ or "SLURM_PROCID" in os.environ else ()
    return any(os.environ.get(name, "0") != "0" for name in named or ("LOCAL_RANK", "NODE_RANK"))


def _take_part(content: JobFile, folder: Path, data_root: Path, resume: bool) -> None:
    """Only the first process of a training prints."""
    from qiskit_hqnn.errors import ProcessError
    from qiskit_hqnn.training import run_each, run_job

    try:
        run_each(content, folder, lambda single, place: run_job(single, place, data_root, resume))
    except (ProcessError, KeyboardInterrupt):
        raise typer.Exit(0) from None


def _again(
    job: str,
    settings: list[str],
    data_root: Path,
    where: str | None,
    out: Path | None,
    yes: bool,
    devices: int | None,
    nodes: int | None,
    cluster: ClusterWords,
) -> str:
    """The command that resumes this run: the same one, since a different job or folder would be a different run."""
    words = ["hqnn", "run", job]
    for setting in settings:
        words += ["--set", setting]
    words += ["--data-root", str(data_root)] if data_root != Path("data") else []
    words += ["--where", where] if where else []
    words += ["--devices", str(devices)] if devices else []
    words += ["--nodes", str(nodes)] if nodes else []
    words += cluster.words
    words += ["--out", str(out)] if out else []
    words += ["--yes"] if yes else []
    return shlex.join([*words, "--resume"])
