"""The sentence for a mistake in a job file: its place, what was given, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.training.job_sections import TunedSection

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def sentence(
    error: ValidationError,
    source: str,
    text: str,
    changed: Collection[str],
    sections: Mapping[str, type[BaseModel]],
) -> str:
    """The first mistake, in words.

    Args:
        error: pydantic's.
        source: name of the file.
        text: its content, for the number of the line.
        changed: dotted keys that were set since.
        sections: their types by name, that of the whole file under "".
    """
    errors = error.errors()
    # A section with a misspelt name is also missing, but the name is the mistake.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    path = [str(part) for part in first["loc"]]
    section = path[0] if len(path) > 1 and path[0] in sections else ""
    key = path[1] if section else path[0]
    name = f"{section}.{key}" if section else key
    was_set = any(setting == name or setting.startswith(f"{name}.") for setting in changed)
    if path[0] == "tuned" and len(path) > 2:
        name = ".".join(path[:3])
        was_set = any(setting == name for setting in changed)
    where = "--set" if was_set else f"{source}{_line_of(text, section, key)}"
    if first["type"] == "extra_forbidden" and path[0] == "tuned":
        allowed = list(TunedSection.model_fields)
        place = f"[tuned.{path[1]}]"
        return f"{where}: unknown key {name!r}; {place} takes {', '.join(allowed)}{suggestion(path[-1], allowed)}"
    if first["type"] == "extra_forbidden" and section and len(path) > 2:
        return f"{where}: {_unknown_below(sections[section], name, path[2])}"
    if first["type"] == "extra_forbidden":
        return f"{where}: {_unknown(section, key, first['input'], sections)}"
    if first["type"] == "missing":
        missing = f"section [{key}]" if not section and key in sections else f"key {name!r}"
        return f"{where}: {missing} is missing."
    if isinstance(first.get("ctx", {}).get("error"), HQNNError):
        return f"{where}: {first['ctx']['error']}"
    return f"{where}: {name} is {_as_given(first['input'])}: {_rule(first, name)}."


def _unknown(section: str, key: str, value: object, sections: Mapping[str, type[BaseModel]]) -> str:
    allowed = list(sections[section].model_fields)
    known = ", ".join(allowed)
    if not section and isinstance(value, dict):
        named = [name for name in sections if name]
        return f"unknown section [{key}]; there are {', '.join(f'[{name}]' for name in named)}{suggestion(key, named)}"
    name = f"{section}.{key}" if section else key
    place = f"[{section}]" if section else "the top level"
    others = [other for other, kind in sections.items() if other != section and key in kind.model_fields]
    if others:
        right = f"[{others[0]}]" if others[0] else "the top level, above all sections"
        return f"unknown key {name!r}; {place} takes {known}; {key!r} belongs to {right}."
    return f"unknown key {name!r}; {place} takes {known}{suggestion(key, allowed)}"


def _unknown_below(kind: type[BaseModel], name: str, key: str) -> str:
    """For a section within a section, such as [model.encoder]."""
    inner: object = kind.model_fields[name.rpartition(".")[2]].annotation
    allowed = list(getattr(inner, "model_fields", ()))
    return f"unknown key '{name}.{key}'; [{name}] takes {', '.join(allowed)}{suggestion(key, allowed)}"


def _rule(error: ErrorDetails, name: str) -> str:
    """What is allowed, in this toolkit's words instead of pydantic's."""
    context = error.get("ctx", {})
    words = {
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number",
        "finite_number": "must be a finite number",
        "string_type": "must be a text",
        "bool_type": "must be true or false",
        "list_type": "must be a list, such as [0, 1]",
        "model_type": f"must be a section: [{name}], and lines below it",
        "greater_than": f"must be more than {context.get('gt')}",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "literal_error": f"must be {context.get('expected')}",
        "too_short": f"must have at least {context.get('min_length')}",
    }
    message = error["msg"].removeprefix("Value error, ")
    return words.get(error["type"], message[0].lower() + message[1:])


def _as_given(value: object) -> str:
    """The value in TOML's notation."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_as_given(part)}" for key, part in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _line_of(text: str, section: str, key: str) -> str:
    current = ""
    if not section and (header := re.search(rf"^\s*\[{re.escape(key)}\]", text, flags=re.MULTILINE)):
        return f", line {text.count(chr(10), 0, header.end()) + 1}"
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([\w-]+)\]", line):
            current = header[1]
        elif current == section and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return f", line {number}"
    return ""
