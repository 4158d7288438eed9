"""The job store on SQLite and on PostgreSQL: nothing twice, nothing lost, and clear words where it cannot be used."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.errors import HQNNError, StoreError
from qiskit_hqnn.jobs import JobManager, MitigationOptions, expectation_values
from qiskit_hqnn.jobs.adapters.sampling import Outcomes
from qiskit_hqnn.jobs.chunks import (
    ChunkLimits,
    assembled,
    chunked,
    from_bytes,
    halves,
    outcomes_to_bytes,
    to_bytes,
)
from qiskit_hqnn.jobs.recording import sample_at_once
from qiskit_hqnn.jobs.store.owners import is_gone, new_owner
from qiskit_hqnn.jobs.store.store import Store
from qiskit_hqnn.jobs.store.tables import METADATA

ANSATZ = hqnn_parallel(2, 1)
TEMPLATE = make_template(ANSATZ)
VALUES = np.random.default_rng(3).uniform(-3, 3, (7, TEMPLATE.num_angles))
PUB = (TEMPLATE.circuit, [[observable] for observable in ANSATZ.observables], VALUES)


def requests_of(manager):
    return manager.plan(EstimatorPub.coerce(PUB)).requests


def test_a_repeated_request_costs_nothing_in_this_process_or_another(store_url):
    first = JobManager("aer", store=store_url, shots=100)
    evs = first.estimator().run([PUB]).result()[0].data.evs
    assert first.executions == 700
    second = JobManager("aer", store=store_url, shots=100)
    np.testing.assert_array_equal(second.estimator().run([PUB]).result()[0].data.evs, evs)
    assert second.executions == 0
    (job,) = second.store.jobs()
    assert (job.state, job.finished, job.chunks, job.executions) == ("done", 1, 1, 700)


def test_the_same_question_asked_twice_is_sampled_twice(store_url):
    manager = JobManager("aer", store=store_url, shots=100)
    first, second = (manager.estimator().run([PUB]).result()[0].data.evs for _ in range(2))
    assert (first != second).any()
    assert len(manager.store.jobs()) == 2
    again = JobManager("aer", store=store_url, shots=100)
    np.testing.assert_array_equal(again.estimator().run([PUB]).result()[0].data.evs, first)
    np.testing.assert_array_equal(again.estimator().run([PUB]).result()[0].data.evs, second)
    assert again.executions == 0


@pytest.mark.parametrize(
    "change",
    [
        {"shots": 101},
        {"seed": 5},
        {"where": "fake_manila"},
        {"mitigation": MitigationOptions(readout="trex", randomizations=2)},
    ],
    ids=["shots", "seed", "place", "mitigation"],
)
def test_whatever_can_alter_a_result_makes_another_job(store_url, change):
    arguments = {"where": "aer", "store": store_url, "shots": 100}
    pub = EstimatorPub.coerce(PUB)
    ids = {JobManager(**arguments).submit(pub), JobManager(**arguments | change).submit(pub)}
    moved = EstimatorPub.coerce((PUB[0], PUB[1], VALUES + 1e-12))
    ids.add(JobManager(**arguments).submit(moved))
    assert len(ids) == 3
    assert JobManager(**arguments).submit(pub, notes={"why": "no part of it"}) in ids


def test_a_submitted_job_is_driven_by_anyone_and_read_without_its_circuit(store_url):
    options = MitigationOptions(readout="trex", zne=(1, 3), extrapolation="linear", randomizations=2)
    manager = JobManager("fake_manila", store=store_url, shots=200, mitigation=options)
    job = manager.submit(EstimatorPub.coerce(PUB), "by hand", {"run": "somewhere"})
    with pytest.raises(StoreError, match=r"is not done: 0 of \d+ parts are there; `hqnn jobs wait"):
        expectation_values(manager.store, job)
    assert JobManager("fake_manila", store=store_url).wait(job) == "done"
    read = expectation_values(Store(store_url), job).data
    direct = JobManager("fake_manila", store=store_url, shots=200, mitigation=options, seed=0)
    estimation = direct.plan(EstimatorPub.coerce(PUB))
    outcomes = sample_at_once(direct.adapter, estimation.requests, direct.limits, direct.options)
    np.testing.assert_allclose(read.evs, estimation.result(outcomes).data.evs)
    assert read.stds.shape == (2, 7)


def test_processes_that_submit_the_same_at_once_make_one_job(store_url):
    managers = [JobManager("aer", store=store_url, shots=10) for _ in range(6)]
    ids = []
    threads = [
        threading.Thread(target=lambda manager=manager: ids.append(manager.submit(EstimatorPub.coerce(PUB))))
        for manager in managers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert len(managers[0].store.jobs()) == 1


def test_a_chunk_is_in_one_pair_of_hands_and_its_outcomes_are_stored_once(store_url):
    store = Store(store_url)
    manager = JobManager("aer", store=store, shots=10)
    job = manager.submit(EstimatorPub.coerce(PUB))
    (chunk,) = store.chunks(job)
    mine, yours = new_owner(), new_owner()
    held = store.claim(chunk, mine)
    assert held is not None
    assert store.claim(chunk, yours) is None
    assert store.claim(store.chunks(job)[0], yours) is None
    assert not store.move(held, yours, state="sent")
    store.release(mine)
    assert store.claim(store.chunks(job)[0], yours) is not None
    assert store.finish(held, b"first", 1.0)
    assert not store.finish(held, b"second", 2.0)
    assert store.outcomes(held) == b"first"
    assert store.settle(job) == "done"


def test_a_lease_ends_with_its_process():
    assert not is_gone(new_owner())
    machine, pid, started, mark = new_owner().split("|")
    assert is_gone(f"{machine}|{pid}|{int(started) - 1}|{mark}")
    assert not is_gone(f"elsewhere|{pid}|1|{mark}")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert is_gone(f"{machine}|{child}|{started}|{mark}")


def test_ids_may_be_shortened_but_not_guessed(store_url):
    manager = JobManager("aer", store=store_url, shots=10)
    job = manager.submit(EstimatorPub.coerce(PUB))
    assert manager.store.job(job[:6]).id == job
    for wrong in ("", "%", "xyz", "0" * 12, "_"):
        with pytest.raises(StoreError, match="There is no job"):
            manager.store.job(wrong)


def test_only_the_owner_may_read_the_file(tmp_path):
    path = tmp_path / "new" / "jobs.db"
    store = Store(path)
    JobManager("aer", store=store, shots=10).submit(EstimatorPub.coerce(PUB))
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_store_that_cannot_be_used_is_one_sentence(tmp_path):
    path = tmp_path / "jobs.db"
    Store(path).close()
    with pytest.raises(StoreError, match="cannot be used: attempt to write a readonly database; it must be"):
        Store(f"sqlite:///file:{path}?mode=ro&uri=true")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE hqnn_schema SET version = 99")
    with pytest.raises(
        StoreError, match="has schema version 99, but this qiskit_hqnn knows versions up to 1"
    ):
        Store(path)
    (tmp_path / "text.db").write_text("no database at all " * 100)
    with pytest.raises(StoreError, match="cannot be used: file is not a database"):
        Store(tmp_path / "text.db")
    with pytest.raises(
        StoreError, match="must be an SQLite or PostgreSQL database, but the URL names 'mysql'"
    ):
        Store("mysql://me@here/db")
    for url in ("://", "postgresql://here:port/db"):
        with pytest.raises(StoreError, match="must be sqlite:///FILE"):
            Store(url)
    for empty in ("", " "):  # SQLite takes it for a database in memory, which ends with the process
        with pytest.raises(StoreError, match="but is empty"):
            Store(empty)
    with pytest.raises(StoreError, match=r"options \(mode\) with sqlite:///file:PATH\?…&uri=true"):
        Store("sqlite:///file:jobs.db?mode=ro")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written: "):
        Store(tmp_path / "file" / "jobs.db")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everything")
def test_a_file_without_permission_is_one_sentence(tmp_path):
    path = tmp_path / "jobs.db"
    Store(path).close()
    path.chmod(0o400)
    with pytest.raises(StoreError, match="cannot be used: attempt to write a readonly database"):
        Store(path)


def test_a_second_store_in_a_process_loses_nothing(tmp_path):
    """SQLite's locks belong to a process: closing a descriptor of its own file would drop them all."""
    path = tmp_path / "jobs.db"

    def elsewhere(statement):
        opened = f"from qiskit_hqnn.jobs.store.store import Store\nstore = Store({str(path)!r})"
        program = f"{opened}\n{statement}\nstore.close()"
        return subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout

    first = Store(path)
    assert first.jobs() == []
    store = Store(path)
    assert store.jobs() == []
    elsewhere("store.add_job('a' * 64, 'aer', '', 1, 1, 1.0, {}, None, [b'request'])")
    assert len(store.jobs()) == 1
    store.add_job("b" * 64, "aer", "", 1, 1, 1.0, {}, None, [b"request"])
    assert elsewhere("print(len(store.jobs()))").strip() == "2"
    first.close()


