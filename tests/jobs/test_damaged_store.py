"""A store that is locked, damaged, newer or another program's is said to be so, and never like one without jobs."""

import os
import random
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs import Store, expectation_values

OLD = Path(__file__).parents[1] / "fixtures" / "v0_1" / "runs" / "jobs.db"


def change(path, *statements):
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def whole(path):
    shutil.copy(OLD, path)


STATES = {
    "garbage": lambda path: path.write_bytes(random.Random(0).randbytes(20_000)),
    "text": lambda path: path.write_text("jobs\n" * 100),
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(OLD.read_bytes()[: OLD.stat().st_size // 2]),
    "a folder": lambda path: path.mkdir(),
    "a link to nothing": lambda path: path.symlink_to("gone.db"),
    "another program's": lambda path: change(path, "CREATE TABLE notes (text)"),
    "newer": lambda path: (whole(path), change(path, "UPDATE hqnn_schema SET version = 99")),
    "no version": lambda path: (whole(path), change(path, "DELETE FROM hqnn_schema")),
    "odd version": lambda path: (whole(path), change(path, "UPDATE hqnn_schema SET version = 'x'")),
    "no jobs table": lambda path: (whole(path), change(path, "DROP TABLE hqnn_jobs")),
    "a lost column": lambda path: (whole(path), change(path, "ALTER TABLE hqnn_jobs DROP COLUMN shots")),
    "no JSON": lambda path: (whole(path), change(path, "UPDATE hqnn_jobs SET settings = '{'")),
    "no number": lambda path: (whole(path), change(path, "UPDATE hqnn_jobs SET created = 'yesterday'")),
}


@pytest.mark.parametrize("state", STATES)
def test_a_store_that_cannot_be_read_is_not_one_without_jobs(tmp_path, monkeypatch, state):
    monkeypatch.chdir(tmp_path)
    path = Path("runs/jobs.db")
    path.parent.mkdir()
    STATES[state](path)
    before = path.read_bytes() if path.is_file() else None
    for command in ([], ["--store", str(path)], ["show", "00"]):
        answer = CliRunner().invoke(app, ["jobs", *command])
        assert isinstance(answer.exception, StoreError), (answer.exception, answer.output)
        assert "No jobs yet" not in answer.output
        assert str(answer.exception).endswith(".")
    if state in ("empty", "another program's", "garbage", "text"):
        assert path.read_bytes() == before  # looking makes nothing
    assert not Path("runs/gone.db").exists()


def test_a_store_that_another_process_holds_is_said_to_be_locked(tmp_path):
    whole(tmp_path / "jobs.db")
    Store(tmp_path / "jobs.db").close()
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="database is locked; another process holds it: try again"):
            Store(tmp_path / "jobs.db", make=False, patience=0.1)
    assert Store(tmp_path / "jobs.db", make=False, patience=0.1).jobs()


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_store_of_somebody_else_is_said_to_be_unreadable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    whole(Path("runs/jobs.db"))
    Path("runs/jobs.db").chmod(0)
    assert isinstance(CliRunner().invoke(app, ["jobs"]).exception, StoreError)
    Path("runs").chmod(0)
    answer = CliRunner().invoke(app, ["jobs"])
    Path("runs").chmod(0o700)
    assert isinstance(answer.exception, OSError)


def test_whatever_is_broken_in_a_file_ends_in_jobs_or_in_a_sentence(tmp_path):
    content = OLD.read_bytes()
    answered = 0
    for seed in range(50):
        generator = random.Random(seed)
        broken = bytearray(content)
        kind = generator.choice(["flip", "zeros", "cut", "shuffle"])
        for _ in range(generator.choice([1, 5, 60])):
            place = generator.randrange(100, len(broken) - 600)
            if kind == "flip":
                broken[place] ^= 1 << generator.randrange(8)
            elif kind == "zeros":
                broken[place : place + 500] = bytes(500)
            elif kind == "shuffle":
                broken[place : place + 500] = generator.sample(broken[place : place + 500], 500)
        if kind == "cut":
            broken = broken[: generator.randrange(1, len(broken))]
        path = tmp_path / f"{seed}.db"
        path.write_bytes(broken)
        with suppress(StoreError):
            store = Store(path, make=False)
            for job in store.jobs():
                store.chunks(job.id)
                store.spent(job.id)
                repr(job)
            answered += 1
            store.close()
    assert 0 < answered < 50


@pytest.mark.slow
def test_whatever_stands_in_a_cell_ends_in_a_value_or_in_a_sentence(tmp_path):
    cells = [
        "'x'",
        "NULL",
        "-1",
        "1e400",
        "x'00ff'",
        "''",
        "'{}'",
        "'[' || replace(hex(zeroblob(9000)), '0', '[')",
    ]
    columns = [
        "place",
        "title",
        "state",
        "reason",
        "created",
        "shots",
        "executions",
        "qpu_seconds",
        "settings",
    ]
    for column in columns:
        for cell in cells:
            path = tmp_path / "jobs.db"
            whole(path)
            change(path, f"UPDATE OR IGNORE hqnn_jobs SET {column} = {cell}")
            for command in (["jobs"], ["jobs", "show", "%"]):
                arguments = [*command[:1], "--store", str(path), *command[1:]]
                answer = CliRunner().invoke(app, arguments)
                assert answer.exception is None or isinstance(answer.exception, StoreError), (
                    column,
                    cell,
                    answer,
                )


@pytest.mark.parametrize(("table", "column"), [("hqnn_outcomes", "content"), ("hqnn_jobs", "request")])
def test_results_that_are_damaged_are_said_to_be_so(tmp_path, table, column):
    refused = 0
    for seed in range(15):
        generator, path = random.Random(seed), tmp_path / f"{seed}.db"
        whole(path)
        with closing(sqlite3.connect(path)) as database:
            for row, content in database.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
                broken = bytearray(content)
                for _ in range(generator.choice([1, 5, 50])):
                    broken[generator.randrange(len(broken))] = generator.randrange(256)
                broken = broken[: generator.choice([len(broken), generator.randrange(len(broken))])]
                database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (bytes(broken), row))
            database.commit()
        store = Store(path)
        for job in store.jobs():
            if job.state == "done":
                try:
                    assert expectation_values(store, job.id).data.evs.dtype.kind == "f"
                except StoreError:
                    refused += 1
    assert refused > 7


def test_a_whole_store_is_read_as_ever(tmp_path):
    whole(tmp_path / "jobs.db")
    store = Store(tmp_path / "jobs.db", make=False)
    done = [job for job in store.jobs() if job.state == "done"]
    assert done
    assert expectation_values(store, done[0].id).data.evs.size
