"""A further process of a training: it trains with the others, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch.callbacks import Callback

from qiskit_hqnn.data import Splits
from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.training.fitting import fit
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.preparation import build_model, fingerprint, load_splits
from qiskit_hqnn.training.processes import Processes
from qiskit_hqnn.training.progress import silent
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.running_on import gradient_of, running_on


def set_going(job: JobFile) -> None:
    """The job's seed and threads, for this process."""
    torch.manual_seed(job.seeds[0])
    if job.train.threads:
        torch.set_num_threads(job.train.threads)


@contextmanager
def telling(processes: Processes) -> Iterator[None]:
    """If the first process fails, the others do not keep waiting."""
    try:
        yield
    except BaseException:
        processes.broadcast(None)
        raise


def take_part(
    job: JobFile,
    run: RunFolder,
    data_root: str | Path,
    splits: Splits | None,
    callbacks: Sequence[Callback],
    processes: Processes,
) -> None:
    """Train as one of the further processes: nothing is written, and what is to be done the first one says.

    Raises:
        ProcessError: if another process has ended.
        JobFileError: if this one has other images, or does not see the run folder.
    """
    shared = processes.broadcast(None)
    if shared["finished"]:
        return
    set_going(job)
    splits = load_splits(job, data_root) if splits is None else splits
    if fingerprint(splits) != shared["data"]:
        raise JobFileError(
            f"Process {processes.rank} has different images in {data_root} than the first one."
        )
    if shared["resumed"] and not run.checkpoint.exists():
        raise JobFileError(
            f"Process {processes.rank} does not find in {run.path} what the first one wrote there: the run folder must "
            "be on a disk that all machines share."
        )
    model, resumed = build_model(job, splits), bool(shared["resumed"])
    with running_on(model, job, job.where, None, gradient_of(job)) as place:
        fit(model, splits, job.train, run, job.seeds[0], resumed, silent, place, callbacks, processes)
