"""Which parameters of a circuit are inputs and which are weights, by patterns or as Parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

from qiskit_hqnn.errors import CircuitError

Parameters: TypeAlias = str | Parameter | ParameterVector | Iterable[str | Parameter | ParameterVector]
"""Patterns such as "x*" (several in one string are separated by commas), parameters or vectors of them, or a list."""

_USUAL_INPUT = re.compile(r"x(_?\d+|\[\d+\])?")


def select_parameters(
    circuit: QuantumCircuit, inputs: Parameters | None, weights: Parameters | None, given: str
) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
    """Inputs and weights of a circuit.

    In a pattern `*` matches any text and `?` any character. What a pattern matches comes in natural order: x2 before
    x10. If one of both is None, it is all that the other one does not name; if both are None, the inputs are the
    parameters named x, x0, x_0, x[0] and so on, and the weights are the rest.

    Args:
        circuit: the circuit with the parameters.
        inputs, weights: patterns or parameters.
        given: the circuit's name in errors.

    Raises:
        CircuitError: if a pattern matches nothing, or a parameter is matched twice or not at all.
    """
    found = natural_order(circuit.parameters)
    if inputs is None and weights is None:
        chosen = [parameter for parameter in found if _USUAL_INPUT.fullmatch(parameter.name)]
        return tuple(chosen), tuple(parameter for parameter in found if parameter not in set(chosen))
    sides = {
        word: None if side is None else _listed(side, found, word, given)
        for word, side in (("inputs", inputs), ("weights", weights))
    }
    named = [parameter for side in sides.values() for parameter in side or ()]
    twice = [parameter.name for parameter in named if named.count(parameter) > 1]
    if twice:
        raise CircuitError(
            f"Each parameter of {given} must be an input or a weight, but {twice[0]!r} is matched twice by "
            f"`inputs` ({_words(inputs)}) and `weights` ({_words(weights)})."
        )
    rest = tuple(parameter for parameter in found if parameter not in set(named))
    if rest and None not in sides.values():
        raise CircuitError(
            f"Each parameter of {given} must be an input or a weight, but neither "
            f"`inputs` ({_words(inputs)}) nor `weights` ({_words(weights)}) matches {_names(rest)}."
        )
    chosen_inputs, chosen_weights = (rest if side is None else side for side in sides.values())
    return chosen_inputs, chosen_weights


def natural_order(parameters: Iterable[Parameter]) -> list[Parameter]:
    """Parameters in natural order of their names: x2 before x10."""
    return sorted(parameters, key=lambda parameter: _natural(parameter.name))


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part
    ]


def _listed(side: Parameters, found: Sequence[Parameter], word: str, given: str) -> tuple[Parameter, ...]:
    listed: list[Parameter] = []
    single = isinstance(side, str | Parameter | ParameterVector) or not isinstance(side, Iterable)
    parts: Iterable[object] = [side] if single else side
    for part in parts:
        if isinstance(part, str):
            for pattern in filter(None, (text.strip() for text in part.split(","))):
                listed += _matched(pattern, found, word, given)
        elif isinstance(part, ParameterVector):
            listed += list(part)
        elif isinstance(part, Parameter):
            listed.append(part)
        else:
            raise CircuitError(
                f"Argument `{word}` must be patterns such as 'x*', or parameters, but contains {part!r}."
            )
    strangers = [parameter.name for parameter in listed if parameter not in set(found)]
    if strangers and strangers[0] in {parameter.name for parameter in found}:
        raise CircuitError(
            f"Every parameter in `{word}` must be one of {given}, but {strangers[0]!r} is a different one of the same "
            "name; use the circuit's own, or a pattern."
        )
    if strangers:
        raise CircuitError(
            f"Every parameter in `{word}` must be one of {given}, but {strangers[0]!r} is none; it has {_names(found)}."
        )
    return tuple(listed)


def _matched(pattern: str, found: Sequence[Parameter], word: str, given: str) -> list[Parameter]:
    # Brackets belong to a vector's elements; they mean a set of characters only if no parameter has that name.
    literal = pattern.replace("[", "[[]")
    for wanted in (literal, pattern):
        matched = [
            parameter
            for parameter in found
            if fnmatchcase(parameter.name, wanted) or fnmatchcase(_in_openqasm(parameter.name), wanted)
        ]
        if matched:
            return matched
    has = f"it has {_names(found)}" if found else "it has no parameters"
    raise CircuitError(f"Pattern {pattern!r} in `{word}` matches no parameter of {given}: {has}.")


def _in_openqasm(name: str) -> str:
    """The name that Qiskit gives the element x[0] of a vector in OpenQASM 3."""
    return re.sub(r"(.*)\[(\d+)\]", r"_\1_\2_", name)


def _names(parameters: Sequence[Parameter]) -> str:
    names = [parameter.name for parameter in parameters]
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


def _words(side: Parameters | None) -> str:
    if isinstance(side, str):
        return repr(side)
    return "not given" if side is None else "as listed"
