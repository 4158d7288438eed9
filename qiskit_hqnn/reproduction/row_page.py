"""The page of a row: published and measured, run by run, what the quantum layer did, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qiskit_hqnn.reproduction.apart import without_twins
from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.over_draws import counted, of_draws, over_draws
from qiskit_hqnn.reproduction.records import Records
from qiskit_hqnn.reproduction.row_pictures import pictures
from qiskit_hqnn.reproduction.rows import Published
from qiskit_hqnn.reproduction.searched import searched
from qiskit_hqnn.reproduction.standing import SEEDS_FOR_A_SHARE, against, images_of, in_words, measured
from qiskit_hqnn.reproduction.summaries import network_rows, summary_of
from qiskit_hqnn.reproduction.what_it_did import CONTROLS, Found, paragraph
from qiskit_hqnn.training import Summary, SummaryRow, percent


def row_page(outcome: Outcome, found: Sequence[Found], path: Path, front: str, quick: bool) -> str:
    """A row's page as Markdown.

    Args:
        outcome: the row.
        found: its comparisons, with p-values adjusted over the table.
        path: of the page; `images/` and `results/` stand beside its folder.
        front: name of the page of all rows.
        quick: whether these are quick forms.
    """
    row = outcome.row
    lines = [f"# {row.job}: {row.system}, {row.data}", f"{row.source}. `{outcome.command}`"]
    if files := [
        f"[{part.name}](../results/{part.name}.json)" for part in outcome.parts if part.records.networks
    ]:
        lines[1] += f" Run by run: {', '.join(files)}. All rows: [results](../{front})."
    if outcome.records.networks and not quick:
        lines[1] += f" [Result card](../cards/{row.job}.json): `hqnn reproduce {row.job} --against CARD`."
    lines += [_table(outcome, quick), paragraph(outcome, found)]
    if row.differs:
        lines.append(f"Otherwise than in the text: {row.differs}.")
    lines += row.remarks
    lines += _figures(outcome)
    if outcome.records.networks:
        lines.append(pictures(outcome, path, quick))
        lines.append("" if quick else searched(row.job, outcome.job, path))
    if outcome.variant:
        lines += [
            f"## With the text's own settings\n\n{in_words(row.variant)}:",
            _table(outcome.variant, quick),
        ]
        lines += _figures(outcome.variant)
    return "\n\n".join(line for line in lines if line) + "\n"


def _table(outcome: Outcome, quick: bool) -> str:
    """Published and measured; empty where nothing was run."""
    row = outcome.row
    lines = [
        "| published | here | beside the published | test images | seeds | not learning | parameters | s |",
        "|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    if not outcome.records.networks:
        return ""
    lines += [
        f"| {row.published} | {measured(row, entry)} | {against(row, entry, images_of(outcome), quick)} | "
        f"{images_of(outcome):,} | {counted(entry)} | {_share(entry)} | {_parameters(row, entry['parameters'])} | "
        f"{entry['seconds']:.0f} |"
        for entry in network_rows(outcome)
    ]
    return "\n".join(lines)


def _figures(outcome: Outcome) -> list[str]:
    """Tables of the runs, what follows from them, and what they were made on."""
    lines = [f"Not run: {outcome.missing}"] if outcome.missing else []
    lines += outcome.records.left_out
    if not outcome.records.networks:
        return lines
    summary = summary_of(outcome)
    return [
        *lines,
        _not_there(outcome),
        _runs_table(summary),
        over_draws(outcome, summary),
        without_twins(outcome),
        _machines(outcome.records),
    ]


def _not_there(outcome: Outcome) -> str:
    """The job file's runs that nobody has made yet."""
    job = outcome.job
    there = {(run.repeat(job), run.control) for run in outcome.records.runs}
    words = []
    for control in (None, *job.controls):
        if count := sum((repeat, control) not in there for repeat in job.repeats):
            name = "the hybrid" if control is None else CONTROLS.get(control, (control, ""))[0]
            words.append(f"{name} ({count} of {len(job.repeats)})")
    return f"Runs of the job file that have not been made: {', '.join(words)}." if words else ""


def _machines(records: Records) -> str:
    """What the runs were made on, and at which commit; a line for each that differs."""
    runs: dict[str, list[str]] = {}
    for run in records.runs:
        commits = runs.setdefault(_machine(run.machine), [])
        if (commit := run.machine.get("commit")) and commit not in commits:
            commits.append(commit)
    lines = []
    for machine, commits in runs.items():
        named = [_short(commit) for commit in commits]
        commit = f"commit{'s' if len(named) > 1 else ''} {', '.join(named)}" if named else ""
        if words := "; ".join(part for part in (machine, commit) if part):
            lines.append(f"Machine: {words}.")
    return "\n\n".join(lines)


def _machine(machine: dict[str, Any]) -> str:
    if not machine.get("packages"):
        return ""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    threads = f"{machine['threads']} thread{'s' if machine['threads'] != 1 else ''}"
    return (
        f"{machine['cpus']} CPU cores ({threads}), device {machine['device']}, {machine['platform']}, Python "
        f"{machine['python']}, {packages}"
    )


def _short(commit: str) -> str:
    """The beginning of a commit's name, with its "-modified"."""
    name, _, modified = commit.partition("-")
    return name[:12] + (f"-{modified}" if modified else "")


def _runs_table(summary: Summary) -> str:
    drawn = summary["rows"][0]["mean"].unit == "draw"
    each = "draws one by one, each the mean of its seeds" if drawn else "seeds one by one"
    lines = [
        f"| network | where | accuracy | macro F1 | loss | not learning | {each} |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    most = max(entry["images"] for entry in summary["rows"])
    for entry in summary["rows"]:
        where = entry["where"] + (f", {entry['images']} images" if entry["images"] < most else "")
        name = "hybrid" if entry["run"] == "network" else CONTROLS.get(entry["run"], (entry["run"], ""))[0]
        by_run = entry["values"]
        values = of_draws(by_run).values() if entry["mean"].unit == "draw" else by_run.values()
        each = ", ".join(f"{100 * value:.1f}" for value in values)
        f1 = entry["macro_f1"]
        assert f1 is not None  # rows are of classes
        lines.append(
            f"| {name} | {where} | {percent(entry['mean'])} | {f1.mean:.3f} | "
            f"{entry['loss'].mean:.3f} | {_share(entry)} | {each} |"
        )
    return "\n".join(lines)


def _parameters(row: Published, counts: dict[str, int]) -> str:
    """Classical + quantum, and the text's count where it is another."""
    differs = row.parameters is not None and row.parameters != sum(counts.values())
    text = f" (text: {row.parameters:,})" if differs else ""
    return f"{counts['classical']:,} + {counts['quantum']:,}{text}"


def _share(entry: SummaryRow) -> str:
    """The share of runs that do not learn."""
    enough = entry["mean"].count >= SEEDS_FOR_A_SHARE
    return f"{entry['not_learned']} of {entry['runs']}" if enough else ""
