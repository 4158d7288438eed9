"""`hqnn jobs cost`: what a store's jobs have cost, in QPU seconds and in money."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.options import PLAN, STORE
from qiskit_hqnn.cli.stores import open_store
from qiskit_hqnn.cli.terminal import note, print_rows, say

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import Plan
    from qiskit_hqnn.jobs.store import JobRecord, Store


def cost(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="ID", help="One job's id, or its beginning; all by default.")
    ] = None,
    plan: PLAN = None,
    store: STORE = None,
) -> None:
    """Cost of a store's jobs by place, including everything that was sent again.

    Example: hqnn jobs cost --plan pay-as-you-go
    """
    from qiskit_hqnn.jobs import plan_of

    on = None if plan is None else plan_of(plan)
    opened = open_store(store or context.obj)
    jobs = opened.jobs() if job is None else [opened.job(job)]
    if not jobs:
        say("No jobs yet.")
        return
    _print_places(opened, jobs, on)
    if on is not None and on.seconds is not None and job is None:
        _say_what_is_left(opened, jobs, on)


def _print_places(store: Store, jobs: list[JobRecord], plan: Plan | None) -> None:
    """A row for each place, and a total if there are several hardware places."""
    from qiskit_hqnn.jobs import Spending, in_words

    places: dict[str, tuple[int, Spending]] = {}
    for job in jobs:
        number, spent = places.get(job.place, (0, Spending()))
        places[job.place] = (number + 1, spent + Spending(*store.spent(job.id)))
    paid = [place for place in places if place.startswith("ibm_")]
    rows = [(place, *places[place]) for place in [*paid, *(place for place in places if place not in paid)]]
    if len(paid) > 1:
        number = sum(places[place][0] for place in paid)
        rows.insert(len(paid), ("hardware", number, sum((places[place][1] for place in paid), Spending())))
    shown = [
        (
            place,
            f"{number:,}",
            f"{spent.executions:,}",
            f"{spent.qpu_seconds:,.1f}",
            in_words(spent.qpu_seconds),
            *([] if plan is None else [plan.cost(spent.qpu_seconds)]),
        )
        for place, number, spent in rows
    ]
    titles = ["where", "jobs", "executions", "QPU seconds", "QPU time"]
    print_rows([*titles, *([] if plan is None else [plan.name])], shown)
    if len(paid) < len(places):
        note("Aer and snapshots cost nothing: these are the prices of hardware.")


def _say_what_is_left(store: Store, jobs: list[JobRecord], plan: Plan) -> None:
    """For a plan's period that ends now; the account may also have been used elsewhere."""
    assert plan.seconds is not None
    since = time.time() - plan.days * 86400
    spent = sum(
        store.spent(job.id)[1] for job in jobs if job.place.startswith("ibm_") and job.created >= since
    )
    say(
        f"{plan.name} plan: {max(0.0, plan.seconds - spent):,.1f} of {plan.seconds:,.0f} s are left by this store's "
        f"jobs of the last {plan.days:.0f} days; `hqnn doctor` shows what the account reports."
    )
