"""Copies of a store share their jobs; clocks that differ or are set decide nothing; a store that is gone says so."""

import shutil
import sqlite3
import threading
import time

import numpy as np
import pytest

from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs.adapters.seam import NotSentError, PacedError, TransientError
from qiskit_hqnn.jobs.recording import JobFailedError
from qiskit_hqnn.jobs.sending.driving import cancel, drive
from qiskit_hqnn.jobs.sending.patience import Patience, Pauses, Silence
from qiskit_hqnn.jobs.store import Store, owners
from tests.jobs.service import Died, Service, ServiceAdapter
from tests.jobs.test_sending import FAST, _coerced, _forget_owners, estimate, manager_of

DAY = 86_400.0


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "jobs.db")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return estimate(Store(tmp_path_factory.mktemp("undisturbed") / "jobs.db"), ServiceAdapter(Service()))


def copy_of(store, name="copy.db"):
    """A copy of a store's file, as a person makes one while nobody uses it."""
    with sqlite3.connect(store.file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Store(shutil.copy(store.file, store.file.with_name(name)))


class Queued(ServiceAdapter):
    """Jobs stay in the queue until `go` is set."""

    def __init__(self, service, go):
        super().__init__(service)
        self.go = go

    def status(self, job_id):
        if not self.go.is_set() and self.service.jobs[job_id]["word"] == "queued":
            from qiskit_hqnn.jobs.adapters.seam import JobState

            return JobState("queued")
        return super().status(job_id)


@pytest.mark.parametrize("when", ["recorded", "sent", "done"])
def test_copies_of_a_store_share_one_paid_job_for_each_part(store, undisturbed, when):
    service = Service()
    manager = manager_of(store, ServiceAdapter(service))
    job = manager.submit(_coerced())
    if when == "sent":
        drive(store, job, manager.adapter, patience=FAST, until_sent=True)
    if when == "done":
        drive(store, job, manager.adapter, patience=FAST)
    other = copy_of(store)
    for each in (store, other):
        np.testing.assert_array_equal(estimate(each, ServiceAdapter(service)), undisturbed)
    assert len(service.completed()) == 3
    assert not any(entry["word"] == "cancelled" for entry in service.jobs.values())


def test_two_copies_that_send_at_once_keep_the_same_jobs(store, undisturbed):
    service, go = Service(), threading.Event()
    manager_of(store, ServiceAdapter(service)).submit(_coerced())
    copies = [store, *(copy_of(store, f"copy{number}.db") for number in range(3))]
    answers, barrier = [], threading.Barrier(len(copies))

    def user(each):
        barrier.wait()
        answers.append(estimate(each, Queued(service, go)))

    users = [threading.Thread(target=user, args=(each,)) for each in copies]
    for thread in users:
        thread.start()
    time.sleep(0.5)
    go.set()
    for thread in users:
        thread.join()
    assert len(answers) == len(copies)
    for answer in answers:
        np.testing.assert_array_equal(answer, undisturbed)
    assert len(service.completed()) == 3
    assert all(entry["word"] in ("done", "cancelled") for entry in service.jobs.values())


def test_an_earlier_state_of_a_store_that_is_put_back_finds_what_it_had_sent(store, undisturbed):
    service = Service()
    manager_of(store, ServiceAdapter(service)).submit(_coerced())
    before = copy_of(store)
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service)), undisturbed)
    np.testing.assert_array_equal(estimate(before, ServiceAdapter(service)), undisturbed)
    assert service.calls["submit"] == 3


# Clocks


class Elsewhere(ServiceAdapter):
    """A place whose own clock is known."""

    deadline = 0.3
    lookup_seconds = 0.2
    ahead = 0.0

    def clock(self):
        return time.time() + self.ahead


def left_as_intent(store, adapter_class, **settings):
    """A job whose process died with its first request on the way, which never arrived."""

    class Dying(adapter_class):
        def submit(self, requests, *, tag, options):
            raise Died

    adapter = Dying(Service())
    for name, value in settings.items():
        setattr(adapter, name, value)
    job = manager_of(store, adapter, sets=6).submit(_coerced())
    with pytest.raises(Died):
        drive(store, job, adapter, patience=FAST)
    _forget_owners(store)
    return job


