"""The examples in docstrings run and print what they say; what users take first has one."""

import ast
import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in (ROOT / "qiskit_hqnn").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", FILES)
def test_examples_print_what_they_say(name):
    failed, tried = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert tried
    assert failed == 0


_BLOCKS = [
    "angle_embedding",
    "make_template",
    "mottonen_angles",
    "mottonen_embedding",
    "pauli_on_each",
    "probability_of",
]
_BLOCKS += ["strongly_entangling_layer", "strongly_entangling_layers"]


def _public():
    from qiskit_hqnn import analysis, circuits, jobs, layers, models

    yield from {**circuits.ANSATZE, **models.MODELS, "jobs": jobs}.items()
    yield from ((name, getattr(circuits, name)) for name in _BLOCKS)
    yield from (
        (name, getattr(layers, name)) for name in ("QuantumLayer", "SamplerLayer", "AmplitudeAngles", "SPSA")
    )
    for name in analysis.__all__:
        if inspect.isfunction(thing := getattr(analysis, name)):
            yield name, thing


def test_factories_layers_networks_the_manager_and_analyses_have_an_example():
    lacking = [name for name, thing in _public() if ">>>" not in _words(thing)]
    assert lacking == []


def _words(thing):
    """Its docstring, and a class's methods'."""
    methods = vars(thing).values() if inspect.isclass(thing) else ()
    return "".join(inspect.getdoc(part) or "" for part in (thing, *methods))


_ERRORS = {
    node.name
    for node in ast.parse((ROOT / "qiskit_hqnn/errors.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}


def _exported():
    """Every function, and every class with its methods, that a package's door exports."""
    for door in (ROOT / "qiskit_hqnn").rglob("__init__.pyi"):
        for line in ast.parse(door.read_text(encoding="utf-8")).body:
            if not isinstance(line, ast.ImportFrom) or not line.level:
                continue
            file = door.parent.joinpath(*(line.module or "").split(".")).with_suffix(".py")
            names = {alias.name for alias in line.names}
            for node in ast.parse(file.read_text(encoding="utf-8")).body if file.is_file() else ():
                if isinstance(node, ast.FunctionDef) and node.name in names:
                    yield file, node, ast.get_docstring(node) or ""
                if isinstance(node, ast.ClassDef) and node.name in names:
                    for part in node.body:
                        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                            yield file, part, ast.get_docstring(node) or ""
                        elif isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                            yield file, part, ast.get_docstring(part) or _getter(node, part)


def _getter(kind, part):
    """A setter's docstring is the one of its property."""
    same = [one for one in kind.body if isinstance(one, ast.FunctionDef) and one.name == part.name]
    return ast.get_docstring(same[0]) or ""


def _raised(node):
    for part in ast.walk(node):
        if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
            yield getattr(part.exc.func, "id", None)


def test_exported_functions_that_raise_say_what():
    silent = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file, node, text in _exported()
        if not _ERRORS.isdisjoint(_raised(node)) and not re.search(r"Raises|[Ee]rrors", text)
    ]
    assert silent == []
