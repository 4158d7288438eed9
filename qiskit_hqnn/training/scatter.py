"""True against answered numbers as vector graphics, in the colours of the page that they stand in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from qiskit_hqnn._text import one_line
from qiskit_hqnn.training.charts import ticks_of

_SIDE, _LEFT, _BELOW = 340, 70, 46
_DRAWN = 2000
"""So many dots are drawn, evenly over the images."""


def scatter_svg(pairs: Sequence[tuple[float, float]], name: str) -> str:
    """A dot for each image, true number to the right and answered one upwards; on the line both are equal.

    Args:
        pairs: (true, answered), at least one.
        name: of the number.
    """
    step = math.ceil(len(pairs) / _DRAWN)
    finite = [pair for pair in pairs[::step] if all(map(math.isfinite, pair))]
    ends = [value for pair in finite for value in pair] or [0.0, 1.0]
    room = 0.04 * (max(ends) - min(ends)) or 0.5
    low, high = min(ends) - room, max(ends) + room

    def along(value: float) -> float:
        return round(_LEFT + _SIDE * (value - low) / (high - low), 1)

    def up(value: float) -> float:
        return round(8 + _SIDE * (high - value) / (high - low), 1)

    words = escape(one_line(name))
    bottom = 8 + _SIDE
    parts = [
        f'<svg role="img" width="{_LEFT + _SIDE + 24}" height="{bottom + _BELOW}" font-size="12" '
        f'aria-label="Answered against true {words} of {len(finite)} images">',
        f'<rect x="{_LEFT}" y="8" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="var(--line)"/>',
        f'<line x1="{along(low)}" y1="{up(low)}" x2="{along(high)}" y2="{up(high)}" stroke="var(--line)"/>',
    ]
    for tick in ticks_of(low, high):
        parts.append(f'<text x="{along(tick)}" y="{bottom + 17}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{_LEFT - 8}" y="{up(tick) + 4}" text-anchor="end">{tick:g}</text>')
    for true, answered in finite:
        parts.append(
            f'<circle cx="{along(true)}" cy="{up(answered)}" r="3" fill="var(--blue)" fill-opacity=".55">'
            f"<title>true {true:.4g}, answered {answered:.4g}</title></circle>"
        )
    middle = _LEFT + _SIDE / 2
    parts += [
        f'<text x="{middle}" y="{bottom + 37}" text-anchor="middle">true {words}</text>',
        f'<text transform="translate(14 {8 + _SIDE / 2}) rotate(-90)" text-anchor="middle">answered</text></svg>',
    ]
    return "".join(parts)
