"""The parts of a job in the store: how one is put there, moved, split, finished, and what came back for it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Float, LargeBinary, String, Table, insert, select, update
from sqlalchemy.sql.dml import Update

from qiskit_hqnn.jobs.store import charges
from qiskit_hqnn.jobs.store.tables import CHUNKS, METADATA, OPEN, OUTCOMES, REQUESTS, Chunk, ChunkChanges

RECEIVED = Table(
    "hqnn_received",
    METADATA,
    Column("job", String(64), primary_key=True),
    Column("position", String(200), primary_key=True),
    Column("tag", String(100), primary_key=True),
    Column("backend_job", String(200)),
    Column("time", Float, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Results that were not what had been asked, as they came."""


@dataclass(frozen=True)
class Received:
    """Results that were not what had been asked.

    Attributes:
        position: of the part.
        backend_job: the device's job.
        time: when they came, seconds since 1970.
        content: the service's own text, or arrays in NumPy's npz format where an adapter has none.
    """

    position: str
    backend_job: str | None
    time: float
    content: bytes


def add(
    connection: Connection, tag: str, job: str, position: str, content: bytes, price: tuple[float, float]
) -> None:
    """A part that waits."""
    connection.execute(
        insert(CHUNKS).values(
            job=job,
            position=position,
            state="waiting",
            tag=tag,
            attempts=0,
            since=0.0,
            not_before=0.0,
            lease_until=0.0,
            reason="",
        )
    )
    connection.execute(insert(REQUESTS).values(job=job, position=position, content=content))
    charges.plan(connection, job, position, tag, *price)


def move(
    connection: Connection,
    chunk: Chunk,
    held_by: str | None,
    charged: float | None,
    values: ChunkChanges,
) -> bool:
    """As `Store.move`."""
    holder = CHUNKS.c.owner.is_(None) if held_by is None else CHUNKS.c.owner == held_by
    result = connection.execute(_this(chunk).where(CHUNKS.c.state == chunk.state, holder).values(**values))
    if result.rowcount:
        if charged is not None:
            charges.charge(connection, chunk.job, chunk.position, chunk.tag, charged)
        if values.get("tag", chunk.tag) != chunk.tag:
            charges.plan_again(connection, chunk.job, chunk.position, values["tag"])
    return bool(result.rowcount)


def finish(connection: Connection, chunk: Chunk, content: bytes, seconds: float | None) -> None:
    """Outcomes of a part; raises IntegrityError where there are some already."""
    connection.execute(insert(OUTCOMES).values(job=chunk.job, position=chunk.position, content=content))
    values = {"state": "done", "since": time.time(), "owner": None, "lease_until": 0.0, "reason": ""}
    connection.execute(_this(chunk).values(seconds=seconds, **values))
    if seconds is not None:
        charges.charge(connection, chunk.job, chunk.position, chunk.tag, seconds)


def mark_split(connection: Connection, chunk: Chunk, owner: str, charged: float | None) -> bool:
    """A part that others take the place of; False if it is no longer the owner's."""
    held = _this(chunk).where(CHUNKS.c.owner == owner, CHUNKS.c.state.in_(OPEN))
    result = connection.execute(held.values(state="split", owner=None))
    if result.rowcount and charged is not None:
        charges.charge(connection, chunk.job, chunk.position, chunk.tag, charged)
    return bool(result.rowcount)


def keep_received(connection: Connection, chunk: Chunk, content: bytes) -> None:
    """Results that were not what had been asked; raises IntegrityError where they are kept already."""
    connection.execute(
        insert(RECEIVED).values(
            job=chunk.job,
            position=chunk.position,
            tag=chunk.tag,
            backend_job=chunk.backend_job,
            time=time.time(),
            content=content,
        )
    )


def received(connection: Connection, job: str) -> list[Received]:
    """All of a job, in the order of its parts."""
    columns = (RECEIVED.c.position, RECEIVED.c.backend_job, RECEIVED.c.time, RECEIVED.c.content)
    query = select(*columns).where(RECEIVED.c.job == job).order_by(RECEIVED.c.position, RECEIVED.c.time)
    return [Received(**row._mapping) for row in connection.execute(query)]


def claim(connection: Connection, chunk: Chunk, owner: str, until: float) -> Chunk | None:
    """A part as its new owner holds it; None if somebody has moved it, or renewed a lease of it."""
    holder = CHUNKS.c.owner.is_(None) if chunk.owner is None else CHUNKS.c.owner == chunk.owner
    same = _this(chunk).where(
        CHUNKS.c.state == chunk.state, holder, CHUNKS.c.lease_until == chunk.lease_until
    )
    if not connection.execute(same.values(owner=owner, lease_until=until)).rowcount:
        return None
    query = select(CHUNKS).where(CHUNKS.c.job == chunk.job, CHUNKS.c.position == chunk.position)
    return Chunk(**connection.execute(query).one()._mapping)


def blob(connection: Connection, table: Table, chunk: Chunk) -> bytes:
    """What one of the tables of bytes has of a part."""
    query = select(table.c.content).where(table.c.job == chunk.job, table.c.position == chunk.position)
    return bytes(connection.execute(query).scalar_one())


def renew(connection: Connection, owner: str, until: float) -> None:
    """Change every lease of an owner, by which whoever watches it sees that the owner lives."""
    connection.execute(update(CHUNKS).where(CHUNKS.c.owner == owner).values(lease_until=until))


def release(connection: Connection, owner: str) -> None:
    """Give back every lease of an owner."""
    connection.execute(update(CHUNKS).where(CHUNKS.c.owner == owner).values(owner=None, lease_until=0.0))


def _this(chunk: Chunk) -> Update:
    return update(CHUNKS).where(CHUNKS.c.job == chunk.job, CHUNKS.c.position == chunk.position)
