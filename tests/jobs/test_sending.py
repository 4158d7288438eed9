"""The submit protocol: whatever breaks, one completed job per chunk, and the outcomes of an undisturbed run."""

import random
import threading
import time

import numpy as np
import pytest

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.adapters import open_place
from qiskit_hqnn.jobs.adapters.seam import (
    JobState,
    PermanentError,
    SplitError,
    TransientError,
    UnauthorisedError,
)
from qiskit_hqnn.jobs.chunks import ChunkLimits
from qiskit_hqnn.jobs.recording import JobFailedError
from qiskit_hqnn.jobs.sending.driving import cancel, drive
from qiskit_hqnn.jobs.sending.protocol import Patience
from qiskit_hqnn.jobs.store.store import Store
from tests.jobs.service import Died, Service, ServiceAdapter

ANSATZ = hqnn_parallel(2, 1)
TEMPLATE = make_template(ANSATZ)
VALUES = np.random.default_rng(3).uniform(-3, 3, (6, TEMPLATE.num_angles))
PUB = (TEMPLATE.circuit, [[observable] for observable in ANSATZ.observables], VALUES)
FAST = Patience(attempts=4, backoff=0.001, longest=0.002, hiccups=5)


def manager_of(store, adapter, sets=2):
    manager = JobManager("aer", store=store, shots=50, seed=1, adapter=adapter, patience=FAST)
    manager.limits = ChunkLimits(sets=sets)
    return manager


def estimate(store, adapter):
    return manager_of(store, adapter).estimator().run([PUB]).result()[0].data.evs


def run_until_done(store, service, faults):
    """Processes come and go until one finishes; each finds the store as the last one left it."""
    for life in range(12):
        try:
            adapter = ServiceAdapter(service, faults)
            manager = manager_of(store, adapter)
            estimation = manager.plan(_coerced())
            return estimation.result(manager.run(estimation.requests, estimation.durations)).data.evs, life
        except Died:
            _forget_owners(store)
        except TransientError:
            continue
    raise AssertionError("never finished")


def _coerced():
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    return EstimatorPub.coerce(PUB)


def _left_by_a_dead_process(store, adapter):
    """A job whose process dies on its way through `adapter`."""
    job = manager_of(store, adapter, sets=6).submit(_coerced())
    with pytest.raises(Died):
        drive(store, job, adapter, patience=FAST)
    _forget_owners(store)
    return job


def _forget_owners(store):
    """What the operating system does when a process has died: its leases belong to nobody."""
    with store._transaction() as connection:
        connection.exec_driver_sql("UPDATE hqnn_chunks SET owner = NULL, lease_until = 0")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "jobs.db")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    service = Service()
    evs = estimate(Store(tmp_path_factory.mktemp("undisturbed") / "jobs.db"), ServiceAdapter(service))
    assert len(service.completed()) == 3
    return evs


BREAKS = [
    (call, fault) for call in ("submit", "find", "status", "result") for fault in ("before", "die-before")
]
BREAKS += [("submit", "after"), ("submit", "die-after")]


