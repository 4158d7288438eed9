"""The result of every analysis: a table, a figure, and a sentence; notebooks show it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn._page import page


@dataclass(frozen=True, eq=False)
class Analysis:
    """The result of one analysis.

    Attributes:
        title: what was analysed.
        summary: what was found, in a sentence or two.
        table: the numbers.
        draw: makes the figure.
    """

    title: str
    summary: str
    table: pd.DataFrame
    draw: Callable[[], Figure]

    def figure(self) -> Figure:
        """A matplotlib figure."""
        return self.draw()

    def png(self) -> bytes:
        """The figure as PNG."""
        file = io.BytesIO()
        self.figure().savefig(file, format="png", dpi=120)
        return file.getvalue()

    def _repr_html_(self) -> str:
        return self._body(self.png())

    def _body(self, picture: bytes) -> str:
        return (
            f"<h2>{escape(self.title)}</h2><p>{escape(self.summary)}</p>"
            f'<div class="wide" style="overflow-x:auto"><img alt="{escape(self.title)}" '
            f'src="data:image/png;base64,{base64.b64encode(picture).decode()}"></div>'
            f'<div class="wide" style="overflow-x:auto">'
            f"{self.table.to_html(index=False, float_format='%.4g', border=0)}</div>"
        )

    def page(self) -> str:
        """One self-contained HTML page."""
        return page(self.title, self._repr_html_())

    def save(self, folder: Path, name: str) -> list[Path]:
        """NAME.png, NAME.csv and NAME.html in a folder, each written beside and renamed."""
        picture = self.png()  # drawing takes longer than all else: once for both files
        contents = {
            f"{name}.png": picture,
            f"{name}.csv": self.table.to_csv(index=False).encode(),
            f"{name}.html": page(self.title, self._body(picture)).encode(),
        }
        for file, content in contents.items():
            write_bytes(folder / file, content)
        return [folder / file for file in contents]


def new_figure(width: float = 8, height: float = 4) -> Figure:
    """An empty figure of the usual size, without an interactive window."""
    return Figure(figsize=(width, height), layout="constrained")
