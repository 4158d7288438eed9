"""What `hqnn run --dry-run` prints: the price of a job before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit_hqnn.training import JobFile


def print_price(job: JobFile, data_root: Path) -> None:
    """Executions, jobs, QPU seconds and bytes of each part of a job, over all its seeds and controls."""
    from rich.console import Console
    from rich.table import Table

    from qiskit_hqnn.cli.tables import print_table
    from qiskit_hqnn.jobs import Price
    from qiskit_hqnn.training.preparation import build_model, load_splits
    from qiskit_hqnn.training.pricing import price_run, price_training

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
            parts[part] = parts.get(part, Price()) + cost * len(job.seeds)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("part", no_wrap=True)
    for title in ("executions", "jobs", "QPU seconds", "MB to send"):
        table.add_column(title, justify="right", no_wrap=True)
    for part, cost in [*parts.items(), ("total", sum(parts.values(), Price()))]:
        if cost.executions or part == "total":
            table.add_row(
                part,
                f"{cost.executions:,}",
                f"{cost.jobs:,}",
                f"{cost.qpu_seconds:,.1f}",
                f"{cost.payload_bytes / 1e6:,.1f}",
            )
    console = Console(highlight=False)
    print_table(table)
    console.print(f"{len(job.seeds) * (1 + len(job.controls))} run(s); nothing was sent.", style="dim")
    if not any(word.startswith("ibm_") for word in (job.where, *job.test)):
        console.print("Aer and snapshots cost nothing: these are the prices of hardware.", style="dim")
    if job.max_qpu_seconds is not None:
        fits = "within" if dearest <= job.max_qpu_seconds else "over"
        console.print(f"The dearest run is {fits} its budget, max_qpu_seconds = {job.max_qpu_seconds:g}.")
