"""Shots drawn from exact distributions: the same statistics as Aer's, through the same job manager."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer import AerSimulator
from scipy.stats import chi2

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import CircuitError, DeviceError
from qiskit_hqnn.jobs import JobManager, MitigationOptions
from qiskit_hqnn.jobs.adapters.aer import sample
from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import SamplingOptions
from qiskit_hqnn.jobs.devices.device import device_of, resolve_device
from qiskit_hqnn.simulation.noise import ExactAdapter, compile_noisy, exact_manager
from tests.simulation.noise.test_gradients import some_noise


def three_qubits():
    theta = ParameterVector("θ", 4)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.ry(theta[qubit], qubit)
    circuit.cx(0, 1)
    circuit.rz(theta[3], 1)
    circuit.cx(1, 2)
    circuit.rx(theta[0], 1)
    return circuit, theta


def drawn(adapter, request):
    return adapter.result(adapter.submit([request], tag="", options=SamplingOptions()))[0]


def fits(counts, shares):
    """The p-value of counts (sets, outcomes) under shares of the same shape."""
    expected = counts.sum(axis=1, keepdims=True) * shares
    seen = expected > 1e-9
    assert counts[~seen].max(initial=0) == 0
    statistic = ((counts - expected)[seen] ** 2 / expected[seen]).sum()
    return chi2.sf(statistic, seen.sum() - len(counts))


@pytest.mark.parametrize("noisy", [False, True])
def test_a_thousand_sets_have_the_distribution_of_aers_counts(noisy):
    """χ² of two samples: Σ (a − b)² / (a + b) over all outcomes of all sets with as many shots each."""
    circuit, theta = three_qubits()
    circuit.measure_all()
    device = device_of(AerSimulator(noise_model=some_noise()), "noise") if noisy else resolve_device("aer")
    rng = np.random.default_rng(5)
    names = tuple(parameter.name for parameter in theta)
    request = SamplingRequest(circuit, names, rng.uniform(-3, 3, (1000, 4)), 400, 11)
    ours = drawn(ExactAdapter(device, "test"), request).counts
    aers = sample(request, device).counts
    assert (ours.sum(axis=1) == 400).all()
    seen = (ours + aers) > 0
    statistic = ((ours - aers)[seen] ** 2 / (ours + aers)[seen]).sum()
    assert 1e-4 < chi2.sf(statistic, seen.sum() - 1000) < 1 - 1e-4


@pytest.mark.parametrize("qubits", [3, 8])
def test_samples_without_noise_follow_the_states_probabilities(qubits):
    rng = np.random.default_rng(qubits)
    theta = ParameterVector("θ", qubits)
    circuit = QuantumCircuit(qubits, qubits - 1)
    for qubit in range(qubits):
        circuit.ry(theta[qubit], qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    bare = circuit.copy()
    order = rng.permutation(qubits)[: qubits - 1].tolist()
    circuit.measure(order, range(qubits - 1))
    values = rng.uniform(-3, 3, (3, qubits))
    request = SamplingRequest(circuit, tuple(p.name for p in theta), values, 50_000, 3)
    counts = drawn(ExactAdapter(resolve_device("aer"), "exact"), request).counts
    shares = [
        Statevector(bare.assign_parameters(dict(zip(theta, row, strict=True)))).probabilities(order)
        for row in values
    ]
    assert fits(counts, np.array(shares)) > 1e-4


def test_without_noise_resets_and_large_angles_are_drawn_too():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.reset(0)
    theta = Parameter("θ")
    circuit.ry(theta, 0)
    circuit.measure([0, 1], [0, 1])
    values = np.array([[0.4 + 2e7 * np.pi], [np.pi]])
    counts = drawn(
        ExactAdapter(resolve_device("aer"), "exact"), SamplingRequest(circuit, ("θ",), values, 50_000, 3)
    ).counts
    up = np.sin(values / 2) ** 2
    assert fits(counts, np.concatenate([1 - up, up, 1 - up, up], axis=1) / 2) > 1e-4
    circuit.data = [step for step in circuit.data if step.operation.name != "reset"]
    pure = drawn(
        ExactAdapter(resolve_device("aer"), "exact"), SamplingRequest(circuit, ("θ",), values[:1], 50_000, 3)
    ).counts
    assert fits(pure, np.array([[1 - up[0, 0], up[0, 0], up[0, 0], 1 - up[0, 0]]]) / 2) > 1e-4


def test_more_bits_than_a_histogram_come_shot_by_shot():
    circuit = QuantumCircuit(14, 14)
    circuit.x([0, 9, 13])
    circuit.h(3)
    circuit.measure(range(14), range(14))
    found = drawn(
        ExactAdapter(resolve_device("aer"), "exact"), SamplingRequest(circuit, (), np.zeros((1, 0)), 500, 1)
    )
    outcomes = found.packed[0, :, 0].astype(int) << 8 | found.packed[0, :, 1]
    always = 1 | 1 << 9 | 1 << 13
    assert set(outcomes) == {always, always | 8}
    assert abs((outcomes & 8 > 0).mean() - 0.5) < 0.12


def test_a_seed_makes_samples_repeatable():
    circuit, _ = three_qubits()
    pub = (circuit, [SparsePauliOp("ZZZ")], np.full(4, 0.3))
    values = [
        float(exact_manager("exact", seed=seed, shots=100).estimator().run([pub]).result()[0].data.evs[0])
        for seed in (1, 1, 2)
    ]
    assert values[0] == values[1] != values[2]


def test_asked_twice_is_sampled_twice_and_a_store_keeps_both(tmp_path):
    circuit, _ = three_qubits()
    pub = (circuit, [SparsePauliOp("ZZZ")], np.full(4, 0.3))

    def twice():
        estimator = exact_manager("exact", store=tmp_path / "jobs.db", shots=100).estimator()
        return [float(estimator.run([pub]).result()[0].data.evs[0]) for _ in range(2)]

    first = twice()
    assert first[0] != first[1]
    assert twice() == first


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"readout": "trex", "randomizations": 4},
        {"readout": "m3"},
        {"zne": (1, 3), "extrapolation": "linear"},
        {"dynamical_decoupling": "XY4"},
        {"twirl_gates": True, "randomizations": 4},
    ],
    ids=["plain", "trex", "m3", "zne", "decoupling", "twirling"],
)
def test_mitigated_values_agree_with_aers(options):
    if options.get("readout") == "m3":
        pytest.importorskip("mthree")
    circuit, _ = three_qubits()
    observables = [[SparsePauliOp(label)] for label in ("IIZ", "XXI", "ZZZ")]
    values = np.random.default_rng(2).uniform(-2, 2, (6, 4))
    given = {"shots": 20_000, "mitigation": MitigationOptions(**options), "seed": 4}
    managers = (JobManager("fake_manila", **given), exact_manager("noisy:fake_manila", **given))
    pub = (circuit, observables, values)
    found = [manager.estimator().run([pub]).result()[0].data for manager in managers]
    differences = (found[0].evs - found[1].evs) / np.hypot(found[0].stds, found[1].stds)
    assert np.abs(differences).max() < 4.5
    assert 0.3 < (differences**2).mean() < 2.5


def test_a_circuit_that_cannot_be_drawn_says_so_and_names_aer():
    circuit = QuantumCircuit(1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.h(0)
    circuit.measure(0, 1)
    with pytest.raises(CircuitError, match="use 'aer' or 'fake_<device>' for it"):
        exact_manager("exact").sampler().run([circuit]).result()


def test_a_place_that_there_is_not():
    with pytest.raises(DeviceError, match="no snapshot 'fake_fezz'; the nearest are fake_fez"):
        exact_manager("noisy:fake_fezz")


def test_exact_values_are_refused_where_a_device_takes_rzz_gates_of_a_quarter_turn_only():
    a = Parameter("a")
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.rzz(a, 0, 1)
    ansatz = Ansatz(circuit, (), (a,), (SparsePauliOp("XX"),))
    device = GenericBackendV2(2, basis_gates=["rz", "sx", "x", "rx", "rzz"], seed=1)
    with pytest.raises(DeviceError, match="does not support rzz gates with open angles.*fake_<device>"):
        compile_noisy(ansatz, device)