def test_a_password_is_never_in_an_error():
    with pytest.raises(StoreError) as caught:
        Store("postgresql://me:secret-word@127.0.0.1:1/none")
    assert "secret-word" not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_connection_that_a_server_ends_is_a_sentence_at_most_and_is_made_anew(postgres_server):
    store = Store(f"{postgres_server}/postgres")
    others = Store(f"{postgres_server}/postgres")
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with others._transaction() as connection:
        connection.exec_driver_sql(ended)
    assert store.jobs() == []
    with (
        pytest.raises(StoreError, match="cannot be used: terminating connection"),
        store._transaction() as own,
    ):
        own.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert store.jobs() == []


def test_tables_that_are_dropped_while_they_are_used_are_a_sentence_and_come_back_as_another_store(
    postgres_server,
):
    store = Store(f"{postgres_server}/postgres")
    with store._transaction() as connection:
        for table in reversed(METADATA.sorted_tables):
            table.drop(connection)
    with pytest.raises(
        StoreError, match="deleted while it was in use: what a device has of it runs on, paid"
    ):
        store.jobs()
    again = Store(store.address)
    assert again.jobs() == []
    assert again.mark != store.mark
    with pytest.raises(StoreError, match='database "none" does not exist; it must be readable and writable'):
        Store(f"{postgres_server}/none")


