"""Death at every step: one paid job, the undisturbed result, no credential in any byte written."""

import os

import numpy as np
import pytest

from qiskit_hqnn.standin.server import TOKEN
from tests.forked import run_forked
from tests.jobs_ibm import dying
from tests.jobs_ibm.conftest import ask

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
    code = run_forked(dying.main, step, folder=cloud.folder, environment=dict(os.environ))
    assert code == -9, (cloud.folder / "printed").read_text()
    # This process is the next one.
    assert np.array_equal(ask(cloud.manager(cache=cloud.folder.parent / "templates")), undisturbed)
    assert len(loopback.service.live()) == 1
    for file in cloud.folder.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
