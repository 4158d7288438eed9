"""A run's pictures take half the time of a small run: they are drawn for tests that look at them, else left blank.

A folder's conftest takes the two fixtures over; a module's shared runs are made before the patch: true pictures.
"""

import base64
import sys
from functools import lru_cache

import pytest

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)


@pytest.fixture
def pictures():
    """For tests that look at pictures: they are drawn."""


@pytest.fixture(autouse=True)
def blank_pictures(request, monkeypatch):
    if "pictures" in request.fixturenames:
        return
    for module, name, blank in _drawing(len(sys.modules)):
        monkeypatch.setattr(module, name, blank)


def _blank(path):
    path.parent.mkdir(parents=True, exist_ok=True)  # as the true ones do
    path.write_bytes(PIXEL)


@lru_cache(maxsize=1)
def _drawing(modules):
    """Each function that draws in a module that has taken it over, and what stands in for it; anew after an import."""
    found = []
    for name, module in list(sys.modules.items()):
        if name.startswith(("qiskit_hqnn.training.", "qiskit_hqnn.reproduction.")) and not name.endswith(
            ".pictures"
        ):
            drawn = vars(module).keys() & {"draw_curves", "draw_curves_of_runs", "draw_confusion"}
            found += [(module, draw, lambda *given: _blank(given[-1])) for draw in drawn]
            if "keep_circuit" in vars(module) and not name.endswith(".circuit_picture"):
                found.append((module, "keep_circuit", lambda folder, network: None))
            if "curves_svg" in vars(module):
                found.append((module, "curves_svg", lambda history: b"<svg/>"))
    return found
