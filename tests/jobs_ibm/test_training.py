"""Training on hardware through the stand-in service: in every mode, killed in mid-epoch, and held to its budget."""

import os
import signal
import time
from collections import OrderedDict

import pytest
import tomli_w
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.chunks import from_bytes
from qiskit_hqnn.training import RunFolder, find_job, read_job, run_job
from tests.forked import start_forked
from tests.jobs_ibm import dying
from tests.jobs_ibm.conftest import ask

SMALL = [
    "where='ibm_manila'", "test=['exact']", "shots=50", "train.epochs=2", "train.batch_size=8",
    "model.num_qubits=2", "model.depth=1", "model.copies=2",
    "data.classes=[0,1]", "data.train_samples=24", "data.test_samples=12", "data.validation=4",
]  # fmt: skip
REQUESTS = 8
"""Two epochs of three steps and one validation."""


def job_of(*more):
    return read_job(find_job("quickstart"), [*SMALL, *more])


@pytest.mark.slow
@pytest.mark.parametrize("gradient", ["spsa", "parameter-shift"])
def test_training_is_the_same_in_every_mode_and_no_session_stays_open(cloud, monkeypatch, gradient):
    job = job_of(f"gradient='{gradient}'", "train.epochs=1")
    weights = []
    for mode in ("job", "batch", "session"):
        loopback = cloud.start()
        monkeypatch.setenv("HQNN_IBM_MODE", mode)
        run = run_job(job, cloud.folder / mode, progress=False)
        assert len(loopback.service.jobs) == REQUESTS // 2
        held = {sent["session_id"] for sent in loopback.service.jobs.values()}
        assert held == ({None} if mode == "job" else {"session-0"})
        assert all(session["state"] == "closed" for session in loopback.service.sessions.values())
        weights.append(run.weights.read_bytes())
    assert weights[0] == weights[1] == weights[2]


SHORT = "data.train_samples=20"
"""Two steps and one validation in each of two epochs."""
_undisturbed = {}


def undisturbed_training(cloud, gradient):
    """Executions, weights and history of a run that nothing happens to; the same in every mode, as shown above."""
    if gradient not in _undisturbed:
        loopback = cloud.start()
        run = run_job(job_of(f"gradient='{gradient}'", SHORT), cloud.folder / "straight", progress=False)
        executions = sum(sent["executions"] for sent in loopback.service.live())
        _undisturbed[gradient] = executions, run.weights.read_bytes(), run.history()
        assert len(loopback.service.live()) == 6
    return _undisturbed[gradient]


def killed_in_the_second_epoch(loopback, job, folder):
    """A user's process that trains, and is killed while the device holds its fifth request."""
    file = folder.with_suffix(".toml")
    file.write_text(tomli_w.dumps(job.model_dump(mode="json", exclude_none=True)))
    taken = loopback.service.submit

    def submit(body):
        if len(loopback.service.jobs) == 4:
            loopback.service.open.clear()
        return taken(body)

    loopback.service.submit = submit
    child = start_forked(dying.train, file, folder, folder=folder.parent, environment=dict(os.environ))
    try:
        until = time.monotonic() + 120
        while len(loopback.service.jobs) < 5:
            assert child.is_alive(), (folder.parent / "printed").read_text()
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        child.kill()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    loopback.service.submit = taken
    loopback.service.open.set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "gradient"), [("session", "spsa"), ("batch", "parameter-shift"), ("job", "spsa")]
)
def test_killed_in_mid_epoch_and_calibrated_anew_a_training_pays_nothing_twice(
    cloud, monkeypatch, mode, gradient
):
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    executions, weights, history = undisturbed_training(cloud, gradient)
    job = job_of(f"gradient='{gradient}'", SHORT)
    loopback = cloud.start()
    killed_in_the_second_epoch(loopback, job, cloud.folder / "killed")
    assert [row["epoch"] for row in RunFolder(cloud.folder / "killed").history()] == [1]
    calibration = JobManager("ibm_manila", store=cloud.folder / "other.db").adapter.calibration
    loopback.service.calibrations["ibm_manila"] = 1
    monkeypatch.setattr(
        "qiskit_hqnn.jobs.devices.transpiling._templates", OrderedDict()
    )  # a process of its own has none
    resumed = run_job(job, cloud.folder / "killed", progress=False, resume=True)
    assert JobManager("ibm_manila", store=cloud.folder / "other.db").adapter.calibration != calibration
    assert len(loopback.service.live()) == 6
    assert sum(sent["executions"] for sent in loopback.service.live()) == executions
    assert resumed.weights.read_bytes() == weights
    for key in ("train_loss", "validation_loss", "executions", "qpu_seconds"):
        assert [row[key] for row in resumed.history()] == [row[key] for row in history]


