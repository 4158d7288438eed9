"""Tables of paths with labels or numbers (CSV)."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.data.folders import PARTS, Label, Listing
from qiskit_hqnn.errors import MissingDataError

_COLUMNS = {
    "path": ("path", "file", "filename", "filepath", "image"),
    "label": ("label", "class", "target"),
    "part": ("split", "part", "set"),
}
"""The columns of a table (the last one only if it defines the test set), and the names that they may have."""

_TARGET = "target "
"""Before the name of a target, which may be called "path" itself."""


def list_csv(path: Path, targets: Sequence[str] = ()) -> Listing:
    """The pictures listed in a table.

    Its first line names the columns: path (relative to the table's folder), label (a word or number), and split
    ("train", "validation" or "test"), if the table defines which pictures are tested.

    Args:
        path: the table.
        targets: columns of numbers to learn, in the place of the label.

    Raises:
        MissingDataError: if the table is missing or not a text, lacks a column, or has an empty field.
    """
    rows, columns = _rows_of(path, targets)
    words = [] if targets else [row[columns["label"]].strip() for _, row in rows]
    classes = tuple(sorted(set(words), key=_natural))
    labels = {name: label for label, name in enumerate(classes)}
    parts: dict[str, list[tuple[Path, Label]]] = {}
    for line, row in rows:
        fields = {kind: row[column].strip() for kind, column in columns.items()}
        for kind, value in fields.items():
            if not value:
                raise MissingDataError(f"{path}, line {line}: the column {columns[kind]!r} is empty.")
        part = _part(fields["part"], path, line) if "part" in fields else "train"
        numbers = tuple(_number(fields[_TARGET + name], name, path, line) for name in targets)
        parts.setdefault(part, []).append(
            (path.parent / fields["path"], numbers if targets else labels[fields["label"]])
        )
    if "train" not in parts:
        raise MissingDataError(
            f"{path} has no training picture: its column {columns['part']!r} never says train."
        )
    ordered = {part: parts[part] for part in PARTS if part in parts}
    notes = _notes(classes, columns.get("label", ""))
    return Listing(classes, ordered, dict.fromkeys(ordered, str(path)), (), tuple(targets), notes)


def _notes(classes: Sequence[str], column: str) -> tuple[str, ...]:
    """That numbers with a fraction were read as classes: nobody is to find that out from the results."""
    if not classes or all(map(str.isdecimal, classes)) or not all(map(_is_number, classes)):
        return ()
    return (
        f"The {len(classes)} different numbers of column {column!r} are read as classes; data.targets = "
        f'["{column}"] takes them as numbers to learn.',
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(text: str, column: str, path: Path, line: int) -> float:
    if not _is_number(text):
        raise MissingDataError(
            f"{path}, line {line}: the column {column!r} must hold numbers such as 2.5, but holds {text!r}."
        )
    return float(text)


def _rows_of(
    path: Path, targets: Sequence[str]
) -> tuple[Sequence[tuple[int, Mapping[str, str]]], dict[str, str]]:
    """The lines by number, and the table's name of each known column and target."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise MissingDataError(f"There is no file {path}.") from error
    except OSError as error:
        raise MissingDataError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise MissingDataError(f"{path} is not a text in UTF-8.") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, restval="")
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise MissingDataError(f"{path} is not a table of comma-separated values: {error}.") from error
    given = [name for name in reader.fieldnames or () if name]
    names = {name.strip().lower(): name for name in given}
    columns = {
        kind: next(names[word] for word in words if word in names)
        for kind, words in _COLUMNS.items()
        if any(word in names for word in words)
    }
    if targets:
        columns.pop("label", None)
        columns |= _targets(targets, given, path)
    if "path" not in columns or not (targets or "label" in columns):
        raise MissingDataError(
            f"{path} must have the columns path and {', '.join(targets) or 'label'} in its first line (and split, if "
            f"it defines the test set), but has {', '.join(names) or 'none'}."
        )
    if not rows:
        raise MissingDataError(f"{path} lists no picture.")
    return rows, columns


def _targets(targets: Sequence[str], given: Sequence[str], path: Path) -> dict[str, str]:
    """The table's own name of each target; a column is one thing only."""
    own = {name.strip(): name for name in given}
    for target in targets:
        if target not in own:
            raise MissingDataError(
                f"{path} has no column {target!r}, which data.targets names; its columns are {', '.join(own)}"
                f"{suggestion(target, list(own))}"
            )
    return {_TARGET + target: own[target] for target in targets}


def _part(word: str, path: Path, line: int) -> str:
    for part, words in PARTS.items():
        if word.lower() in words:
            return part
    raise MissingDataError(
        f"{path}, line {line}: the part must be train, validation or test, but is {word!r}."
    )


def _natural(name: str) -> tuple[bool, float, str]:
    """Numbers by value, before words."""
    return (False, float(name), name) if name.isdecimal() else (True, 0.0, name)
