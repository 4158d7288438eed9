"""The budget holds for what is paid: one meter for calls, managers, jobs and runs, and every sending of every part."""

import random
import sqlite3
import threading

import numpy as np
import pytest
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.errors import BudgetError, HQNNError
from qiskit_hqnn.jobs import JobManager, Meter, Patience, Price, Spending, Store, expectation_values
from qiskit_hqnn.jobs.adapters.seam import JobState, PermanentError, SplitError
from qiskit_hqnn.jobs.chunks import ChunkLimits
from qiskit_hqnn.jobs.recording import JobFailedError
from qiskit_hqnn.jobs.sending.driving import cancel, drive
from tests.jobs.service import Service, ServiceAdapter

ANSATZ = hqnn_parallel(2, 1)
TEMPLATE = make_template(ANSATZ)
VALUES = np.random.default_rng(3).uniform(-3, 3, (6, TEMPLATE.num_angles))
PUB = EstimatorPub.coerce((TEMPLATE.circuit, [[observable] for observable in ANSATZ.observables], VALUES))
FAST = Patience(attempts=4, backoff=0.001, longest=0.002, hiccups=5)
PRICE = 2 + 6 * 50 * 250e-6  # one job: six sets of 50 shots, 250 µs apart


class Charging(ServiceAdapter):
    """A service that charges for whatever ran: so much a job and so much a set; and fails where it is told to."""

    def __init__(self, service, faults=None, a_job=2.0, a_set=50 * 250e-6):
        super().__init__(service, faults)
        self.a_job, self.a_set = a_job, a_set

    def _charge(self, job):
        return self.a_job + self.a_set * sum(request.sets for request in job["requests"])

    def status(self, job_id):
        job = self.service.jobs[job_id]
        state = job["ended"] if "ended" in job else super().status(job_id)
        if state.word == "failed":
            job["ended"] = state
        if state.word in ("done", "failed"):
            job["charged"] = self._charge(job)
            return JobState(state.word, state.reason, state.permanent, state.too_long, job["charged"])
        return JobState("cancelled", state.reason, seconds=0.0)


def charged_by(service):
    return sum(job.get("charged", 0.0) for job in service.jobs.values())


def manager_of(store, adapter, budget=None, sets=6, **settings):
    settings.setdefault("seed", 1)
    manager = JobManager(
        "aer", store=store, shots=50, adapter=adapter, patience=FAST, max_qpu_seconds=budget, **settings
    )
    manager.limits = ChunkLimits(sets=sets)
    return manager


def answer(manager):
    return manager.estimator().run([PUB]).result()[0].data.evs


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "jobs.db")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The answer by the number of sets in a part: each part has samples of its own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return {
        sets: answer(manager_of(Store(folder / f"{sets}.db"), Charging(Service()), sets=sets))
        for sets in (2, 3, 6)
    }


# The meter by itself.


def test_what_a_child_spends_its_parents_have_spent():
    run = Meter(10, "the run's limit")
    training, test = run.child(), run.child(3, "the test's limit")
    training.spend(Spending(10, 4.0))
    with test.child() as call:
        call.spend(Price(executions=7, qpu_seconds=1.5))
        assert run.spent == Spending(17, 5.5)
    assert (run.spent, test.spent, training.spent) == (Spending(17, 5.5), Spending(7, 1.5), Spending(10, 4.0))
    assert (run.left, test.left, training.left) == (4.5, 1.5, 4.5)
    training.spend(Spending(1, 4.0))
    assert test.left == 0.5  # the run's limit is the tighter one now


def test_a_cost_is_held_against_every_limit_and_the_sentence_names_the_one_that_it_is_over():
    run = Meter(10, "max_qpu_seconds of the run")
    call = run.child(8, "the budget of this call")
    call.check(8.0, "A")
    with pytest.raises(
        BudgetError, match=r"^A would cost 8\.1 .* but the budget of this call is 8; nothing was sent\.$"
    ):
        call.check(8.1, "A")
    run.spend(Spending(1, 4.0))
    with pytest.raises(
        BudgetError, match=r"max_qpu_seconds of the run is 10, of which 4\.0 are spent; it waits\.$"
    ):
        call.check(Price(qpu_seconds=6.5), "B", "it waits.")
    call.check(6.5, "B", counted=0.5)


def test_a_limit_is_exact_up_to_the_rounding_of_sums():
    meter = Meter(1.0)
    for _ in range(9):
        meter.spend(Spending(1, 0.1))
    meter.check(0.1, "The tenth")
    with pytest.raises(BudgetError):
        meter.check(0.1001, "More than the tenth")


@pytest.mark.parametrize("limit", [0, -1, float("nan"), True, "3", [3]])
def test_a_limit_that_limits_nothing_is_refused(limit):
    with pytest.raises(HQNNError, match="`max_qpu_seconds` must be positive, but is"):
        Meter(limit)
    meter = Meter(3)
    with pytest.raises(HQNNError, match="`max_qpu_seconds` must be positive, but is"):
        meter.limit = limit
    assert meter.limit == 3