@pytest.mark.parametrize(("call", "fault"), BREAKS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_call_that_breaks_costs_nothing_and_changes_nothing(store, undisturbed, call, times, fault):
    service = Service()
    evs, _ = run_until_done(store, service, {(call, times): fault})
    np.testing.assert_array_equal(evs, undisturbed)
    assert service.calls[call] >= times
    assert len(service.completed()) == 3
    assert len({job["tag"] for job in service.completed()}) == 3


@pytest.mark.parametrize("step", range(1, 26))
def test_a_process_that_ends_between_two_commits_is_gone_on_with(store, undisturbed, step, monkeypatch):
    commits = 0
    move, finish = Store.move, Store.finish

    def counted(original):
        def commit(self, *arguments, **values):
            nonlocal commits
            commits += 1
            if commits == step:
                raise Died
            result = original(self, *arguments, **values)
            if commits == step - 1 and step % 2:
                commits += 1
                raise Died
            return result

        return commit

    monkeypatch.setattr(Store, "move", counted(move))
    monkeypatch.setattr(Store, "finish", counted(finish))
    service = Service()
    evs, _ = run_until_done(store, service, {})
    np.testing.assert_array_equal(evs, undisturbed)
    assert len(service.completed()) == 3
    assert all(job["word"] in ("done", "cancelled") for job in service.jobs.values())


def test_jobs_that_a_client_made_twice_are_cancelled_but_one(store, undisturbed):
    service = Service()
    evs, _ = run_until_done(store, service, {("submit", 2): 3})
    np.testing.assert_array_equal(evs, undisturbed)
    assert len(service.jobs) == 5
    assert len(service.completed()) == 3
    assert sum(job["word"] == "cancelled" for job in service.jobs.values()) == 2


@pytest.mark.parametrize("seed", range(40))
def test_random_faults_leave_one_completed_job_for_each_chunk(store, undisturbed, seed):
    rng = random.Random(seed)
    faults = {}
    for _ in range(rng.randint(1, 6)):
        call = rng.choice(["submit", "find", "status", "result", "cancel"])
        options = ["before", "die-before"] + (["after", "die-after", 2, 3] if call == "submit" else [])
        faults[call, rng.randint(1, 8)] = rng.choice(options)
    service = Service()
    evs, _ = run_until_done(store, service, faults)
    np.testing.assert_array_equal(evs, undisturbed)
    assert len({job["tag"] for job in service.completed()}) == 3
    extra = [job for job in service.jobs.values() if job["word"] not in ("done", "cancelled")]
    if not any(call == "cancel" for call, _ in faults):
        assert not extra
        assert len(service.completed()) == 3


def test_a_passing_failure_is_sent_again_a_bounded_number_of_times(store, undisturbed):
    service = Service()
    evs, _ = run_until_done(store, service, {("status", 1): JobState("failed", "device offline")})
    np.testing.assert_array_equal(evs, undisturbed)
    assert len(service.jobs) == 4
    always = {("status", n): JobState("failed", "device offline") for n in range(1, 100)}
    other = Service()
    with pytest.raises(JobFailedError, match="failed 4 times; the last time: device offline"):
        estimate(Store(store.file.with_name("other.db")), ServiceAdapter(other, always))
    assert len(other.jobs) == 12


def test_results_that_are_gone_are_made_again(store, undisturbed):
    service = Service()
    evs, _ = run_until_done(store, service, {("result", 1): "gone", ("result", 3): "gone"})
    np.testing.assert_array_equal(evs, undisturbed)
    assert len(service.completed()) == 3


@pytest.mark.parametrize("call", ["status", "result"])
def test_a_job_that_is_said_to_be_gone_once_is_not_paid_again(store, undisturbed, call):
    service = Service()
    evs = estimate(store, ServiceAdapter(service, {(call, 1): "not found", (call, 2): "not found"}))
    np.testing.assert_array_equal(evs, undisturbed)
    assert service.calls["submit"] == 3


def test_a_late_job_of_a_request_that_was_given_up_is_found_and_not_sent_again(store, undisturbed):
    service = Service()

    class Late(ServiceAdapter):
        """The first request is answered by nobody, and acted on long after its caller has stopped waiting."""

        deadline = 0.2
        lookup_seconds = 1.0
        first = True

        def submit(self, requests, *, tag, options):
            if Late.first:
                Late.first = False
                time.sleep(0.6)
            return super().submit(requests, tag=tag, options=options)

    np.testing.assert_array_equal(estimate(store, Late(service)), undisturbed)
    assert len(service.jobs) == 3


def test_nothing_leaves_after_its_caller_has_given_up():
    from qiskit_hqnn.jobs.adapters.deadlines import given_up, within

    seen = []

    def slow():
        seen.append(given_up())
        time.sleep(0.3)
        seen.append(given_up())

    with pytest.raises(TransientError, match=r"no answer within 0\.1 s"):
        within(0.1, slow)
    time.sleep(0.4)
    assert seen == [False, True]
    assert not given_up()


def test_an_intent_of_a_dead_process_waits_until_its_request_can_no_longer_arrive(store, undisturbed):
    service = Service()

    class Dying(ServiceAdapter):
        deadline = 0.6

        def submit(self, requests, *, tag, options):
            raise Died

    with pytest.raises(Died):
        estimate(store, Dying(service))
    _forget_owners(store)
    started = time.time()
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service)), undisturbed)
    assert time.time() - started > 0.3
    assert len(service.jobs) == 3


def test_a_part_that_a_dead_process_left_is_stored_before_the_next_one_begins(store):
    """What is computed here is in this process alone: a second death must not cost it as well."""
    adapter = open_place("aer")[1]
    job = manager_of(store, adapter).submit(_coerced())
    submit = adapter.submit

    def dies_at(number):
        calls = iter(range(1, 9))

        def call(*arguments, **options):
            if next(calls) == number:
                raise Died
            return submit(*arguments, **options)

        return call

    states = []
    for number in (1, 2, 9):
        adapter.submit = dies_at(number)
        try:
            drive(store, job, adapter, patience=FAST)
        except Died:
            _forget_owners(store)
        states.append([chunk.state for chunk in store.chunks(job)])
    assert states == [["intent", "waiting", "waiting"], ["done", "intent", "waiting"], ["done"] * 3]


