"""What a job manager is given is checked before anything is planned or paid."""

import math

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.errors import HQNNError, MitigationError, ShapeError
from qiskit_hqnn.jobs import JobManager, MitigationOptions


@pytest.fixture
def circuit():
    circuit = QuantumCircuit(1, name="turned")
    circuit.ry(Parameter("t"), 0)
    return circuit


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_mean_nothing_are_never_sent(circuit, value):
    manager = JobManager("aer", shots=10)
    sentence = "Parameter values must be finite, but 1 of 2 for circuit 'turned"
    with pytest.raises(ShapeError, match=sentence):
        manager.estimator().run([(circuit, SparsePauliOp("Z"), [[0.1], [value]])]).result()
    with pytest.raises(ShapeError, match=sentence):
        manager.sampler().run([(circuit.measure_all(inplace=False), [[0.1], [value]])]).result()
    assert manager.executions == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"shots": True}, "`shots` must be a whole number of at least 1, but is True"),
        ({"seed": "a"}, "`seed` must be a whole number of at least 0, but is 'a'"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, but is -1"),
        ({"sets_at_once": "a"}, "`sets_at_once` must be a whole number of at least 1, but is 'a'"),
        ({"max_qpu_seconds": "a"}, "`max_qpu_seconds` must be positive, but is 'a'"),
        ({"mitigation": "trex"}, r"`mitigation` must be MitigationOptions\(…\) or None, but is 'trex'"),
        ({"options": "x"}, r"`options` must be SamplingOptions\(…\) or None, but is 'x'"),
    ],
)
def test_arguments_of_a_wrong_kind_are_refused(arguments, sentence):
    with pytest.raises(HQNNError, match=sentence):
        JobManager("aer", **arguments)


@pytest.mark.parametrize("zne", ["135", 3, (1.0, 3.0), (1, True)])
def test_noise_factors_are_whole_numbers(zne):
    with pytest.raises(MitigationError, match="`zne` must be None, or odd whole factors"):
        MitigationOptions(zne=zne)
    with pytest.raises(
        MitigationError, match="`randomizations` must be a whole number of at least 1, but is 1.5"
    ):
        MitigationOptions(randomizations=1.5)