@pytest.mark.parametrize(("lost", "reason"), [(False, "has no 'cx' on qubits"), (True, "was not kept")])
def test_an_earlier_template_that_cannot_be_used_is_made_anew_and_said(cloud, monkeypatch, lost, reason):
    loopback = cloud.start()
    first = cloud.manager()
    ask(first)
    monkeypatch.setattr("qiskit_hqnn.jobs.devices.transpiling._templates", OrderedDict())
    loopback.service.calibrations["ibm_manila"] = 1
    if lost:
        for file in (cloud.folder / "cache").iterdir():
            file.unlink()
    else:
        (chunk,) = first.store.chunks(first.store.jobs()[0].id)
        circuit = from_bytes(first.store.requests(chunk))[0].content.circuit
        pair = next(step.qubits for step in circuit.data if step.operation.name == "cx")
        loopback.service.broken = {tuple(sorted(circuit.find_bit(qubit).index for qubit in pair))}
    later = cloud.manager(calibration=first.adapter.calibration)
    with pytest.warns(UserWarning, match=f"today's calibration, and what was sent .*{reason}"):
        ask(later)
    assert len(loopback.service.live()) == 2


def test_a_training_over_its_budget_is_refused_before_anything_is_sent(cloud):
    loopback = cloud.start()
    with pytest.raises(
        BudgetError,
        match=r"would cost 19\.\d QPU seconds, but max_qpu_seconds of the run is 10; nothing was sent",
    ):
        run_job(
            job_of("gradient='spsa'", "spsa.repeats=1", "max_qpu_seconds=10"),
            cloud.folder / "run",
            progress=False,
        )
    assert not (cloud.folder / "run").exists()
    assert not loopback.service.jobs


@pytest.mark.parametrize("surcharge", [1.2, 2.0])
def test_a_service_that_charges_more_than_the_price_is_stopped_by_the_budget(cloud, surcharge):
    price = 8 * 2 + (2 * 20 * 2 * 3 * 50 + 2 * 4 * 2 * 50) * 253e-6  # of the whole run, to 1 %
    job = job_of("gradient='spsa'", "spsa.repeats=1", f"max_qpu_seconds={1.1 * price}")
    loopback = cloud.start()
    loopback.service.surcharge = surcharge
    with pytest.raises(
        BudgetError, match=r"(would|has) cost .* The last finished epoch is kept: the run resumes with"
    ):
        run_job(job, cloud.folder / "run", progress=False)
    assert [row["epoch"] for row in RunFolder(cloud.folder / "run").history()] == [1]
    assert loopback.service.used <= 1.1 * price
    stopped_at = len(loopback.service.jobs)
    assert 4 <= stopped_at < REQUESTS
    more = job.model_copy(update={"max_qpu_seconds": 10 * price})
    resumed = run_job(more, cloud.folder / "run", progress=False, resume=True)
    assert len(loopback.service.jobs) == REQUESTS
    assert resumed.metrics()["training"]["qpu_seconds"] == pytest.approx(loopback.service.used, abs=0.1)


def test_a_dry_run_on_hardware_tells_the_price_and_touches_nothing(cloud, monkeypatch):
    loopback = cloud.start()
    monkeypatch.chdir(cloud.folder)
    changes = [part for setting in [*SMALL, "gradient='spsa'"] for part in ("--set", setting)]
    shown = CliRunner().invoke(app, ["run", "quickstart", "--dry-run", *changes])
    assert shown.exit_code == 0, shown.output
    row = next(
        line for line in shown.output.splitlines() if line.startswith("training, 2 epochs on ibm_manila")
    )
    told = row.split()[-4:]
    assert not loopback.service.jobs
    assert not list(cloud.folder.rglob("*.db"))
    run_job(job_of("gradient='spsa'"), cloud.folder / "run", progress=False)
    assert told[:2] == [f"{sum(sent['executions'] for sent in loopback.service.live()):,}", str(REQUESTS)]
    assert float(told[2]) == pytest.approx(loopback.service.used, rel=0.01)


def test_a_run_on_hardware_without_a_budget_shows_its_price_and_asks(cloud, monkeypatch):
    loopback = cloud.start()
    monkeypatch.chdir(cloud.folder)
    words = ["run", "quickstart"]
    for setting in [*SMALL, "gradient='spsa'", "train.epochs=1"]:
        words += ["--set", setting]
    asked = CliRunner().invoke(app, words, input="n\n")
    assert asked.exit_code == 1, asked.output
    assert "training, 1 epochs on ibm_manila" in asked.output
    assert "QPU seconds are left in its plan" in asked.output
    assert "Send it to ibm_manila? [y/N]" in asked.output
    assert "Nothing was sent. --yes sends without asking" in asked.output
    nobody = CliRunner().invoke(app, words)  # nobody there to answer
    assert nobody.exit_code == 1
    assert not loopback.service.jobs
    assert not (cloud.folder / "runs").exists()
    sent = CliRunner().invoke(app, [*words, "--yes", "--out", "yes"])
    assert sent.exit_code == 0, sent.output
    assert "Send it" not in sent.output
    budget = CliRunner().invoke(app, [*words, "--set", "max_qpu_seconds=500", "--out", "budget"])
    assert budget.exit_code == 0, budget.output
    assert len(loopback.service.jobs) == 8  # three steps and a validation, twice


def test_a_test_on_hardware_behind_a_training_at_home_is_asked_about_too(cloud, monkeypatch):
    loopback = cloud.start()
    monkeypatch.chdir(cloud.folder)
    words = ["run", "quickstart"]
    for setting in [*SMALL, "where='exact'", "test=['exact', 'ibm_manila']"]:
        words += ["--set", setting]
    asked = CliRunner().invoke(app, words, input="n\n")
    assert asked.exit_code == 1, asked.output
    assert "test on ibm_manila" in asked.output
    assert not loopback.service.jobs
