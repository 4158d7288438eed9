"""Numbers that a trained network makes of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from qiskit_hqnn._text import one_line
from qiskit_hqnn.training.printing import SHOWN, as_csv, as_html, as_text, images_in_words


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
        return as_csv(["image", *self.names], ([image, *row] for image, row in self._pairs()))

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        _, rows, _, _ = self.table()
        title = f"Values of {images_in_words(len(self))} on {self.where}: {', '.join(self.names)}"
        return as_text(title, ["  ".join(map(one_line, row)) for row in rows[:SHOWN]], len(self))

    def _repr_html_(self) -> str:
        titles, rows, _, _ = self.table()
        return as_html(titles, rows[:SHOWN], len(self))
