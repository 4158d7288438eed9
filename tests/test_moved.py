"""Scripts that were written for 0.1.0 find its modules where they are now."""

import importlib
import sys

import pytest

from qiskit_hqnn._moved import MOVED


@pytest.mark.parametrize("old", list(MOVED))
def test_an_old_name_is_the_module_at_its_new_place(old):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=MOVED[old].replace(".", r"\.")):
        module = importlib.import_module(old)
    assert module is importlib.import_module(MOVED[old])
    assert module.__name__ == module.__spec__.name == MOVED[old]


def test_what_0_1_0_had_in_modules_is_in_rooms_of_the_same_name():
    from qiskit_hqnn.jobs.devices.device import Device
    from qiskit_hqnn.jobs.estimation.estimation import prepare
    from qiskit_hqnn.jobs.store.store import Store

    for room, name, thing in (
        ("devices", "Device", Device),
        ("estimation", "prepare", prepare),
        ("store", "Store", Store),
    ):
        assert getattr(importlib.import_module(f"qiskit_hqnn.jobs.{room}"), name) is thing


def test_names_that_scripts_have_from_a_module_are_still_there():
    from qiskit_hqnn.jobs import expectation_values, manager
    from qiskit_hqnn.jobs.sending import cancel, drive, driving

    assert manager.expectation_values is expectation_values
    assert (cancel, drive) == (driving.cancel, driving.drive)
