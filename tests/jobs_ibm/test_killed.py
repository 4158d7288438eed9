"""Death at every step: one paid job, the undisturbed result, no credential in any byte written."""

import json
import os

import numpy as np
import pytest

from qiskit_hqnn.standin.server import TOKEN
from tests.forked import run_forked
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


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_process_pays_nothing_twice(cloud, undisturbed, step):
    loopback = cloud.start()
    codes = [
        run_forked(dying.main, moment, folder=cloud.folder, environment=dict(os.environ))
        for moment in (step, "")
    ]
    assert codes == [-9, 0], (cloud.folder / "printed").read_text()
    answer = np.array(json.loads((cloud.folder / "answer.json").read_text()))
    assert np.array_equal(answer, undisturbed)
    assert len(loopback.service.live()) == 1
    for file in cloud.folder.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
