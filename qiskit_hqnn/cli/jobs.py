"""`hqnn jobs`: submitted jobs, their progress and results."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qiskit_hqnn._text import one_line
from qiskit_hqnn._tiles import TilesWord
from qiskit_hqnn.cli.costs import cost
from qiskit_hqnn.cli.options import STORE, store_option, summary
from qiskit_hqnn.cli.stores import is_missing, open_store
from qiskit_hqnn.cli.terminal import console, note, print_rows, say

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.store import JobRecord, Store

app = typer.Typer(no_args_is_help=False)
_CANCEL_SECONDS = 20.0
JOB = Annotated[str, typer.Argument(metavar="ID", help="A job's id, or its beginning.")]


@app.callback(invoke_without_command=True)
def list_jobs(
    context: typer.Context,
    store: STORE = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="<int>", help="Number of jobs to show, newest first.")
    ] = 50,
) -> None:
    """List submitted jobs: id, where, state, age, price and progress.

    Example: hqnn jobs
    """
    context.obj = store
    if context.invoked_subcommand:
        return
    from qiskit_hqnn.jobs.store import DEFAULT_STORE

    # The first job creates the default store.
    jobs = [] if not store and is_missing(DEFAULT_STORE) else open_store(store).jobs(limit + 1)
    if not jobs:
        say(f"No jobs yet: `hqnn submit RUN --where fake_fez` creates one. Store: {store or DEFAULT_STORE}")
        return
    rows = [
        (
            job.id[:10],
            job.title,
            job.place,
            _state(job),
            _age(time.time() - job.created),
            f"{job.qpu_seconds:,.1f}",
            f"{job.finished}/{job.chunks}",
        )
        for job in jobs[:limit]
    ]
    titles = ("id", "what", "where", "state", "age", "QPU seconds", "parts")
    print_rows(titles, rows, left=("id", "what", "where", "state"))
    note(f"store {store or DEFAULT_STORE}")
    if len(jobs) > limit:
        say(f"… and older ones: --limit {4 * limit}")
    for job in jobs[:limit]:
        if job.reason:
            say(one_line(f"{job.id[:10]}: {job.reason}"))


def show(context: typer.Context, job: JOB, store: STORE = None) -> None:
    """Show everything about a job.

    Example: hqnn jobs show 3f9a
    """
    opened = open_store(store or context.obj)
    known = opened.job(job)
    lines: dict[str, object] = {
        "id": known.id,
        "what": known.title,
        "where": known.place,
        "state": _state(known) + (f" ({known.reason})" if known.reason else ""),
        "submitted": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(known.created)),
        "shots": known.shots,
        "price": f"{known.executions:,} executions, {known.qpu_seconds:,.1f} QPU seconds",
        "spent": _spent(opened, known),
        "parts": f"{known.finished} of {known.chunks} done",
    }
    settings = known.settings
    lines |= {name: settings[name] for name in ("run", "images") if name in settings}
    if settings.get("tiles"):
        lines["tiles"] = TilesWord(**settings["tiles"]).word
    lines["mitigation"] = _active(settings.get("mitigation") or {})
    for name, value in lines.items():
        say(f"{name:10} {one_line(value)}")
    for chunk in opened.chunks(known.id):
        place = f", job {chunk.backend_job}" if chunk.backend_job else ""
        charged = f", {chunk.seconds:g} QPU seconds charged" if chunk.seconds else ""
        reason = f" ({chunk.reason})" if chunk.reason else ""
        say(one_line(f"  part {chunk.position}: {chunk.state}{place}{charged}{reason}"))


def wait(context: typer.Context, job: JOB, store: STORE = None) -> None:
    """Wait for a job, then fetch it if it belongs to a run; restarts the worker if it has ended.

    Example: hqnn jobs wait 3f9a
    """
    from qiskit_hqnn.jobs.adapters import check_word
    from qiskit_hqnn.jobs.store import MOVING

    opened = open_store(store or context.obj)
    known = opened.job(job)
    if known.state in MOVING:
        check_word(known.place)
        known = _watched(opened, known, store_option(store or context.obj))
    if known.state == "done" and "run" not in known.settings:
        say(f"{known.id[:10]} is done. It belongs to no run: the script that created it can read it.")
        return
    add_to_run(opened, known)


def _watched(store: Store, job: JobRecord, option: str) -> JobRecord:
    """A job at its end; until then, a progress bar of its parts, and messages about it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from qiskit_hqnn.jobs import ensure_worker
    from qiskit_hqnn.jobs.store import MOVING

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    reason, asked, worker = job.reason, -math.inf, None
    try:
        with Progress(*columns, transient=True, console=console()) as progress:
            task = progress.add_task(one_line(f"{job.id[:10]} on {job.place}"), total=job.chunks)
            while job.state in MOVING:
                if time.monotonic() - asked > 5 and (worker is None or worker.poll() is not None):
                    worker = ensure_worker(store)
                    asked = time.monotonic()
                time.sleep(0.3)
                job = store.job(job.id)
                progress.update(task, completed=job.finished, total=job.chunks)
                if job.reason and job.reason != reason:
                    progress.console.print(one_line(f"{job.id[:10]}: {job.reason}"))
                    reason = job.reason
    except KeyboardInterrupt:
        say(f"The job continues. Come back with: hqnn jobs wait {job.id[:10]}{option}", err=True)
        raise
    return job


def fetch(context: typer.Context, job: JOB, store: STORE = None) -> None:
    """Put a done job's result into its run folder, and print it.

    Example: hqnn jobs fetch 3f9a
    """
    opened = open_store(store or context.obj)
    add_to_run(opened, opened.job(job))


