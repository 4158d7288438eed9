"""A device that runs nothing just now is marked, where devices are listed and before a job is sent to one."""

import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.jobs.adapters.ibm.account import account_devices, device_state
from qiskit_hqnn.standin.answers import Answers


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"state": True, "status": "active"}, "online"),
        ({"state": True, "status": "internal"}, "internal"),
        ({"state": False, "status": "maintenance"}, "maintenance"),
        ({"state": False, "status": "active"}, "not operational"),
    ],
)
def test_a_device_in_maintenance_is_marked(cloud, monkeypatch, status, shown):
    cloud.start()
    answered = Answers._backend

    def backend(self, name, what):
        if what != "status":
            return answered(self, name, what)
        return self.answer({"message": "", "length_queue": 3, "backend_version": "1.0.0"} | status)

    monkeypatch.setattr(Answers, "_backend", backend)
    assert device_state("ibm_manila") == shown
    (device,) = account_devices()
    assert (device.state, device.queue) == (shown, 3)
    row = CliRunner().invoke(app, ["devices", "--where", "ibm"]).output.splitlines()[1]
    assert ("3" if shown == "online" else shown) in row.partition("ibm_manila")[2]
