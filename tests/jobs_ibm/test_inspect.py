"""Inspection of a device that an account has, with its calibration of today."""

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.inspection import inspect


def test_a_device_of_the_account_is_inspected_and_nothing_is_sent(cloud):
    loopback = cloud.start()
    result = inspect(hqnn_parallel(2, 1), ["ibm_manila"], seeds=1, levels=[1])
    assert result.devices[0].proven
    assert {row["device"] for row in result.table} == {"ibm_manila"}
    assert not loopback.service.jobs
