"""Tables of paths and labels (CSV)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from qiskit_hqnn.data.folders import PARTS, Listing
from qiskit_hqnn.errors import MissingDataError

_COLUMNS = {
    "path": ("path", "file", "filename", "filepath", "image"),
    "label": ("label", "class", "target"),
    "part": ("split", "part", "set"),
}
"""The columns of a table (the last one only if it defines the test set), and the names that they may have."""


def list_csv(path: Path) -> Listing:
    """The pictures listed in a table.

    Its first line names the columns: path (relative to the table's folder), label (a word or number), and split
    ("train", "validation" or "test"), if the table defines which pictures are tested.

    Raises:
        MissingDataError: if the table is missing or not a text, lacks a column, or has an empty field.
    """
    rows, columns = _rows_of(path)
    classes = tuple(sorted({row[columns["label"]].strip() for _, row in rows}, key=_natural))
    labels = {name: label for label, name in enumerate(classes)}
    parts: dict[str, list[tuple[Path, int]]] = {}
    for line, row in rows:
        fields = {kind: row[column].strip() for kind, column in columns.items()}
        for kind, value in fields.items():
            if not value:
                raise MissingDataError(f"{path}, line {line}: the column {columns[kind]!r} is empty.")
        part = _part(fields["part"], path, line) if "part" in fields else "train"
        parts.setdefault(part, []).append((path.parent / fields["path"], labels[fields["label"]]))
    if "train" not in parts:
        raise MissingDataError(
            f"{path} has no training picture: its column {columns['part']!r} never says train."
        )
    ordered = {part: parts[part] for part in PARTS if part in parts}
    return Listing(classes, ordered, dict.fromkeys(ordered, str(path)))


def _rows_of(path: Path) -> tuple[Sequence[tuple[int, Mapping[str, str]]], dict[str, str]]:
    """The lines by number, and the table's name of each known column."""
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
    names = {name.strip().lower(): name for name in reader.fieldnames or () if name}
    columns = {
        kind: next(names[word] for word in words if word in names)
        for kind, words in _COLUMNS.items()
        if any(word in names for word in words)
    }
    if not {"path", "label"} <= columns.keys():
        raise MissingDataError(
            f"{path} must have the columns path and label in its first line (and split, if it defines the test "
            f"set), but has {', '.join(names) or 'none'}."
        )
    if not rows:
        raise MissingDataError(f"{path} lists no picture.")
    return rows, columns


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
