"""The reference pages that code writes: commands from typer, job files from the pydantic models.

A page asks for its part with a comment, `<!-- written by: commands -->` or `<!-- written by: job_file -->`.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from qiskit_hqnn.where import Where

_TYPES = {str: "text", Where: "text", int: "whole number", float: "number", bool: "true or false"}


def _words(text: str) -> str:
    """Help texts are plain: a `<` begins no HTML, a `|` ends no cell, a star is a star. Code stays code."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(
        part.replace("|", r"\|") if part.startswith("`") else re.sub(r"([<>|*_\[\]])", r"\\\1", part)
        for part in parts
    )


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = list(rows)
    if not rows:
        return []
    lines = [head, tuple("---" for _ in head), *rows]
    return ["", *("| " + " | ".join(cells) + " |" for cells in lines), ""]


# Commands


def commands() -> str:
    """Every command of `hqnn`, in the order of its help."""
    import typer

    from qiskit_hqnn.cli.app import app

    root: Any = typer.main.get_command(app)
    lines: list[str] = []
    for name, command in root.commands.items():
        lines += _command(f"hqnn {name}", command)
        for inner, part in getattr(command, "commands", {}).items():
            lines += _command(f"hqnn {name} {inner}", part)
    return "\n".join(lines)


def _command(name: str, command: Any) -> list[str]:
    usage = " ".join(
        [name, *command.collect_usage_pieces(command.make_context(name, [], resilient_parsing=True))]
    )
    lines = [f"## {name}", ""]
    paragraphs = inspect.cleandoc(command.help or "").replace("\b\n", "").split("\n\n")
    examples = [part.removeprefix("Example: ") for part in paragraphs if part.startswith("Example: ")]
    for paragraph in paragraphs:
        if not paragraph.startswith("Example: "):
            lines += [_words(paragraph), ""]
    lines += ["```console", *(f"$ {' '.join(line.split())}" for line in examples or [usage]), "```"]
    records = [_record(command, name, parameter) for parameter in command.params if not _hidden(parameter)]
    arguments = [row for kind, *row in records if kind == "argument"]
    options = [row for kind, *row in records if kind == "option"]
    lines += _table(("argument", "meaning"), map(tuple, arguments))
    lines += _table(("option", "meaning"), map(tuple, options))
    return lines


def _hidden(parameter: Any) -> bool:
    return bool(getattr(parameter, "hidden", False)) or "--help" in parameter.opts


def _record(command: Any, name: str, parameter: Any) -> tuple[str, str, str]:
    """(argument or option, how it is written, what it means), as `--help` says it."""
    context = command.make_context(name, [], resilient_parsing=True)
    written, meaning = parameter.get_help_record(context)
    return parameter.param_type_name, _code(written), _words(meaning)


# Job files


def job_file() -> str:
    """Every key of a job file, its type, default, and meaning."""
    from qiskit_hqnn.training import EncoderSection, HybridSection, JobFile, TunedSection

    lines = _section(JobFile, "")
    sections = {
        name: found for name, field in JobFile.model_fields.items() if (found := _model_of(field.annotation))
    }
    for name, kind in sections.items():
        lines += ["", f"## \\[{name}\\]", "", _words(_first_paragraphs(kind)), ""]
        lines += _section(kind, f"{name}.")
    for title, kind, prefix in (
        ('model\\] with name = "hybrid"', HybridSection, "model."),
        ("model.encoder\\]", EncoderSection, "model.encoder."),
        ("tuned.CONTROL\\]", TunedSection, "tuned.CONTROL."),
    ):
        lines += ["", f"## \\[{title}", "", _words(_first_paragraphs(kind)), "", *_section(kind, prefix)]
    return "\n".join([*lines, *_model_options()])


def _first_paragraphs(kind: type) -> str:
    text = inspect.cleandoc(kind.__doc__ or "")
    said = re.sub(r"^\[[\w.]+\]: ", "", text)
    return said[:1].upper() + said[1:]


def _model_of(annotation: Any) -> type | None:
    for part in (annotation, *get_args(annotation)):
        if inspect.isclass(part) and hasattr(part, "model_fields"):
            return part
    return None


