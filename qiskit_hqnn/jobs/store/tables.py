"""The tables of the job store, and their rows as values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypedDict

from sqlalchemy import (
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    case,
    func,
    select,
)

from qiskit_hqnn.errors import StoreError

SCHEMA = 1
"""Version of the tables below; a store of a newer one is refused, not guessed at."""

OPEN = ("waiting", "intent", "sent")
"""States of a chunk that still has to be moved; the others are done, failed, cancelled and split."""

MOVING = ("open", "cancelling")
"""States of a job that is not at its end; the others are done, failed, cancelled, and "paused": for want of budget."""

METADATA = MetaData()
VERSIONS = Table("hqnn_schema", METADATA, Column("version", Integer, nullable=False))
IDENTITY = Table("hqnn_store", METADATA, Column("mark", String(16), nullable=False))
JOBS = Table(
    "hqnn_jobs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("place", String(200), nullable=False),
    Column("title", String(500), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False, default=""),
    Column("created", Float, nullable=False, index=True),
    Column("shots", Integer, nullable=False),
    Column("executions", Float, nullable=False),
    Column("qpu_seconds", Float, nullable=False),
    Column("settings", Text, nullable=False),
    Column("request", LargeBinary),
)
CHUNKS = Table(
    "hqnn_chunks",
    METADATA,
    Column("job", String(64), ForeignKey(JOBS.c.id), primary_key=True),
    Column("position", String(200), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("tag", String(100), nullable=False),
    Column("backend_job", String(200)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("since", Float, nullable=False, default=0.0),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("owner", String(300)),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("reason", Text, nullable=False, default=""),
    Column("seconds", Float),
)
# Blobs stand apart, so that a list of ten thousand jobs doesn't page through them.
REQUESTS = Table(
    "hqnn_requests",
    METADATA,
    Column("job", String(64), primary_key=True),
    Column("position", String(200), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
OUTCOMES = Table(
    "hqnn_outcomes",
    METADATA,
    Column("job", String(64), primary_key=True),
    Column("position", String(200), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class JobRecord:
    """One request: its strong id, where it goes, what it costs, and how far it is.

    `state` is open, paused, cancelling, done, failed or cancelled; `chunks` counts those that carry results,
    `finished` the stored ones.
    """

    id: str
    place: str
    title: str
    state: str
    reason: str
    created: float
    shots: int
    executions: int
    qpu_seconds: float
    settings: dict[str, Any]
    chunks: int
    finished: int
    sent: int


class ChunkChanges(TypedDict, total=False):
    """New values of a chunk's columns."""

    state: str
    tag: str
    backend_job: str | None
    attempts: int
    since: float
    not_before: float
    owner: str | None
    lease_until: float
    reason: str
    seconds: float | None


@dataclass(frozen=True)
class Chunk:
    """One part of a job, as it goes to a device."""

    job: str
    position: str
    state: str
    tag: str
    backend_job: str | None
    attempts: int
    since: float
    not_before: float
    owner: str | None
    lease_until: float
    reason: str
    seconds: float | None


def job_query() -> Select[tuple[Any, ...]]:
    """All jobs with the numbers of their chunks."""
    counted = (
        select(
            CHUNKS.c.job,
            func.sum(case((CHUNKS.c.state != "split", 1), else_=0)).label("chunks"),
            func.sum(case((CHUNKS.c.state == "done", 1), else_=0)).label("finished"),
            func.sum(case((CHUNKS.c.state == "sent", 1), else_=0)).label("sent"),
        )
        .group_by(CHUNKS.c.job)
        .subquery()
    )
    columns = [column for column in JOBS.c if column.name != "request"]
    return select(*columns, counted.c.chunks, counted.c.finished, counted.c.sent).join(
        counted, counted.c.job == JOBS.c.id
    )


def record_of(row: Row[Any]) -> JobRecord:
    """A row of `job_query`.

    Raises:
        StoreError: if a value in it is none that was ever written.
    """
    values = dict(row._mapping)
    try:
        for name in ("executions", "chunks", "finished", "sent", "shots"):
            values[name] = int(values[name])
        for name in ("created", "qpu_seconds"):
            values[name] = float(values[name])
        settings = json.loads(values["settings"])
        words = all(isinstance(values[name], str) for name in ("id", "place", "title", "state", "reason"))
    except (ValueError, TypeError, OverflowError, RecursionError):
        settings = words = None
    if not words or not isinstance(settings, dict):
        raise StoreError(
            f"The record of job {str(values['id'])[:10]} is damaged; put back a copy of its store."
        )
    return JobRecord(**values | {"settings": settings})


def chunks_of(connection: Connection, job: str) -> list[Chunk]:
    """All chunks of a job in the order of their sets."""
    query = select(CHUNKS).where(CHUNKS.c.job == job).order_by(CHUNKS.c.position)
    return [Chunk(**row._mapping) for row in connection.execute(query)]
