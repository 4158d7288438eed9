"""The stand-in's two engines give outcomes of one distribution, and Aer's is the measure."""

from dataclasses import replace

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp
from scipy.stats import chi2

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.devices.device import resolve_device
from qiskit_hqnn.standin.engines import engine_of
from tests.jobs_ibm.conftest import ask


def counts_of(request, device, word):
    """Counts (sets, 2^bits); of more bits than outcomes are counted for, the lowest ten."""
    engine = engine_of(word)
    found = engine(request, device)
    assert word == "aer" or not engine.left_to_aer
    return found.lowest(min(found.bits, 10)).counts


def agree(request, device):
    """χ² of two samples with as many shots: Σ (a − b)² / (a + b), outcomes that are seldom counted as one."""
    other = replace(
        request, seed=request.seed + 1
    )  # of one seed both would put the shots of tiles into one order
    ours = counts_of(request, device, "noise").astype(float)
    aers = counts_of(other, device, "aer").astype(float)
    assert (ours.sum(axis=1) == aers.sum(axis=1)).all()
    often = ours + aers >= 10
    statistic, free = 0.0, -len(ours)
    for a, b in ((ours[often], aers[often]), *(((ours * ~often).sum(1), (aers * ~often).sum(1)),)):
        seen = a + b > 0
        statistic += ((a - b)[seen] ** 2 / (a + b)[seen]).sum()
        free += seen.sum()
    assert 1e-4 < chi2.sf(statistic, free) < 1 - 1e-4


def request_of(circuit, shots, sets, seed=3):
    values = np.random.default_rng(seed).uniform(-3, 3, (sets, circuit.num_parameters))
    return SamplingRequest(circuit, tuple(p.name for p in circuit.parameters), values, shots, seed)


def test_tiles_of_a_device_have_the_joint_distribution_that_aer_gives_them():
    """Two regions with sets of their own: the joint counts also say that the regions are independent."""
    manager = JobManager("fake_manila", shots=200, tiles=2, seed=1)
    ansatz = hqnn_parallel(num_qubits=2, depth=2)
    count = ansatz.circuit.num_parameters
    values = np.random.default_rng(0).uniform(-3, 3, (2000, count))
    pub = (ansatz.circuit, SparsePauliOp("YY"), values)
    plan = manager.plan(EstimatorPub.coerce(pub))
    (request,) = plan.requests
    assert request.circuit.num_clbits == 4
    assert request.circuit.num_qubits == 5
    assert request.sets == 1000
    agree(request, manager.device)


@pytest.mark.parametrize("fractional", [False, True])
def test_a_circuit_on_a_device_has_aers_distribution(fractional):
    """Registers, an idle classical bit, a delay, and gates of open angles on a few of a device's qubits."""
    device = resolve_device("fake_fractional" if fractional else "fake_fez", fractional)
    places = [1, 2, 3] if fractional else [20, 21, 22]
    theta = ParameterVector("t", 4)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.sx(qubit)
        circuit.rz(theta[qubit], qubit)
        circuit.sx(qubit)
    circuit.rzz(theta[3], 0, 1) if fractional else circuit.cz(0, 1)
    circuit.rx(theta[0], 2) if fractional else circuit.cz(1, 2)
    circuit.delay(2000, 0, unit="ns")
    circuit.sx(range(3))
    first, second = ClassicalRegister(2, "a"), ClassicalRegister(2, "b")
    circuit.add_register(first, second)
    circuit.measure([0, 1, 2], [second[0], first[1], first[0]])
    placed = transpile(circuit, target=device.target, initial_layout=places, optimization_level=0)
    request = request_of(placed, 400, 100)
    agree(request, device)


def test_what_the_engine_has_no_channel_for_goes_to_aer():
    circuit = QuantumCircuit(5, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    engine, device = engine_of("noise"), resolve_device("fake_manila")
    found = engine(request_of(circuit, 1000, 1), device)
    assert engine.left_to_aer == 1
    assert found.counts.argmax() == 1


def test_jobs_of_the_service_are_computed_by_its_engine(cloud, undisturbed):
    loopback = cloud.start(engine="noise")
    manager = cloud.manager()
    answer = ask(manager)
    assert np.abs(answer - undisturbed).max() < 6 * np.sqrt(2 / 64)
    assert loopback.service.engine.left_to_aer == 0
    assert (answer != undisturbed).any()
    assert (ask(cloud.manager(store="another.db")) == answer).all()  # the same program has the same results


def test_an_engine_that_there_is_not_is_one_sentence():
    with pytest.raises(HQNNError, match=r"`engine` must be one of aer, noise, but is 'qpu'"):
        engine_of("qpu")
