"""Random schedules of faults: one paid job, and the undisturbed result, in all modes.

`HQNN_SCHEDULES=500 pytest tests/jobs_ibm/test_schedules.py` runs so many, two thirds in job mode; the suite runs a few.
"""

import os

import numpy as np
import pytest

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.seam import AdapterError
from qiskit_hqnn.standin import Faults
from tests.jobs_ibm.conftest import ask

SCHEDULES = int(os.environ.get("HQNN_SCHEDULES", "24"))
MODES = ("job", "job", "job", "job", "batch", "session")
"""Schedules take turns; each mode has one group or more, which processes can share."""


@pytest.mark.slow
@pytest.mark.parametrize(("group", "mode"), enumerate(MODES))
def test_random_faults_leave_one_paid_job_and_the_undisturbed_result(cloud, monkeypatch, group, mode):
    monkeypatch.setenv("HQNN_IBM_MODE", "job")
    cloud.start()
    undisturbed = ask(cloud.manager("undisturbed.db"))
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    for seed in range(group, SCHEDULES, len(MODES)):
        loopback = cloud.start(Faults.random(seed, 0.12, hang=0.05))
        loopback.account.retry_after = 0
        answer = None
        for _ in range(20):
            try:  # what gives up leaves the job open: the user starts it again
                answer = ask(cloud.manager(f"{seed}.db"))
                break
            except (AdapterError, DeviceError):
                continue
        assert np.array_equal(answer, undisturbed), f"schedule {seed}: {loopback.faults.happened}"
        assert len(loopback.service.live()) == 1, f"schedule {seed}: {loopback.faults.happened}"
        cloud.close()
