"""Confusion matrices and comparisons as vector graphics, in the colours of their page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from qiskit_hqnn._text import one_line
from qiskit_hqnn.training.scores import ACCURACY, Score

_NUMBERED = 30
"""Up to this many classes the cells contain numbers; beyond, pointing at a cell shows its number."""

_LETTERS = 18
_WIDTH, _STEP = 620, 34


def confusion_svg(confusion: Sequence[Sequence[int]], class_names: Sequence[str]) -> str:
    """Counts by true (rows) and predicted (columns) class; stronger is a larger share of the true class."""
    count = len(class_names)
    cell, font = (38, 12) if count <= 12 else (24, 10) if count <= _NUMBERED else (13, 9)
    longest = max((len(_short(name)) for name in class_names), default=0)
    margin = 26 + max(14, round(0.58 * font * longest))
    side, right = count * cell, round(0.6 * margin)
    parts = [
        f'<svg role="img" width="{margin + side + right}" height="{margin + side + 8}" font-size="{font}" '
        f'aria-label="Confusion matrix of {count} classes">',
        f'<text x="{margin + side / 2}" y="12" text-anchor="middle">predicted</text>',
        f'<text transform="translate(12 {margin + side / 2}) rotate(-90)" text-anchor="middle">true</text>',
    ]
    for index, name in enumerate(class_names):
        parts.append(
            _names(name, margin + (index + 0.5) * cell, margin - 5, font, upright=longest <= 3 and cell > 13)
        )
    for row, values in enumerate(confusion):
        total = sum(values) or 1
        for column, value in enumerate(values):
            if value:
                parts.append(_cell(row, column, value, value / total, cell, margin, class_names))
    frame = f'x="{margin}" y="{margin}" width="{side}" height="{side}"'
    return "".join([*parts, f'<rect {frame} fill="none" stroke="var(--line)"/></svg>'])


def _names(name: str, middle: float, edge: int, font: int, upright: bool) -> str:
    """A class's name at its row and at its column."""
    text, base = escape(_short(name)), middle + 0.35 * font
    row = f'<text x="{edge}" y="{base:.1f}" text-anchor="end">{text}</text>'
    if upright:
        return f'{row}<text x="{middle:.1f}" y="{edge}" text-anchor="middle">{text}</text>'
    return f'{row}<text transform="translate({base:.1f} {edge}) rotate({-60 if font > 9 else -90})">{text}</text>'


def _cell(
    row: int, column: int, value: int, share: float, cell: int, margin: int, names: Sequence[str]
) -> str:
    x, y = margin + column * cell, margin + row * cell
    words = f"{one_line(names[row])} taken for {one_line(names[column])}: {value:,} ({100 * share:.1f} %)"
    colour = "var(--blue)" if row == column else "var(--red)"
    place = f'x="{x}" y="{y}" width="{cell}" height="{cell}"'
    fill = f'fill="{colour}" fill-opacity="{0.12 + 0.88 * share:.2f}"'
    rect = f"<rect {place} {fill}><title>{escape(words)}</title></rect>"
    if len(names) > _NUMBERED:
        return rect
    ink = ' style="fill:var(--paper)"' if share > 0.5 else ""
    middle = f'x="{x + cell / 2}" y="{y + cell / 2 + 4}" text-anchor="middle" pointer-events="none"'
    return f"{rect}<text {middle}{ink}>{value}</text>"


def mistakes(
    confusion: Sequence[Sequence[int]], class_names: Sequence[str], most: int = 8
) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes: true class, predicted class, how often, and which share of the true class."""
    found = [
        (class_names[row], class_names[column], value, value / sum(values))
        for row, values in enumerate(confusion)
        for column, value in enumerate(values)
        if value and row != column
    ]
    return sorted(found, key=lambda mistake: -mistake[2])[:most]


@dataclass(frozen=True)
class Points:
    """A row of a comparison: a network or a control, with a point for each seed.

    Attributes:
        name: of the row.
        values: of the score, by seed.
        mean: theirs.
        interval: of the mean, within the score's range; None for one seed.
    """

    name: str
    values: dict[str, float]
    mean: float
    interval: tuple[float, float] | None


def points_svg(rows: Sequence[Points], score: Score = ACCURACY) -> str:
    """Scores: a dot for each seed, a line for the interval of the mean, which ends where the score does."""
    ends = [
        end for row in rows for end in (*row.values.values(), *(row.interval or ())) if math.isfinite(end)
    ]
    low, high = _range(min(ends, default=0.0), max(ends, default=1.0), score)
    label = 20 + round(6.6 * min(_LETTERS, max(len(row.name) for row in rows)))
    height = _STEP * len(rows) + 40

    def at(share: float) -> float:
        return round(label + (_WIDTH - label - 24) * (share - low) / (high - low), 1)

    head = (
        f'<svg role="img" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" font-size="12" '
        f'aria-label="{score.name} of every seed, with the mean and its interval">'
    )

    def shown(tick: float) -> str:
        return f"{100 * tick:g} %" if score.percent else f"{tick:g}"

    ticks = [
        f'<line x1="{at(tick)}" x2="{at(tick)}" y1="4" y2="{height - 34}" stroke="var(--line)"/>'
        f'<text x="{at(tick)}" y="{height - 18}" text-anchor="middle">{shown(tick)}</text>'
        for tick in ticks_of(low, high)
    ]
    lines = [_line(row, 20 + _STEP * index, label, at, score) for index, row in enumerate(rows)]
    middle = (label + _WIDTH) / 2
    foot = f'<text x="{middle}" y="{height - 3}" text-anchor="middle">test {score.name}</text></svg>'
    return "".join([head, *ticks, *lines, foot])


def _line(row: Points, y: int, label: int, at: Callable[[float], float], score: Score) -> str:
    parts = [f'<text x="{label - 12}" y="{y + 4}" text-anchor="end">{escape(_short(row.name))}</text>']
    if row.interval:
        first, last = map(at, row.interval)
        parts.append(
            f'<rect x="{first}" y="{y - 3}" width="{last - first:.1f}" height="6" fill="var(--blue)" '
            'fill-opacity=".35"/>'
        )
    parts.append(
        f'<rect x="{at(row.mean) - 1.2:.1f}" y="{y - 9}" width="2.4" height="18" fill="var(--blue)"/>'
    )
    for seed, value in row.values.items():
        words = escape(f"{one_line(row.name)}, seed {seed}: {score.words(value)}")
        dot = f'<circle cx="{at(value)}" cy="{y}" r="4" fill="var(--red)" fill-opacity=".75">'
        parts.append(f"{dot}<title>{words}</title></circle>")
    return "".join(parts)


def _range(low: float, high: float, score: Score) -> tuple[float, float]:
    room = max(0.05 * (high - low), 0.005)
    return max(score.low, low - room), min(score.high, high + room)


def ticks_of(low: float, high: float) -> list[float]:
    """Up to seven round numbers in a range."""
    step = 10.0 ** math.floor(math.log10((high - low) / 100))
    factors = itertools.cycle((2.0, 2.5, 2.0))
    while math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) >= 7:
        step *= next(factors)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _short(name: str) -> str:
    text = one_line(name)
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
