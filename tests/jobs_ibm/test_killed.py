"""Death at every step: one paid job, the undisturbed result, no credential in any byte written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qiskit_hqnn.standin.server import TOKEN
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


CHILD = """
import sys
from tests.jobs_ibm import dying
dying.main(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_process_pays_nothing_twice(cloud, step):
    cloud.start()
    undisturbed = ask(cloud.manager("undisturbed.db"))
    loopback = cloud.start()  # one that has not seen the request: it would be found there by its tag
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", CHILD, str(cloud.folder / "jobs.db")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    killed = subprocess.run([*command, step], env=environment, capture_output=True, cwd=cloud.folder)
    assert killed.returncode == -9, killed.stderr.decode()
    after = subprocess.run([*command, ""], env=environment, capture_output=True, cwd=cloud.folder)
    assert after.returncode == 0, after.stderr.decode()
    answer = np.array(json.loads(after.stdout))
    assert np.array_equal(answer, undisturbed)
    assert len(loopback.service.live()) == 1
    written = [file.read_bytes() for file in cloud.folder.rglob("*") if file.is_file()]
    for content in [*written, killed.stdout, killed.stderr, after.stdout, after.stderr]:
        assert TOKEN.encode() not in content
