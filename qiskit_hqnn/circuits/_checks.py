"""The checks of the factories' arguments, in one formula of words."""

from __future__ import annotations

from collections.abc import Collection

from qiskit_hqnn.errors import CircuitError


def check_integer(name: str, value: int, minimum: int, maximum: int | None = None) -> int:
    """Return `value` if it is an integer of [minimum, maximum]; raise CircuitError otherwise."""
    allowed = (
        f"an integer from {minimum} to {maximum}"
        if maximum is not None
        else f"an integer of at least {minimum}"
    )
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise CircuitError(f"Argument `{name}` must be {allowed}, but is {value!r}.")
    if maximum is not None and value > maximum:
        raise CircuitError(f"Argument `{name}` must be {allowed}, but is {value!r}.")
    return value


def check_choice(name: str, value: str, allowed: Collection[str]) -> str:
    """Return `value` if it is one of `allowed`; raise CircuitError otherwise."""
    if value not in allowed:
        raise CircuitError(
            f"Argument `{name}` must be one of {', '.join(map(repr, allowed))}, but is {value!r}."
        )
    return value
