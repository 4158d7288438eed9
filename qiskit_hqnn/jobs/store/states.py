"""A job's state: how it follows from its chunks, and how a user changes it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from qiskit_hqnn.jobs.store import charges
from qiskit_hqnn.jobs.store.tables import CHUNKS, JOBS, MOVING, OPEN, chunks_of


def change(connection: Connection, job: str, states: Sequence[str], **values: str) -> None:
    """Change a job that is in one of some states."""
    connection.execute(update(JOBS).where(JOBS.c.id == job, JOBS.c.state.in_(states)).values(**values))


def settle(connection: Connection, job: str) -> str:
    """Close a job that has no open chunk left, and return its state."""
    states: dict[str, int] = dict(
        connection.execute(
            select(CHUNKS.c.state, func.count()).where(CHUNKS.c.job == job).group_by(CHUNKS.c.state)
        ).all()
    )
    if not any(states.get(word) for word in OPEN):
        word = next((word for word in ("failed", "cancelled") if states.get(word)), "done")
        reason = connection.execute(
            select(CHUNKS.c.reason).where(CHUNKS.c.job == job, CHUNKS.c.state == word).limit(1)
        ).scalar()
        change(connection, job, MOVING, state=word, reason=reason or "")
    return str(connection.execute(select(JOBS.c.state).where(JOBS.c.id == job)).scalar_one())


def reopen(connection: Connection, job: str) -> int:
    """Let failed and cancelled chunks be sent again, under tags of their own; returns how many."""
    count = 0
    for chunk in chunks_of(connection, job):
        if chunk.state in ("failed", "cancelled"):
            count += 1
            stem, _, number = chunk.tag.partition("+")
            tag = f"{stem.partition('~')[0]}+{int(number.partition('~')[0] or 0) + 1}"
            charges.plan_again(connection, job, chunk.position, tag)
            connection.execute(
                update(CHUNKS)
                .where(CHUNKS.c.job == job, CHUNKS.c.position == chunk.position)
                .values(state="waiting", attempts=0, not_before=0.0, backend_job=None, reason="", tag=tag)
            )
    if count:
        connection.execute(update(JOBS).where(JOBS.c.id == job).values(state="open", reason=""))
    return count


def allow(connection: Connection, job: str, max_qpu_seconds: float | None) -> None:
    """Set the QPU seconds that a job may cost in all."""
    known = connection.execute(select(JOBS.c.settings).where(JOBS.c.id == job)).scalar_one()
    settings = json.loads(known) | {"max_qpu_seconds": max_qpu_seconds}
    connection.execute(
        update(JOBS).where(JOBS.c.id == job).values(settings=json.dumps(settings, sort_keys=True))
    )


def mark_cancelling(connection: Connection, job: str) -> None:
    """Cancel what has not been sent; whoever drives the job next cancels what a device holds."""
    change(connection, job, ("open", "paused"), state="cancelling")
    for chunk in chunks_of(connection, job):
        if chunk.state == "waiting":
            charges.charge(connection, job, chunk.position, chunk.tag, 0.0)
    connection.execute(
        update(CHUNKS)
        .where(CHUNKS.c.job == job, CHUNKS.c.state == "waiting")
        .values(state="cancelled", reason="cancelled before it was sent")
    )
