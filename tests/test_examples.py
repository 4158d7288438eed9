"""The examples in docstrings run and print what they say; what users take first has one."""

import doctest
import importlib
import inspect
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
