"""Death at every step: one paid job, the undisturbed result, no credential in any byte written."""

import json
import multiprocessing
import os

import numpy as np
import pytest

from qiskit_hqnn.standin.server import TOKEN
from tests.jobs_ibm import dying

STEPS = (
    "before-post",
    "after-post",
    "after-id",
    "after-look",
    "after-status",
    "after-results",
    "after-outcomes",
)


@pytest.fixture(scope="module")
def processes():
    """Processes of their own, forked from one that has done the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.jobs_ibm.dying"])
    return context


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_process_pays_nothing_twice(cloud, undisturbed, processes, step):
    loopback = cloud.start()
    codes = []
    for moment in (step, ""):
        process = processes.Process(target=dying.main, args=(str(cloud.folder), moment, dict(os.environ)))
        process.start()
        process.join(120)
        codes.append(process.exitcode)
    assert codes == [-9, 0], (cloud.folder / "printed").read_text()
    answer = np.array(json.loads((cloud.folder / "answer.json").read_text()))
    assert np.array_equal(answer, undisturbed)
    assert len(loopback.service.live()) == 1
    for file in cloud.folder.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
