"""What a user hands over stays as he handed it over; what a place answers is held against what was asked."""

import threading

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Parameter
from qiskit.primitives import (
    BackendSamplerV2,
    BaseSamplerV2,
    DataBin,
    PrimitiveResult,
    SamplerPubResult,
    StatevectorSampler,
)
from qiskit.primitives.containers import BitArray
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from qiskit_hqnn.jobs import JobManager, resolve_device
from qiskit_hqnn.jobs.devices import aer_gates
from qiskit_hqnn.jobs.recording import JobFailedError

Z = SparsePauliOp("Z")


def turned():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("t"), 0)
    return circuit


@pytest.mark.parametrize("place", ["aer", "fake_manila", BasicSimulator(), StatevectorSampler(seed=1)])
def test_a_circuit_that_was_changed_is_another(place):
    manager = JobManager(place, shots=1000, seed=1)
    circuit = QuantumCircuit(1)
    first = manager.estimator().run([(circuit, Z)]).result()[0].data.evs
    circuit.x(0)
    second = manager.estimator().run([(circuit, Z)]).result()[0].data.evs
    circuit.data.pop()
    third = manager.estimator().run([(circuit, Z)]).result()[0].data.evs
    assert first > 0.9 > -0.9 > second
    assert third > 0.9


def test_a_circuit_of_one_identity_after_the_other_is_never_taken_for_it():
    # A new circuit may get the address of one that is gone.
    manager = JobManager("aer", shots=10, seed=1)
    for number in range(40):
        circuit = QuantumCircuit(1)
        if number % 2:
            circuit.x(0)
        assert manager.estimator().run([(circuit, Z)]).result()[0].data.evs == 1 - 2 * (number % 2)
        del circuit


class Held(StatevectorSampler):
    """Samples only once it may."""

    def __init__(self):
        super().__init__(seed=1)
        self.may = threading.Event()

    def run(self, pubs, *, shots=None):
        self.may.wait(10)
        return super().run(pubs, shots=shots)


@pytest.mark.parametrize("kind", ["estimator", "sampler"])
def test_what_is_changed_while_a_job_waits_does_not_change_the_job(kind):
    place = Held()
    manager = JobManager(place, shots=100)
    circuit, values = turned(), np.zeros((1, 1))
    if kind == "sampler":
        circuit.measure_all()
        job = manager.sampler().run([(circuit, values)])
    else:
        job = manager.estimator().run([(circuit, Z, values)])
    values += np.pi
    circuit.data.clear()
    circuit.assign_parameters({}, inplace=True)
    place.may.set()
    data = job.result()[0].data
    if kind == "sampler":
        assert data.meas[0].get_counts() == {"0": 100}
    else:
        assert data.evs.tolist() == [1.0]


class Fickle(Gate):
    """A gate that means what its class says just now."""

    angle = 0.0

    def __init__(self):
        super().__init__("fickle", 1, [])

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.rx(type(self).angle, 0)


def test_a_gate_of_ones_own_means_what_it_meant_when_it_was_handed_over(monkeypatch):
    place = Held()
    circuit = QuantumCircuit(1)
    circuit.append(Fickle(), [0])
    job = JobManager(place, shots=100).estimator().run([(circuit, Z)])
    monkeypatch.setattr(Fickle, "angle", np.pi)
    place.may.set()
    assert job.result()[0].data.evs == 1


def noise(probability):
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(probability, 1), ["x"])
    return model


def test_a_simulator_that_is_changed_afterwards_stays_as_it_was_handed_over():
    simulator = AerSimulator(noise_model=noise(0.0))
    manager = JobManager(simulator, shots=2000, seed=1)
    simulator.set_options(noise_model=noise(0.5))
    circuit = QuantumCircuit(1)
    circuit.x(0)
    assert manager.estimator().run([(circuit, Z)]).result()[0].data.evs == -1
    later = JobManager(simulator, shots=2000, seed=1)
    assert later.estimator().run([(circuit, Z)]).result()[0].data.evs > -0.6


def test_simulators_that_differ_a_little_have_other_identities():
    ids = {resolve_device(AerSimulator(noise_model=noise(p))).calibration for p in (0.1, 0.1 + 1e-12, 0.2)}
    assert len(ids) == 3
    again = resolve_device(AerSimulator(noise_model=noise(0.1))).calibration
    assert again in ids


def test_a_device_that_is_changed_afterwards_stays_as_it_was_handed_over():
    backend = GenericBackendV2(2, seed=1)
    device = resolve_device(backend)
    before = device.target["sx"][(0,)].error
    backend.target.update_instruction_properties("sx", (0,), type(backend.target["sx"][(0,)])(error=0.5))
    assert device.target["sx"][(0,)].error == before


