"""The worker's locks end, and belong to one user; its log leads nowhere else; it makes no store of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import HQNNError, StoreError
from qiskit_hqnn.jobs import own_files, worker
from qiskit_hqnn.jobs.sending import locks
from qiskit_hqnn.jobs.store import Store

HOLDER = """
import sys, time
from pathlib import Path
from qiskit_hqnn.jobs.sending import locks
locks.BEAT = 0.1
lock = locks.take(Path(sys.argv[1]))
print(lock is not None, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return own_files.own_folder()


@pytest.fixture
def holder(own_folder):
    """Another process that holds the lock "one"."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, own_folder / "one"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == "True"
    yield process
    process.kill()
    process.wait()


def test_a_lock_is_one_processs_until_it_dies(own_folder, holder):
    path = own_folder / "one"
    assert locks.is_held(path)
    assert locks.take(path) is None
    holder.kill()
    holder.wait()
    assert not locks.is_held(path)
    lock = locks.take(path)
    assert lock is not None
    assert locks.is_held(path)
    lock.release()
    assert not path.exists()
    assert not locks.is_held(path)


def test_a_stopped_process_keeps_nobody_waiting(own_folder, holder, monkeypatch):
    path = own_folder / "one"
    monkeypatch.setattr(locks, "STALE", 1.0)
    time.sleep(1.2)
    assert locks.take(path) is None  # it shows that it runs
    os.kill(holder.pid, signal.SIGSTOP)
    until = time.monotonic() + 10
    while locks.is_held(path) and time.monotonic() < until:
        time.sleep(0.05)
    lock = locks.take(path)
    assert lock is not None
    os.kill(holder.pid, signal.SIGCONT)
    time.sleep(0.3)
    assert locks.take(path) is None  # what it has is no lock of this name any more
    lock.release()


def test_many_that_ask_at_once_are_given_one(own_folder):
    path, taken = own_folder / "many", []
    barrier = threading.Barrier(8)

    def ask():
        barrier.wait()
        taken.append(locks.take(path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [lock for lock in taken if lock is not None]
    assert len(held) == 1
    held[0].release()


def test_locks_lie_where_nobody_else_can_write(monkeypatch, tmp_path, own_folder):
    assert own_folder.stat().st_mode & 0o077 == 0
    shared = tmp_path / "shared"
    (shared / "hqnn").mkdir(parents=True)
    (shared / "hqnn").chmod(0o777)
    monkeypatch.setenv("XDG_STATE_HOME", str(shared))
    monkeypatch.setattr(own_files.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    elsewhere = own_files.own_folder()
    assert elsewhere.parent == tmp_path / "temporary"
    elsewhere.rmdir()
    elsewhere.symlink_to(shared / "hqnn")
    with pytest.raises(HQNNError, match="must be a folder that only you can write"):
        own_files.own_folder()


def test_a_log_that_is_a_link_is_not_followed(tmp_path, monkeypatch):
    store = Store(tmp_path / "jobs.db")
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "jobs.log").symlink_to(target)
    monkeypatch.setattr(worker.subprocess, "Popen", lambda *_, **__: pytest.fail("a worker was started"))
    with pytest.raises(StoreError, match="symbolic link; remove it"):
        worker.ensure_worker(store)
    (tmp_path / "jobs.log").unlink()
    os.mkfifo(tmp_path / "jobs.log")
    with pytest.raises(StoreError, match=r"jobs\.log"):
        worker.ensure_worker(store)
    assert target.read_text() == "mine"


def test_a_worker_makes_no_store(tmp_path, monkeypatch):
    monkeypatch.setenv(worker.STORE_VARIABLE, str(tmp_path / "gone.db"))
    with pytest.raises(SystemExit, match="does not exist"):
        worker.main()
    assert not (tmp_path / "gone.db").exists()


def test_waiting_for_a_job_whose_store_is_deleted_ends_with_a_sentence(tmp_path, monkeypatch):
    waits = threading.Event()
    monkeypatch.setattr(
        "qiskit_hqnn.jobs.ensure_worker", lambda store: waits.set()
    )  # the door, as commands do
    store = Store(tmp_path / "jobs.db")
    store.add_job("a" * 64, "aer", "a job", 1, 1, 1.0, {}, None, [b"request"])
    answers = []

    def wait():
        answers.append(CliRunner().invoke(app, ["jobs", "--store", str(store.file), "wait", "aaaa"]))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert waits.wait(60)
    for companion in Path(tmp_path).glob("jobs.db*"):
        companion.unlink()
    waiting.join(20)
    (answer,) = answers
    assert isinstance(answer.exception, StoreError)
    assert "was deleted or replaced" in str(answer.exception)
    assert not store.file.exists()


def test_waiting_starts_another_worker_only_once_the_last_one_has_ended(tmp_path, monkeypatch):
    from qiskit_hqnn.cli import jobs as command

    class Worker:
        ended = None

        def poll(self):
            return self.ended

    store, now, looks, started = Store(tmp_path / "jobs.db"), [0.0], [0], []
    store.add_job("a" * 64, "aer", "a job", 1, 1, 1.0, {}, None, [b"request"])

    def sleep(_):
        now[0] += 6
        looks[0] += 1
        if looks[0] == 4:
            assert len(started) == 1  # it has not ended, whether it has its lock or not
            started[0].ended = 0
        if looks[0] == 8:
            assert len(started) == 2
            store.mark_cancelling("a" * 64)
            store.settle("a" * 64)

    monkeypatch.setattr("qiskit_hqnn.jobs.ensure_worker", lambda _: started.append(Worker()) or started[-1])
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    assert command._watched(store, store.job("aaaa"), "").state == "cancelled"
    assert len(started) == 2


def test_starting_a_worker_gives_its_process_or_nothing_where_one_waits(tmp_path, monkeypatch, own_folder):
    store = Store(tmp_path / "jobs.db")
    monkeypatch.setattr(worker.subprocess, "Popen", lambda *_, **__: "process")
    assert worker.ensure_worker(store) == "process"
    following = locks.take(worker._own_path(store.address, "next"))
    assert worker.ensure_worker(store) is None
    following.release()
