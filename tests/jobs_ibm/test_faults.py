"""Every fault of the service through the unmodified client: nothing lost, nothing paid twice."""

import numpy as np
import pytest

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapter import TransientError, UnauthorisedError
from tests.jobs_ibm.conftest import ask
from tests.loopback import Fault, Faults

SURVIVED = [
    *[
        Fault(kind, "submit")
        for kind in ("drop-before", "drop-after", "500-before", "502-after", "503-before")
    ],
    *[Fault(kind, "submit") for kind in ("429", "401", "403-cloudflare", "hang")],
    *[Fault(kind, "find") for kind in ("drop-before", "500-before", "429", "401", "hang")],
    *[Fault(kind, "status", times=3) for kind in ("drop-before", "503-before", "429")],
    *[Fault(kind, "status") for kind in ("401", "hang")],
    *[Fault(kind, "results") for kind in ("drop-before", "500-before", "429", "401", "hang")],
    *[Fault(kind, "backend", at=3) for kind in ("drop-before", "500-before", "429", "401")],
    *[Fault(kind, "metrics") for kind in ("drop-before", "429")],
    *[Fault(kind, "job") for kind in ("failed-passing", "results-gone", "results-empty", "unknown-status")],
]


@pytest.fixture
def undisturbed(cloud):
    cloud.start()
    return ask(cloud.manager("undisturbed.db"))


@pytest.mark.parametrize("fault", SURVIVED, ids=lambda fault: f"{fault.on}-{fault.kind}")
def test_a_passing_fault_leaves_one_paid_job_and_the_undisturbed_result(cloud, undisturbed, fault):
    faults = Faults([fault], hang=3.5 if fault.kind == "hang" else 1.0)
    loopback = cloud.start(faults)
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert (fault.on, fault.kind) in faults.happened
    assert len(loopback.service.live()) == 1


def test_a_job_whose_answer_was_lost_is_found_by_its_tag_and_not_sent_again(cloud, undisturbed):
    loopback = cloud.start(Faults([Fault("502-after"), Fault("429", "find", times=2)]))
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.jobs) == 1
    assert len(loopback.service.live()) == 1


@pytest.mark.parametrize("fault", [Fault("400"), Fault("failed-permanent", "job")], ids=str)
def test_what_would_fail_again_is_sent_once(cloud, fault):
    loopback = cloud.start(Faults([fault]))
    with pytest.raises(Exception, match="not valid|do not match"):
        ask(cloud.manager())
    assert sum(path == "/jobs" and method == "POST" for method, path in loopback.requests) == 1


def test_a_job_cancelled_elsewhere_is_never_sent_again(cloud):
    loopback = cloud.start(Faults([Fault("cancelled", "job")]))
    for _ in range(2):
        with pytest.raises(Exception, match="cancelled"):
            ask(cloud.manager())
    assert len(loopback.service.jobs) == 1


@pytest.mark.parametrize("fault", [Fault("too-long", "job"), Fault("413")], ids=str)
def test_too_long_and_too_large_are_split(cloud, undisturbed, fault):
    loopback = cloud.start(Faults([fault]))
    answer = ask(cloud.manager())
    assert answer.shape == undisturbed.shape
    assert np.abs(answer - undisturbed).max() < 6 / np.sqrt(64)
    assert len(loopback.service.live()) == 2


def test_a_refused_account_stops_and_loses_nothing(cloud, undisturbed):
    loopback = cloud.start()
    manager = cloud.manager()
    loopback.tokens_refused = True
    with pytest.raises(UnauthorisedError, match="refuses the account"):
        ask(manager)
    loopback.tokens_refused = False
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.live()) == 1


def test_a_service_that_is_down_leaves_the_job_open(cloud, undisturbed):
    from qiskit_hqnn.jobs.sending import Patience

    loopback = cloud.start(Faults([Fault("429", "status", times=4)]))
    with pytest.raises(TransientError, match="3 times in a row"):
        ask(cloud.manager(patience=Patience(attempts=3, backoff=0.01, longest=0.01, hiccups=3)))
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.jobs) == 1


@pytest.mark.parametrize("mode", ["batch", "session"])
def test_a_session_closed_under_us_is_opened_anew(cloud, undisturbed, mode, monkeypatch):
    loopback = cloud.start()
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    manager = cloud.manager()
    assert np.array_equal(ask(manager), undisturbed)
    loopback.service.sessions["session-0"].update(accepting_jobs=False, state="closed")
    ask(manager, 1)
    assert [job["session_id"] for job in loopback.service.live()] == ["session-0", "session-1"]
    manager.adapter.close()
    assert loopback.service.sessions["session-1"]["state"] == "closed"


def test_the_open_plan_says_that_it_has_no_sessions(cloud, monkeypatch):
    cloud.start(plan="Open")
    monkeypatch.setenv("HQNN_IBM_MODE", "session")
    with pytest.raises(Exception, match="Open Plan has no sessions"):
        ask(cloud.manager())


def test_a_retired_device_is_named_with_its_neighbours(cloud):
    loopback = cloud.start(devices=("manila", "lagos"))
    manager = cloud.manager()
    loopback.service.retired.add("ibm_manila")
    with pytest.raises(Exception, match=r"(?i)not found|no device"):
        ask(manager)
    with pytest.raises(DeviceError, match="no device 'ibm_manila'.*ibm_lagos"):
        cloud.manager()
    assert not loopback.service.jobs


def test_without_an_account_one_sentence_says_what_to_do(monkeypatch, tmp_path):
    from qiskit_hqnn.jobs.ibm import open_ibm

    for name in ("QISKIT_IBM_TOKEN", "QISKIT_IBM_CHANNEL", "QISKIT_IBM_URL", "QISKIT_IBM_INSTANCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        "qiskit_ibm_runtime.accounts.management._DEFAULT_ACCOUNT_CONFIG_JSON_FILE",
        str(tmp_path / "none.json"),
    )
    with pytest.raises(DeviceError, match="No IBM account is set up"):
        open_ibm("ibm_fez")
