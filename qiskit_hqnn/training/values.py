"""Numbers that a trained network makes of pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from torch import Tensor

from qiskit_hqnn._text import one_line

_SHOWN = 12
"""So many samples are printed."""


@dataclass(frozen=True, eq=False)
class Values:
    """Numbers of N samples, where a network answers numbers in the place of classes.

    Attributes:
        values: (N, K), in the numbers' own units.
        names: of the K numbers.
        sources: the picture files, where there were such.
        where: the place where the quantum layer ran.
    """

    values: Tensor
    names: tuple[str, ...]
    sources: tuple[str, ...] = ()
    where: str = "exact"

    @property
    def answers(self) -> Tensor:
        """The values."""
        return self.values

    @property
    def rows(self) -> list[dict[str, str | int | float]]:
        """One for each sample: "image" (its file, else its number), and each number by its name."""
        return [{"image": image, **dict(zip(self.names, row, strict=True))} for image, row in self._pairs()]

    def _pairs(self) -> Iterator[tuple[str | int, list[float]]]:
        sources: Sequence[str | int] = self.sources or range(len(self.values))
        return zip(sources, self.values.tolist(), strict=True)

    def of(self, sources: Sequence[str]) -> Values:
        """The same values of samples that come from these files."""
        return replace(self, sources=tuple(sources))

    def table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]], tuple[str, ...], str]:
        """Titles, rows of words, the titles of words among them, and a remark: as a terminal shows it."""
        rows: list[tuple[object, ...]] = [
            (image, *(f"{value:.6g}" for value in row)) for image, row in self._pairs()
        ]
        return ("image", *self.names), rows, ("image",), ""

    def json(self) -> str:
        """The rows as JSON."""
        rows = [
            {"image": image, "values": dict(zip(self.names, row, strict=True))}
            for image, row in self._pairs()
        ]
        return json.dumps({"where": self.where, "predictions": rows}, indent=2, ensure_ascii=False)

    def csv(self) -> str:
        """The rows as CSV, with a column for each number."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", *self.names])
        writer.writerows([image, *row] for image, row in self._pairs())
        return file.getvalue()

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        _, rows, _, _ = self.table()
        lines = ["  " + "  ".join(one_line(cell) for cell in row) for row in rows[:_SHOWN]]
        more = [f"  … and {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        images = f"{len(self)} image{'s' if len(self) != 1 else ''}"
        return "\n".join([f"Values of {images} on {self.where}: {', '.join(self.names)}", *lines, *more])

    def _repr_html_(self) -> str:
        titles, rows, _, _ = self.table()
        head = "".join(f"<th>{escape(one_line(title))}</th>" for title in titles)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(one_line(cell))}</td>" for cell in row) + "</tr>"
            for row in rows[:_SHOWN]
        )
        more = f"<p>… and {len(self) - _SHOWN} more</p>" if len(self) > _SHOWN else ""
        return f"<table><tr>{head}</tr>{body}</table>{more}"
