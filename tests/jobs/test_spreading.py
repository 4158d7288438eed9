"""The job manager over a cluster: the samples of one machine, whatever ends in the middle, and nothing left behind."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.primitives import StatevectorSampler

from qiskit_hqnn.cluster import connect
from qiskit_hqnn.errors import ClusterError
from qiskit_hqnn.jobs import JobFailedError, JobManager, Store
from qiskit_hqnn.jobs.adapters import Outcomes, SamplingRequest, sample
from qiskit_hqnn.jobs.devices import resolve_device
from qiskit_hqnn.jobs.spreading import SpreadAdapter, sliced
from qiskit_hqnn.jobs.spreading.on_worker import sample_there
from tests.forked import forked_dask_workers
from tests.scheduler import scheduler_apart

ANGLES = np.random.default_rng(0).uniform(0, 3, (48, 3))


@pytest.fixture(scope="module")
def client():
    with forked_dask_workers(), connect(workers=2) as client:
        yield client


def rotations(controlled=False):
    """Three qubits, each turned by an angle of its own; with a gate that Aer cannot bind, if asked for."""
    x = ParameterVector("x", 3)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.ry(x[qubit], qubit)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    if controlled:
        circuit.crx(x[0], 0, 2)
    return circuit


def measured(sets=48):
    circuit = rotations()
    circuit.measure_all()
    return circuit, ANGLES[:sets]


PUB = (rotations(), [["ZII"], ["XXI"]], ANGLES[:40])


def manager(cluster=None, where="aer", sets=1, **options):
    """A manager whose jobs of 48 sets have 48 parts."""
    return JobManager(where, shots=50, seed=3, sets_at_once=sets, cluster=cluster, **options)


def samples(manager):
    return manager.sampler().run([measured()]).result()[0].data.meas.array


@pytest.fixture(scope="module")
def alone():
    """What this process samples by itself."""
    return samples(manager())


# Parting a request


@pytest.mark.parametrize(
    ("where", "controlled"), [("aer", False), ("aer", True), ("fake_manila", False)], ids=str
)
def test_slices_of_a_request_have_the_samples_of_the_whole(where, controlled):
    device, circuit = resolve_device(where), rotations(controlled)
    circuit.measure_all()
    request = SamplingRequest(circuit, ("x[0]", "x[1]", "x[2]"), ANGLES, 40, 2**31 - 1)
    parts = sliced(request, 4)
    assert [part.sets for part in parts] == [16] * 3
    together = Outcomes.joined([sample(part, device) for part in parts])
    assert np.array_equal(together.counts, sample(request, device).counts)


def test_a_request_of_few_sets_or_of_another_aer_stays_whole(monkeypatch):
    circuit, values = measured()
    request = SamplingRequest(circuit, ("x[0]", "x[1]", "x[2]"), values, 40, 1)
    assert len(sliced(replace(request, values=values[:31]), 4)) == 1
    monkeypatch.setattr("qiskit_hqnn.jobs.spreading.slices.seeds_are_known", lambda: False)
    assert sliced(request, 4) == [request]


# The samples of one machine


@pytest.mark.parametrize("where", ["aer", pytest.param("fake_manila", marks=pytest.mark.slow)])
def test_results_equal_one_machines_seed_for_seed(where, client, tmp_path):
    kept = {"store": tmp_path / "jobs.db"} if where == "aer" else {}
    here, spread = manager(None, where, 36, **kept), manager(client, where, 36)
    assert np.array_equal(samples(spread), samples(here))
    found = spread.estimator().run([PUB]).result()[0]
    wanted = here.estimator().run([PUB]).result()[0]
    assert np.array_equal(found.data.evs, wanted.data.evs)
    assert np.array_equal(found.data.stds, wanted.data.stds)


def test_two_clients_of_one_store_share_the_work(client, store_url, monkeypatch):
    sent = []
    submit = SpreadAdapter.submit
    monkeypatch.setattr(SpreadAdapter, "submit", lambda *a, **k: sent.append(k["tag"]) or submit(*a, **k))
    managers = [manager(client, sets=5, store=store_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(samples, managers))
    assert np.array_equal(results[0], samples(manager(sets=5)))
    assert np.array_equal(*results)
    (job,) = Store(store_url).jobs()
    assert (job.state, job.finished, job.chunks) == ("done", 10, 10)
    assert len(sent) == len(set(sent)) == 10  # and none of them twice


# What ends in the middle


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_part_only(client, tmp_path, alone):
    asked = manager(client, store=tmp_path / "jobs.db")
    most, killed = [], []

    def progress(finished, _):
        most.append(len(client.cluster.scheduler.tasks))
        if finished == 16 and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    asked.progress = progress
    assert np.array_equal(samples(asked), alone)
    assert killed
    (job,) = asked.store.jobs()
    assert (job.state, job.finished, job.chunks) == ("done", 48, 48)
    assert {chunk.attempts for chunk in asked.store.chunks(job.id)} == {0}
    # Two slices for each of two threads; whatever is finished is let go.
    assert 1 <= max(most) <= 4
    assert not client.futures


GATE = Event()
ASKED = []


def sample_eight(*given):
    """On a worker in this process: the ninth part waits until the scheduler has ended."""
    ASKED.append(None)
    if len(ASKED) > 8:
        GATE.wait(60)
    return sample_there(*given)


@pytest.mark.slow
def test_a_scheduler_that_is_killed_leaves_what_is_finished_and_the_rest_resumes(
    client, tmp_path, alone, monkeypatch
):
    def progress(finished, _):
        if finished >= 2:
            process.kill()
            process.join()
            GATE.set()

    with (
        scheduler_apart(tmp_path) as (process, address),
        connect(address) as other,
        monkeypatch.context() as patch,
    ):
        patch.setattr("qiskit_hqnn.jobs.spreading.adapter.sample_there", sample_eight)
        asked = manager(other, store=tmp_path / "jobs.db")
        asked.progress = progress
        with pytest.raises(ClusterError, match="scheduler does not answer any more: what is finished"):
            samples(asked)
    (job,) = asked.store.jobs()
    assert 2 <= job.finished <= 8
    assert job.state == "open"

    resumed, numbers = manager(client, store=tmp_path / "jobs.db"), []
    resumed.progress = lambda finished, _: numbers.append(finished)
    assert np.array_equal(samples(resumed), alone)
    assert numbers[0] == job.finished  # none of them again
    assert resumed.store.job(job.id).finished == 48


# What cannot be spread


def test_what_a_worker_cannot_open_is_refused(client):
    with pytest.raises(ClusterError, match="Only the simulations 'aer' and 'fake_<device>' are spread"):
        manager(client, StatevectorSampler())
    with pytest.raises(
        ClusterError, match=r"must be a distributed\.Client, .* but is 'tcp://127\.0\.0\.1:8786'"
    ):
        manager("tcp://127.0.0.1:8786")


def test_a_worker_that_would_compute_something_else_is_refused(client, monkeypatch, tmp_path):
    asked = manager(client, store=tmp_path / "jobs.db")
    monkeypatch.setattr("qiskit_hqnn.jobs.spreading.adapter.versions_here", lambda: {"qiskit-aer": "0.1"})
    with pytest.raises(ClusterError, match=r"A worker has qiskit-aer .* where this process has 0\.1"):
        samples(asked)
    assert asked.store.jobs()[0].state == "open"


# Last, since Dask does not start a process again that ends while it starts


@pytest.mark.slow
def test_a_part_that_always_ends_its_worker_is_reported(client, monkeypatch):
    monkeypatch.setattr(
        "qiskit_hqnn.jobs.spreading.adapter.sample_there", lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    )
    with pytest.raises(
        JobFailedError, match="aer cannot run this: the worker process that had a part of it ended"
    ):
        manager(client).sampler().run([measured(1)]).result()
