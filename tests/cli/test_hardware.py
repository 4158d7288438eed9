"""A trained run on IBM hardware, by commands in processes that know nothing but environment variables."""

import json
import os

import pytest

from qiskit_hqnn.standin import Loopback
from qiskit_hqnn.standin.server import TOKEN
from tests.command import Answer, hqnn
from tests.forked import command, fork_workers, run_forked

SMALL = [
    "--set", "train.epochs=3", "--set", "data.train_samples=200", "--set", "data.test_samples=40",
    "--set", "model.num_qubits=2", "--set", "model.depth=1", "--set", "model.copies=2", "--set", "test=['exact']",
]  # fmt: skip


def _command_and_worker(*arguments):
    fork_workers()
    command(*arguments)


@pytest.fixture
def shells(tmp_path):
    """Two ways to run a command in a folder, with the variables that lead to the stand-in service: as a process of its
    own, which knows nothing else, and in this one. They keep all that was printed.
    """
    printed = []
    with Loopback(["manila"]) as service:
        quick = {"HQNN_IBM_POLL": "0.1", "HQNN_IBM_LOOKUP": "0.1", "HOME": str(tmp_path / "home")}
        variables = service.environment | quick
        plain = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS", "LANG") if name in os.environ}
        environment = plain | variables | {"COLUMNS": "120", "NO_COLOR": "1"}

        def kept(done):
            printed.append(done.stdout + done.stderr)
            assert done.returncode == 0, printed[-1]
            return printed[-1]

        def process(*arguments):
            file = tmp_path / "printed"
            code = run_forked(
                _command_and_worker, *arguments, folder=tmp_path, environment=environment, printed=file
            )
            return kept(Answer(code, file.read_text(), ""))

        def here(*arguments):
            return kept(hqnn(*arguments, cwd=tmp_path, variables=variables))

        yield process, here, printed


@pytest.mark.slow
def test_a_trained_run_goes_to_hardware_and_comes_back(shells, tmp_path):
    process, here, printed = shells
    here("run", "quickstart", "--quiet", *SMALL)
    listed = here("devices", "--where", "ibm")
    assert "ibm_manila" in listed
    assert "QPU seconds are left" in listed
    priced = here(
        "submit", "runs/quickstart", "--where", "ibm_manila", "--shots", "100", "--subset", "20", "--dry-run"
    )
    assert "20 images on ibm_manila, 100 shots" in priced
    assert "account  600 QPU seconds are left in its plan" in priced
    assert "measured in 1 basis" in priced
    assert "No jobs yet" in here("jobs")
    sent = process(
        "submit", "runs/quickstart", "--where", "ibm_manila", "--shots", "100", "--subset", "20", "--yes"
    )
    job = sent.split("job      ")[1].split()[0]
    here("jobs", "wait", job)
    assert "done" in here("jobs")
    result = json.loads((tmp_path / "runs/quickstart/metrics.json").read_text())["test"]["ibm_manila"]
    assert result["images"] == 20
    assert result["qpu_seconds"] > 2
    exact = json.loads((tmp_path / "runs/quickstart/metrics.json").read_text())["test"]["exact"]
    assert abs(result["accuracy"] - exact["accuracy"]) < 0.4
    # Again: it is there already, and nothing is paid for it.
    again = here(
        "submit", "runs/quickstart", "--where", "ibm_manila", "--shots", "100", "--subset", "20", "--yes"
    )
    assert again.split("job      ")[1].split()[0] == job
    assert "It was submitted before: nothing new is sent." in again
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert TOKEN.encode() not in file.read_bytes(), file
    assert TOKEN not in "".join(printed)
