"""The job store: requests, what was sent under which tag, and every outcome, in SQLite or PostgreSQL.

It only ever grows. A chunk moves waiting → intent → sent → done; the intent is committed before a request leaves, the
id at once after it, outcomes before anybody sees them. A chunk is moved only by who holds its lease.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Unpack

from sqlalchemy import Connection, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs.store import charges, parts, states
from qiskit_hqnn.jobs.store.database import GONE, file_of, open_engine, parse_url, words_of
from qiskit_hqnn.jobs.store.owners import LEASE_SECONDS, LeaseWatch
from qiskit_hqnn.jobs.store.parts import Received
from qiskit_hqnn.jobs.store.tables import (
    IDENTITY,
    JOBS,
    METADATA,
    MOVING,
    OUTCOMES,
    REQUESTS,
    SCHEMA,
    VERSIONS,
    Chunk,
    ChunkChanges,
    JobRecord,
    chunks_of,
    job_query,
    record_of,
)
from qiskit_hqnn.jobs.tags import tag_of

DEFAULT_STORE = "sqlite:///runs/jobs.db"

Costs = Sequence[tuple[float, float]]
"""Executions and QPU seconds of each chunk."""


class Store:
    """A job store.

    Args:
        url: an SQLAlchemy URL (sqlite:///…, postgresql://…) or the path of an SQLite file.
        make: whether to create one if there is none; otherwise a store must exist.
        patience: seconds to wait for another process that holds an SQLite file.

    Raises:
        StoreError: if it cannot be opened or written, is none, or a newer version made it.
    """

    def __init__(self, url: str | Path = DEFAULT_STORE, make: bool = True, patience: float = 60.0) -> None:
        self.url = parse_url(url)
        self.name = self.url.render_as_string(hide_password=True)
        if not make and self.file is not None and not self.file.exists():
            raise StoreError(f"There is no job store {self.name}.")
        self._engine = open_engine(self.url, make, patience)
        self._watch = LeaseWatch()
        self._inode: tuple[int, int] | None = None
        self.mark = ""
        self.mark = self._check_schema(make)
        self._inode = self._present()

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server or a database in memory."""
        return file_of(self.url)

    @property
    def address(self) -> str:
        """The path or URL by which another process finds this store; may hold a password, so it is never printed."""
        return str(self.file) if self.file else self.url.render_as_string(hide_password=False)

    def close(self) -> None:
        self._engine.dispose()

    def _present(self) -> tuple[int, int] | None:
        """What the store's path names now; None for a server, or nothing."""
        try:
            known = os.stat(self.file) if self.file else None
        except OSError:
            return None
        return (known.st_dev, known.st_ino) if known else None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._inode is not None and self._present() != self._inode:
            # What was open can still be read, and nobody else would see a word of it.
            raise StoreError(f"Job store {self.name} was deleted or replaced while it was in use: {GONE}.")
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (SQLAlchemyError, UnicodeDecodeError) as error:
            raise StoreError(
                f"Job store {self.name} cannot be used: {words_of(error, self.mark != '')}."
            ) from None

    def _check_schema(self, make: bool) -> str:
        """Make the tables where there are none, if they may be; returns the store's random mark."""
        with self._transaction() as connection:
            if self.url.get_backend_name() == "postgresql":
                # Two processes that both find an empty database would create the same tables.
                connection.execute(select(func.pg_advisory_xact_lock(4_801_921)))
            if not inspect(connection).has_table(VERSIONS.name):
                if not make:
                    raise StoreError(
                        f"{self.name} is no job store: it is empty, damaged, or another program's."
                    )
                METADATA.create_all(connection)
                connection.execute(insert(VERSIONS).values(version=SCHEMA))
            IDENTITY.create(connection, checkfirst=True)
            charges.CHARGES.create(connection, checkfirst=True)
            parts.RECEIVED.create(connection, checkfirst=True)
            mark = connection.execute(select(IDENTITY.c.mark)).scalar()
            if mark is None:
                mark = secrets.token_hex(4)
                connection.execute(insert(IDENTITY).values(mark=mark))
            version = connection.execute(select(VERSIONS.c.version)).scalar_one()
            # A store that can only be read is refused now, not after a device has been paid.
            connection.execute(update(VERSIONS).values(version=version))
            if not isinstance(version, int):
                raise StoreError(f"Job store {self.name} is damaged: its schema version is {version!r}.")
            if version <= SCHEMA:
                charges.adopt(connection)
        if version > SCHEMA:
            raise StoreError(
                f"Job store {self.name} has schema version {version}, but this qiskit_hqnn knows versions up "
                f"to {SCHEMA}; use a newer qiskit_hqnn or another store."
            )
        return str(mark)

    # Jobs

    def add_job(
        self,
        job: str,
        place: str,
        title: str,
        shots: int,
        executions: int,
        qpu_seconds: float,
        settings: Mapping[str, object],
        request: bytes | None,
        chunks: Sequence[bytes],
        prices: Costs | None = None,
    ) -> bool:
        """Record a job with all its chunks; False if it is there already.

        `prices` are executions and QPU seconds of each chunk; equal parts of the job's, if none are given.
        """
        share = (executions / len(chunks), qpu_seconds / len(chunks)) if chunks else (0.0, 0.0)
        try:
            with self._transaction() as connection:
                connection.execute(
                    insert(JOBS).values(
                        id=job,
                        place=place,
                        title=title,
                        state="open",
                        reason="",
                        created=time.time(),
                        shots=shots,
                        executions=executions,
                        qpu_seconds=qpu_seconds,
                        settings=json.dumps(settings, sort_keys=True),
                        request=request,
                    )
                )
                for index, content in enumerate(chunks):
                    price = share if prices is None else prices[index]
                    self._add_chunk(connection, job, f"{index:05d}", content, price)
        except IntegrityError:
            return False
        return True

    def _add_chunk(
        self, connection: Connection, job: str, position: str, content: bytes, price: tuple[float, float]
    ) -> None:
        parts.add(connection, tag_of(self.mark, job, position), job, position, content, price)

    def jobs(self, limit: int | None = None, states: Sequence[str] | None = None) -> list[JobRecord]:
        """Jobs, the newest first; of these states only, if given."""
        query = job_query().order_by(JOBS.c.created.desc(), JOBS.c.id)
        if states is not None:
            query = query.where(JOBS.c.state.in_(states))
        if limit is not None:
            query = query.limit(limit)
        with self._transaction() as connection:
            return [record_of(row) for row in connection.execute(query)]

    def job(self, prefix: str) -> JobRecord:
        """The job whose id begins with `prefix`.

        Raises:
            StoreError: if there is none, or more than one.
        """
        clean = "".join(letter for letter in prefix if letter in "0123456789abcdef")
        query = job_query().where(JOBS.c.id.like(f"{clean}%")).limit(3)
        with self._transaction() as connection:
            found = [record_of(row) for row in connection.execute(query)] if clean == prefix and clean else []
        if len(found) != 1:
            what = "no job" if not found else "more than one job"
            raise StoreError(f"There is {what} {prefix!r} in {self.name}; `hqnn jobs` lists the ids.")
        return found[0]

    def spent(self, job: str | None = None) -> tuple[int, float]:
        """Executions and QPU seconds of a job or of all, every sending of every part counted.

        What a service has charged, the price where it has not said so (yet), nothing for what was never made.
        """
        with self._transaction() as connection:
            return charges.spent(connection, job)

    def price(self, chunk: Chunk) -> tuple[float, float]:
        """Executions and QPU seconds of sending a chunk once."""
        with self._transaction() as connection:
            return charges.price_of(connection, chunk.job, chunk.position)

    def price_of_retry(self, job: str) -> tuple[int, float]:
        """How many parts `reopen` would let be sent again, and for how many QPU seconds."""
        with self._transaction() as connection:
            return charges.price_of_states(connection, job, ("failed", "cancelled"))

    def has(self, job: str) -> bool:
        with self._transaction() as connection:
            return connection.execute(select(JOBS.c.id).where(JOBS.c.id == job)).first() is not None

    def request(self, job: str) -> bytes | None:
        """What was asked, as `add_job` was given it."""
        with self._transaction() as connection:
            return connection.execute(select(JOBS.c.request).where(JOBS.c.id == job)).scalar_one()

    def settle(self, job: str) -> str:
        """Close a job that has no open chunk left, and return its state."""
        with self._transaction() as connection:
            return states.settle(connection, job)

    def reopen(self, job: str) -> int:
        """Let failed and cancelled chunks be sent again, under tags of their own; returns how many."""
        with self._transaction() as connection:
            return states.reopen(connection, job)

    def note(self, job: str, reason: str) -> None:
        """Say why an open job does not move."""
        with self._transaction() as connection:
            states.change(connection, job, MOVING, reason=reason)

    def pause(self, job: str, reason: str) -> None:
        """Stop an open job that costs more than it may; nothing of it is lost."""
        with self._transaction() as connection:
            states.change(connection, job, ("open",), state="paused", reason=reason)

    def resume(self, job: str) -> None:
        """Let a paused job resume, for a process whose budget covers what it needs."""
        with self._transaction() as connection:
            states.change(connection, job, ("paused",), state="open", reason="")

    def allow(self, job: str, max_qpu_seconds: float | None) -> None:
        """Set the QPU seconds that a job may cost in all, for whoever drives it without a budget of its own."""
        with self._transaction() as connection:
            states.allow(connection, job, max_qpu_seconds)

    def mark_cancelling(self, job: str) -> None:
        """Cancel what has not been sent; whoever drives the job next cancels what a device holds."""
        with self._transaction() as connection:
            states.mark_cancelling(connection, job)

    # Chunks

    def chunks(self, job: str) -> list[Chunk]:
        """All chunks in the order of their sets."""
        with self._transaction() as connection:
            return chunks_of(connection, job)

    def claim(self, chunk: Chunk, owner: str) -> Chunk | None:
        """Lease an open chunk; None while a living process holds it, or somebody has moved it."""
        if not self._watch.is_free(chunk, owner):
            return None
        with self._transaction() as connection:
            return parts.claim(connection, chunk, owner, time.time() + LEASE_SECONDS)

    def move(
        self, chunk: Chunk, held_by: str | None, charged: float | None = None, **values: Unpack[ChunkChanges]
    ) -> bool:
        """Change a chunk that is still in the state and the hands that the caller knows; False if it is not.

        `charged` are the QPU seconds of what ran under its tag, where known. Another tag counts as another sending.
        """
        with self._transaction() as connection:
            return parts.move(connection, chunk, held_by, charged, values)

    def renew(self, owner: str) -> None:
        """Prolong every lease of an owner."""
        with self._transaction() as connection:
            parts.renew(connection, owner, time.time() + LEASE_SECONDS)

    def release(self, owner: str) -> None:
        """Give back every lease of an owner."""
        with self._transaction() as connection:
            parts.release(connection, owner)

    def requests(self, chunk: Chunk) -> bytes:
        """What a chunk asks for."""
        with self._transaction() as connection:
            return parts.blob(connection, REQUESTS, chunk)

    def outcomes(self, chunk: Chunk) -> bytes:
        """What came back for a done chunk."""
        with self._transaction() as connection:
            return parts.blob(connection, OUTCOMES, chunk)

    def finish(self, chunk: Chunk, content: bytes, seconds: float | None) -> bool:
        """Store a chunk's outcomes, once; False if somebody else has done so."""
        try:
            with self._transaction() as connection:
                parts.finish(connection, chunk, content, seconds)
        except IntegrityError:
            return False
        return True

    def split(
        self, chunk: Chunk, owner: str, contents: Sequence[bytes], prices: Costs, charged: float | None = None
    ) -> None:
        """Put smaller chunks in the place of one, which itself was charged `charged` QPU seconds, where known."""
        with self._transaction() as connection:
            if parts.mark_split(connection, chunk, owner, charged):
                for index, (content, price) in enumerate(zip(contents, prices, strict=True)):
                    self._add_chunk(connection, chunk.job, f"{chunk.position}.{index:03d}", content, price)

    def keep_received(self, chunk: Chunk, content: bytes) -> None:
        """Keep results that were not what had been asked, as they came."""
        with suppress(IntegrityError), self._transaction() as connection:
            parts.keep_received(connection, chunk, content)

    def received(self, job: str) -> list[Received]:
        """Results of a job that were not what had been asked, as they came."""
        with self._transaction() as connection:
            return parts.received(connection, job)