def test_chunks_respect_every_limit_and_lose_nothing():
    manager = JobManager("aer", shots=10, mitigation=MitigationOptions(readout="trex", randomizations=4))
    requests = requests_of(manager)
    for limits in (
        ChunkLimits(sets=3),
        ChunkLimits(executions=25),
        ChunkLimits(payload=2 * 8 * TEMPLATE.num_angles),
        ChunkLimits(result=30),
        ChunkLimits(qpu_seconds=0.021),
    ):
        chunks = chunked(requests, [0.001] * len(requests), limits)
        found = [np.zeros((0, r.values.shape[1])) for r in requests]
        for chunk in chunks:
            assert len({piece.content.shots for piece in chunk}) == 1
            single = len(chunk) == 1 and chunk[0].content.sets == 1
            assert single or sum(p.content.executions for p in chunk) <= limits.executions
            assert single or sum(p.content.values.nbytes for p in chunk) <= limits.payload
            assert single or sum(p.content.executions for p in chunk) <= limits.result
            assert single or sum(p.content.executions for p in chunk) * 0.001 <= limits.qpu_seconds
            assert limits.sets is None or sum(p.content.sets for p in chunk) <= limits.sets
            for piece in chunk:
                assert piece.start == len(found[piece.request])
                found[piece.request] = np.concatenate([found[piece.request], piece.content.values])
        for request, values in zip(requests, found, strict=True):
            np.testing.assert_array_equal(values, request.values)
        assert len(chunks) > 1
    assert len(chunked(requests, [0.001] * len(requests), ChunkLimits())) == 2  # two numbers of shots


def test_chunks_survive_bytes_and_halves_and_come_together_again():
    requests = requests_of(JobManager("aer", shots=10, seed=1))
    (chunk,) = chunked(requests, [0.0], ChunkLimits())
    again = from_bytes(to_bytes(chunk))
    assert [piece.content.digest() for piece in again] == [piece.content.digest() for piece in chunk]
    parts = [quarter for half in halves(chunk) for quarter in halves(half)]
    counts = np.arange(7 * 4, dtype=np.int32).reshape(7, 4)
    contents = []
    for (piece,) in reversed(parts):
        own = counts[piece.start : piece.start + piece.content.sets]
        contents.append(outcomes_to_bytes([piece], [Outcomes(2, own)]))
    np.testing.assert_array_equal(assembled(iter(contents), 1)[0].counts, counts)
    seeds = {piece.content.seed for (piece,) in parts}
    assert len(seeds) == 4


def test_a_job_for_later_needs_a_store():
    with pytest.raises(HQNNError, match="needs a store"):
        JobManager("aer").submit(EstimatorPub.coerce(PUB))


def test_the_budget_holds_for_all_calls_together(store_url):
    manager = JobManager("aer", store=store_url, shots=1000, max_qpu_seconds=6, seed=1)
    manager.estimator().run([PUB]).result()  # 2 s + 7000 × 250 µs
    from qiskit_hqnn.errors import BudgetError

    with pytest.raises(BudgetError, match=r"budget is 6, of which 3\.[78] are spent; nothing was sent"):
        manager.estimator().run([PUB]).result()
    assert len(manager.store.jobs()) == 1
    waiting = JobManager("aer", store=store_url, shots=1000, max_qpu_seconds=6, seed=2)
    waiting.submit(EstimatorPub.coerce(PUB))
    with pytest.raises(BudgetError, match=r"of which 3\.[78] are spent"):
        waiting.estimator().run([PUB], precision=0.03).result()  # what was only recorded will be paid too
    again = JobManager("aer", store=store_url, shots=1000, max_qpu_seconds=1, seed=1)
    again.estimator().run([PUB]).result()  # it is there already: it costs nothing
