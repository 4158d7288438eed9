"""Tiles in one word, as in job files, commands and results: `20`, `auto`, `20,floor=0.9,spacing=1`."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

FLOOR = 0.8
MOST = 10_000
_WIDEST = 100
FORM = f"'auto' or a whole number from 1 to {MOST}, or with settings such as '20,floor=0.9,spacing=1'"
"""The allowed values, for sentences."""


@dataclass(frozen=True)
class TilesWord:
    """The meaning of a word; see `jobs.Tiles`."""

    count: int | str
    floor: float = FLOOR
    spacing: int = 0

    @property
    def word(self) -> int | str:
        """The shortest word for it: the count alone if the rest is the default."""
        more = "" if self.floor == FLOOR else f",floor={self.floor:g}"
        more += f",spacing={self.spacing}" if self.spacing else ""
        return f"{self.count}{more}" if more else self.count


def read_tiles(value: Any) -> TilesWord | None:
    """The meaning of a number, a word or a table of count, floor and spacing; None if it has none.

    >>> read_tiles("auto,spacing=1")
    TilesWord(count='auto', floor=0.8, spacing=1)
    """
    if isinstance(value, str):
        first, *others = (part.strip() for part in value.split(","))
        settings = {
            name.strip(): text.strip() for name, _, text in (other.partition("=") for other in others)
        }
        if len(settings) < len(others) or "count" in settings:
            return None
        value = {"count": int(first) if others and _is_number(first) else first, **settings}
    elif not isinstance(value, dict):
        value = {"count": value}
    if not {"count"} <= set(value) <= {"count", "floor", "spacing"}:
        return None
    count, floor, spacing = value["count"], _number(value.get("floor", FLOOR)), value.get("spacing", 0)
    spacing = int(spacing) if isinstance(spacing, str) and _is_number(spacing) else spacing
    fits = (
        (count == "auto" or _whole(count, 1, MOST))
        and floor is not None
        and 0 < floor <= 1
        and _whole(spacing, 0, _WIDEST)
    )
    return TilesWord(count, floor, spacing) if fits and floor is not None else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None
