"""Every fault of the service through the unmodified client: nothing lost, nothing paid twice."""

import threading
import time

import numpy as np
import pytest

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.seam import TransientError, UnauthorisedError
from qiskit_hqnn.standin import Fault, Faults
from qiskit_hqnn.standin.server import TOKEN
from tests.jobs_ibm.conftest import ask

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


@pytest.mark.slow
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
    loopback.account.tokens_refused = True
    with pytest.raises(UnauthorisedError, match="refuses the account"):
        ask(manager)
    loopback.account.tokens_refused = False
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.live()) == 1


def test_a_service_that_is_down_leaves_the_job_open(cloud, undisturbed):
    from qiskit_hqnn.jobs.sending.protocol import Patience

    loopback = cloud.start(Faults([Fault("429", "status", times=4)]))
    with pytest.raises(TransientError, match="3 times in a row"):
        ask(cloud.manager(patience=Patience(attempts=3, backoff=0.01, longest=0.01, hiccups=3)))
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.jobs) == 1


@pytest.mark.parametrize("on", ["status", "results"])
def test_one_not_found_is_not_believed(cloud, undisturbed, on):
    loopback = cloud.start(Faults([Fault("404", on)]))
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert (on, "404") in loopback.faults.happened
    assert len(loopback.service.jobs) == 1


@pytest.mark.parametrize("kind", ["drop-after", "502-after"])
def test_a_lost_job_that_is_listed_late_is_waited_for(cloud, undisturbed, monkeypatch, kind):
    loopback = cloud.start(Faults([Fault(kind)]))
    loopback.service.late = 4
    monkeypatch.setenv("HQNN_IBM_LOOKUP", "20")
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.jobs) == 1


def test_two_stores_that_ask_the_same_leave_each_others_jobs_alone(cloud, undisturbed):
    loopback = cloud.start()
    loopback.service.open.clear()
    answers = {}

    def user(store):
        answers[store] = ask(cloud.manager(store))

    users = [threading.Thread(target=user, args=(f"{name}.db",)) for name in ("one", "two")]
    for thread in users:
        thread.start()
    until = time.monotonic() + 60
    while len(loopback.service.jobs) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    loopback.service.open.set()
    for thread in users:
        thread.join()
    assert [job["state"]["status"] for job in loopback.service.jobs.values()] == ["Completed", "Completed"]
    for answer in answers.values():
        assert np.array_equal(answer, undisturbed)
    assert len(answers) == 2


def test_a_store_that_was_deleted_is_paid_once_where_the_same_is_asked_again(cloud, undisturbed):
    loopback = cloud.start()
    ask(cloud.manager())
    for companion in cloud.folder.glob("jobs.db*"):
        companion.unlink()
    with pytest.warns(UserWarning, match="pays nothing again: .*jobs.db, a store that is not there any more"):
        assert np.array_equal(ask(cloud.manager()), undisturbed)
    assert len(loopback.service.jobs) == 1
    (notes,) = (cloud.folder / "state" / "hqnn" / "sent").iterdir()
    assert TOKEN.encode() not in notes.read_bytes()


@pytest.mark.parametrize("at", [1, 2, 3, 4])  # two sign-ins to open the device, two more in the middle
@pytest.mark.parametrize("kind", ["drop-before", "500-before"])
def test_a_sign_in_that_fails_is_tried_again(cloud, undisturbed, kind, at):
    loopback = cloud.start(Faults([Fault(kind, "token", at=at)]))
    manager = cloud.manager()
    loopback.account.signed_in_since = time.time()  # every client has to sign in anew
    assert np.array_equal(ask(manager), undisturbed)
    assert ("token", kind) in loopback.faults.happened
    assert len(loopback.service.jobs) == 1


def test_tokens_that_run_out_again_and_again_are_renewed(cloud, undisturbed):
    loopback = cloud.start()
    loopback.account.token_seconds = 2
    manager = cloud.manager()
    assert np.array_equal(ask(manager), undisturbed)
    for number in range(1, 4):
        time.sleep(1.2)
        ask(manager, number)
    assert len(loopback.service.jobs) == 4
    assert sum(path == "/identity/token" for _, path in loopback.requests) > 2


def test_a_token_that_is_revoked_while_a_job_runs_costs_one_sign_in(cloud, undisturbed):
    loopback = cloud.start()
    loopback.service.open.clear()
    manager = cloud.manager()
    answers = []
    user = threading.Thread(target=lambda: answers.append(ask(manager)))
    user.start()
    until = time.monotonic() + 60
    while not loopback.service.jobs and time.monotonic() < until:
        time.sleep(0.02)
    loopback.account.signed_in_since = time.time()
    time.sleep(0.2)
    loopback.service.open.set()
    user.join()
    assert np.array_equal(answers[0], undisturbed)
    assert len(loopback.service.jobs) == 1


@pytest.mark.parametrize("mode", ["batch", "session"])
@pytest.mark.parametrize(
    "kind", ["drop-before", "drop-after", "500-before", "502-after", "503-before", "429", "401", "hang"]
)
def test_a_session_that_cannot_be_opened_at_once_is_opened_later(cloud, undisturbed, monkeypatch, mode, kind):
    loopback = cloud.start(Faults([Fault(kind, "session")], hang=3.5 if kind == "hang" else 1.0))
    monkeypatch.setenv("HQNN_IBM_MODE", mode)
    manager = cloud.manager()
    assert np.array_equal(ask(manager), undisturbed)
    assert ("session", kind) in loopback.faults.happened
    (job,) = loopback.service.jobs.values()
    assert job["session_id"] is not None
    manager.close()
    assert loopback.service.sessions[job["session_id"]]["state"] == "closed"


def test_a_session_that_is_refused_for_good_is_one_sentence_and_nothing_is_sent(cloud, monkeypatch):
    loopback = cloud.start(Faults([Fault("400", "session", times=99)]))
    monkeypatch.setenv("HQNN_IBM_MODE", "batch")
    with pytest.raises(Exception, match="The program is not valid"):
        ask(cloud.manager())
    assert not loopback.service.jobs


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
    from qiskit_hqnn.jobs.adapters.ibm.adapter import open_ibm

    for name in ("QISKIT_IBM_TOKEN", "QISKIT_IBM_CHANNEL", "QISKIT_IBM_URL", "QISKIT_IBM_INSTANCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        "qiskit_ibm_runtime.accounts.management._DEFAULT_ACCOUNT_CONFIG_JSON_FILE",
        str(tmp_path / "none.json"),
    )
    with pytest.raises(DeviceError, match="No IBM account is set up"):
        open_ibm("ibm_fez")