def cancel(context: typer.Context, job: JOB, store: STORE = None) -> None:
    """Cancel a job: nothing more is sent, and what is on the device is cancelled there.

    Example: hqnn jobs cancel 3f9a
    """
    from qiskit_hqnn.jobs import ensure_worker
    from qiskit_hqnn.jobs.store import MOVING

    opened = open_store(store or context.obj)
    known = opened.job(job)
    if known.state not in MOVING:
        say(f"{known.id[:10]} is {known.state} already.")
        return
    opened.mark_cancelling(known.id)
    until = time.monotonic() + _CANCEL_SECONDS
    state = opened.settle(known.id)
    if state in MOVING:
        ensure_worker(opened)
    while state in MOVING and time.monotonic() < until:
        time.sleep(0.2)
        state = opened.job(known.id).state
    known = opened.job(known.id)
    if state in MOVING:
        reason = f" ({known.reason})" if known.reason else ""
        say(
            f"{known.id[:10]} is being cancelled{reason}: nothing more is sent, and the worker finishes what was sent."
        )
        return
    say(f"{known.id[:10]} is {state}.")


def retry(
    context: typer.Context,
    job: JOB,
    max_qpu_seconds: Annotated[
        float | None,
        typer.Option(help="New limit of the job's total cost, including what it has cost so far."),
    ] = None,
    store: STORE = None,
) -> None:
    """Send the failed and cancelled parts of a job again; finished parts are kept. A paused job resumes.

    Example: hqnn jobs retry 3f9a

    Example: hqnn jobs retry 3f9a --max-qpu-seconds 60
    """
    from qiskit_hqnn.jobs import Meter, Spending, ensure_worker

    opened = open_store(store or context.obj)
    known = opened.job(job)
    count, seconds = opened.price_of_retry(known.id)
    allowed = max_qpu_seconds or known.settings.get("max_qpu_seconds")
    meter = Meter(allowed, "max_qpu_seconds of the job", before=Spending(*opened.spent(known.id)))
    parts = f"{count} part{'s' if count != 1 else ''}"
    if count:
        meter.check(seconds, f"Sending {parts} of job {known.id[:10]} again")
    if max_qpu_seconds is not None:
        opened.allow(known.id, max_qpu_seconds)
    opened.resume(known.id)
    opened.reopen(known.id)
    if count or known.state == "paused":
        ensure_worker(opened)
    if known.state == "paused" and not count:
        say(f"{known.id[:10]} resumes.")
        return
    again = f", for {seconds:,.1f} QPU seconds" if count else ""
    say(f"{known.id[:10]}: {parts} will be sent again{again}.")


for _command in (show, wait, fetch, cost, cancel, retry):
    app.command(short_help=summary(_command))(_command)


def add_to_run(store: Store, job: JobRecord) -> None:
    """Add a job's results to the run that it belongs to, and print them."""
    from qiskit_hqnn.cli.tables import print_results
    from qiskit_hqnn.errors import BudgetError, HQNNError
    from qiskit_hqnn.jobs import expectation_values

    if job.state == "paused":
        raise BudgetError(
            f"Job {job.id[:10]} is paused. {job.reason} Resume it with: hqnn jobs retry {job.id[:10]} "
            "--max-qpu-seconds SECONDS."
        )
    evs = expectation_values(store, job.id).data.evs
    if "round" in job.settings:
        raise HQNNError(
            f"Job {job.id[:10]} is round {job.settings['round']} of a test in rounds: the `hqnn submit` with "
            "--confidence that started it resumes it."
        )
    if "run" not in job.settings:
        raise HQNNError(f"Job {job.id[:10]} belongs to no run: read it with the script that created it.")

    from qiskit_hqnn.training import finish, load_run

    run = load_run(_run_folder(store, job), Path(job.settings["data_root"]))
    executions, seconds = store.spent(job.id)
    settings = {
        **job.settings,
        "shots": job.shots,
        "executions": executions,
        "qpu_seconds": round(seconds, 1),
        "seconds": round(max(chunk.since for chunk in store.chunks(job.id)) - job.created, 2),
        "job": job.id,
    }
    finish(run, job.place, evs, settings)
    print_results([(run.job.seeds[0], None, run.folder)])
    say(f"report   {run.folder.report}")


def _run_folder(store: Store, job: JobRecord) -> Path:
    """The run's folder when it was submitted, or beside its store if both were moved."""
    from qiskit_hqnn.jobs.store import file_of

    submitted, file = Path(job.settings["run"]), file_of(store.url)
    if submitted.exists() or file is None:
        return submitted
    beside = file.parent / submitted.name
    return beside if beside.exists() else submitted


def _spent(store: Store, job: JobRecord) -> str:
    """The cost of everything that was sent for a job, and the job's limit."""
    executions, seconds = store.spent(job.id)
    limit = job.settings.get("max_qpu_seconds")
    bound = "" if limit is None else f" of at most {limit:,.1f}"
    return f"{executions:,} executions, {seconds:,.1f} QPU seconds{bound}"


def _active(mitigation: dict[str, object]) -> str:
    """The active mitigation, in words, without settings of methods that are off."""
    from qiskit_hqnn.jobs import MitigationOptions

    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in mitigation.items()
    }
    if not MitigationOptions(**known).active:
        return "none"
    return ", ".join(f"{name} {value}" for name, value in mitigation.items() if value not in (None, False))


def _state(job: JobRecord) -> str:
    if job.state != "open":
        return job.state
    if job.sent:
        return "sent"
    return "running" if job.finished else "waiting"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