def _section(kind: Any, prefix: str) -> list[str]:
    meanings = _meanings(kind)
    rows = [
        (_code(prefix + name), _type_of(field), _default_of(field), _words(meanings[name]))
        for name, field in kind.model_fields.items()
        if _model_of(field.annotation) is None
    ]
    return _table(("key", "type", "default", "meaning"), rows)


def _meanings(kind: type) -> dict[str, str]:
    """The docstrings under a model's fields.

    Raises:
        ValueError: if a field has none: the page would have an empty cell.
    """
    analyzer = ModuleAnalyzer.for_module(kind.__module__)
    written = {
        name: " ".join(text)
        for (owner, name), text in analyzer.find_attr_docs().items()
        if owner == kind.__name__
    }
    for name, field in kind.model_fields.items():  # type: ignore[attr-defined]
        if name not in written and _model_of(field.annotation) is None:
            raise ValueError(f"{kind.__name__}.{name} has no docstring under it")
    return written


def _type_of(field: FieldInfo) -> str:
    return ", ".join([_type(field.annotation), *_limits(field.metadata)])


def _type(annotation: Any) -> str:
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_type(part) for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal:
        return ", ".join(_code(_toml(choice)) for choice in get_args(annotation))
    if get_origin(annotation) is dict:
        return "table"
    if get_origin(annotation) in (list, Sequence):
        return f"list of: {_type(get_args(annotation)[0])}"
    if get_args(annotation):  # Annotated
        return ", ".join([_type(get_args(annotation)[0]), *_limits(annotation.__metadata__)])
    return _TYPES.get(annotation, str(annotation))


_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def _limits(metadata: Iterable[Any]) -> Iterator[str]:
    for found in metadata:
        if isinstance(found, FieldInfo):
            yield from _limits(found.metadata)
        for name, sign in _SIGNS.items():
            if (limit := getattr(found, name, None)) is not None:
                yield _words(f"{sign} {limit:,}" if isinstance(limit, int) else f"{sign} {limit:.4g}")
        if (least := getattr(found, "min_length", None)) is not None:
            yield f"at least {least}"


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    return "" if default is None else _code(_toml(default))


def _toml(value: Any) -> str:
    import tomli_w

    if isinstance(value, list):
        return f"[{', '.join(_toml(part) for part in value)}]"
    return tomli_w.dumps({"x": value}).strip().removeprefix("x = ")


def _model_options() -> list[str]:
    from qiskit_hqnn.models import MODELS, defaults_of

    lines = ["", "## Options of each model", ""]
    for name, kind in MODELS.items():
        hints = get_type_hints(kind.__init__)
        summary = _words(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0])
        lines += [f'### model.name = "{name}"', "", summary, ""]
        rows = []
        for option, default in defaults_of(name).items():
            given = default is not inspect.Parameter.empty and default is not None
            rows.append(
                (_code(f"model.{option}"), _type(hints[option]), _code(_toml(default)) if given else "")
            )
        lines += _table(("key", "type", "default"), rows)
    return lines


WRITERS: dict[str, Callable[[], str]] = {"commands": commands, "job_file": job_file}


_PARTS: dict[str, str] = {}

# Pages that list others in their own words; the sidebar learns it here, so that no directive stands on a page that is
# read in the repository too.
_BELOW = {
    "docs/tutorials/README": "*",
    "docs/analysis": "analysis/*",
    "circuits/README": "*",
}


def _gather(app: Sphinx) -> None:
    """Before autodoc reads anything: it puts the source of default values in their place."""
    _PARTS.update({name: write() for name, write in WRITERS.items()})


def _write(app: Sphinx, page: str, content: list[str]) -> None:
    content[0] = re.sub(r"<!-- written by: (\w+) -->", lambda found: _PARTS[found[1]], content[0])
    if page in _BELOW:
        content[0] += f"\n\n```{{toctree}}\n:hidden:\n:glob:\n\n{_BELOW[page]}\n```\n"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", _gather, priority=100)
    app.connect("source-read", _write)
    return {"parallel_read_safe": True}
