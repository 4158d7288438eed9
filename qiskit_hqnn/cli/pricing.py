"""The price of a job before anything is sent: what `hqnn run --dry-run` prints, and `hqnn run` asks about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from qiskit_hqnn.cli.terminal import note, print_rows, say

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import Price
    from qiskit_hqnn.training import JobFile


def may_send(job: JobFile, data_root: Path, yes: bool, plan: str | None = None) -> bool:
    """Whether a job may go to hardware: its price is shown and the user asked, unless it has a budget or `yes` is set.

    A job without hardware may always run.
    """
    places = {where for where in job.places if where.hardware}
    if not places or yes or job.max_qpu_seconds is not None:
        return True
    print_price(job, data_root, plan)
    say(f"account  {account_left()}")
    if typer.confirm(f"Send it to {', '.join(sorted(places))}?"):
        return True
    say("Nothing was sent. --yes sends without asking, and --set max_qpu_seconds=SECONDS sets a budget.")
    return False


def account_left() -> str:
    """The rest of the account's plan; the price is shown without it too."""
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs.adapters.ibm import seconds_left

    try:
        left = seconds_left()
    except DeviceError as error:
        return f"the rest of its plan could not be queried: {error}"
    return "its plan sets no limit" if left is None else f"{left:,.0f} QPU seconds are left in its plan"


def money_line(plan: str | None) -> Callable[[float], str]:
    """The price of QPU seconds on a plan, in words; empty without a plan.

    Raises:
        HQNNError: if there is no such plan.
    """
    from qiskit_hqnn.jobs import plan_of

    return (lambda seconds: "") if plan is None else plan_of(plan).describe


def print_price(job: JobFile, data_root: Path, plan: str | None = None) -> None:
    """Executions, jobs, QPU seconds and bytes of each part of a job, over all its seeds and controls.

    Long times are also given in hours or days, and with a plan in money.
    """
    from qiskit_hqnn.jobs import Price, in_words

    parts, dearest = _parts(job, data_root)
    shown = [
        (
            part,
            f"{price.executions:,}",
            f"{price.jobs:,}",
            f"{price.qpu_seconds:,.1f}",
            f"{price.payload_bytes / 1e6:,.1f}",
        )
        for part, price in [*parts.items(), ("total", sum(parts.values(), Price()))]
        if price.executions or part == "total"
    ]
    print_rows(("part", "executions", "jobs", "QPU seconds", "MB to send"), shown, left=("part",))
    total = sum(parts.values(), Price()).qpu_seconds
    if total >= 3600:
        say(f"time     {in_words(total)} of QPU time")
    if plan is not None:
        say(f"money    {money_line(plan)(total)}")
    note(f"{len(job.repeats) * (1 + len(job.controls))} run(s); nothing was sent.")
    if not any(where.hardware for where in job.places):
        note("Aer and snapshots cost nothing: these are the prices of hardware.")
    _note_fractional_gates(job, data_root)
    if job.max_qpu_seconds is not None:
        fits = "within" if dearest <= job.max_qpu_seconds else "over"
        say(f"The most expensive run is {fits} its budget, max_qpu_seconds = {job.max_qpu_seconds:g}.")


def _parts(job: JobFile, data_root: Path) -> tuple[dict[str, Price], float]:
    """The price of each part over all seeds and controls, and the QPU seconds of the most expensive run."""
    from qiskit_hqnn.jobs import Price
    from qiskit_hqnn.training import build_model, load_splits, price_run, price_training

    parts: dict[str, Price] = {}
    dearest = 0.0
    for control in (None, *job.controls):
        single = job.single(job.seeds[0], control)
        splits = load_splits(single, data_root)
        costs = price_run(single, build_model(single, splits), splits)
        epochs = single.train.epochs
        rows = {f"training, {epochs} epochs on {job.where}": price_training(costs, epochs)}
        rows |= {part: cost for part, cost in costs.items() if part.startswith("test")}
        dearest = max(dearest, sum(rows.values(), Price()).qpu_seconds)
        for part, cost in rows.items():
            parts[part] = parts.get(part, Price()) + cost * len(job.repeats)
    return parts, dearest


def _note_fractional_gates(job: JobFile, data_root: Path) -> None:
    """Whether the devices' fractional gates are used, and the total of the alternative."""
    from qiskit_hqnn.cli.terminal import note
    from qiskit_hqnn.jobs import Price, the_other_way
    from qiskit_hqnn.jobs.adapters import open_place

    words = [place for place in dict.fromkeys(job.places) if place.sampled and place.device]
    devices = [open_place(word, job.fractional)[0] for word in words]
    for device in filter(lambda device: device.rule, devices):
        note(device.rule)
    if not devices or any(the_other_way(device) is None for device in devices):
        return
    other, _ = _parts(job.model_copy(update={"fractional": not job.fractional}), data_root)
    total = sum(other.values(), Price())
    note(f"{'Without' if job.fractional else 'With'} fractional gates: {total.qpu_seconds:,.1f} QPU seconds.")
