"""Result tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qiskit_hqnn.cli.terminal import note, print_rows, say

if TYPE_CHECKING:
    from qiskit_hqnn.training import Result, Run


def print_results(runs: Sequence[Run]) -> None:
    """One row for each run and place."""
    from qiskit_hqnn.training import repeat_words

    several = len(runs) > 1
    rows = []
    for repeat, control, run in runs:
        metrics = run.read_metrics()
        counts = metrics.parameters
        assert counts is not None  # a run that was tested has been trained
        whole = metrics.data.get("test", 0)
        for result in metrics.test.values():
            row = {"run": repeat_words(repeat) + (f" {control}" if control else "")} if several else {}
            figures = result.figures
            first = result.score.name
            rows.append(
                {
                    **row,
                    "where": _where(result, whole),
                    first: figures.pop(first),
                    "loss": figures.pop("loss"),
                    **{name: words for name, words in figures.items() if not name.startswith("95 %")},
                    "parameters": f"{counts.classical:,} + {counts.quantum:,}",
                    "seconds": f"{result.seconds:.1f}",
                }
            )
    titles = list(rows[0]) if rows else ["where"]
    print_rows(titles, [list(row.values()) for row in rows], left=("run", "where"))
    for _, _, run in runs:
        for result in run.read_metrics().test.values():
            if result.confidence is not None:
                note(in_rounds(result))
    seconds = runs[0][2].read_metrics().seconds["train"]
    note(f"training {seconds:.1f} s; parameters are classical + quantum")


def print_comparison(runs: Sequence[Run]) -> None:
    """Means over the seeds or draws, and the comparison with each control."""
    from qiskit_hqnn.training import in_plain_words, interval_words, summarise

    summary = summarise([(repeat, control, run.metrics()) for repeat, control, run in runs])
    rows = [
        (
            row["run"],
            row["where"],
            row["score"].words(row["mean"].mean),
            interval_words(row["mean"], row["score"]),
            row["mean"].count,
        )
        for row in summary["rows"]
    ]
    units, score = f"{summary['rows'][0]['mean'].unit}s", summary["rows"][0]["score"].name
    say()
    print_rows(("mean of", "where", score, "95 % interval", units), rows, left=("mean of", "where"))
    for sentence in in_plain_words(summary):
        say(f"- {sentence}")


def in_rounds(result: Result) -> str:
    """The savings by rounds, and how their classes compare with the full budget's."""
    words = [
        f"{result.where}, confidence {result.confidence:g}: {result.mean_shots:,.1f} shots per image on average in "
        f"{result.rounds} rounds, {result.executions:,} executions instead of {result.full_executions:,}, "
        f"{result.qpu_seconds:,.1f} QPU seconds instead of {result.full_qpu_seconds:,.1f}"
    ]
    if result.undecided:
        words.append(f"{result.undecided} of {result.images} images undecided at {result.shots:,} shots")
    if result.agreement is not None:
        words.append(f"{100 * result.agreement:.1f} % have the class of the full budget")
    return "; ".join(words)


def _where(result: Result, whole: int) -> str:
    """A result's place, with everything that distinguishes it from others at that place."""
    words = [result.where] + ([result.conditions] if result.conditions else [])
    if result.images < whole:
        words.append(f"{result.subset or 'first'} {result.images:,} images")
    return ", ".join(words)