def test_of_two_jobs_under_a_tag_the_paid_one_is_kept(store, undisturbed):
    service = Service()

    class Twice(ServiceAdapter):
        """Makes a second job of the first request, which runs first."""

        def submit(self, requests, *, tag, options):
            own = super().submit(requests, tag=tag, options=options)
            if len(service.jobs) == 1:
                other = service.submit(requests, tag)
                service.jobs[other]["word"] = "done"
                service.jobs[own]["word"] = "waiting"
            return own

    np.testing.assert_array_equal(estimate(store, Twice(service)), undisturbed)
    assert len(service.completed()) == 3
    assert sum(job["word"] == "cancelled" for job in service.jobs.values()) == 1


def test_two_stores_that_ask_the_same_leave_each_others_jobs_alone(store, undisturbed):
    service = Service()
    other = Store(store.file.with_name("other.db"))
    for each in (store, other):
        np.testing.assert_array_equal(estimate(each, ServiceAdapter(service)), undisturbed)
    assert len(service.completed()) == 6
    assert len({job["tag"] for job in service.jobs.values()}) == 6
    assert store.mark != other.mark
    assert Store(store.file).mark == store.mark


def test_a_permanent_failure_is_told_and_not_repeated(store):
    service = Service()
    state = JobState("failed", "error 1517: not an ISA circuit", permanent=True)
    with pytest.raises(JobFailedError, match="on service failed: error 1517: not an ISA circuit"):
        estimate(store, ServiceAdapter(service, {("status", 1): state}))
    assert len(service.jobs) == 3
    refused = Service()
    with pytest.raises(JobFailedError, match="retired"):
        estimate(
            Store(store.file.with_name("refused.db")),
            ServiceAdapter(refused, {("submit", 1): PermanentError("the device is retired")}),
        )
    assert refused.calls["submit"] == 3


def test_what_was_cancelled_elsewhere_is_never_sent_again_unless_asked(store, undisturbed):
    service = Service()
    adapter = ServiceAdapter(service, {("status", 2): JobState("cancelled", "by the user")})
    with pytest.raises(JobFailedError, match="was cancelled: by the user"):
        estimate(store, adapter)
    assert service.calls["submit"] == 3
    with pytest.raises(JobFailedError):
        estimate(store, ServiceAdapter(service))
    assert service.calls["submit"] == 3
    (job,) = store.jobs()
    assert store.reopen(job.id) == 1
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service)), undisturbed)
    assert service.calls["submit"] == 4


def test_what_is_too_long_is_split_and_never_repeated(store):
    service = Service()
    state = JobState("failed", "ran too long", too_long=True)
    evs, _ = run_until_done(store, service, {("status", 1): state, ("submit", 2): SplitError("413")})
    assert evs.shape == (2, 6)
    sizes = sorted(sum(request.sets for request in job["requests"]) for job in service.completed())
    assert sizes == [1, 1, 1, 1, 2]
    for job in service.jobs.values():
        if job["word"] == "failed":
            assert sum(request.sets for request in job["requests"]) == 2


def test_a_single_set_that_is_too_long_is_told(store):
    service = Service()
    adapter = ServiceAdapter(service, {("submit", n): SplitError("413") for n in range(1, 50)})
    with pytest.raises(JobFailedError, match="too large for the device even by itself: 413"):
        estimate(store, adapter)
    assert not service.jobs


def test_a_refused_account_stops_everything_and_loses_nothing(store, undisturbed):
    service = Service()
    with pytest.raises(UnauthorisedError):
        estimate(store, ServiceAdapter(service, {("submit", 2): UnauthorisedError("sign in again")}))
    assert service.calls["submit"] == 2
    assert store.jobs()[0].state == "open"
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service)), undisturbed)
    assert len(service.completed()) == 3


def test_a_call_that_hangs_counts_as_lost(store, undisturbed):
    service = Service()

    class Hanging(ServiceAdapter):
        deadline = 0.1
        hung = False

        def status(self, job_id):
            if not Hanging.hung:
                Hanging.hung = True
                time.sleep(0.6)
            return super().status(job_id)

    np.testing.assert_array_equal(estimate(store, Hanging(service)), undisturbed)
    assert Hanging.hung
    assert len(service.completed()) == 3


