"""Result tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from qiskit_hqnn.training import RunFolder


def print_results(runs: Sequence[tuple[int, str | None, RunFolder]]) -> None:
    """One row for each run and place."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    several = len(runs) > 1
    for title in (["run"] if several else []) + [
        "where",
        "accuracy",
        "loss",
        "macro F1",
        "parameters",
        "seconds",
    ]:
        table.add_column(title, justify="left" if title in ("run", "where") else "right", no_wrap=True)
    for seed, control, run in runs:
        metrics = run.metrics()
        counts = metrics["parameters"]
        for where, result in metrics["test"].items():
            row = [f"seed {seed}" + (f" {control}" if control else "")] if several else []
            table.add_row(
                *row,
                where + (f", {result['shots']} shots" if "shots" in result else ""),
                f"{100 * result['accuracy']:.2f} %",
                f"{result['loss']:.4f}",
                f"{result['macro_f1']:.4f}",
                f"{counts['classical']:,} + {counts['quantum']:,}",
                f"{result['seconds']:.1f}",
            )
    print_table(table)
    first = runs[0][2].metrics()
    Console().print(
        f"training {first['seconds']['train']:.1f} s; parameters are classical + quantum",
        style="dim",
        highlight=False,
    )


def print_table(table: Table) -> None:
    """Print a table in whole: where a window or a pipe is narrower its lines wrap, but no cell is cut."""
    needed = Console(width=10_000).measure(table).maximum
    console = Console()
    Console(width=max(needed, console.width)).print(table)