def test_a_reading_counts_until_it_is_closed_and_then_as_it_was_last():
    meter, reading = Meter(), [Spending(1, 1.0)]
    child = meter.child(reading=lambda: reading[0])
    reading[0] = Spending(2, 5.0)
    assert meter.spent == Spending(2, 5.0)
    child.close()
    reading[0] = Spending(3, 9.0)
    assert meter.spent == Spending(2, 5.0)
    child.close()  # once
    assert meter.spent == Spending(2, 5.0)


def test_laps_add_up_to_what_was_spent():
    generator = random.Random(0)
    meter = Meter(before=Spending(0, 2.0), lapped=Spending(0, 1.25))
    laps = [meter.lap()]
    assert laps[0].qpu_seconds == 0.75
    for _ in range(200):
        meter.spend(Spending(1, generator.random() / 7))
        laps.append(meter.lap())
    assert sum(lap.executions for lap in laps) == 200
    assert sum(lap.qpu_seconds for lap in laps) == pytest.approx(meter.spent.qpu_seconds - 1.25, abs=5.01e-4)


def test_threads_lose_no_spending():
    meter = Meter()

    def work():
        for _ in range(300):
            with meter.child() as call:
                call.spend(Spending(1, 1.0))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert meter.spent == Spending(1200, 1200.0)


# What a device charges.


def failing(state, times):
    return {("status", number): state for number in range(1, times + 1)}


BROKEN = JobState("failed", "the device went away")
TOO_LONG = JobState("failed", "ran too long", too_long=True)


@pytest.mark.parametrize(
    "faults",
    [failing(BROKEN, 3), {("result", number): "gone" for number in range(1, 4)}, failing(TOO_LONG, 1)],
    ids=["failed", "results gone", "too long"],
)
def test_what_is_sent_again_is_paid_again_and_stops_at_the_budget(store, undisturbed, faults):
    service = Service()
    manager = manager_of(store, Charging(service, faults), budget=PRICE + 1)
    with pytest.raises(
        BudgetError,
        match=r"Sending part 00000 of job .* would cost .* of which 2\.1 are spent; it waits, what is done",
    ):
        answer(manager)
    assert len(service.jobs) == 1
    assert charged_by(service) == pytest.approx(PRICE)
    assert manager.qpu_seconds == pytest.approx(PRICE)
    assert store.jobs()[0].state == "paused"
    # Asked again with a larger budget it goes on, and everything that was ever sent is on the bill.
    manager.meter.limit = 8 * PRICE
    found = answer(manager)
    if any(chunk.state == "split" for chunk in store.chunks(store.jobs()[0].id)):
        np.testing.assert_allclose(found, undisturbed[6], atol=1.0)  # halves have samples of their own
    else:
        np.testing.assert_array_equal(found, undisturbed[6])
    assert manager.qpu_seconds == pytest.approx(charged_by(service)) == pytest.approx(store.spent()[1])
    assert charged_by(service) > 1.9 * PRICE
    assert manager.meter.answered.qpu_seconds == pytest.approx(charged_by(service))


def test_parts_that_fit_go_on_while_one_waits_for_a_larger_budget(store, undisturbed):
    service = Service()
    # Three parts of two sets, a third of the price each; the first one to be looked at fails.
    manager = manager_of(store, Charging(service, failing(BROKEN, 1), a_job=2 / 3), budget=2.5, sets=2)
    with pytest.raises(BudgetError, match="Sending part 00000 .* again \\(the device went away\\)"):
        answer(manager)
    (job,) = store.jobs()
    assert (job.state, job.finished, job.chunks) == ("paused", 2, 3)
    with pytest.raises(BudgetError, match=r"is paused: Sending part"):
        expectation_values(store, job.id)
    # Another process, with a budget of its own.
    other = manager_of(Store(store.file), Charging(service, a_job=2 / 3), budget=0.7, sets=2)
    np.testing.assert_array_equal(answer(other), undisturbed[2])
    assert other.qpu_seconds == pytest.approx(PRICE / 3)  # the part that it sent
    assert store.spent()[1] == pytest.approx(charged_by(service))


def test_a_part_that_was_never_made_costs_nothing(store):
    service = Service()
    manager = manager_of(store, Charging(service, {("submit", 1): PermanentError("no")}), budget=3)
    with pytest.raises(JobFailedError):
        answer(manager)
    assert manager.meter.spent == Spending()
    assert store.spent() == (0, 0.0)
    service = Service()
    too_large = manager_of(store, Charging(service, {("submit", 1): SplitError("413")}), budget=4.2, seed=2)
    answer(too_large)  # in two halves, which cost 2 s more than the whole
    assert len(service.jobs) == 2
    assert too_large.qpu_seconds == pytest.approx(charged_by(service)) == pytest.approx(PRICE + 2)


