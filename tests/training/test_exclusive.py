"""Two commands at one run folder: one trains there, the other is told; results of both are kept."""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from qiskit_hqnn.errors import HQNNError, RunFolderError
from qiskit_hqnn.training import RunFolder, run_job
from qiskit_hqnn.training.exclusive import Held
from tests.forked import start_forked
from tests.training.test_resuming import job_of


def hold(folder):
    with Held(folder):
        (folder / "held").touch()
        time.sleep(600)


@contextmanager
def held_elsewhere(folder, beside):
    """Another process, at work in a run folder."""
    process = start_forked(hold, folder, folder=beside, environment=dict(os.environ))
    try:
        while not (folder / "held").exists():
            assert process.is_alive(), (beside / "printed").read_text()
            time.sleep(0.01)
        yield
    finally:
        process.kill()
        process.join()


def test_a_folder_in_which_another_process_trains_is_refused_until_that_ends(tmp_path):
    place = tmp_path / "run"
    with held_elsewhere(place, tmp_path):
        words = re.escape(f"Run folder {place} is in use by another process, which trains or tests there")
        for resume in (False, True):
            with pytest.raises(RunFolderError, match=words):
                run_job(job_of(), place, resume=resume)
        assert [file.name for file in place.iterdir()] == ["held"]
    run = run_job(job_of(), place)  # the killed process holds nothing
    with pytest.raises(RunFolderError, match="is already in use: resume it"):
        run_job(job_of(), place)
    assert run_job(job_of(), place, resume=True).metrics() == run.metrics()


def test_of_two_threads_one_trains(tmp_path):
    def one(_):
        try:
            return run_job(job_of(), tmp_path / "run", resume=True)
        except RunFolderError as error:
            return str(error)

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(one, range(2)))
    runs = [run for run in done if isinstance(run, RunFolder)]
    assert runs
    assert len(runs[0].history()) == 2
    assert all("is in use by another process" in words for words in done if isinstance(words, str))


def test_a_refused_run_leaves_no_folder(tmp_path):
    with pytest.raises(HQNNError):
        run_job(job_of("data.train_samples=100000"), tmp_path / "runs" / "mine")
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_created_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="cannot be created: Not a directory"):
        run_job(job_of(), tmp_path / "file" / "run")


def test_what_many_measure_at_once_is_all_kept(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.write_job(job_of())

    def measure(number):
        for again in range(10):
            run.add_metrics(test={f"place-{number}-{again}": {"accuracy": 1.0}})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(measure, range(4)))
    assert len(run.metrics()["test"]) == 40
