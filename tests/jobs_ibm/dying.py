"""A user's processes that are killed: one that asks the service for `question()`, at a step of the protocol; one that
trains.
"""

import os
import signal
from pathlib import Path

from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.adapters.ibm.adapter import IBMAdapter
from qiskit_hqnn.jobs.store.store import Store
from qiskit_hqnn.training import read_job, run_job
from tests.jobs_ibm.conftest import PATIENCE, ask


def main(step):
    """Ask, and be killed at a step."""
    where, name = {
        "before-post": ((IBMAdapter, "submit"), "before"),
        "after-post": ((IBMAdapter, "submit"), "after"),
        "after-id": ((IBMAdapter, "find"), "before"),
        "after-look": ((IBMAdapter, "find"), "after"),
        "after-status": ((IBMAdapter, "status"), "after"),
        "after-results": ((IBMAdapter, "result"), "after"),
        "after-outcomes": ((Store, "finish"), "after"),
    }[step]
    _die(*where, name)
    templates = Path.cwd().parent / "templates"
    ask(JobManager("ibm_manila", store="jobs.db", shots=64, patience=PATIENCE, cache=templates))


def train(job_file, folder):
    """Train a job file's network."""
    run_job(read_job(job_file), folder, progress=False)


def _die(owner, name, when):
    method = getattr(owner, name)

    def dying(*given, **named):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)
