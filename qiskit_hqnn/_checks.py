"""Checks of arguments, with one form of sentence: what is allowed, and what was given."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from operator import index
from typing import SupportsIndex

from qiskit_hqnn.errors import HQNNError


def check_integer(
    name: str, value: object, minimum: int, maximum: int | None = None, error: type[HQNNError] = HQNNError
) -> int:
    """Return `value` if it is a whole number of [minimum, maximum]; raise `error` otherwise."""
    allowed = (
        f"a whole number from {minimum} to {maximum}"
        if maximum is not None
        else f"a whole number of at least {minimum}"
    )
    try:
        counts = not isinstance(value, bool)
        number = index(value) if counts and isinstance(value, SupportsIndex) else minimum - 1
    except TypeError:
        number = minimum - 1
    if number < minimum or (maximum is not None and number > maximum):
        raise error(f"Argument `{name}` must be {allowed}, but is {value!r}.")
    return number


def check_choice(name: str, value: str, allowed: Collection[str], error: type[HQNNError] = HQNNError) -> str:
    """Return `value` if it is one of `allowed`; raise `error` otherwise."""
    if value not in allowed:
        raise error(f"Argument `{name}` must be one of {quoted(allowed)}, but is {value!r}.")
    return value


def quoted(words: Iterable[str]) -> str:
    return ", ".join(map(repr, words))


def suggestion(given: object, allowed: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or a full stop.

    Known ones with the whole word in them are nearer than any other: "size" is not "resize", but "image_size".
    """
    allowed = list(allowed)
    longer = [known for known in allowed if str(given).lower() in known.replace("-", "_").split("_")]
    nearest = longer[:3] or get_close_matches(str(given), allowed, 1)
    return f"; did you mean {' or '.join(map(repr, nearest))}?" if nearest else "."


def check_sizes(settings: object, name: str = "") -> None:
    """Raises HQNNError if settings are nested too deeply, or a whole number needs more than 64 bits."""
    if name.count(".") > 30:
        raise HQNNError(f"Key {name[:40]}… is nested too deeply.")
    if isinstance(settings, int) and not -(2**63) <= settings < 2**63:
        raise HQNNError(f"Key {name!r} must be below 2**63, but has {settings.bit_length()} bits.")
    if isinstance(settings, dict):
        for key, part in settings.items():
            check_sizes(part, f"{name}.{key}" if name else str(key))
    elif isinstance(settings, list):
        for number, part in enumerate(settings):
            check_sizes(part, f"{name}.{number}")