class Lying(BaseSamplerV2):
    """A sampler whose answers have another shape, fewer shots, other registers, or are too few."""

    def __init__(self, lie):
        self.lie = lie

    def run(self, pubs, *, shots=None):
        sets, shots, bits, name, results = 3, 10, 1, "c", 1
        if self.lie == "sets":
            sets = 1
        if self.lie == "shots":
            shots = 9
        if self.lie == "bits":
            bits = 2
        if self.lie == "name":
            name = "d"
        if self.lie == "results":
            results = 0
        data = DataBin(**{name: BitArray(np.zeros((sets, shots, 1), dtype=np.uint8), bits)}, shape=(sets,))
        answer = PrimitiveResult([SamplerPubResult(data)] * results)
        return type("Job", (), {"result": lambda self: answer})()


@pytest.mark.parametrize(
    ("lie", "sentence"),
    [
        ("sets", "1 set of values for 3"),
        ("shots", "9 shots for 10"),
        ("bits", "2 bits in register 'c' for 1"),
        ("name", "no register 'c', but d"),
        ("results", "results of 0 circuits for 1"),
    ],
)
@pytest.mark.parametrize("kind", ["estimator", "sampler"])
@pytest.mark.parametrize("stored", [False, True])
def test_outcomes_that_are_not_what_was_asked_are_an_error(lie, sentence, kind, stored, tmp_path):
    store = tmp_path / "jobs.db" if stored else None
    manager = JobManager(Lying(lie), shots=10, store=store)
    circuit, values = turned(), np.zeros((3, 1))
    if kind == "sampler":
        circuit = circuit.copy()
        measured = QuantumCircuit(1, 1)
        measured.compose(circuit, inplace=True)
        measured.measure(0, 0)
        job = manager.sampler().run([(measured, values)])
    else:
        job = manager.estimator().run([(circuit, Z, values)])
    with pytest.raises(JobFailedError, match=sentence):
        job.result()


def test_one_row_for_all_sets_is_an_error_whatever_aer_says(monkeypatch):
    # Aer 0.18.2 answers so where it binds nothing, and calls it a success.
    monkeypatch.setattr(aer_gates, "BINDABLE", aer_gates.BINDABLE | {"cp"})
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.cp(Parameter("t"), 0, 1)
    with pytest.raises(JobFailedError, match="1 set of values for 2"):
        JobManager("aer").estimator().run([(circuit, "XX", [[0.1], [0.2]])]).result()


def test_a_simulator_without_qubits_of_its_own_runs_itself_and_repeats_itself():
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.rx(Parameter("t"), 0)
    circuit.measure_all()
    values = np.zeros((2, 1))

    def counts(seed):
        manager = JobManager(BasicSimulator(), shots=200, seed=seed)
        assert manager.where == "basic_simulator"
        bits = manager.sampler().run([(circuit, values)]).result()[0].data.meas
        return [bits[index].get_int_counts() for index in range(2)]

    first, second = counts(1)
    assert first != second  # equal sets have random numbers of their own
    assert counts(1) == [first, second]
    assert counts(2) != [first, second]


def test_circuits_for_a_sampler_are_compiled_for_the_device_behind_it():
    backend = GenericBackendV2(
        3, basis_gates=["cx", "rz", "sx", "x", "id"], coupling_map=[[0, 1], [1, 2]], seed=1
    )
    seen = []

    class Watching(BackendSamplerV2):
        def run(self, pubs, *, shots=None):
            seen.extend(pub.circuit for pub in pubs)
            return super().run(pubs, shots=shots)

    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    sampler = Watching(backend=backend, options={"seed_simulator": 1})
    evs = JobManager(sampler, shots=2000).estimator().run([(circuit, ["ZZI", "ZIZ"])]).result()[0].data.evs
    assert (evs > 0.8).all()
    (sent,) = seen
    for step in sent.data:
        where = tuple(sent.find_bit(qubit).index for qubit in step.qubits)
        assert backend.target.instruction_supported(step.name, where)


def test_metadata_are_those_of_qiskits_primitives():
    circuit = QuantumCircuit(1, 1)
    circuit.metadata = {"a": 1}
    circuit.measure(0, 0)
    manager = JobManager("aer", shots=10)
    sampled = manager.sampler().run([(circuit, None, 20)]).result()
    assert sampled.metadata == {"version": 2}
    assert sampled[0].metadata == {"shots": 20, "circuit_metadata": {"a": 1}}
    circuit.remove_final_measurements()
    estimated = manager.estimator().run([(circuit, Z)], precision=0.3).result()
    assert estimated.metadata == {"version": 2}
    metadata = estimated[0].metadata
    assert (metadata["target_precision"], metadata["shots"]) == (0.3, 12)
    assert metadata["circuit_metadata"] == {"a": 1}


def test_isa_circuits_of_a_simulator_are_taken_as_they_are():
    backend = BasicSimulator()
    circuit = transpile(turned(), backend)
    evs = JobManager(backend, shots=1000, seed=1).estimator().run([(circuit, Z, [[0.0], [np.pi]])]).result()
    assert evs[0].data.evs.tolist() == [1.0, -1.0]
