"""Stores to test against: SQLite always, a private PostgreSQL server where one is installed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


def _programs():
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[4])
    return versions[-1].parent if versions else None


def _run_as():
    """PostgreSQL refuses to run as root: then the server belongs to another user of this machine."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return None


@pytest.fixture(scope="session")
def postgres_server():
    programs, owner = _programs(), _run_as()
    if programs is None or owner is None:
        pytest.skip("PostgreSQL is not installed: the store is tested on SQLite only")
    folder = Path(tempfile.mkdtemp(prefix="hqnn-pg-"))
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def program(name, *arguments):
        return subprocess.run(
            [programs / name, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, **owner
        )

    data = folder / "data"
    made = program("initdb", "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync")
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL's initdb does not work here: {made.stderr.strip()[-200:]}")
    options = f"-F -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
    started = program("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    if started.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL does not start here: {started.stdout.strip()[-200:]}")
    try:
        yield f"postgresql://tester@127.0.0.1:{port}"
    finally:
        program("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The URL of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/jobs.db"
        return
    server = request.getfixturevalue("postgres_server")
    from sqlalchemy import create_engine, text

    name = f"t{abs(hash(str(tmp_path))) % 10**12}"
    engine = create_engine(
        server.replace("postgresql:", "postgresql+psycopg:") + "/postgres", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    yield f"{server}/{name}"
