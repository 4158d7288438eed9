"""What each sending of each chunk costs: its price, and in its place the charge once a service has said it.

One row stands for whatever may run under one tag. A chunk has a row from the beginning, so what is recorded counts
before it is sent; one that is sent again gets another tag, and another row.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Float, String, Table, and_, case, func, insert, select, update

from qiskit_hqnn.jobs.store.tables import CHUNKS, JOBS, METADATA

CHARGES = Table(
    "hqnn_charges",
    METADATA,
    Column("job", String(64), primary_key=True),
    Column("position", String(200), primary_key=True),
    Column("tag", String(100), primary_key=True),
    Column("executions", Float, nullable=False),
    Column("price", Float, nullable=False),
    Column("charged", Float),
)

# Nothing was run for what was not charged.
_RUN = case((CHARGES.c.charged == 0.0, 0.0), else_=CHARGES.c.executions)
_PAID = func.coalesce(CHARGES.c.charged, CHARGES.c.price)


def plan(connection: Connection, job: str, position: str, tag: str, executions: float, price: float) -> None:
    """A chunk that is going to be sent under a tag, for its price in QPU seconds."""
    connection.execute(
        insert(CHARGES).values(job=job, position=position, tag=tag, executions=executions, price=price)
    )


def charge(connection: Connection, job: str, position: str, tag: str, seconds: float) -> None:
    """QPU seconds that were charged for what ran under a tag; 0 where nothing was made under it."""
    connection.execute(
        update(CHARGES)
        .where(CHARGES.c.job == job, CHARGES.c.position == position, CHARGES.c.tag == tag)
        .values(charged=seconds)
    )


def price_of(connection: Connection, job: str, position: str) -> tuple[float, float]:
    """Executions and QPU seconds of sending a chunk once."""
    row = connection.execute(
        select(CHARGES.c.executions, CHARGES.c.price)
        .where(CHARGES.c.job == job, CHARGES.c.position == position)
        .limit(1)
    ).one()
    return float(row.executions), float(row.price)


def plan_again(connection: Connection, job: str, position: str, tag: str) -> None:
    """A chunk that is going to be sent again, under another tag."""
    plan(connection, job, position, tag, *price_of(connection, job, position))


def spent(connection: Connection, job: str | None = None) -> tuple[int, float]:
    """Executions and QPU seconds of a job, or of all: charged, or by price where that is not known (yet)."""
    query = select(func.sum(_RUN), func.sum(_PAID))
    if job is not None:
        query = query.where(CHARGES.c.job == job)
    executions, seconds = connection.execute(query).one()
    return int(executions or 0), float(seconds or 0.0)


def price_of_states(connection: Connection, job: str, states: Sequence[str]) -> tuple[int, float]:
    """Chunks of a job in some states: how many, and the QPU seconds of sending them once."""
    query = select(func.count(), func.sum(CHARGES.c.price)).join(
        CHUNKS,
        and_(
            CHARGES.c.job == CHUNKS.c.job,
            CHARGES.c.position == CHUNKS.c.position,
            CHARGES.c.tag == CHUNKS.c.tag,
        ),
    )
    number, seconds = connection.execute(query.where(CHUNKS.c.job == job, CHUNKS.c.state.in_(states))).one()
    return int(number), float(seconds or 0.0)


def adopt(connection: Connection) -> None:
    """Give the chunks of earlier versions, which kept one figure for a whole job, rows with equal parts of it."""
    known = select(CHARGES.c.job).where(
        CHARGES.c.job == CHUNKS.c.job,
        CHARGES.c.position == CHUNKS.c.position,
        CHARGES.c.tag == CHUNKS.c.tag,
    )
    unknown = and_(CHUNKS.c.state != "split", ~known.exists())
    if connection.execute(select(CHUNKS.c.job).where(unknown).limit(1)).first() is None:
        return
    counted = (
        select(CHUNKS.c.job, func.count().label("number"))
        .where(CHUNKS.c.state != "split")
        .group_by(CHUNKS.c.job)
        .subquery()
    )
    shares = (
        select(
            CHUNKS.c.job,
            CHUNKS.c.position,
            CHUNKS.c.tag,
            JOBS.c.executions / counted.c.number,
            JOBS.c.qpu_seconds / counted.c.number,
            CHUNKS.c.seconds,
        )
        .join(JOBS, JOBS.c.id == CHUNKS.c.job)
        .join(counted, counted.c.job == CHUNKS.c.job)
        .where(unknown)
    )
    connection.execute(insert(CHARGES).from_select(list(CHARGES.c.keys()), shares))
