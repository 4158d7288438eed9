"""Reports of a run while it runs: one callback with one signature, and a terminal that draws them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from qiskit_hqnn._text import plain

Stage = Literal["run", "data", "price", "step", "epoch", "test", "wait"]


@dataclass(frozen=True)
class Event:
    """Something that happened in a run.

    Attributes:
        stage: "run": a run of several begins; "data": its images were read; "price": what training will cost; "step":
            training steps were done; "epoch": an epoch was; "test": a test set goes to a place; "wait": a request waits
            for its turn.
        text: the line for it; empty for steps.
        done, total: steps of the epoch, or epochs.
        epoch: counted from 1.
        values: loss and accuracy by name.
    """

    stage: Stage
    text: str = ""
    done: int = 0
    total: int = 0
    epoch: int = 0
    values: Mapping[str, float] = field(default_factory=dict)


Progress = Callable[[Event], None]
"""The callback that receives a run's reports."""

_REDRAW_SECONDS = 0.1


def silent(event: Event) -> None:
    """Reports nothing."""


class Terminal:
    """Draws a run's progress on a terminal: a line for every epoch, and below it a bar for the one that runs.

    If the output is not a terminal, there are only lines.

    Args:
        bar: whether to draw the bar.
        console: where to; standard error by default.
    """

    def __init__(self, bar: bool = True, console: Console | None = None) -> None:
        self.console = console or _stderr()
        self._wanted = bar and self.console.is_terminal
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._drawn = 0.0

    def __call__(self, event: Event) -> None:
        if event.stage == "step":
            self._draw(event)
            return
        self._end_bar()
        if event.text:
            # The terminal wraps by itself: a path stays one word that can be copied.
            self.console.print(plain(event.text), markup=False, soft_wrap=True)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()

    def _draw(self, event: Event) -> None:
        now = time.monotonic()
        if not self._wanted or (now - self._drawn < _REDRAW_SECONDS and event.done < event.total):
            return
        self._drawn = now
        words = "  ".join(f"{name} {value:.3f}" for name, value in event.values.items())
        if self._bars is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[values]}"),
                TimeElapsedColumn(),
            )
            # Transient: the bar makes room for the epoch's line, and never stands above it.
            self._bars = Bars(*columns, console=self.console, transient=True, refresh_per_second=4)
            self._task = self._bars.add_task(f"epoch {event.epoch}", total=event.total, values=words)
            self._bars.start()
        assert self._task is not None
        self._bars.update(self._task, completed=event.done, total=event.total, values=words)

    def _end_bar(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._task = None


def _stderr() -> Console:
    """Standard error; where that is no terminal, a line of ours is a line of the file."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())


def reporting(progress: Progress | bool | None) -> Progress:
    """The callback that is meant: none for None and False, a terminal for True."""
    if progress is True:
        return Terminal()
    return progress or silent