def test_a_cancelled_job_costs_what_the_device_says(store):
    service = Service()
    manager = manager_of(store, Charging(service), sets=2)
    job = manager.submit(PUB)
    assert manager.qpu_seconds == pytest.approx(PRICE)
    cancel(store, job, manager.adapter, FAST)
    assert manager.meter.spent == Spending()
    assert manager.retry(job) == 3
    assert manager.qpu_seconds == pytest.approx(PRICE)
    assert manager.wait(job) == "done"
    assert manager.qpu_seconds == pytest.approx(charged_by(service))


def test_a_retry_is_held_against_the_budget(store):
    service = Service()
    failed = JobState("failed", "invalid", permanent=True)
    manager = manager_of(store, Charging(service, failing(failed, 1)), budget=1.5 * PRICE)
    with pytest.raises(JobFailedError, match="invalid"):
        answer(manager)
    (job,) = store.jobs()
    assert store.price_of_retry(job.id) == (1, pytest.approx(PRICE))
    with pytest.raises(BudgetError, match=r"Sending 1 parts? of job .* again would cost 2\.1"):
        manager.retry(job.id)
    assert store.job(job.id).state == "failed"


def test_a_job_takes_its_budget_along_to_whoever_sends_it(store, undisturbed):
    service = Service()
    job = manager_of(store, Charging(service), budget=30).submit(PUB, max_qpu_seconds=3)
    assert store.job(job).settings["max_qpu_seconds"] == 3
    faulty = Charging(service, failing(BROKEN, 2))
    with pytest.raises(BudgetError, match="max_qpu_seconds of the job is 3, of which 2.1 are spent"):
        drive(store, job, faulty, patience=FAST)
    # Asked for again it may cost more from now on; nothing is recorded twice.
    assert manager_of(store, Charging(service)).submit(PUB, max_qpu_seconds=7) == job
    assert drive(store, job, faulty, patience=FAST) == "done"
    assert len(service.jobs) == 3
    np.testing.assert_array_equal(expectation_values(store, job).data.evs, undisturbed[6])


def test_what_was_recorded_is_not_sent_once_the_budget_is_gone_without_it(store):
    service = Service()
    manager = manager_of(store, Charging(service, a_job=7.0), budget=6.0)
    later = manager.submit(PUB)
    manager.sampler().run(
        [(PUB.circuit.measure_all(inplace=False), VALUES)]
    ).result()  # charged 7.1 for a price of 2.1
    with pytest.raises(
        BudgetError, match=r"Sending part 00000 .* would cost 2\.1 .* is 6, of which 7\.1 are spent"
    ):
        manager.wait(later)
    assert len(service.jobs) == 1
    manager.meter.limit = 20
    assert manager.wait(later) == "done"


@pytest.mark.slow
def test_random_faults_never_exceed_the_budget_by_more_than_a_running_job(tmp_path, undisturbed):
    finished = 0
    for seed in range(12):
        generator = random.Random(seed)
        store, service = Store(tmp_path / f"{seed}.db"), Service()
        faults = {}
        for call, kinds in (
            ("submit", ["before", "after", 2, SplitError("413")]),
            ("status", ["before", BROKEN, TOO_LONG, "not found"]),
            ("result", ["before", "gone", "empty"]),
        ):
            for number in range(1, 30):
                if generator.random() < 0.25:
                    faults[call, number] = generator.choice(kinds)
        budget = PRICE + 4 + generator.uniform(0, 4 * PRICE)
        sets = generator.choice([2, 3, 6])
        adapter = Charging(service, faults, a_job=2 * sets / 6)
        manager = manager_of(store, adapter, budget=budget, sets=sets)
        try:
            found = answer(manager)
            if all(chunk.state == "done" for chunk in store.chunks(store.jobs()[0].id)):
                np.testing.assert_array_equal(found, undisturbed[sets])
            finished += 1
        except (BudgetError, JobFailedError):
            assert store.jobs()[0].state in ("paused", "failed")
        # Two jobs of one submission may both run before one is found out; those are the running one.
        doubled = sum(kind == 2 for kind in faults.values())
        assert charged_by(service) <= budget + 1e-9 + doubled * (PRICE + 1)
    assert 0 < finished < 12


def test_a_store_of_an_earlier_version_says_what_it_has_cost(tmp_path):
    file = tmp_path / "jobs.db"
    store = Store(file)
    store.add_job("a" * 64, "ibm_x", "", 1, 900, 6.0, {}, None, [b"x", b"y", b"z"])
    store.add_job("b" * 64, "ibm_x", "", 1, 100, 2.5, {}, None, [b"x"])
    store.close()
    with sqlite3.connect(file) as database:
        database.execute("UPDATE hqnn_chunks SET seconds = 2.25 WHERE position = '00001'")
        database.execute("DROP TABLE hqnn_charges")
    database.close()
    store = Store(file)
    assert store.spent("a" * 64) == (900, pytest.approx(2.0 + 2.25 + 2.0))
    assert store.spent() == (1000, pytest.approx(8.75))
    assert Store(file).spent() == store.spent()
