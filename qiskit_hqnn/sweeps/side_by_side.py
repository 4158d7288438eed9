"""Independent runs: one after the other in this process, or side by side on the workers of a cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.training import (
    Event,
    JobFile,
    Progress,
    Repeat,
    RunFolder,
    check_controls,
    name_of_run,
    run_job,
    silent,
)

if TYPE_CHECKING:
    from distributed import Client, Future


_LOOK_SECONDS = 5.0
_WITHOUT_WORKERS = 300.0
"""Seconds for which a cluster may have no workers; a killed process is restarted earlier, also on a busy machine."""

_LOST = "the cluster's scheduler does not answer any more, or it has no workers left; finished runs are kept."


@dataclass(frozen=True)
class Plan:
    """A planned run.

    Attributes:
        name: in words, for reports.
        job: with one seed, and no controls left.
        folder: of the run; on a disk that all workers share.
        repeat, control: its draw, seed and control within a study.
    """

    name: str
    job: JobFile
    folder: Path
    repeat: Repeat
    control: str | None


@dataclass(frozen=True)
class Outcome:
    """The outcome of a plan: the sentence why it failed, or None."""

    plan: Plan
    failure: str | None = None

    @property
    def run(self) -> RunFolder:
        return RunFolder(self.plan.folder)


def plans_of(job: JobFile, folder: Path, name: str = "") -> list[Plan]:
    """All draws, seeds and controls of a job, in folders of the names that `run_each` gives them.

    Args:
        job: the job.
        folder: of the runs' folders.
        name: what their names begin with.

    Raises:
        HQNNError: if the network has no such control.
    """
    check_controls(job)
    plans = []
    for repeat in job.repeats:
        for control in (None, *job.controls):
            own = name_of_run(repeat, control)
            words = f"{name}, {own}" if name else own
            plans.append(Plan(words, job.single(repeat, control), folder / own, repeat, control))
    return plans


def run_plans(
    plans: Sequence[Plan],
    data_root: str | Path,
    client: Client | None = None,
    resume: bool = True,
    tested: bool = True,
    progress: Progress = silent,
) -> list[Outcome]:
    """Make all runs; a failed one does not end the others, and a finished one is not repeated.

    Args:
        plans: the runs.
        data_root: folder of the data sets, on every worker's machine.
        client: of the cluster whose workers make them, one run at a time in each process; None for this process. A run
            whose worker dies resumes on another one, after its last finished epoch.
        resume: whether runs that were begun are resumed.
        tested: whether the test sets are run.
        progress: called when a run begins in this process, or ends on a worker.

    Returns:
        The outcomes in the order of the plans.

    Raises:
        JobFileError: if two runs have one folder, or a run on a cluster needs several processes.
    """
    _check_folders(plans)
    if client is None:
        return [_here(plan, data_root, resume, tested, progress) for plan in plans]
    for plan in plans:
        if plan.job.train.processes > 1:
            raise JobFileError(
                f"Runs side by side have one process each, but train.devices · train.nodes is "
                f"{plan.job.train.processes}: leave out one of both."
            )
    return _on(client, plans, str(Path(data_root).absolute()), resume, tested, progress)


def _check_folders(plans: Sequence[Plan]) -> None:
    """Two runs in one folder, at the same time, would write over each other's files."""
    first: dict[Path, Plan] = {}
    for plan in plans:
        other = first.get(plan.folder.absolute())
        first[plan.folder.absolute()] = plan
        if other is not None:
            raise JobFileError(
                f"The runs {other.name} and {plan.name} have the same folder, {plan.folder}: give each a separate one."
            )


def _here(plan: Plan, data_root: str | Path, resume: bool, tested: bool, progress: Progress) -> Outcome:
    progress(Event("run", plan.name))
    failure = _attempt(plan.job, str(plan.folder), str(data_root), resume, tested, progress)
    if failure is not None:
        progress(Event("run", f"{plan.name} failed: {failure}"))
    return Outcome(plan, failure)


def _on(
    client: Client, plans: Sequence[Plan], data_root: str, resume: bool, tested: bool, progress: Progress
) -> list[Outcome]:
    mark = uuid4().hex[:8]
    waiting: dict[Future[Any], Plan] = {}
    answered: Queue[Future[Any]] = Queue()
    for number, plan in enumerate(plans):
        given = (plan.job, str(plan.folder.absolute()), data_root, resume, tested)
        sent = client.submit(_attempt, *given, key=f"hqnn-{mark}-{number}", pure=False)
        waiting[sent] = plan
        sent.add_done_callback(answered.put)
    failures: dict[Future[Any], str | None] = {}
    try:
        while len(failures) < len(waiting) and (future := _next(client, answered)) is not None:
            plan = waiting[future]
            failures[future] = failure = _failure_of(future)
            words = "finished" if failure is None else f"failed: {failure}"
            done = len(failures)
            progress(Event("run", f"[{done}/{len(plans)}] {plan.name} {words}", done, len(plans)))
    finally:
        if client.status == "running":
            client.cancel([future for future in waiting if not future.done()])
    return [Outcome(plan, failures.get(future, _LOST)) for future, plan in waiting.items()]


def _next(client: Client, answered: Queue[Future[Any]]) -> Future[Any] | None:
    """The next run that ended; None if the scheduler is lost, or has had no workers for too long."""
    seen = time.monotonic()
    while True:
        try:
            return answered.get(timeout=_LOOK_SECONDS)
        except Empty:
            if client.status != "running":
                return None
        try:
            seen = time.monotonic() if client.nthreads() else seen
        except (OSError, RuntimeError):
            return None
        if time.monotonic() - seen > _WITHOUT_WORKERS:
            return None


def _failure_of(future: Future[Any]) -> str | None:
    if future.status == "finished":
        answer: str | None = future.result()
        return answer
    if future.status != "error":
        return _LOST
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        return "its worker process was killed twice, as happens when a machine runs out of memory."
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


_one_at_a_time = threading.Lock()
"""Threads of one worker would share one random generator, and mix up their random numbers."""


def _attempt(
    job: JobFile, folder: str, data_root: str, resume: bool, tested: bool, progress: Progress | None = None
) -> str | None:
    """Make a run; returns a sentence why it failed, or None."""
    with _one_at_a_time:
        try:
            run_job(job, folder, data_root, resume, progress, tested=tested)
        except HQNNError as error:
            return str(error)
        except Exception as error:  # of any kind: the other runs continue
            return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return None
