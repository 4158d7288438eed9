"""Submissions are paced: so many in a minute with one key, whichever processes send them."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.adapters.ibm import adapter, pacing
from qiskit_hqnn.jobs.adapters.seam import PacedError, SamplingOptions
from tests.jobs_ibm.conftest import ask

KEY = "a-key-that-must-not-be-written"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "hqnn"


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(pacing, "steady", lambda: Clock.now)
    return Clock


def test_five_go_at_once_and_the_sixth_waits_until_the_first_is_a_minute_old(clock, own_folder):
    for _ in range(5):
        assert pacing.seconds_to_wait(KEY, 5) == 0
        clock.now += 2
    assert pacing.seconds_to_wait(KEY, 5) == pytest.approx(50)
    clock.now += 50.1
    assert pacing.seconds_to_wait(KEY, 5) == 0
    assert pacing.seconds_to_wait(KEY, 5) == pytest.approx(1.9)
    assert pacing.seconds_to_wait("another key", 5) == 0
    assert all(KEY not in file.name and KEY not in file.read_text() for file in own_folder.iterdir())


def test_no_minute_has_more_however_they_come(clock):
    rng, sent = np.random.default_rng(1), []
    for _ in range(400):
        clock.now += float(rng.exponential(4))
        if pacing.seconds_to_wait(KEY, 5) == 0:
            sent.append(clock.now)
    assert len(sent) > 50
    assert min(later - earlier for earlier, later in zip(sent, sent[5:], strict=False)) >= 60


def test_processes_share_the_pace():
    program = (
        f"from qiskit_hqnn.jobs.adapters.ibm.pacing import seconds_to_wait as w; print(w({KEY!r}, 2) == 0)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(3)
    ]
    assert answers == ["True", "True", "False"]


def test_what_another_program_has_written_there_is_no_hindrance(clock, own_folder):
    assert pacing.seconds_to_wait(KEY, 1) == 0
    (file,) = own_folder.iterdir()
    file.write_text('{"not": "ours"')
    assert pacing.seconds_to_wait(KEY, 1) == 0
    assert pacing.seconds_to_wait(KEY, 1) > 0


@pytest.mark.parametrize(
    ("pace", "server", "most"),
    [
        (-1, "quantum.cloud.ibm.com", 5),
        (-1, "127.0.0.1", 0),
        (0, "quantum.cloud.ibm.com", 0),
        (7, "127.0.0.1", 7),
    ],
)
def test_the_services_own_limit_holds_unless_another_is_set(pace, server, most):
    assert pacing.limit(pace, server) == most


def test_what_is_paced_does_not_leave(cloud, monkeypatch, clock):
    loopback = cloud.start()
    monkeypatch.setenv("HQNN_IBM_PACE", "2")
    manager = cloud.manager()
    for number in range(2):
        ask(manager, number)
    request = manager.plan(_pub()).requests[0]
    with pytest.raises(PacedError, match="2 jobs were sent in the last minute") as caught:
        manager.adapter.submit([request], tag="t", options=SamplingOptions())
    assert 0 < caught.value.retry_after <= 60
    assert len(loopback.service.jobs) == 2
    clock.now += 60
    manager.adapter.submit([request], tag="t", options=SamplingOptions())
    assert len(loopback.service.jobs) == 3


def _pub():
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    from tests.jobs_ibm.conftest import question

    return EstimatorPub.coerce(question(7))


def test_many_small_jobs_wait_for_their_turn_say_so_and_none_fails(cloud, monkeypatch):
    turns = itertools.cycle([0.0, 0.1, 0.1])  # what the clock would say, without its minutes
    monkeypatch.setattr(adapter, "seconds_to_wait", lambda token, most: next(turns))
    loopback = cloud.start()
    monkeypatch.setenv("HQNN_IBM_PACE", "2")
    manager, said = cloud.manager(), []
    manager.said = said.append
    answers = [ask(manager, number) for number in range(4)]
    assert len(answers) == len(loopback.service.jobs) == 4
    assert said
    assert all("for its turn: 2 jobs were sent in the last minute" in line for line in said)
    kept = manager.store.jobs()
    assert {job.state for job in kept} == {"done"}
    assert not any(job.reason for job in kept)  # what it waited for is over


def test_what_hardware_has_cost_is_told_in_money_and_as_a_part_of_a_plan(cloud):
    loopback = cloud.start()
    ask(cloud.manager())
    store = str(cloud.folder / "jobs.db")
    paid = CliRunner().invoke(app, ["jobs", "cost", "--plan", "1.5/s", "--store", store])
    assert paid.exit_code == 0, paid.output
    row = next(line for line in paid.output.splitlines() if line.startswith("ibm_manila"))
    assert row.split()[-1] == f"${1.5 * loopback.service.used:.2f}"
    free = CliRunner().invoke(app, ["jobs", "cost", "--plan", "open", "--store", store]).output
    assert f"open plan: {600 - loopback.service.used:.1f} of 600 s are left" in free
    wrong = CliRunner().invoke(app, ["jobs", "cost", "--plan", "gold", "--store", store])
    assert isinstance(wrong.exception, HQNNError)
