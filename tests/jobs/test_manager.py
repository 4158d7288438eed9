"""The job manager by several routes: exact values, Aer, Qiskit's own estimators, layers on devices."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import CXGate, PauliEvolutionGate, RZGate, UnitaryGate, real_amplitudes
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.quantum_info import DensityMatrix, Operator, SparsePauliOp, random_unitary
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_ibm_runtime.fake_provider import FakeManilaV2
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN

from qiskit_hqnn.circuits import hqnn_parallel, make_template, vqc_head
from qiskit_hqnn.errors import BudgetError, CircuitError, DeviceError, HQNNError, MitigationError
from qiskit_hqnn.jobs import JobManager, MitigationOptions, resolve_device, snapshot_names, transpile_template
from qiskit_hqnn.jobs.adapters.aer import on_qubits, used_qubits
from qiskit_hqnn.jobs.adapters.sampling import Outcomes, SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import TransientError
from qiskit_hqnn.jobs.devices.device import CutDevice, cut_target
from qiskit_hqnn.jobs.devices.identity import circuit_bytes
from qiskit_hqnn.jobs.devices.transpiling import (
    candidates,
    check_isa,
    expected_success,
    scheduled_duration,
)
from qiskit_hqnn.jobs.estimation.measurement import measurement_of
from qiskit_hqnn.jobs.estimation.mitigation import extrapolate, flip_patterns, fold_gates
from qiskit_hqnn.jobs.price import price_requests
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer

OBSERVABLES = [
    SparsePauliOp(["ZZI", "IXX", "III"], [0.5, -1.0, 0.25]),
    SparsePauliOp(["YIY"], [2.0]),
    SparsePauliOp(["IIZ"], [1.0]),
]


def circuit_of(seed=3):
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(3)
    parameters = [Parameter(f"p{index}") for index in range(9)]
    for index, parameter in enumerate(parameters):
        circuit.ry(parameter, index % 3)
        circuit.rz(0.3 * index, index % 3)
        if index % 3 == 2:
            circuit.cx(0, 1)
            circuit.cx(1, 2)
    return circuit, rng.uniform(-3, 3, (2, 4, 9))


def assert_within_errors(measured, exact, stds, sigmas=5):
    # A value whose outcomes are all alike has an estimated error of zero; its true one is below 5/shots.
    assert (np.abs(measured - exact) < sigmas * stds + 0.003).all()


def test_estimator_on_aer_agrees_with_exact_values_in_the_pubs_shape():
    circuit, values = circuit_of()
    pub = (circuit, [[[o]] for o in OBSERVABLES], values)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    estimator = JobManager("aer", shots=10_000, seed=1).estimator()
    data = estimator.run([pub]).result()[0].data
    assert data.evs.shape == (3, 2, 4)
    assert_within_errors(data.evs, exact, data.stds)
    assert np.abs(data.evs - exact).max() > 0


def test_standard_errors_are_right():
    circuit, values = circuit_of()
    pub = (circuit, [[[o]] for o in OBSERVABLES], values)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    scaled = []
    for seed in range(30):
        data = JobManager("aer", shots=400, seed=seed).estimator().run([pub]).result()[0].data
        scaled.append((data.evs - exact) / np.maximum(data.stds, 1e-6))
    spread = np.std(scaled)
    assert 0.9 < spread < 1.1


def test_precision_means_shots():
    circuit, values = circuit_of()
    manager = JobManager("aer", shots=7, seed=1)
    result = manager.estimator().run([(circuit, OBSERVABLES[2], values)], precision=0.02).result()[0]
    assert result.metadata["shots"] == 2500
    assert manager.executions == 8 * 2500


def test_observables_and_values_may_be_paired():
    circuit, values = circuit_of()
    pub = (circuit, [OBSERVABLES[0], OBSERVABLES[1]], values[0, :2])
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    data = JobManager("aer", shots=4000, seed=2).estimator().run([pub]).result()[0].data
    assert data.evs.shape == (2,)
    assert_within_errors(data.evs, exact, data.stds)


def test_a_circuit_without_parameters_is_estimated():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    data = JobManager("aer", seed=1).estimator().run([(circuit, SparsePauliOp(["X"]))]).result()[0].data
    assert data.evs == 1.0


def test_commuting_observables_share_a_basis_and_only_their_qubits_are_measured():
    ansatz = hqnn_parallel(5, 1)
    assert len(measurement_of(ansatz.observables).bases) == 1
    bases = measurement_of(OBSERVABLES).bases
    assert [basis.qubits for basis in bases] == [(1, 2), (0, 1), (0, 2)] or len(bases) == 3
    single = measurement_of([SparsePauliOp(["IIZII"])])
    assert single.bases[0].qubits == (2,)


def test_sampler_agrees_with_qiskits_and_keeps_registers():
    circuit, values = circuit_of()
    measured = circuit.measure_all(inplace=False)
    theirs = StatevectorSampler(seed=1).run([(measured, values)], shots=20_000).result()[0].data.meas
    ours = JobManager("aer", seed=1).sampler().run([(measured, values)], shots=20_000).result()[0].data.meas
    assert ours.shape == theirs.shape == (2, 4)
    for index in np.ndindex(2, 4):
        mine, reference = ours[index].get_int_counts(), theirs[index].get_int_counts()
        for outcome in range(8):
            assert abs(mine.get(outcome, 0) - reference.get(outcome, 0)) < 5 * (2 * 20_000 * 0.25) ** 0.5
    two = QuantumCircuit(2)
    from qiskit.circuit import ClassicalRegister

    first, second = ClassicalRegister(1, "first"), ClassicalRegister(1, "second")
    two.add_register(first, second)
    two.x(1)
    two.measure(0, first)
    two.measure(1, second)
    data = JobManager("aer", seed=1).sampler().run([two], shots=10).result()[0].data
    assert data.first.get_counts() == {"0": 10}
    assert data.second.get_counts() == {"1": 10}


def test_wide_registers_are_packed_and_read_back():
    circuit = QuantumCircuit(14)
    circuit.x([0, 9, 13])
    circuit.measure_all()
    counts = JobManager("aer", seed=1).sampler().run([circuit], shots=20).result()[0].data.meas.get_counts()
    assert counts == {"10001000000001": 20}


def test_outcomes_survive_bytes_and_bit_arrays():
    rng = np.random.default_rng(1)
    array = rng.integers(0, 256, (3, 50, 2), dtype=np.uint8)
    array[..., 0] &= 0b11
    for bits in (10,):
        outcomes = Outcomes.from_bit_array(array, bits)
        again = Outcomes.from_bytes(outcomes.to_bytes())
        assert (again.counts == outcomes.counts).all()
        assert (Outcomes.from_bit_array(outcomes.to_bit_array().array, bits).counts == outcomes.counts).all()
    packed = Outcomes.from_bit_array(array, 13)
    assert (Outcomes.from_bytes(packed.to_bytes()).packed == array).all()
    masks = [1, 0b10_0000_0001]
    np.testing.assert_allclose(
        packed.parity_means(masks), Outcomes.from_bit_array(array, 10).parity_means(masks), atol=1e-12
    )


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    circuit, values = circuit_of()
    pub = (circuit, OBSERVABLES[2], values)
    first, second, third = (
        JobManager("aer", shots=100, seed=seed).estimator().run([pub]).result()[0].data.evs
        for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != third).any()


def test_primitives_fit_stock_networks():
    ansatz = hqnn_parallel(2, 1)
    manager = JobManager("aer", shots=2000, seed=1)
    assert isinstance(manager.estimator(), BaseEstimatorV2)
    assert isinstance(manager.sampler(), BaseSamplerV2)
    network = EstimatorQNN(
        circuit=ansatz.circuit,
        observables=list(ansatz.observables),
        input_params=ansatz.input_params,
        weight_params=ansatz.weight_params,
        estimator=manager.estimator(),
        input_gradients=True,
    )
    inputs, weights = np.array([[0.1, 0.2]]), np.linspace(0, 1, 6)
    exact = QuantumLayer(ansatz).neural_network
    assert np.abs(network.forward(inputs, weights) - exact.forward(inputs, weights)).max() < 0.15
    assert np.abs(network.backward(inputs, weights)[1] - exact.backward(inputs, weights)[1]).max() < 0.15
    sampler = SamplerQNN(
        circuit=ansatz.circuit,
        input_params=ansatz.input_params,
        weight_params=ansatz.weight_params,
        sampler=manager.sampler(),
    )
    assert sampler.forward(inputs, weights).sum() == pytest.approx(1)


@pytest.mark.parametrize("where", ["aer", "fake_manila"])
def test_layers_run_at_a_place_by_its_word(where):
    layer = QuantumLayer(hqnn_parallel(3, 1), copies=2).double()
    inputs = torch.rand(3, 6, dtype=torch.float64)
    exact = layer(inputs)
    with layer.running_on(where):
        sampled = layer(inputs)
        sampled.sum().backward()
    assert (sampled - exact).abs().max() < (0.2 if where == "aer" else 0.5)
    assert layer.weight.grad.abs().max() > 0
    head = SamplerLayer(vqc_head(), lambda outcome: outcome & 1, 2)
    with head.running_on(where):
        torch.testing.assert_close(head(torch.rand(2, 4)).sum(dim=1), torch.ones(2))


def test_a_cut_device_keeps_the_errors_of_its_qubits():
    device = resolve_device("fake_fez")
    cut = cut_target(device.target, [7, 8, 9])
    assert cut.num_qubits == 3
    assert cut["measure"][(1,)].error == device.target["measure"][(8,)].error
    assert cut["cz"][(0, 1)].error == device.target["cz"][(7, 8)].error
    assert (0, 2) not in cut["cz"]
    assert cut.qubit_properties[2].t1 == device.target.qubit_properties[9].t1


def test_a_snapshots_noise_is_that_of_qiskits_whole_device():
    device = resolve_device("fake_manila")
    circuit, values = circuit_of()
    template = transpile_template(circuit, device, seeds=[0], levels=[1])
    bound = template.circuit.assign_parameters(dict(zip(circuit.parameters, values[0, 0], strict=True)))
    whole = bound.copy()
    whole.save_density_matrix()
    state = AerSimulator.from_backend(device.backend).run(whole).result().data()["density_matrix"]
    used = used_qubits(bound)
    small = on_qubits(bound, used)
    small.save_density_matrix()
    cut = CutDevice("cut", cut_target(device.target, used))
    reduced = AerSimulator.from_backend(cut).run(small).result().data()["density_matrix"]
    from qiskit.quantum_info import partial_trace

    idle = [qubit for qubit in range(5) if qubit not in used]
    np.testing.assert_allclose(partial_trace(DensityMatrix(state), idle).data, reduced, atol=1e-10)


def test_templates_keep_parameters_compute_the_circuit_and_are_the_best_of_their_seeds(tmp_path):
    device = resolve_device("fake_lagos")
    template = make_template(hqnn_parallel(4, 1)).circuit
    isa = transpile_template(template, device, cache=tmp_path)
    assert set(isa.circuit.parameters) == set(template.parameters)
    ranked = candidates(template, device, seeds=range(8), levels=(1, 2, 3))
    assert isa.expected_success == ranked[0].expected_success >= ranked[-1].expected_success
    values = dict(zip(template.parameters, np.linspace(-2, 2, template.num_parameters), strict=True))
    used = used_qubits(isa.circuit)
    small = on_qubits(isa.circuit, used).assign_parameters({p.name: v for p, v in values.items()})
    places = [used.index(qubit) for qubit in isa.logical]
    exact = StatevectorEstimator()
    for qubit in range(4):
        ours = exact.run(
            [(small, SparsePauliOp.from_sparse_list([("Z", [places[qubit]], 1)], small.num_qubits))]
        )
        theirs = exact.run(
            [(template.assign_parameters(values), SparsePauliOp.from_sparse_list([("Z", [qubit], 1)], 4))]
        )
        assert ours.result()[0].data.evs == pytest.approx(theirs.result()[0].data.evs, abs=1e-9)
    assert len(list(tmp_path.glob("*.qpy"))) == 1


def test_templates_come_back_from_disk(tmp_path, monkeypatch):
    from qiskit_hqnn.jobs.devices import transpiling

    device = resolve_device("fake_manila")
    circuit, _ = circuit_of()
    first = transpile_template(circuit, device, seeds=[0, 1], levels=[1], cache=tmp_path)
    monkeypatch.setattr(transpiling, "_templates", transpiling.OrderedDict())
    monkeypatch.setattr(transpiling, "transpiled", None)
    second = transpile_template(circuit, device, seeds=[0, 1], levels=[1], cache=tmp_path)
    assert second.circuit == first.circuit
    assert (second.logical, second.duration) == (first.logical, first.duration)


def test_expected_success_is_the_product_of_the_calibrations():
    device = resolve_device("fake_manila")
    circuit = QuantumCircuit(5)
    circuit.cx(0, 1)
    circuit.sx(0)
    target = device.target
    expected = (
        (1 - target["cx"][(0, 1)].error)
        * (1 - target["sx"][(0,)].error)
        * (1 - target["measure"][(1,)].error)
    )
    assert expected_success(circuit, [1], target) == pytest.approx(expected)


def test_the_price_follows_ibms_formula_and_the_budget_stops_everything():
    circuit, values = circuit_of()
    manager = JobManager("fake_fez", shots=1000, max_qpu_seconds=3, seed=1)
    estimation = manager.plan(JobManagerPub(circuit, [OBSERVABLES[2]], values))
    price = manager.price(estimation)
    assert price.executions == 8000
    assert price.qpu_seconds == pytest.approx(2 + 8000 * (250e-6 + estimation.durations[0]))
    assert 1e-6 < estimation.durations[0] < 10e-6
    with pytest.raises(
        BudgetError, match="8,000 executions on fake_fez would cost 4.0 QPU .* budget is 3; nothing was sent"
    ):
        manager.estimator().run([(circuit, OBSERVABLES[2], values)]).result()
    assert manager.executions == 0


def JobManagerPub(circuit, observables, values):
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    return EstimatorPub.coerce((circuit, observables[0], values))


def test_folding_keeps_the_unitary_and_multiplies_the_gates():
    circuit, values = circuit_of()
    bound = circuit.assign_parameters(values[0, 0])
    folded = fold_gates(bound, 5)
    assert Operator(folded).equiv(Operator(bound))
    assert folded.count_ops()["cx"] == 5 * bound.count_ops()["cx"]


def test_extrapolation_is_exact_on_its_own_models():
    factors = (1, 3, 5)
    errors = np.full((3, 1), 1e-4)
    line = np.array([[0.8 - 0.1 * f] for f in factors])
    assert extrapolate(factors, line, errors, "linear")[0] == pytest.approx(0.8)
    parabola = np.array([[0.8 - 0.1 * f + 0.01 * f * f] for f in factors])
    assert extrapolate(factors, parabola, errors, "quadratic")[0] == pytest.approx(0.8)
    decay = np.array([[-0.7 * np.exp(-0.2 * f)] for f in factors])
    assert extrapolate(factors, decay, errors, "exponential")[0] == pytest.approx(-0.7)
    mixed = np.array([[0.01], [-0.01], [0.02]])
    linear = extrapolate(factors, mixed, errors * 1000, "linear")[0]
    assert extrapolate(factors, mixed, errors * 1000, "exponential")[0] == pytest.approx(linear)


def test_flip_patterns_flip_every_bit_in_half_of_them():
    patterns = flip_patterns(6, 16, seed=2)
    assert len(patterns) == 16
    for bit in range(6):
        assert sum(pattern >> bit & 1 for pattern in patterns) == 8


@pytest.mark.slow
def test_mitigation_reduces_the_error_of_outputs():
    ansatz = hqnn_parallel(3, 2)
    rng = np.random.default_rng(5)
    template = make_template(ansatz)
    values = rng.uniform(-3, 3, (12, template.num_angles))
    pub = (template.circuit, [[o] for o in ansatz.observables], values)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    error = {}
    for name, options in {
        "none": MitigationOptions(),
        "trex": MitigationOptions(readout="trex", randomizations=8),
        "both": MitigationOptions(readout="trex", zne=(1, 3, 5), extrapolation="linear", randomizations=4),
    }.items():
        manager = JobManager("fake_manila", shots=40_000, mitigation=options, seed=4)
        data = manager.estimator().run([pub]).result()[0].data
        error[name] = np.abs(data.evs - exact).mean()
    assert error["trex"] < 0.8 * error["none"]
    assert error["both"] < 0.5 * error["none"]


def test_bad_requests_are_one_sentence():
    with pytest.raises(DeviceError, match="no snapshot 'fake_feez'; the nearest are fake_fez"):
        JobManager("fake_feez")
    with pytest.raises(
        DeviceError, match="must be 'aer', 'fake_<device>', 'ibm_<device>' or a BackendV2, but is 'moon'"
    ):
        JobManager("moon")
    with pytest.raises(HQNNError, match="`shots` must be a whole number of at least 1, but is 0"):
        JobManager("aer", shots=0)
    with pytest.raises(HQNNError, match="`precision` must be above 0 and at most 1, but is 0"):
        JobManager("aer").estimator().run([(QuantumCircuit(1), SparsePauliOp("Z"))], precision=0).result()
    with pytest.raises(HQNNError, match="`max_qpu_seconds` must be positive, but is -1"):
        JobManager("aer", max_qpu_seconds=-1)
    with pytest.raises(DeviceError, match="needs 6 connected qubits, but fake_manila has 5"):
        transpile_template(hqnn_parallel(6, 1).circuit, resolve_device("fake_manila"))
    with pytest.raises(MitigationError, match="`readout` must be None, 'trex' or 'm3', but is 'm4'"):
        MitigationOptions(readout="m4")
    with pytest.raises(MitigationError, match="`zne` must be at least 2 different odd factors"):
        MitigationOptions(zne=(1, 2))
    with pytest.raises(DeviceError, match="has no 'h' on qubits"):
        circuit = QuantumCircuit(5)
        circuit.h(0)
        check_isa(circuit, resolve_device("fake_manila").target, "fake_manila")
    with pytest.raises(HQNNError, match="`shots` must be at least 1"):
        SamplingRequest(QuantumCircuit(1, 1), (), np.zeros((1, 0)), 0, 1)


def appended(gate):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


def block_of(name):
    inner = QuantumCircuit(1, name="block")
    getattr(inner, name)(0)
    return inner.to_gate()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (real_amplitudes(2, reps=1).to_gate(label="a"), real_amplitudes(2, reps=2).to_gate(label="a")),
        (PauliEvolutionGate(SparsePauliOp("XX"), 0.3), PauliEvolutionGate(SparsePauliOp("ZZ"), 0.3)),
        (UnitaryGate(random_unitary(32, seed=1)), UnitaryGate(random_unitary(32, seed=2))),
        (block_of("x"), block_of("y")),
        (block_of("x").control(), block_of("y").control()),
        (CXGate(ctrl_state=0), CXGate(ctrl_state=1)),
        (RZGate(0.1), RZGate(0.1 + 1e-16 * 4)),
    ],
)
def test_circuits_that_do_something_else_are_other_requests(one, other):
    assert circuit_bytes(appended(one)) == circuit_bytes(appended(one.copy()))
    assert circuit_bytes(appended(one)) != circuit_bytes(appended(other))


def test_control_flow_is_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(0)
    with pytest.raises(CircuitError, match="must be without control flow, but has 'if_else'"):
        JobManager("aer").sampler().run([circuit]).result()


def test_a_damaged_template_on_disk_is_made_anew(tmp_path, monkeypatch):
    from qiskit_hqnn.jobs.devices import transpiling

    device = resolve_device("fake_manila")
    circuit, _ = circuit_of()
    first = transpile_template(circuit, device, seeds=[0], levels=[1], cache=tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:40])
    monkeypatch.setattr(transpiling, "_templates", transpiling.OrderedDict())
    again = transpile_template(circuit, device, seeds=[0], levels=[1], cache=tmp_path)
    assert circuit_bytes(again.circuit) == circuit_bytes(first.circuit)


def test_readout_counts_once_in_a_duration():
    target = resolve_device("fake_manila").target
    circuit = QuantumCircuit(5, 1)
    circuit.sx(0)
    unmeasured = scheduled_duration(circuit, target)
    circuit.measure(0, 0)
    assert unmeasured == scheduled_duration(circuit, target)
    assert unmeasured == pytest.approx(target["sx"][(0,)].duration + target["measure"][(0,)].duration)


def test_a_price_counts_the_jobs_that_the_time_of_one_job_makes():
    device = resolve_device("fake_manila")
    circuit = QuantumCircuit(5, 1)
    circuit.measure(0, 0)
    request = SamplingRequest(circuit, ("p",), np.zeros((100, 1)), 90_000, 1)
    short = SamplingRequest(circuit, ("p",), np.zeros((3, 1)), 10, 1)
    # 9 million executions of 250 µs and 5 µs are 2,295 s, over the 1,800 s of one job; other shots are one more.
    price = price_requests([request, short], [5e-6, 5e-6], device)
    assert price.jobs == 3
    assert price.qpu_seconds == pytest.approx(6 + 9_000_030 * (device.rep_delay + 5e-6))


def test_an_aer_simulator_keeps_its_noise():
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(depolarizing_error(0.2, 2), ["cx"])
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    pub = (bell, SparsePauliOp("ZZ"))
    noisy, ideal = (
        JobManager(simulator, shots=10_000, seed=1)
        for simulator in (AerSimulator(noise_model=noise), AerSimulator())
    )
    # Depolarising with probability p leaves 1 − p of ⟨ZZ⟩.
    assert noisy.estimator().run([pub]).result()[0].data.evs == pytest.approx(0.8, abs=0.03)
    assert ideal.estimator().run([pub]).result()[0].data.evs == 1
    assert noisy.adapter.calibration != ideal.adapter.calibration
    routed = JobManager(AerSimulator.from_backend(FakeManilaV2()), shots=10_000, seed=1)
    assert 0.7 < routed.estimator().run([pub]).result()[0].data.evs < 0.98


def test_two_samplers_never_share_results(tmp_path):
    measured = QuantumCircuit(1)
    measured.h(0)
    pub = (measured, SparsePauliOp("Z"))
    for seed in (1, 2):
        JobManager(StatevectorSampler(seed=seed), store=tmp_path / "jobs.db").estimator().run([pub]).result()
    assert len(JobManager("aer", store=tmp_path / "jobs.db").store.jobs()) == 2


def test_gates_without_an_inverse_of_their_kind_are_not_folded():
    circuit = QuantumCircuit(2)
    circuit.rzz(0.3, 0, 1)
    with pytest.raises(
        MitigationError,
        match="folds gates that have an inverse of their own kind, .* but the circuit has 'rzz'",
    ):
        fold_gates(circuit, 3)


def test_an_empty_batch_is_answered_with_nothing():
    circuit, _ = circuit_of()
    pub = (circuit, [[o] for o in OBSERVABLES], np.zeros((0, 9)))
    manager = JobManager("fake_manila")
    assert manager.estimator().run([pub]).result()[0].data.evs.shape == (3, 0)
    assert manager.executions == 0


def test_a_plan_says_what_is_sent():
    circuit, values = circuit_of()
    pub = JobManagerPub(circuit, [OBSERVABLES[2]], values)
    manager = JobManager("fake_manila", mitigation=MitigationOptions(readout="trex", zne=(1, 3)))
    plan = manager.plan(pub)
    lines = str(plan).splitlines()
    assert lines[0] == "1 observable of 8 sets of values, 1,008 shots each"
    assert lines[1] == "measured in 1 basis: Z on qubits 0"
    assert lines[2] == "mitigation: readout trex, noise factors 1, 3, 16 draws"
    counted = [int(line.split()[3].replace(",", "")) for line in lines[4:]]
    assert sum(counted) == manager.price(plan).executions
    gates = [int(line.split()[5]) for line in lines[4:]]
    assert gates[2] == 3 * gates[1] > gates[0] == 0
    assert "<td>8</td>" in plan._repr_html_()


def test_every_snapshot_has_a_word():
    names = snapshot_names()
    assert len(names) > 50
    assert {"fake_fez", "fake_torino", "fake_manila"} <= set(names)


def test_a_question_that_was_not_answered_is_the_same_request_when_asked_again(tmp_path, monkeypatch):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    question = (circuit, [SparsePauliOp("Z")])
    manager = JobManager("aer", store=tmp_path / "jobs.db", shots=10)

    def lost(*args, **kwargs):
        raise TransientError("the connection was lost for good")

    with monkeypatch.context() as broken:
        broken.setattr("qiskit_hqnn.jobs.manager.drive", lost)
        with pytest.raises(TransientError):
            manager.estimator().run([question]).result()
    (waiting,) = manager.store.jobs()
    manager.estimator().run([question]).result()
    assert [job.id for job in manager.store.jobs()] == [waiting.id]
    manager.estimator().run([question]).result()
    assert len(manager.store.jobs()) == 2  # answered, and asked once more: new samples
