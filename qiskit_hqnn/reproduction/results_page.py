"""The results page: an overview table, what the quantum layers did, and a page for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from qiskit_hqnn._files import write_text
from qiskit_hqnn.reproduction.against_card import card_of_row
from qiskit_hqnn.reproduction.outcomes import Outcome, devices_of
from qiskit_hqnn.reproduction.over_draws import counted
from qiskit_hqnn.reproduction.records import Record
from qiskit_hqnn.reproduction.row_page import row_page
from qiskit_hqnn.reproduction.standing import SEEDS_FOR_A_SHARE, against, images_of, in_words, measured
from qiskit_hqnn.reproduction.summaries import network_rows
from qiskit_hqnn.reproduction.what_it_did import Found, differences_table, find_differences, link_to
from qiskit_hqnn.training import MARGIN


def write_page(path: Path, outcomes: Sequence[Outcome], quick: bool) -> None:
    """Write the page, and beside it a page (in `rows/`) and a card (in `cards/`) for each row, and their pictures.

    What stands in Markdown files in `results/` beside the page, measured by other commands, is taken over as it is.
    """
    found = find_differences(outcomes)
    parts = [
        _head(quick),
        _table(outcomes, found, quick),
        differences_table(outcomes, found, rows_folder(quick)),
    ]
    parts += [_devices(outcomes)]
    if not quick:
        written = sorted((path.parent / "results").glob("*.md"))
        # Their links lead from `results/`.
        parts += [file.read_text(encoding="utf-8").strip().replace("](../", "](") for file in written]
    parts.append(_reading())
    for outcome in outcomes:
        page = path.parent / rows_folder(quick) / f"{outcome.row.job}.md"
        if outcome.records.networks and not quick:
            write_text(
                path.parent / "cards" / f"{outcome.row.job}.json", card_of_row(outcome).as_json(1) + "\n"
            )
        write_text(page, row_page(outcome, found.get(outcome.row.job, ()), page, path.name, quick))
    write_text(path, "\n\n".join(part for part in parts if part) + "\n")


def rows_folder(quick: bool) -> str:
    """The folder of the rows' pages, beside the page."""
    return "rows-quick" if quick else "rows"


def _head(quick: bool) -> str:
    lines = ["# Results"]
    if quick:
        lines.append(
            "**Quick form**: less data and fewer epochs, to see that everything runs. Not to be held against the "
            "published figures."
        )
    lines.append(
        "Published figures beside those of `hqnn reproduce`, written from its run folders. Accuracy is on the test "
        "set, which is read once for each run; settings that a text leaves open were chosen on validation images. "
        "Every row has a page with its runs, controls, machines and pictures."
    )
    return "\n\n".join(lines)


def _reading() -> str:
    return (
        "## How to read the figures\n\n"
        "- Means are over the seeds, or over random draws of the images (each the mean of its seeds), with 95 % "
        "intervals (Student's t). The published figure lies within that interval, or the interval lies above or below "
        "it; over draws it is held against the range in which one draw more would lie.\n"
        "- An interval over seeds does not cover the choice of test images: the page of a row gives their number.\n"
        "- A run counts as not learning if the mean recall of its classes on the test set is below that of guessing, "
        f"one over their number, plus {100 * MARGIN:.0f} points; the share of such runs is given from "
        f"{SEEDS_FOR_A_SHARE} seeds on.\n"
        "- Parameters are classical + quantum, beside the text's count where that is another; seconds are those of one "
        "training.\n"
        "- A difference from a control is shown where p, adjusted for all comparisons of the table (Holm), is below "
        "0.05."
    )


def _table(outcomes: Sequence[Outcome], found: Mapping[str, Sequence[Found]], quick: bool) -> str:
    lines = [
        "## In a minute\n",
        "| row | published | here | beside the published | seeds | hybrid − classical twin, points | hybrid − other "
        "controls, points |",
        "|---|---|--:|---|--:|---|---|",
    ]
    for outcome in chain.from_iterable(outcome.parts for outcome in outcomes):
        row = outcome.row
        with_text = f", with the text's {in_words(row.variant)}" if outcome.as_published else ""
        star = r" \*" if row.differs and not outcome.as_published else ""
        head = f"| {link_to(outcome, rows_folder(quick))}{with_text}{star} | {row.published} "
        if not outcome.records.networks:
            lines.append(f"{head}| not run | | | | |")
            continue
        differences = [] if outcome.as_published else found.get(row.job, ())
        lines += [
            f"{head}| {measured(row, entry)} | {against(row, entry, images_of(outcome), quick)} | "
            f"{counted(entry)} | {_beside(differences, True)} | {_beside(differences, False)} |"
            for entry in network_rows(outcome)
        ]
    if any(outcome.row.differs for outcome in outcomes):
        lines.append("\n\\* Otherwise than in the text: the row's page says in what.")
    return "\n".join(lines)


def _beside(differences: Sequence[Found], twin: bool) -> str:
    """What the comparisons with the twin, or with the other controls, come to."""
    words = []
    for item in differences:
        comparison = item.comparison
        if (comparison.control == "twin") == twin:
            name = "" if twin else f"{comparison.control}: "
            points = round(100 * comparison.difference.mean, 1) + 0.0  # not minus zero
            words.append(f"{name}{points:+.1f}, {item.word}")
    return "; ".join(words)


def _devices(outcomes: Sequence[Outcome]) -> str:
    lines = []
    for outcome in outcomes:
        row = outcome.row
        own = [(run, "") for run in outcome.records.networks]
        form = " (quick form" + (f": {in_words(row.quick)})" if row.quick else ")")
        quick = [(run, form) for run in _networks(outcome.looks)]
        seen: set[str] = set()
        for run, note in own + quick:
            for place, (plain, mitigated) in devices_of(run).items():
                if note and place in seen:
                    continue
                seen |= set() if note else {place}
                lines.append(
                    f"| {row.system}, {row.data}{note} | {run.seed} | {place} | {_either(plain, mitigated)} | "
                    f"{_exact(plain)} | {_with_interval(plain)} | {_with_interval(mitigated)} | "
                    f"{plain.get('qpu_seconds', 0):.0f} / {mitigated.get('qpu_seconds', 0):.0f} |"
                )
    if not lines:
        return ""
    head = [
        "## On a noisy device, 1,000 shots\n",
        "Test images, chosen at random, through a snapshot of a real device (its noise model in Aer); without "
        "mitigation and with TREX for the readout. A quick form is a network trained for less long or on fewer images, "
        "with the settings that are given. Intervals are Wilson's; QPU seconds are those that hardware would "
        "charge.\n",
        "| network | seed | device | images | exact | plain | mitigated | QPU s |",
        "|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    return "\n".join(head + lines)


def _networks(outcome: Outcome | None) -> list[Record]:
    return outcome.records.networks if outcome else []


def _either(plain: dict[str, Any], mitigated: dict[str, Any]) -> str:
    """Test images of both results, once if they are the same ones."""
    return " / ".join(f"{count:,}" for count in dict.fromkeys((plain["images"], mitigated["images"])))


def _exact(plain: dict[str, Any]) -> str:
    return f"{100 * plain['exact_accuracy']:.1f} %" if "exact_accuracy" in plain else ""


def _with_interval(test: dict[str, Any]) -> str:
    low, high = test["accuracy_interval"]
    return f"{100 * test['accuracy']:.1f} % ({100 * low:.0f} – {100 * high:.0f})"
