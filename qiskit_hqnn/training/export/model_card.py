"""A card in words: in a run folder, and as a README.md with the front matter that model hubs read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from qiskit_hqnn._files import write_text
from qiskit_hqnn._text import one_line
from qiskit_hqnn.training.export.card import Card
from qiskit_hqnn.training.export.several_runs import Spread
from qiskit_hqnn.training.metrics import INTERVAL, Result
from qiskit_hqnn.training.scores import ACCURACY, Score

_WILSON = "Wilson's for the share of test images that are right"

_SHOWN = 20
"""Most class names in a list."""


def write_model_card(card: Card, path: str | Path, file: str = "model.safetensors") -> Path:
    """Write the model card of an exported network.

    Args:
        card: of the network.
        path: of the Markdown file.
        file: name of the exported network, for the example in it.

    Raises:
        FileError: if it cannot be written.
    """
    write_text(Path(path), model_card(card, file))
    return Path(path)


def model_card(card: Card, file: str = "model.safetensors") -> str:
    """A card as Markdown with front matter; all content comes from the card."""
    parts = [
        _front_matter(card),
        f"# {_plain(card.name)}",
        _opening(card),
        f"## Use\n\n```python\nimport qiskit_hqnn\n\nnetwork = qiskit_hqnn.load({file!r})\n{_example(card)}```",
        _results(card),
        _inputs(card),
        _training(card),
        _versions(card),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_result_card(card: Card, folder: str | Path) -> Path:
    """Write card.json and card.md into a folder; returns the path of the JSON.

    Raises:
        FileError: if they cannot be written.
    """
    path = Path(folder) / "card.json"
    write_text(path, card.as_json(indent=1) + "\n")
    write_text(Path(folder) / "card.md", result_card(card))
    return path


def result_card(card: Card) -> str:
    """A card of results as Markdown, for readers who want to compare their own figures."""
    parts = [
        f"# Result card: {_plain(card.name)}",
        _opening(card),
        _several(card),
        _results(card),
        _inputs(card) if card.network else "",
        _training(card),
        _versions(card),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _several(card: Card) -> str:
    """Means over several runs and differences from controls; empty on the card of one run."""
    if card.runs is None:
        return ""
    score = card.runs.groups[0].score if card.runs.groups else ACCURACY
    name, points, scale = score.name, ", points" if score.percent else "", 100 if score.percent else 1
    lines = [
        "## Over all runs",
        "",
        f"| run | where | {name} | 95 % interval | standard deviation{points} | of | runs | macro F1 | images |",
        "|---|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {_plain(group.run)} | {_plain(group.where)} | {score.words(group.spread.mean)} | "
        f"{_interval_within(group.spread, score)} | {_shown(group.spread.deviation, scale)} | "
        f"{group.spread.count} {group.spread.unit}s | {group.runs} | "
        f"{'–' if group.macro_f1 is None else f'{group.macro_f1.mean:.4f}'} | {group.images:,} |"
        for group in card.runs.groups
    ]
    if card.runs.differences:
        lines += [
            "",
            f"| network − control, {name}{' in points' if score.percent else ''} | mean | 95 % interval | "
            "Hedges' g | p | smallest seen at 80 % |",
            "|---|--:|---|--:|--:|--:|",
        ]
    lines += [
        f"| {_plain(found.control)} | {score.signed(found.difference.mean)} | {_interval(found.difference, scale)} | "
        f"{_shown(found.effect, 1)} | {_shown(found.p, 1)} | {_shown(found.detectable, scale)} |"
        for found in card.runs.differences
    ]
    lines += ["", "The first run by itself:"]
    return "\n".join(lines)


def _interval_within(spread: Spread, score: Score) -> str:
    """Clipped to the score's range, such as 0 to 100 %, which Student's t ignores."""
    return "–" if spread.low is None or spread.high is None else score.interval(spread.low, spread.high)


def _interval(spread: Spread, scale: float) -> str:
    if spread.low is None or spread.high is None:
        return "–"
    return f"{scale * spread.low:.2f} – {scale * spread.high:.2f}"


def _shown(value: float | None, scale: float) -> str:
    return "–" if value is None else f"{scale * value:.3g}"


def _versions(card: Card) -> str:
    words = ", ".join(f"{_plain(name)} {_plain(version)}" for name, version in card.versions.items())
    return f"## Versions\n\n{words}." if words else ""


def _front_matter(card: Card) -> str:
    """YAML, in which a JSON value is a value; the licence is left to the user."""
    numbers = card.network is not None and card.network.targets is not None
    results = [_indexed(card, result) for result in card.results.values()]
    content: dict[str, object] = {
        "library_name": "qiskit_hqnn",
        "pipeline_tag": _task(numbers),
        "tags": ["quantum-machine-learning", "hybrid-quantum-neural-network", "qiskit", "pytorch"],
        "metrics": ["mse", "mae", "r2"] if numbers else ["accuracy", "f1"],
        "model-index": [{"name": card.name, "results": results}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items()]
    return "\n".join(["---", *lines, "---"])


def _indexed(card: Card, result: Result) -> dict[str, object]:
    data = str(card.job.get("data", {}).get("name", "images"))
    where = result.where + (f", {result.conditions}" if result.conditions else "")
    return {
        "task": {"type": _task(bool(result.targets))},
        "dataset": {"name": data, "type": data},
        "metrics": list(_metrics(result, where)),
    }


def _task(numbers: bool) -> str:
    """The word of model hubs, which have none for regression on images."""
    return "other" if numbers else "image-classification"


def _metrics(result: Result, where: str) -> Iterator[dict[str, object]]:
    for name, errors in result.targets.items():
        for kind, value in errors.model_dump().items():
            yield {"type": kind, "value": value, "name": f"{kind} of {name} on {where}"}
    if not result.targets:
        yield {"type": "accuracy", "value": result.accuracy, "name": f"accuracy on {where}"}
        yield {"type": "f1", "value": result.macro_f1, "name": f"macro F1 on {where}"}


def _opening(card: Card) -> str:
    counts = card.parameters
    parameters = (
        f" with {counts['classical']:,} classical and {counts['quantum']:,} quantum parameters"
        if counts
        else ""
    )
    reference = f" {_plain(card.reference).rstrip('.')}." if card.reference else ""
    name = card.job.get("model", {}).get("name", "network")
    model = f"A hybrid quantum neural network (`{_plain(name)}`){parameters}"
    return f"{model}, trained with qiskit_hqnn.{reference}"


def _example(card: Card) -> str:
    if card.described.preprocessing is None:
        shape = ", ".join(map(str, card.described.shape))
        return f"network.predict(features)  # a tensor of shape (N, {shape})\n"
    return f'network.predict(["picture.png"]).{"values" if card.described.targets else "names"}\n'


def _results(card: Card) -> str:
    if not card.results:
        return ""
    first = next(iter(card.results.values()))
    titles = ["where", *map(_plain, first.figures), "images"]
    rules = ["---", *("---" if name == INTERVAL else "--:" for name in first.figures), "--:"]
    lines = ["## Test results", "", f"| {' | '.join(titles)} |", f"|{'|'.join(rules)}|"]
    for result in card.results.values():
        where = result.where + (f", {result.conditions}" if result.conditions else "")
        lines.append(f"| {' | '.join([_plain(where), *result.figures.values(), f'{result.images:,}'])} |")
    whose = "that of resampled test images" if first.targets else _WILSON
    lines += ["", f"The interval is {whose}, and does not cover the choice of seed."]
    return "\n".join(lines)


def _inputs(card: Card) -> str:
    network = card.described
    names = network.class_names
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shape = "×".join(map(str, network.shape))
    if network.preprocessing is None:
        takes = f"vectors of {shape} features"
    else:
        how = network.preprocessing
        side = how["image_size"] or f"{how['size'][1]}×{how['size'][0]}"
        colour = "grey" if how["channels"] == 1 else "coloured"
        takes = f"{colour} pictures, resized to {side} pixels and scaled to 0 … 1"
        takes += f"; an autoencoder in the file makes {shape} features of them" if network.reduced else ""
    if network.targets is not None:
        scales = zip(network.targets.names, network.targets.means, network.targets.scales, strict=True)
        told = ", ".join(f"{_plain(name)} ({mean:.4g} ± {scale:.4g})" for name, mean, scale in scales)
        return (
            f"## Input and numbers\n\nIt takes {takes}. It answers numbers, with mean and standard deviation of the "
            f"training images: {told}."
        )
    return (
        f"## Input and classes\n\nIt takes {takes}. Its {len(names)} classes: "
        f"{', '.join(_plain(name) for name in names[:_SHOWN])}{more}."
    )


def _training(card: Card) -> str:
    data, how = card.data, card.training
    sizes = ", ".join(f"{data[part]:,} {part}" for part in ("train", "validation", "test") if part in data)
    name = _plain(card.job.get("data", {}).get("name", ""))
    lines = ["## Training", ""]
    if sizes:
        notes = " ".join(_plain(note) for note in data.get("notes", []))
        lines.append(f"Data `{name}`: {sizes} images. {notes}".rstrip())
    if how:
        seed = (card.job.get("seeds") or [0])[0]
        lines.append(
            f"{how.get('epochs', 0)} epochs on `{_plain(how.get('where', 'exact'))}`"
            + (f" in {how['seconds']:,.0f} s" if "seconds" in how else "")
            + f", seed {seed}; the weights are those of the best epoch on validation images."
        )
    settings = json.dumps(card.job, indent=2, ensure_ascii=False)
    lines += [
        "",
        "<details><summary>Job file</summary>",
        "",
        "```json",
        settings.replace("```", "'''"),
        "```",
        "",
        "</details>",
    ]
    return "\n".join(lines)


def _plain(text: object) -> str:
    """Words from outside, with all characters of Markdown, HTML and tables escaped."""
    marks = {"<": "&lt;", ">": "&gt;", "|": "\\|", "`": "'", "[": "\\[", "]": "\\]", "*": "\\*", "_": "\\_"}
    return "".join(marks.get(character, character) for character in one_line(text))