def test_a_clock_that_was_set_back_by_a_day_is_said_and_makes_nobody_wait_a_day(store):
    job = left_as_intent(store, ServiceAdapter)
    with store._transaction() as connection:
        connection.exec_driver_sql(
            f"UPDATE hqnn_chunks SET since = since + {DAY}, not_before = {time.time() + DAY}"
        )
    service, said = Service(), []
    original = store.note
    store.note = lambda job, reason: said.append(reason) or original(job, reason)
    started = time.monotonic()
    assert drive(store, job, ServiceAdapter(service), patience=FAST) == "done"
    assert time.monotonic() - started < 10
    assert any("a clock was set back by about 24 h" in words for words in said)
    assert len(service.jobs) == 1


def test_the_service_decides_when_a_lost_job_would_be_listed_not_this_machine(store, monkeypatch):
    """A machine whose clock is an hour ahead takes over an intent that another has just written."""
    job = left_as_intent(store, Elsewhere, ahead=7200.0)
    service = Service()
    late = Elsewhere(service)
    late.ahead = 7200.0  # both read the same service's clock
    (chunk,) = store.chunks(job)
    late_at = time.monotonic() + 0.25
    original = ServiceAdapter.find

    def find(self, tag):
        if time.monotonic() > late_at and not self.service.jobs:
            self.service.submit([], tag)  # the dead process's request arrives
            self.service.jobs["job-0"]["requests"] = requests
        return original(self, tag)

    from qiskit_hqnn.jobs.chunks import from_bytes

    requests = [piece.content for piece in from_bytes(store.requests(chunk))]
    monkeypatch.setattr(ServiceAdapter, "find", find)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    late.ahead -= 3600
    assert drive(store, job, late, patience=FAST) == "done"
    assert service.calls["submit"] == 0
    assert len(service.jobs) == 1


def test_an_intent_is_over_by_the_services_clock_or_once_it_was_watched_long_enough(store, monkeypatch):
    job = left_as_intent(store, ServiceAdapter)
    (chunk,) = store.chunks(job)
    now = {"service": chunk.since, "steady": 50.0}
    monkeypatch.setattr("qiskit_hqnn.jobs.sending.patience.steady", lambda: now["steady"])
    silence = Silence(lambda: now["service"], deadline=180, lookup=90)
    assert not silence.over(chunk)
    now["service"] += 89
    assert not silence.over(chunk)
    now["service"] += 1
    assert silence.over(chunk)
    now["service"] -= DAY
    assert not silence.over(chunk)
    assert "24 h" in silence.set_back(chunk)
    now["steady"] += 269
    assert not silence.over(chunk)
    now["steady"] += 1
    assert silence.over(chunk)
    now["service"] = chunk.since - 180
    assert silence.set_back(chunk) == ""


def test_a_lease_ends_when_it_was_watched_a_minute_whatever_the_clocks_say(store, monkeypatch):
    job = manager_of(store, ServiceAdapter(Service()), sets=6).submit(_coerced())
    (chunk,) = store.chunks(job)
    alive = "another-machine|1|2|beef"
    assert store.claim(chunk, alive)
    steady = {"now": 10.0}
    monkeypatch.setattr(owners, "steady", lambda: steady["now"])
    real = time.time
    mine = owners.new_owner()
    for ahead in (0.0, 3600.0, -3600.0):  # our clock is wrong by an hour
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        assert store.claim(store.chunks(job)[0], mine) is None
        steady["now"] += 50
        store.renew(alive)
    steady["now"] += 59
    assert store.claim(store.chunks(job)[0], mine) is None
    steady["now"] += 59
    assert store.claim(store.chunks(job)[0], mine) is None  # it was renewed in between
    steady["now"] += 1
    assert store.claim(store.chunks(job)[0], mine) is not None


def test_a_pause_is_over_by_a_clock_that_nobody_sets(store, monkeypatch):
    job = manager_of(store, ServiceAdapter(Service()), sets=6).submit(_coerced())
    (chunk,) = store.chunks(job)
    steady = {"now": 10.0}
    monkeypatch.setattr("qiskit_hqnn.jobs.sending.patience.steady", lambda: steady["now"])
    pauses = Pauses()
    pauses.set(chunk.tag, 20)
    assert not pauses.over(chunk, now=5e9)
    steady["now"] += 20
    assert pauses.over(chunk, now=0)
    others = type(chunk)(**{**chunk.__dict__, "not_before": 1000.0})
    assert [Pauses().over(others, now=now) for now in (999.0, 1001.0, 1000.0 - DAY)] == [False, True, True]


# What a service says about when to come again


