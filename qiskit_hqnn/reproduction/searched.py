"""What a row's search over learning rate and epochs found, from `search.json` beside the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.reproduction.what_it_did import CONTROLS


def searched(job: str, page: Path) -> str:
    """The section about a row's search; empty where `python -m benchmarks.search` has not searched for it.

    Args:
        job: the row's.
        page: of the row; `search.json` stands beside its folder.

    Raises:
        HQNNError: if the file was damaged.
    """
    file = page.parent.parent / "search.json"
    if not file.exists():
        return ""
    try:
        content = json.loads(file.read_text(encoding="utf-8")).get(job)
        return _section(content) if content else ""
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise HQNNError(
            f"{file} is not a file that `python -m benchmarks.search` wrote ({type(error).__name__}: {error})."
        ) from error


def _section(content: Mapping[str, Any]) -> str:
    points = [_words(point) for point in content["networks"]["network"]["points"]]
    lines = [
        "## Search on validation images\n",
        f"`{content['command']}`: the same grid for the hybrid and its controls, mean validation accuracy of the best "
        f"epoch over {content['seeds']} seed{'s' if content['seeds'] > 1 else ''}; no test set was read. In bold what "
        "each network was trained with above: a control at its best point with no more epochs than the row has, among "
        "equal ones that of the lowest loss, and the hybrid at the settings of its job file unless others were better "
        "by more than one point with every seed.\n",
        f"| network | {' | '.join(points)} |",
        f"|---|{'--:|' * len(points)}",
    ]
    for name, found in content["networks"].items():
        title = "hybrid" if name == "network" else CONTROLS.get(name, (name, ""))[0]
        lines.append(f"| {title} | {' | '.join(_cells(found['points'], found['taken']))} |")
    return "\n".join(lines)


def _words(point: Mapping[str, Any]) -> str:
    return f"{point['learning_rate']:g}, {point['epochs']} epoch{'s' if point['epochs'] > 1 else ''}"


def _cells(points: Sequence[Mapping[str, Any]], taken: Mapping[str, Any]) -> list[str]:
    cells = []
    for point in points:
        mean = 100 * sum(point["accuracies"]) / len(point["accuracies"])
        chosen = all(point[key] == value for key, value in taken.items())
        cells.append(f"**{mean:.2f} %**" if chosen else f"{mean:.2f} %")
    return cells
