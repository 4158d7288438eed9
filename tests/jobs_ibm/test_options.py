"""What a device is told beside the circuits arrives in the service's own words."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.ibm.settings import IBMSettings
from qiskit_hqnn.jobs.adapters.seam import SamplingOptions
from qiskit_hqnn.jobs.tags import mark_of, request_of, under_mark
from qiskit_hqnn.standin.computing import decode


def idling():
    """⟨ZZZ⟩ of a circuit whose third qubit waits between two gates, for three sets of values."""
    circuit = QuantumCircuit(3)
    circuit.ry(Parameter("a"), 2)
    circuit.ry(0.7, 0)
    circuit.cx(2, 1)
    for _ in range(3):
        circuit.cx(0, 1)
        circuit.ry(0.3, 0)
        circuit.ry(0.4, 1)
    circuit.cx(2, 1)
    return circuit, [SparsePauliOp("ZZZ")], [[0.1], [0.2], [0.3]]


@pytest.fixture
def arriving(cloud):
    """What the service is sent for `idling()` with some options: (body, decoded program)."""
    loopback = cloud.start()

    def send(**options):
        bodies = []
        taken = loopback.service.submit
        loopback.service.submit = lambda body: bodies.append(body) or taken(body)
        cloud.manager(options=SamplingOptions(**options)).estimator().run([idling()]).result()
        loopback.service.submit = taken
        (body,) = bodies
        return body, decode(body["program_id"], body["params"])

    return send


def test_plain_circuits_go_as_they_are(arriving):
    body, program = arriving()
    (item,) = program.items
    assert getattr(item, "samplex", None) is None
    assert (program.shots, tuple(item.shape)) == (64, (3,))
    assert "delay" not in item.circuit.count_ops()
    assert body["params"]["options"]["rep_delay"] is None
    assert "cost" not in body


def test_delay_and_time_limit_arrive(arriving):
    body, _ = arriving(rep_delay=1e-4, max_seconds=77.9)
    assert body["params"]["options"]["rep_delay"] == 1e-4
    assert body["cost"] == 77
    tag, request = body["tags"]
    assert mark_of(tag) is not None
    assert request == request_of(tag) == request_of(under_mark(tag, "0" * 8))


@pytest.mark.parametrize(("gates", "measure"), [(True, False), (False, True), (True, True)])
def test_twirling_arrives_as_variants_with_equal_shots(arriving, gates, measure):
    _, program = arriving(twirl_gates=gates, twirl_measure=measure, randomizations=8)
    (item,) = program.items
    assert item.samplex is not None
    assert (program.shots, sorted(item.shape)) == (8, [3, 8])
    assert ("measurement_flips" in str(item.samplex)) == measure
    # Three angles for each twirled measurement beside the circuit's own; a twirled gate has Paulis on both sides.
    angles = item.circuit.num_parameters
    assert angles > 20 if gates else angles == 10


def test_twirled_answers_are_those_of_the_circuit(cloud):
    cloud.start()
    options = SamplingOptions(twirl_gates=True, twirl_measure=True, randomizations=8)
    answers = []
    for manager in (cloud.manager("plain.db"), cloud.manager("twirled.db", options=options)):
        manager.shots = 4000
        answers.append(manager.estimator().run([idling()]).result()[0].data.evs)
    assert np.abs(answers[0] - answers[1]).max() < 0.1
    assert np.abs(answers[0]).max() > 0.3


@pytest.mark.parametrize("sequence", ["XX", "XpXm", "XY4"])
def test_decoupling_arrives_as_pulses_in_the_waiting_time(arriving, sequence):
    _, plain = arriving()
    _, program = arriving(dynamical_decoupling=sequence)
    counts, before = (sent.items[0].circuit.count_ops() for sent in (program, plain))
    pulses = counts["x"] - before.get("x", 0)
    assert pulses
    assert pulses % (4 if sequence == "XY4" else 2) == 0
    assert counts["delay"] > pulses  # half a waiting time before, between and after
    assert counts["cx"] == before["cx"]
    # X₋π and Y are X between two phases.
    assert (counts["rz"] > before["rz"]) == (sequence != "XX")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("POLL", "nan", "positive"),
        ("POLL", "0", "positive"),
        ("DEADLINE", "inf", "positive"),
        ("LOOKUP", "-90", "0 or more"),  # what is on its way would be sent again
        ("LOOKUP", "nan", "0 or more"),
        ("MAX_TIME", "-1", "0 or more"),
        ("PACE", "nan", "a number"),
        ("POLL", "soon", "a number"),
        ("MODE", "jobs", "one of job, batch, session"),
    ],
)
def test_settings_that_would_wait_for_ever_or_not_at_all_are_refused(monkeypatch, name, value, allowed):
    monkeypatch.setenv(f"HQNN_IBM_{name}", value)
    with pytest.raises(DeviceError, match=f"HQNN_IBM_{name} must be {allowed}"):
        IBMSettings.from_environment()
