"""The results page: published figures beside those of the runs, their controls, and pictures, as Markdown."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import chain
from os.path import relpath
from pathlib import Path
from typing import Any

from qiskit_hqnn._files import write_text, write_whole
from qiskit_hqnn.reproduction.apart import without_twins
from qiskit_hqnn.reproduction.outcomes import Outcome, devices_of
from qiskit_hqnn.reproduction.over_draws import counted, of_draws, over_draws
from qiskit_hqnn.reproduction.records import Record, Records
from qiskit_hqnn.reproduction.reproducing import Published
from qiskit_hqnn.training import MARGIN, Mean, of_one_more, percent, summarise

SEEDS_FOR_A_SHARE = 5
"""From so many seeds on, the share of runs that do not learn is given."""

_CONTROLS = {
    "twin": "the classical twin",
    "twin-1": "the classical twin with one kernel",
    "frozen": "frozen quantum weights",
    "no-entanglement": "no entangling gates",
    "matched-dense": "a dense layer with as many parameters",
}


def write_page(path: Path, outcomes: Sequence[Outcome], quick: bool) -> None:
    """Write the page and, in `images/` beside it, its pictures.

    What stands in Markdown files in `results/` beside the page, measured by other commands, is taken over as it is.
    """
    parts = [_head(quick), _table(outcomes, quick), _devices(outcomes)]
    if not quick:
        written = sorted((path.parent / "results").glob("*.md"))
        # Their links lead from `results/`.
        parts += [file.read_text(encoding="utf-8").strip().replace("](../", "](") for file in written]
    parts += [_section(outcome, path.parent / "images", quick) for outcome in outcomes]
    write_text(path, "\n\n".join(part for part in parts if part) + "\n")


def _head(quick: bool) -> str:
    lines = ["# Results"]
    if quick:
        lines.append(
            "**Quick form**: less data and fewer epochs, to see that everything runs. Not to be held against the "
            "published figures."
        )
    lines.append(
        "Written by `hqnn reproduce` from its run folders. Accuracy is on the test set, which is read once for each "
        "run; settings that a text leaves open were chosen on validation images. Means over the seeds with 95 % "
        "intervals (Student's t); the published figure lies within that interval, or the interval lies above or below "
        "it. Parameters are classical + quantum, beside the text's count where that is another; seconds are those of "
        "one training."
    )
    lines.append(
        "A run counts as not learning if the mean recall of its classes on the test set is below that of guessing, one "
        f"over their number, plus {100 * MARGIN:.0f} points; the share of such runs is given from {SEEDS_FOR_A_SHARE} "
        "seeds on."
    )
    return "\n\n".join(lines)


def _table(outcomes: Sequence[Outcome], quick: bool) -> str:
    lines = [
        "## Published and measured",
        "| system | data | published | here | beside the published | test images | seeds | not learning | parameters | "
        "s |",
        "|---|---|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    lines[0] += "\n"
    for outcome in chain.from_iterable(outcome.parts for outcome in outcomes):
        row = outcome.row
        head = f"| [{row.system}](#{row.job}) | {row.data}{_otherwise(outcome)} | {row.published} "
        if not outcome.records.networks:
            lines.append(f"{head}| not run | | | | | | |")
            continue
        for entry in _network_rows(outcome):
            mean: Mean = entry[row.measure]
            where = "" if entry["where"] == "exact" else f" on {entry['where']}"
            name = "F1 " if row.measure == "macro_f1" else ""
            counts = entry["parameters"]
            images = next(iter(outcome.records.networks[0].metrics["test"].values()))["images"]
            lines.append(
                f"{head}| {name}{percent(mean)}{where} | {_against(row, entry, images, quick)} | {images:,} | "
                f"{counted(entry)} | {_share(entry)} | {_parameters(row, counts)} | "
                f"{entry['seconds']:.0f} |"
            )
    return "\n".join(lines)


def _otherwise(outcome: Outcome) -> str:
    """How the settings stand to the text's, where they are not the same throughout."""
    row = outcome.row
    if outcome.as_published:
        return f" (with the text's {_in_words(row.variant)})"
    return f" ({row.differs})" if row.differs else ""


def _in_words(settings: Sequence[str]) -> str:
    """Settings such as "train.epochs=1", and "no train.schedule" for an empty one."""
    pairs = [setting.partition("=") for setting in settings]
    return ", ".join(f"`{key}={value}`" if value else f"no `{key}`" for key, _, value in pairs)


def _network_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """The network at the places that saw the whole test set, as the job asks; looks at few images have their table."""
    rows = _summary(outcome)["rows"]
    return [row for row in rows if row["run"] == "network" and row["where"] in outcome.job.test]


def _summary(outcome: Outcome) -> dict[str, Any]:
    runs = outcome.records.runs
    return summarise([(run.repeat(outcome.job), run.control, run.metrics) for run in runs])


