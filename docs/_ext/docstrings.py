"""Docstrings are plain text with code between backticks; what reStructuredText would read into the rest is escaped."""

from __future__ import annotations

import re
import sys
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

_CODE = re.compile(r"(``[^`]+``|:\w+:`[^`]+`|`[^`]+`)")
_PYDANTIC = {"model_config", "model_fields", "model_computed_fields", "model_post_init"}


def _plain(text: str) -> str:
    """`*`, `|` and a word's trailing `_` are themselves, not the beginning of a markup; a bullet stays one."""
    return re.sub(
        r"(?<!^)(?<!\n)(?<=[^\s])\*+|\*+(?=\S)|\||(?<=\w)_(?!\w)",
        lambda found: re.sub(r"(.)", r"\\\1", found[0]),
        text,
    )


def _paragraphs(text: str) -> str:
    parts = _CODE.split(text)  # plain, code, plain, code, …
    for place in range(0, len(parts), 2):
        plain = _plain(parts[place])
        behind, before = place > 0 and plain[:1].isalnum(), place + 1 < len(parts) and plain[-1:].isalnum()
        parts[place] = ("\\ " if behind else "") + plain + ("\\ " if before else "")
    return "".join(parts)


def escape(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText; examples (`>>>` to an empty line) and literal blocks stay."""
    escaped: list[str] = []
    plain: list[str] = []
    example, literal = False, None  # the indentation of a literal block's introduction
    for line in lines:
        indentation = len(line) - len(line.lstrip())
        example = bool(line.strip()) and (example or line.lstrip().startswith((">>>", ".. ")))
        if literal is not None and line.strip() and indentation <= literal:
            literal = None
        if example or literal is not None or not line.strip():
            escaped += [*_paragraphs("\n".join(plain)).split("\n"), line] if plain else [line]
            plain = []
            continue
        plain.append(line)
        if line.rstrip().endswith("::"):
            literal = indentation
    return [*escaped, *_paragraphs("\n".join(plain)).split("\n")] if plain else escaped


def _process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    if what == "data":
        lines[:] = _written_under(name, thing)  # else a constant has the words of its type
    lines[:] = escape(_tables(lines))


def _tables(lines: list[str]) -> list[str]:
    """The rows of Markdown's tables, which read well in `help()`, as the items of a list."""
    rows: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|"):
            rows.append(line)
        elif not set(line.strip()) <= set("|-: "):
            rows.append(f"- {cells[0]}: {', '.join(cells[1:])}")
    return rows


def _written_under(name: str, thing: Any) -> list[str]:
    """The docstring under a constant, in the module that a package's door takes it from."""
    package, _, constant = name.rpartition(".")
    for module in sorted(found for found in sys.modules if found.startswith(package)):
        if getattr(sys.modules[module], constant, None) is thing:
            documented = ModuleAnalyzer.for_module(module).find_attr_docs()
            if ("", constant) in documented:
                return list(documented["", constant])
    return []


def _skip(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    return True if name in _PYDANTIC else None


def _bases(app: Sphinx, name: str, thing: Any, options: Any, bases: list[Any]) -> None:
    bases[:] = [base for base in bases if base is not object] or bases


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", _process, priority=100)  # before napoleon
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}
