"""The database behind the job store: which ones are taken, how they are opened, and who may read the file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from qiskit_hqnn.errors import StoreError


def open_engine(url: URL, make: bool = True, patience: float = 60.0) -> Engine:
    """An engine whose SQLite file only its owner can read, and whose transactions never deadlock on an upgrade.

    Args:
        url: of the store.
        make: whether it may be made; else an SQLite file is left as it is, whoever made it.
        patience: seconds to wait for another process that holds an SQLite file.

    Raises:
        StoreError: if the file cannot be written.
    """
    if make:
        _create_file(url)
    # A server that was restarted, or that closes idle connections, does not end a job's driver.
    engine = create_engine(url, pool_pre_ping=url.get_backend_name() == "postgresql")
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", partial(_sqlite_settings, make, patience))
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def file_of(url: URL) -> Path | None:
    """The SQLite file of a URL; None for a server or a database in memory."""
    path = url.database
    if url.get_backend_name() != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        return None
    return Path(path).absolute()


def mark_in(file: Path) -> str | None:
    """The mark of the job store in an SQLite file, which is only read; None if there is no store in it that can be."""
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT mark FROM hqnn_store").fetchone()
    except sqlite3.Error:
        return None
    return str(found[0]) if found else None


def parse_url(url: str | Path) -> URL:
    """A store's URL, or the path of an SQLite file.

    Raises:
        StoreError: if it is neither, or names another kind of database.
    """
    text = str(url)
    if not text.strip():
        raise StoreError("A store must be a URL or the path of a file, but is empty.")
    if "://" not in text:
        return URL.create("sqlite", database=text)  # a path may have any sign in it, a URL may not
    try:
        parsed = make_url(text)
    except (ArgumentError, ValueError):  # a port that is no number
        raise StoreError(
            "A store must be sqlite:///FILE, postgresql://USER@HOST/DATABASE or the path of a file; what was given "
            "is none of them."
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(
            f"A store must be an SQLite or PostgreSQL database, but the URL names {parsed.get_backend_name()!r}."
        )
    if "password" in parsed.query:
        # Beside the host it would be printed with the store's name.
        raise StoreError(
            "A store's password must stand before the host (postgresql://USER:PASSWORD@HOST/DATABASE) or in "
            "PGPASSWORD, but is an option behind '?'."
        )
    if parsed.query and "uri" not in parsed.query and parsed.get_backend_name() == "sqlite":
        # SQLAlchemy would leave them out, with a warning of its own.
        raise StoreError(
            f"SQLite takes options ({', '.join(parsed.query)}) with sqlite:///file:PATH?…&uri=true only; a path with a "
            "'?' in its name is given without sqlite:///."
        )
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def _create_file(url: URL) -> None:
    # SQLite gives its companions (-wal, -shm) the mode of the file. A file that exists must not be opened here: closing
    # it again would drop the locks of every other connection in this process, and another process could then take the
    # write-ahead log away from under them.
    path = file_of(url)
    if path is None or path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        if not path.exists():  # else another process was first
            raise StoreError(f"Job store {path} cannot be written: {error.strerror}.") from None


def _sqlite_settings(make: bool, patience: float, connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy sends BEGIN itself (below); the driver's own would come too late to be IMMEDIATE.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {1000 * patience:.0f}")
    if make:
        connection.execute("PRAGMA journal_mode = WAL")  # which the file keeps
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _sqlite_begin(connection: Connection) -> None:
    # A transaction that began as a reader cannot become a writer once another has written.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


GONE = (
    "what a device has of it runs on, paid, and the same request from another store takes it where the service still "
    "lists it and the device has the same calibration; put it back to continue"
)
"""What to say of a store that was there, and is not any more."""

_ADVICE = {
    "locked": "another process holds it: try again when that is done",
    "malformed": "it is damaged: put back a copy of it, or name another one",
    "not a database": "it is damaged, or no SQLite file: put back a copy of it, or name another one",
    "no such table": "it is damaged, or another program's: put back a copy of it, or name another one",
    "no such column": "it is damaged, or another program's: put back a copy of it, or name another one",
}


def words_of(error: SQLAlchemyError | UnicodeDecodeError, used: bool = False) -> str:
    """What a database says of an error, in its first line, and what to do about it; `used`: it was there before."""
    if isinstance(error, UnicodeDecodeError):
        return f"it holds text that is none; {_ADVICE['malformed']}"
    lines = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
    said = lines[0].rstrip(".") if lines else type(error).__name__
    if used and "does not exist" in said:
        return f"{said}; it was deleted while it was in use: {GONE}"
    advice = next(
        (words for part, words in _ADVICE.items() if part in said), "it must be readable and writable"
    )
    return f"{said}; {advice}"
