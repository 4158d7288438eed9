"""Result tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qiskit_hqnn.cli.terminal import note, print_rows

if TYPE_CHECKING:
    from qiskit_hqnn.training import RunFolder


def print_results(runs: Sequence[tuple[int, str | None, RunFolder]]) -> None:
    """One row for each run and place."""
    several = len(runs) > 1
    rows = []
    for seed, control, run in runs:
        metrics = run.metrics()
        counts = metrics["parameters"]
        for where, result in metrics["test"].items():
            row = [f"seed {seed}" + (f" {control}" if control else "")] if several else []
            rows.append(
                [
                    *row,
                    where + (f", {result['shots']} shots" if "shots" in result else ""),
                    f"{100 * result['accuracy']:.2f} %",
                    f"{result['loss']:.4f}",
                    f"{result['macro_f1']:.4f}",
                    f"{counts['classical']:,} + {counts['quantum']:,}",
                    f"{result['seconds']:.1f}",
                ]
            )
    titles = ["where", "accuracy", "loss", "macro F1", "parameters", "seconds"]
    print_rows([*(["run"] if several else []), *titles], rows, left=("run", "where"))
    first = runs[0][2].metrics()
    note(f"training {first['seconds']['train']:.1f} s; parameters are classical + quantum")
