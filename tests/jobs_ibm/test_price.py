"""The price before anything is sent, against what the service has charged afterwards."""

from functools import partial

import numpy as np
import pytest
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import hqnn_parallel, textbook
from qiskit_hqnn.jobs import MitigationOptions
from qiskit_hqnn.jobs.adapters.seam import SamplingOptions
from qiskit_hqnn.jobs.chunks import ChunkLimits
from tests.jobs_ibm.conftest import question

TOTAL, CIRCUITS = 0.002, 0.15
"""Allowed error of a price, and of its part that is the circuits' length: the service schedules them by itself."""


def pub_of(ansatz, sets):
    template = ansatz.circuit
    values = np.random.default_rng(3).uniform(-3, 3, (sets, template.num_parameters))
    return template, [[observable] for observable in ansatz.observables], values


@pytest.mark.parametrize(
    ("pub", "shots", "settings"),
    [
        pytest.param(question(), 64, {}, id="two bases"),
        pytest.param(question(sets=40), 1000, {}, id="many shots"),
        pytest.param(pub_of(hqnn_parallel(4, 3), 5), 200, {}, id="deep"),
        pytest.param(pub_of(textbook(), 7), 100, {}, id="one qubit"),
        pytest.param(question(), 100, {"limit": 150, "jobs": 6}, id="a job for each set"),
        pytest.param(pub_of(hqnn_parallel(4, 1), 12), 500, {"limit": 2_100, "jobs": 3}, id="three jobs"),
        pytest.param(question(), 64, {"jobs": 2, "mitigation": MitigationOptions(readout="trex")}, id="trex"),
        pytest.param(question(sets=7), 100, {"tiles": 2}, id="tiles"),
        pytest.param(question(), 64, {"mitigation": MitigationOptions(zne=(1, 3))}, id="zne"),
        pytest.param(
            question(), 100, {"options": SamplingOptions(twirl_gates=True, twirl_measure=True)}, id="twirled"
        ),
        pytest.param(question(), 500, {"options": SamplingOptions(rep_delay=50e-6)}, id="quick"),
    ],
)
def test_the_price_is_what_the_service_charges(cloud, monkeypatch, pub, shots, settings):
    settings = dict(settings)
    loopback = cloud.start()
    limits = partial(ChunkLimits, executions=settings.pop("limit", 10_000_000))
    jobs = settings.pop("jobs", 1)
    monkeypatch.setattr("qiskit_hqnn.jobs.price.ChunkLimits", limits)
    monkeypatch.setattr("qiskit_hqnn.jobs.manager.ChunkLimits", limits)
    manager = cloud.manager(**settings)
    manager.shots = shots
    price = manager.price(manager.plan(EstimatorPub.coerce(pub)))
    manager.estimator().run([pub]).result()
    sent = loopback.service.live()
    assert price.jobs == len(sent) == jobs
    assert price.executions == sum(job["executions"] for job in sent)
    assert price.qpu_seconds == pytest.approx(loopback.service.used, rel=TOTAL)
    delay = manager.options.rep_delay or manager.device.rep_delay
    fixed = 2 * price.jobs + delay * price.executions
    assert price.qpu_seconds - fixed == pytest.approx(loopback.service.used - fixed, rel=CIRCUITS)
    assert manager.store.spent() == (price.executions, pytest.approx(loopback.service.used))
