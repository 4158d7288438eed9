"""The published rows as `published.toml` has them; free of torch, so that a slip in a name is reported at once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.errors import JobFileError


@dataclass(frozen=True)
class Published:
    """A row of a paper.

    Attributes:
        job: name of the job file that repeats it.
        system, data, source, published: as they stand in the table.
        measure: "accuracy" or "macro_f1".
        figure: the published one, between 0 and 1; None where the text gives none.
        parameters: the text's count of trainable parameters, where it gives one.
        images: size of the published test set, where only a part of it may be at hand.
        quick: settings of the quick form.
        differs: what the job file does otherwise than the text; empty if nothing that the text gives.
        variant: the text's own settings then, under which the row is run a second time, without controls.
        remarks: what a reader must know.
    """

    job: str
    system: str
    data: str
    source: str
    published: str
    measure: str
    figure: float | None = None
    parameters: int | None = None
    images: int | None = None
    quick: list[str] = field(default_factory=list)
    differs: str = ""
    variant: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def published_rows() -> list[Published]:
    """All rows, in the order of the page."""
    text = (Path(__file__).parent / "published.toml").read_text(encoding="utf-8")
    return [Published(**row) for row in tomllib.loads(text)["row"]]


def choose_rows(name: str) -> list[Published]:
    """The rows called "all", or by the name of their job file, or by that of several ("textbook").

    Raises:
        JobFileError: if there is none of that name.
    """
    rows = published_rows()
    chosen = [row for row in rows if name == "all" or row.job == name]
    chosen = chosen or [row for row in rows if row.job.startswith(f"{name}-")]
    if not chosen:
        names = [row.job for row in rows]
        raise JobFileError(
            f"A published row must be 'all' or one of {', '.join(names)}, but is {name!r}{suggestion(name, names)}"
        )
    return chosen
