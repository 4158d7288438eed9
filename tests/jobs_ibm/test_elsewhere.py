"""What the service lists for the same request of other stores is taken, as long as it is the same request."""

import warnings

import numpy as np
import pytest

from qiskit_hqnn.standin import Fault, Faults
from tests.jobs_ibm.conftest import ask


def test_another_machine_takes_the_jobs_of_its_account_and_a_calibration_makes_new_ones(
    cloud, undisturbed, monkeypatch
):
    loopback = cloud.start()
    assert np.array_equal(ask(cloud.manager()), undisturbed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a living store of this user's: it may ask on purpose
        assert np.array_equal(ask(cloud.manager("two.db")), undisturbed)
    assert len(loopback.service.jobs) == 2
    monkeypatch.setenv("XDG_STATE_HOME", str(cloud.folder / "elsewhere"))
    with pytest.warns(UserWarning, match="pays nothing again: the service lists it for the same request"):
        assert np.array_equal(ask(cloud.manager("three.db")), undisturbed)
    assert len(loopback.service.jobs) == 2
    loopback.service.calibrations["ibm_manila"] = 1
    ask(cloud.manager("four.db"))
    assert len(loopback.service.jobs) == 3


@pytest.mark.parametrize("kind", ["unfiltered", "counts-only"])
def test_nothing_is_sent_for_a_list_that_was_made_for_another_question(cloud, undisturbed, kind):
    loopback = cloud.start()
    first = cloud.manager(seed=7)
    ask(first, 1)
    loopback.service.faults = Faults([Fault("drop-after"), Fault(kind, "find", times=6)])
    assert np.array_equal(ask(cloud.manager("two.db")), undisturbed)
    assert len(loopback.service.jobs) == 2
    assert loopback.faults.seen["find"] < 20
