"""What a row's search over learning rate and epochs found, from `search.json` beside the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.reproduction.what_it_did import CONTROLS
from qiskit_hqnn.training import JobFile


def searched(name: str, job: JobFile, page: Path) -> str:
    """The section about a row's search; empty where `python -m benchmarks.search` has not searched for it.

    Args:
        name: of the row.
        job: the row's, which says what each network was trained with.
        page: of the row; `search.json` stands beside its folder.

    Raises:
        HQNNError: if the file was damaged.
    """
    file = page.parent.parent / "search.json"
    if not file.exists():
        return ""
    try:
        content = json.loads(file.read_text(encoding="utf-8")).get(name)
        return _section(content, job) if content else ""
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise HQNNError(
            f"{file} is not a file that `python -m benchmarks.search` wrote ({type(error).__name__}: {error})."
        ) from error


def _section(content: Mapping[str, Any], job: JobFile) -> str:
    points = [_words(point) for point in content["networks"]["network"]["points"]]
    rows, left = [], False
    for name, found in content["networks"].items():
        control = None if name == "network" else name
        train = job.single(job.repeats[0], control).train
        trained = {"learning_rate": train.learning_rate, "epochs": train.epochs}
        left |= trained != found["taken"]
        title = CONTROLS.get(name, (name, ""))[0] if control else "hybrid"
        rows.append(f"| {title} | {' | '.join(_cells(found['points'], trained, found['taken']))} |")
    text = (
        f"`{content['command']}`: the same grid for the hybrid and its controls, mean validation accuracy of the best "
        f"epoch over {content['seeds']} seed{'s' if content['seeds'] > 1 else ''}; no test set was read. Of a control "
        "the best point counts that has no more epochs than the row, among equal ones that of the lowest loss; the "
        "hybrid stays at its job file's settings unless others are better by more than one point with every seed. In "
        "bold what each network was trained with above"
    )
    star = r"; with a star (\*) the point that counts where these runs were not made there." if left else "."
    head = [f"| network | {' | '.join(points)} |", f"|---|{'--:|' * len(points)}"]
    return "\n".join(["## Search on validation images\n", f"{text}{star}\n", *head, *rows])


def _words(point: Mapping[str, Any]) -> str:
    return f"{point['learning_rate']:g}, {point['epochs']} epoch{'s' if point['epochs'] > 1 else ''}"


def _cells(
    points: Sequence[Mapping[str, Any]], trained: Mapping[str, Any], taken: Mapping[str, Any]
) -> list[str]:
    cells = []
    for point in points:
        mean = 100 * sum(point["accuracies"]) / len(point["accuracies"])
        cell = f"{mean:.2f} %"
        if _is(point, trained):
            cells.append(f"**{cell}**")
        else:
            cells.append(cell + (r" \*" if _is(point, taken) else ""))
    return cells


def _is(point: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    return all(point[key] == value for key, value in settings.items())
