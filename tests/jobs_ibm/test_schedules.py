"""Two hundred and fifty random schedules of faults: one paid job, and the undisturbed result."""

import numpy as np
import pytest

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.seam import AdapterError
from qiskit_hqnn.standin import Faults
from tests.jobs_ibm.conftest import ask

SCHEDULES = 200
GROUPS = 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "mode"), [*((group, "job") for group in range(GROUPS)), (0, "batch"), (1, "session")]
)
def test_random_faults_leave_one_paid_job_and_the_undisturbed_result(cloud, monkeypatch, group, mode):
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    cloud.start()
    undisturbed = ask(cloud.manager("undisturbed.db"))
    for seed in range(group, SCHEDULES, GROUPS):
        loopback = cloud.start(Faults.random(seed, 0.12, hang=0.05))
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
