"""A run's pictures take half the time of a small run: they are drawn for tests that look at them, else left blank.

A folder's conftest takes the two fixtures over; a module's shared runs are made before the patch: true pictures.
"""

import base64
import sys

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
    for name, module in list(sys.modules.items()):
        if name.startswith("qiskit_hqnn.training.") and not name.endswith(".pictures"):
            for draw in vars(module).keys() & {"draw_curves", "draw_confusion"}:
                monkeypatch.setattr(module, draw, lambda *given: given[-1].write_bytes(PIXEL))
            if "keep_circuit" in vars(module) and not name.endswith(".circuit_picture"):
                monkeypatch.setattr(module, "keep_circuit", lambda folder, network: None)
            if "curves_svg" in vars(module):
                monkeypatch.setattr(module, "curves_svg", lambda history: b"<svg/>")