def test_a_service_that_stays_away_is_told_and_the_job_stays_open(store, undisturbed):
    service = Service()
    with pytest.raises(TransientError, match="could not be asked 5 times in a row"):
        estimate(store, ServiceAdapter(service, {("status", n): "before" for n in range(1, 30)}))
    assert store.jobs()[0].state == "open"
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service)), undisturbed)
    assert len(service.jobs) == 3


def test_a_lost_job_is_waited_for_before_it_is_sent_again(store, undisturbed):
    service = Service()

    class Slow(ServiceAdapter):
        lookup_seconds = 1.0
        hidden_until = 0.0

        def submit(self, requests, *, tag, options):
            try:
                return super().submit(requests, tag=tag, options=options)
            except TransientError:
                Slow.hidden_until = time.time() + 0.4
                raise

        def find(self, tag):
            return [] if time.time() < Slow.hidden_until else super().find(tag)

    evs = estimate(store, Slow(service, {("submit", 1): "after"}))
    np.testing.assert_array_equal(evs, undisturbed)
    assert len(service.jobs) == 3


def test_cancelling_reaches_the_device_and_stops_the_rest(store):
    service = Service()
    manager = manager_of(store, ServiceAdapter(service))
    job = manager.submit(_coerced())
    assert drive(store, job, manager.adapter, patience=FAST, until_sent=True) == "open"
    cancel(store, job, manager.adapter)
    assert store.job(job).state == "cancelled"
    assert {entry["word"] for entry in service.jobs.values()} == {"cancelled"}


def test_cancelling_reaches_a_job_whose_answer_was_lost(store):
    service = Service()

    class Slow(ServiceAdapter):
        deadline = 0.1
        lookup_seconds = 0.5
        hidden_until = 0.0

        def submit(self, requests, *, tag, options):
            super().submit(requests, tag=tag, options=options)
            Slow.hidden_until = time.time() + 0.3
            raise Died

        def find(self, tag):
            return [] if time.time() < Slow.hidden_until else super().find(tag)

    adapter = Slow(service)
    job = _left_by_a_dead_process(store, adapter)
    assert cancel(store, job, adapter, FAST) == "cancelled"
    assert [entry["word"] for entry in service.jobs.values()] == ["cancelled"]


def test_a_job_that_is_being_sent_while_it_is_cancelled_does_not_stay_on_the_device(store):
    service = Service()
    leaving, gone_on = threading.Event(), threading.Event()

    class Watched(ServiceAdapter):
        def submit(self, requests, *, tag, options):
            leaving.set()
            gone_on.wait(5)
            return super().submit(requests, tag=tag, options=options)

    Watched.deadline = 10.0
    manager = manager_of(store, Watched(service), sets=6)
    job = manager.submit(_coerced())
    states = []
    driver = threading.Thread(target=lambda: states.append(drive(store, job, manager.adapter, patience=FAST)))
    driver.start()
    assert leaving.wait(5)
    store.mark_cancelling(job)
    gone_on.set()
    driver.join(10)
    assert states == ["cancelled"]
    assert [entry["word"] for entry in service.jobs.values()] == ["cancelled"]


def test_a_cancelled_job_that_had_run_already_is_kept_since_it_is_paid(store):
    service = Service()

    class Quick(ServiceAdapter):
        def submit(self, requests, *, tag, options):
            service.jobs[super().submit(requests, tag=tag, options=options)]["word"] = "done"
            raise Died

    adapter = Quick(service)
    job = _left_by_a_dead_process(store, adapter)
    assert cancel(store, job, adapter, FAST) == "done"
    assert len(service.jobs) == 1


def test_a_question_that_is_refused_does_not_give_up_a_job_that_is_there(store, undisturbed):
    service = Service()
    refused = {("status", n): PermanentError("400: bad request") for n in range(1, 4)}
    np.testing.assert_array_equal(estimate(store, ServiceAdapter(service, refused)), undisturbed)
    assert len(service.jobs) == 3


def test_what_was_done_before_a_cancellation_stays(store, undisturbed):
    service = Service()
    manager = manager_of(store, ServiceAdapter(service))
    job = manager.submit(_coerced())
    assert drive(store, job, manager.adapter, patience=FAST) == "done"
    assert cancel(store, job, manager.adapter, FAST) == "done"
    estimation = manager.plan(_coerced())
    assert manager.known(estimation) == job


def test_many_drivers_of_one_job_send_each_chunk_once(store, undisturbed):
    service = Service()
    results = []

    def work():
        other = Store(store.file)
        results.append(estimate(other, ServiceAdapter(service)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for evs in results:
        np.testing.assert_array_equal(evs, undisturbed)
    assert service.calls["submit"] == 3
