"""Answers of a network as they are printed: the first ones, in a terminal and in a notebook, and all of them as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape

from qiskit_hqnn._text import one_line

SHOWN = 12
"""Most samples printed."""


def as_text(title: str, lines: Sequence[str], count: int) -> str:
    """A title and a line for each sample shown, of `count` in all."""
    more = [f"  … and {count - SHOWN} more"] if count > SHOWN else []
    return "\n".join([title, *(f"  {line}" for line in lines), *more])


def images_in_words(count: int) -> str:
    """Such as "1 image", "3 images"."""
    return f"{count} image{'s' if count != 1 else ''}"


def as_html(titles: Sequence[object], rows: Iterable[Sequence[object]], count: int) -> str:
    """A table with a row for each sample shown, of `count` in all."""
    head = "".join(f"<th>{escape(one_line(title))}</th>" for title in titles)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(one_line(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    more = f"<p>… and {count - SHOWN} more</p>" if count > SHOWN else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def as_csv(titles: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A line of titles, and one for each row."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(rows)
    return file.getvalue()