class Busy(ServiceAdapter):
    """Says "not now" a few times."""

    errors: tuple = ()

    def submit(self, requests, *, tag, options):
        if self.service.calls["submit"] < len(self.errors):
            self.service.calls["submit"] += 1
            raise self.errors[self.service.calls["submit"] - 1]
        return super().submit(requests, tag=tag, options=options)


def test_what_was_not_sent_is_sent_again_without_being_looked_for(store, undisturbed):
    service = Service()
    adapter = Busy(service)
    adapter.lookup_seconds = 30.0  # which nobody waits for
    adapter.errors = (NotSentError("not now"), PacedError("five a minute", 0.2), NotSentError("not now", 0.1))
    started = time.monotonic()
    np.testing.assert_array_equal(estimate(store, adapter), undisturbed)
    assert 0.2 < time.monotonic() - started < 10
    assert len(service.jobs) == 3


def test_a_pace_counts_as_no_attempt_and_a_refusal_leaves_the_job_open(store, undisturbed):
    service = Service()
    adapter = Busy(service)
    adapter.errors = (PacedError("five a minute", 0.001),) * 20
    np.testing.assert_array_equal(estimate(store, adapter), undisturbed)
    other, refusing = Store(store.file.with_name("other.db")), Busy(Service())
    refusing.errors = (NotSentError("too many jobs wait"),) * 99
    with pytest.raises(
        TransientError, match=r"not accepted part 00000 in 4 attempts, and the job stays open.*too many"
    ):
        estimate(other, refusing)
    assert other.jobs()[0].state == "open"
    assert not refusing.service.jobs
    np.testing.assert_array_equal(estimate(other, ServiceAdapter(refusing.service)), undisturbed)


def test_an_answer_that_nobody_understands_leaves_the_job_open_after_the_last_attempt(store, undisturbed):
    service = Service()
    with pytest.raises(TransientError, match="in 4 attempts, and the job stays open"):
        estimate(store, ServiceAdapter(service, {("submit", n): "before" for n in range(1, 99)}))
    assert store.jobs()[0].state == "open"
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service)), undisturbed)
    assert len(service.jobs) == 3


def test_an_unknown_status_is_said_once_and_waited_for(store, undisturbed):
    from qiskit_hqnn.jobs.adapters.seam import JobState

    service, said = Service(), []
    original = store.note
    store.note = lambda job, reason: said.append(reason) or original(job, reason)

    class Resting(ServiceAdapter):
        def status(self, job_id):
            if service.calls["status"] < 5:
                service.calls["status"] += 1
                return JobState("running", "the service calls the job 'Resting'")
            return super().status(job_id)

    with pytest.warns(
        UserWarning, match="waits for job job-0 of part 00000: the service calls the job 'Resting'"
    ):
        np.testing.assert_array_equal(estimate(store, Resting(service)), undisturbed)
    assert sum("'Resting'" in words for words in said) == len(set(said)) >= 1


# A store that is gone


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_store_that_is_gone_says_so_instead_of_waiting(store, how):
    service, go = Service(), threading.Event()
    manager = manager_of(store, Queued(service, go))
    job = manager.submit(_coerced())
    errors = []

    def user():
        try:
            drive(store, job, manager.adapter, patience=FAST)
        except StoreError as error:
            errors.append(str(error))

    waiting = threading.Thread(target=user)
    waiting.start()
    time.sleep(0.3)
    for companion in store.file.parent.glob("jobs.db*"):
        companion.unlink()
    if how == "replaced":
        Store(store.file).close()
    waiting.join(10)
    assert not waiting.is_alive()
    (words,) = errors
    assert "was deleted or replaced while it was in use" in words
    assert "the same request from another store takes it where the service still lists it" in words
    assert store.file.exists() == (how == "replaced")


def test_a_cancelled_copy_cancels_what_it_shares_and_says_so_in_both(store):
    service, go = Service(), threading.Event()
    manager = manager_of(store, Queued(service, go), sets=6)
    job = manager.submit(_coerced())
    drive(store, job, manager.adapter, patience=FAST, until_sent=True)
    other = copy_of(store)
    assert cancel(other, job, manager.adapter, Patience(attempts=2, backoff=0.001)) == "cancelled"
    with pytest.raises(JobFailedError, match="was cancelled"):
        estimate_of(store, manager)


def estimate_of(store, manager):
    manager.store = store
    return manager.estimator().run([_coerced()]).result()[0].data.evs
