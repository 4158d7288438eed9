"""Everything that the command writes to a terminal: text from outside is shown, and controls nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from qiskit_hqnn._text import one_line, plain

if TYPE_CHECKING:
    from rich.console import Console


def say(text: object = "", err: bool = False) -> None:
    """Print a text with control characters escaped."""
    typer.echo(plain(text), err=err)


def print_rows(
    titles: Sequence[str], rows: Sequence[Sequence[object]], left: Collection[str] = ("where",)
) -> None:
    """Print a whole table: lines wrap in a narrow window or pipe, but no cell is cut.

    Args:
        titles: of the columns.
        rows: their cells.
        left: columns whose cells are left-aligned; the others are numbers.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title, justify="left" if title in left else "right", no_wrap=True)
    for row in rows:
        # Text objects, since a name such as run[best] would be read as markup.
        table.add_row(*(Text(one_line(cell)) for cell in row))
    needed = console(width=10_000).measure(table).maximum
    console(width=max(needed, console().width)).print(table)


def note(text: object) -> None:
    """Print a remark below a table."""
    # The terminal wraps by itself: a path stays one word that can be copied.
    console().print(plain(text), style="dim", soft_wrap=True)


def console(err: bool = False, width: int | None = None) -> Console:
    """Rich's console, which reads nothing as markup."""
    from rich.console import Console

    return Console(stderr=err, width=width, markup=False, highlight=False, emoji=False)


@contextmanager
def doing(what: object) -> Iterator[Callable[[object], None]]:
    """A status line on a terminal until the block ends; yields the function that changes it."""
    from rich.text import Text

    with console(err=True).status(Text(one_line(what))) as status:
        yield lambda text: status.update(Text(one_line(text)))
