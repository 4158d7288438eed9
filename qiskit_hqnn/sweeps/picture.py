"""A sweep as vector graphics: validation score over the first key's values, a line for each other combination."""

from __future__ import annotations

import io

from matplotlib import colormaps
from matplotlib.figure import Figure

from qiskit_hqnn._text import drawn
from qiskit_hqnn.sweeps.grid import short_names
from qiskit_hqnn.sweeps.judging import Judged, Row
from qiskit_hqnn.training import Score

_NAMED = 12
"""Most lines in a legend."""


def sweep_svg(judged: Judged) -> bytes:
    """Dots are runs, lines join the means, bars are their 95 % intervals; a ring marks the chosen point."""
    rows = [row for row in judged.rows if row.values]
    first, *others = rows[0].point.values
    short = short_names([first, *others])
    places = list(dict.fromkeys(row.point.values[first] for row in judged.rows))
    lines: dict[str, list[Row]] = {}
    for row in rows:
        words = [f"{short[key]} {row.point.values[key]}" for key in others]
        lines.setdefault(", ".join([*words, *([row.control] if row.control else [])]), []).append(row)
    figure = Figure(figsize=(max(6.0, min(12.0, 2.5 + 1.1 * len(places))), 3.8), layout="constrained")
    axis = figure.subplots()
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    spread = min(0.5, 0.1 * (len(lines) - 1))
    for number, (name, own) in enumerate(lines.items()):
        shift = spread * (number / (len(lines) - 1) - 0.5) if len(lines) > 1 else 0.0
        colour = colours[number % len(colours)]
        _draw(axis, own, [places.index(row.point.values[first]) + shift for row in own], name, colour)
    chosen = judged.chosen
    if chosen is not None and chosen.mean is not None:
        names = list(lines.values())
        line = next(number for number, own in enumerate(names) if chosen in own)
        shift = spread * (line / (len(lines) - 1) - 0.5) if len(lines) > 1 else 0.0
        place = places.index(chosen.point.values[first]) + shift
        axis.plot(
            [place],
            [_scaled(chosen.mean.mean, chosen.score)],
            "o",
            ms=15,
            mfc="none",
            mec="#333333",
            label="chosen",
        )
    axis.set_xticks(range(len(places)), [drawn(place) for place in places])
    axis.set_xlim(-0.6, len(places) - 0.4)
    axis.set_xlabel(drawn(first))
    score = judged.rows[0].score
    axis.set_ylabel(f"validation {score.name}{' in %' if score.percent else ''}")
    axis.spines[["top", "right"]].set_visible(False)
    if len(lines) <= _NAMED and (len(lines) > 1 or chosen is not None):
        axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _scaled(value: float, score: Score) -> float:
    return 100 * value if score.percent else value


def _draw(axis: object, rows: list[Row], places: list[float], name: str, colour: object) -> None:
    means, score = [row.mean for row in rows if row.mean is not None], rows[0].score
    values = [_scaled(mean.mean, score) for mean in means]
    # Intervals end where the score does; one seed has none.
    low = [_scaled(mean.mean - max(score.low, mean.low), score) if mean.count > 1 else 0.0 for mean in means]
    high = [
        _scaled(min(score.high, mean.high) - mean.mean, score) if mean.count > 1 else 0.0 for mean in means
    ]
    style = {"color": colour, "marker": "_", "ms": 9, "lw": 1.2, "elinewidth": 3.0, "ecolor": (*colour, 0.35)}  # type: ignore[misc]
    label = drawn(name) or "network"
    axis.errorbar(places, values, yerr=[low, high], label=label, **style)  # type: ignore[attr-defined]
    for place, row in zip(places, rows, strict=True):
        dots = [_scaled(value, score) for value in row.values.values()]
        axis.plot([place] * len(dots), dots, "o", ms=3.5, color=colour, alpha=0.7, mew=0)  # type: ignore[attr-defined]
