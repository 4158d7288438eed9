"""Fractional gates on hardware: asked for by the user, folded by us, and refused where a device has none."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.both_ways import price_the_other_way

from .conftest import PATIENCE


def manager(folder, where="ibm_fractional", **options):
    return JobManager(where, store=folder / "jobs.db", shots=2000, patience=PATIENCE, **options)


def asked(sets=4):
    p = ParameterVector("p", 2)
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.rzz(p[0], 0, 1)
    circuit.rx(p[1], 0)
    circuit.h(1)
    return EstimatorPub.coerce(
        (circuit, [["ZI"], ["IZ"]], np.random.default_rng(3).uniform(-9, 9, (sets, 2)))
    )


@pytest.mark.parametrize("fractional", [False, True])
def test_a_device_with_fractional_gates_is_used_either_way(cloud, fractional):
    cloud.start(devices=("fractional",))
    here = manager(cloud.folder, fractional=fractional)
    pub = asked()
    found = here.estimator().run([pub]).result()[0].data.evs
    wanted = StatevectorEstimator().run([pub]).result()[0].data.evs
    assert np.abs(found - wanted).max() < 0.2  # its noise, and shots
    sent = here.plan(pub).requests[0].circuit.count_ops()
    assert ("rzz" in sent) is fractional
    assert price_the_other_way(here, pub).qpu_seconds != here.price(here.plan(pub)).qpu_seconds


def test_both_ways_are_jobs_of_their_own(cloud):
    cloud.start(devices=("fractional",))
    ids = [manager(cloud.folder, fractional=fractional).submit(asked(1)) for fractional in (False, True)]
    assert ids[0] != ids[1]
    assert manager(cloud.folder, fractional=True).submit(asked(1)) == ids[1]


def test_hardware_without_fractional_gates_is_one_sentence(cloud):
    cloud.start()
    with pytest.raises(DeviceError, match=r"^Fractional gates are requested, but ibm_manila has none\.$"):
        manager(cloud.folder, "ibm_manila", fractional=True)
    assert price_the_other_way(manager(cloud.folder, "ibm_manila"), asked(1)) is None