def _against(row: Published, entry: dict[str, Any], images: int, quick: bool) -> str:
    """Where the published figure, and nothing lower, lies to the interval of the mean.

    Of many draws of the images it is to the range in which one draw more would lie, since the published figure is that
    of one choice of images.
    """
    mean: Mean = entry[row.measure]
    if row.figure is None:
        return ""
    if quick:
        return "quick"
    if row.images is not None and images < row.images:
        return "part of the data"
    # A mean of equal values may differ from them by its last bit.
    one_seed = ", one seed" if mean.count < 2 else ""
    low, high = (mean.mean, mean.mean) if one_seed else (mean.low, mean.high)
    drawn = mean.unit == "draw" and not one_seed
    if drawn:
        low, high = of_one_more(mean)
    if low > row.figure + 1e-9:
        return f"above{one_seed}"
    if high < row.figure - 1e-9:
        return f"below{one_seed}"
    if drawn:
        return f"within what one draw gives ({100 * low:.0f} – {100 * high:.0f} %)"
    return f"equal{one_seed}" if one_seed else "within its interval"


def _parameters(row: Published, counts: dict[str, int]) -> str:
    """Classical + quantum, and the text's count where it is another."""
    differs = row.parameters is not None and row.parameters != sum(counts.values())
    text = f" (text: {row.parameters:,})" if differs else ""
    return f"{counts['classical']:,} + {counts['quantum']:,}{text}"


def _share(entry: dict[str, Any]) -> str:
    """The share of runs that do not learn."""
    count = entry["accuracy"].count
    return f"{entry['not_learned']} of {count}" if count >= SEEDS_FOR_A_SHARE else ""


def _devices(outcomes: Sequence[Outcome]) -> str:
    lines = []
    for outcome in outcomes:
        row = outcome.row
        own = [(run, "") for run in outcome.records.networks]
        form = " (quick form" + (f": {_in_words(row.quick)})" if row.quick else ")")
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


def _section(outcome: Outcome, images: Path, quick: bool) -> str:
    row = outcome.row
    lines = [f"## {row.job}", f"{row.source}. `{outcome.command}`"]
    if files := [
        f"[{part.name}](results/{part.name}.json)" for part in outcome.parts if part.records.networks
    ]:
        lines[1] += f" Run by run: {', '.join(files)}."
    if row.differs:
        lines.append(f"Otherwise than in the text: {row.differs}.")
    lines += row.remarks
    lines += _figures(outcome)
    if outcome.records.networks:
        lines.append(_pictures(outcome, images, quick))
    if outcome.variant:
        lines += [f"With the text's own settings, {_in_words(row.variant)}:", *_figures(outcome.variant)]
    return "\n\n".join(line for line in lines if line)


def _figures(outcome: Outcome) -> list[str]:
    """Tables of the runs, what follows from them, and what they were made on."""
    lines = [f"Not run: {outcome.missing}"] if outcome.missing else []
    lines += outcome.records.left_out
    if not outcome.records.networks:
        return lines
    summary = _summary(outcome)
    lines += [_runs_table(summary), over_draws(outcome, summary), without_twins(outcome)]
    if summary["comparisons"]:
        lines.append("\n".join(f"- {comparison.sentence}" for comparison in summary["comparisons"]))
    return [*lines, _machines(outcome.records)]


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


def _runs_table(summary: dict[str, Any]) -> str:
    drawn = summary["rows"][0]["accuracy"].unit == "draw"
    each = "draws one by one, each the mean of its seeds" if drawn else "seeds one by one"
    lines = [
        f"| network | where | accuracy | macro F1 | loss | not learning | {each} |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    most = max(entry["images"] for entry in summary["rows"])
    for entry in summary["rows"]:
        where = entry["where"] + (f", {entry['images']} images" if entry["images"] < most else "")
        name = "hybrid" if entry["run"] == "network" else _CONTROLS.get(entry["run"], entry["run"])
        values = entry["accuracies"]
        if entry["accuracy"].unit == "draw":
            values = of_draws(values)
        each = ", ".join(f"{100 * value:.1f}" for value in values.values())
        lines.append(
            f"| {name} | {where} | {percent(entry['accuracy'])} | {entry['macro_f1'].mean:.3f} | "
            f"{entry['loss'].mean:.3f} | {_share(entry)} | {each} |"
        )
    return "\n".join(lines)


def _pictures(outcome: Outcome, images: Path, quick: bool) -> str:
    """Curves and confusion matrix of the first seed's network, copied beside the page; what stands there is kept."""
    run = outcome.records.networks[0]
    place = next(iter(run.metrics["test"]))
    links = []
    for source, what in ((f"confusion-{place}.png", "confusion matrix"), ("curves.png", "loss and accuracy")):
        kind = source.split("-")[0].removesuffix(".png")
        target = images / f"results-{outcome.row.job}{'-quick' if quick else ''}-{kind}.png"
        if run.folder is not None and (run.folder / source).exists():
            _copy(run.folder / source, target)
        if target.exists():
            links.append(f"![{outcome.row.job}: {what}]({relpath(target, images.parent)})")
    return " ".join(links)


def _copy(source: Path, target: Path) -> None:
    def copy(beside: Path) -> None:
        shutil.copyfile(source, beside)

    write_whole(target, copy)
