"""Training: job files, the loop, metrics, run folders and reports."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit_hqnn.training.evaluation import Evaluation, evaluate
    from qiskit_hqnn.training.job_file import JobFile, read_job
    from qiskit_hqnn.training.job_names import find_job, shipped_jobs
    from qiskit_hqnn.training.loading import LoadedRun, Prediction, load_run
    from qiskit_hqnn.training.metrics import Metrics, Result
    from qiskit_hqnn.training.run_folder import RunFolder
    from qiskit_hqnn.training.running import run_each, run_job

# Imported on first use: a typing error in a job file is told before torch and Lightning are loaded.
_LAZY = {
    "Evaluation": "evaluation",
    "JobFile": "job_file",
    "LoadedRun": "loading",
    "Metrics": "metrics",
    "Prediction": "loading",
    "Result": "metrics",
    "RunFolder": "run_folder",
    "evaluate": "evaluation",
    "find_job": "job_names",
    "load_run": "loading",
    "read_job": "job_file",
    "run_each": "running",
    "run_job": "running",
    "shipped_jobs": "job_names",
}

__all__ = [
    "Evaluation",
    "JobFile",
    "LoadedRun",
    "Metrics",
    "Prediction",
    "Result",
    "RunFolder",
    "evaluate",
    "find_job",
    "load_run",
    "read_job",
    "run_each",
    "run_job",
    "shipped_jobs",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"qiskit_hqnn.training.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'qiskit_hqnn.training' has no attribute {name!r}")
