"""Training: job files, the loop, metrics, run folders and reports."""

from qiskit_hqnn.training.evaluation import Evaluation, evaluate
from qiskit_hqnn.training.job_file import JobFile, read_job
from qiskit_hqnn.training.job_names import find_job, shipped_jobs
from qiskit_hqnn.training.run_folder import LoadedRun, RunFolder, load_run
from qiskit_hqnn.training.running import run_each, run_job

__all__ = [
    "Evaluation",
    "JobFile",
    "LoadedRun",
    "RunFolder",
    "evaluate",
    "find_job",
    "load_run",
    "read_job",
    "run_each",
    "run_job",
    "shipped_jobs",
]
