"""What devices ask of a circuit: rzz angles in [0, π/2], delays on their grid, gates that can be written in theirs."""

import warnings

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import CircuitError, DeviceError
from qiskit_hqnn.jobs import JobManager, resolve_device, transpile_template
from qiskit_hqnn.jobs.adapters.sampling import Outcomes
from qiskit_hqnn.jobs.both_ways import price_the_other_way, the_other_way
from qiskit_hqnn.jobs.devices.delays import with_device_delays
from qiskit_hqnn.jobs.devices.fractional import (
    folded,
    fractional_gates,
    with_folded_numbers,
    without_fractional,
)
from qiskit_hqnn.jobs.worker import work
from qiskit_hqnn.layers import QuantumLayer

FIXED = ["cx", "id", "rz", "sx", "x"]


def target_of(*gates):
    return GenericBackendV2(3, list(gates), seed=1).target


def angles_of(circuit):
    return [float(step.params[0]) for step in circuit.data if step.name == "rzz"]


@pytest.mark.parametrize(
    ("gates", "left_out"),
    [
        ([*FIXED, "rx", "rzz"], ("rx", "rzz")),
        ([*FIXED, "rzz"], ("rzz",)),
        (FIXED, ()),
        (["rz", "sx", "x", "rzz"], ()),  # nothing else entangles
        (["rx", "rz", "rzz"], ()),
        (["rx", "rz", "cx"], ()),  # nothing else turns about another axis
        (["rx", "rz", "cx", "rzz"], ("rzz",)),
    ],
    ids=" ".join,
)
def test_fractional_gates_are_left_out_where_the_others_can_do_all(gates, left_out):
    target = target_of(*gates)
    smaller, names = without_fractional(target)
    assert names == left_out
    assert set(smaller.operation_names) == set(target.operation_names) - set(left_out)
    for name in smaller.operation_names:
        assert dict(smaller[name]) == dict(target[name])
    assert (smaller.dt, smaller.num_qubits) == (target.dt, 3)


@pytest.mark.parametrize(
    "gates", [[*FIXED, "rx", "rzz"], ["rz", "sx", "x", "rzz"], ["u", "rzz"]], ids=" ".join
)
@pytest.mark.parametrize("seed", range(3))
def test_folded_circuits_are_the_same_for_any_angle(gates, seed):
    rng = np.random.default_rng(seed)
    target, p = target_of(*gates), ParameterVector("p", 4)
    circuit = QuantumCircuit(3)
    angles = [p[0], 2 * p[1] - p[2] + 7, p[3] * p[0], p[2].sin() - 4, *rng.uniform(-15, 15, 8)]
    for angle in rng.permutation(np.array(angles, dtype=object)):
        circuit.rzz(angle, *rng.permutation(3)[:2].tolist())
        circuit.ry(float(rng.uniform(0, 3)), int(rng.integers(3)))
    isa = transpile(circuit, target=target, optimization_level=int(seed), seed_transpiler=1)
    isa = with_folded_numbers(isa, target)
    folding = folded(isa, target)
    assert {step.name for step in folding.circuit.data} <= set(gates)
    edges = np.pi / 2 * np.arange(-4, 5)
    values = np.concatenate([rng.uniform(-20, 20, (20, 4)), rng.choice(edges, (20, 4))])
    names = [parameter.name for parameter in p]
    own_names, own_values = folding.values(names, values)
    assert set(own_names) == {parameter.name for parameter in folding.circuit.parameters}
    for row, own in zip(values, own_values, strict=True):
        by_name = dict(zip(own_names, own, strict=True))
        bound = folding.circuit.assign_parameters({q: by_name[q.name] for q in folding.circuit.parameters})
        assert all(0 <= angle <= np.pi / 2 for angle in angles_of(bound))
        wanted = isa.assign_parameters(
            {q: dict(zip(names, row, strict=True))[q.name] for q in isa.parameters}
        )
        assert Operator(bound).equiv(Operator(wanted))


def test_a_circuit_without_open_angles_is_sent_as_it_is():
    target = target_of(*FIXED, "rx", "rzz")
    circuit = QuantumCircuit(3)
    circuit.rzz(0.4, 0, 1)
    circuit.rx(Parameter("a"), 2)
    folding = folded(circuit, target)
    assert folding.circuit is circuit
    names, values = folding.values(("a",), np.ones((2, 1)))
    assert names == ("a",)
    assert values.shape == (2, 1)
    assert folded(circuit, None).circuit is circuit


def test_a_circuit_that_was_changed_is_folded_anew():
    target, angle = target_of(*FIXED, "rx", "rzz"), Parameter("a")
    circuit = QuantumCircuit(2)
    circuit.rzz(angle, 0, 1)
    before = folded(circuit, target)
    assert folded(circuit.copy(), target) is before
    circuit.rzz(3 * angle, 0, 1)
    assert len(folded(circuit, target).folds) == 2


def test_names_of_folded_parameters_are_fresh():
    circuit = QuantumCircuit(2)
    circuit.rzz(Parameter("fold_0_x"), 0, 1)
    (fold,) = folded(circuit, target_of(*FIXED, "rx", "rzz")).folds
    assert "fold_0_x" not in fold.names


def test_simulators_have_no_fractional_gates():
    from qiskit.providers.basic_provider import BasicSimulator

    assert fractional_gates(BasicSimulator().target) == ()


# Delays.


def delayed(length, unit="dt"):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.delay(length, 0, unit)
    circuit.cx(0, 1)
    return circuit


@pytest.mark.parametrize(
    ("word", "length", "unit", "steps"),
    [
        ("fake_manila", 160, "dt", 160),
        ("fake_manila", 100, "dt", 96),  # its electronics start on every 16th step
        ("fake_manila", 100, "ns", 448),
        ("fake_manila", 1e-7, "s", 448),
        ("fake_fez", 100, "dt", 100),
        ("fake_fez", 1.5, "us", 375),
        ("fake_fez", 33.3, "ns", 8),
        ("fake_fez", 1, "ps", 0),
    ],
)
def test_delays_are_the_nearest_that_a_device_can_keep(word, length, unit, steps):
    device = resolve_device(word)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        template = transpile_template(delayed(length, unit), device, seeds=(0,))
    delays = [step.operation for step in template.circuit.data if step.name == "delay"]
    assert sum(delay.duration for delay in delays) == steps
    assert {delay.unit for delay in delays} <= {"dt"}
    plain = transpile_template(delayed(0), device, seeds=(0,))
    assert template.duration == pytest.approx(plain.duration + steps * device.target.dt, abs=40e-9)
    exact = (
        length
        if unit == "dt"
        else length * {"ns": 1e-9, "us": 1e-6, "s": 1, "ps": 1e-12}[unit] / device.target.dt
    )
    about = [str(warning.message) for warning in heard if "multiples" in str(warning.message)]
    assert len(about) == (abs(exact - steps) > 1e-3)


def test_a_device_without_time_steps_takes_delays_in_seconds_only():
    device = resolve_device("fake_essex")
    (found,) = [
        step.operation
        for step in transpile_template(delayed(100, "ns"), device, seeds=(0,)).circuit.data
        if step.name == "delay"
    ]
    assert (found.duration, found.unit) == (pytest.approx(1e-7), "s")
    with pytest.raises(
        CircuitError, match="a delay of 100 dt, but fake_essex does not say how long its dt is"
    ):
        transpile_template(delayed(100), device)


@pytest.mark.parametrize("unit", ["dt", "us"])
@pytest.mark.parametrize("word", ["fake_manila", "fake_fez", "fake_essex"])
def test_delays_of_open_length_are_one_sentence(word, unit):
    with pytest.raises(CircuitError, match="has a delay of open length 2\\*t, but fake_.* needs to know it"):
        transpile_template(delayed(2 * Parameter("t"), unit), resolve_device(word))


def test_to_ideal_aer_time_does_nothing():
    turn, length = Parameter("turn"), Parameter("length")
    circuit = QuantumCircuit(1)
    circuit.ry(turn, 0)
    for given, unit in ((160, "dt"), (1.5, "us"), (2 * length, "ns")):
        circuit.delay(given, 0, unit)
    values = {"turn": [0.4, 1.1], "length": [3.0, 70.0]}
    found = (
        JobManager("aer", shots=20_000, seed=1).estimator().run([(circuit, "Z", values)]).result()[0].data.evs
    )
    np.testing.assert_allclose(found, np.cos([0.4, 1.1]), atol=5 / 20_000**0.5)


def test_a_circuit_without_delays_is_the_same_object():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    assert with_device_delays(circuit, resolve_device("fake_manila").target, "fake_manila") is circuit


# The manager.


def sampled(circuit, values, **options):
    manager = JobManager("fake_fractional", shots=4000, seed=1, **options)
    pub = (circuit, [["ZII"], ["IZI"], ["IIX"]], values)
    return manager, manager.estimator().run([pub]).result()[0].data.evs


@pytest.mark.parametrize("fractional", [False, True])
def test_a_device_with_fractional_gates_gives_what_the_circuit_says_either_way(fractional):
    p, q = ParameterVector("p", 2)
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.rzz(p, 0, 1)
    circuit.crz(q, 1, 2)
    circuit.rx(p * q, 0)
    circuit.rzz(-1.2, 1, 2)
    circuit.h(2)
    values = np.random.default_rng(0).uniform(-9, 9, (5, 2))
    wanted = StatevectorEstimator().run([(circuit, [["ZII"], ["IZI"], ["IIX"]], values)]).result()[0].data.evs
    manager, found = sampled(circuit, values, fractional=fractional)
    assert np.abs(found - wanted).max() < 0.15  # its noise, and shots
    names = set(manager.plan(EstimatorPub.coerce((circuit, "ZII", values))).requests[0].circuit.count_ops())
    assert ("rzz" in names) == ("rx" in names) == fractional
    assert manager.device.rule == (
        "The fractional gates rx and rzz of fake_fractional are used; every rzz angle is folded into [0, π/2]."
        if fractional
        else "The fractional gates rx and rzz of fake_fractional are left out."
    )
    measured = circuit.measure_all(inplace=False)
    counts = manager.sampler().run([(measured, values)]).result()[0].data.meas
    exact = StatevectorSampler(seed=1).run([(measured, values)], shots=40_000).result()[0].data.meas
    for index in range(5):
        one, other = (
            {key: n / bits.num_shots for key, n in bits.get_counts(index).items()} for bits in (counts, exact)
        )
        assert max(abs(one.get(key, 0) - other.get(key, 0)) for key in other) < 0.1


def test_a_layer_trains_on_fractional_gates_with_every_angle_in_range(monkeypatch):
    seen = []
    angles = ParameterVector("x", 3)
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    for qubit, angle in enumerate(angles):
        circuit.rzz(2 * angle, qubit, (qubit + 1) % 3)
    layer = QuantumLayer(Ansatz.from_circuit(circuit, observables="X*"))
    manager = JobManager("fake_fractional", shots=72, seed=1, fractional=True)
    monkeypatch.setattr(
        type(manager.adapter),
        "submit",
        lambda _, requests, **__: seen.extend(requests) or "job",
        raising=True,
    )
    monkeypatch.setattr(
        type(manager.adapter),
        "result",
        lambda _, __: [
            Outcomes(r.circuit.num_clbits, np.full((r.sets, 2**r.circuit.num_clbits), 9)) for r in seen
        ],
    )
    with layer.running_on(manager.estimator()):
        layer((torch.randn(2, 3) * 5).requires_grad_()).sum().backward()
    (request,) = seen
    folds = [index for index, name in enumerate(request.parameters) if name.endswith("_zz")]
    assert len(folds) == request.circuit.count_ops()["rzz"] == 3
    assert ((request.values[:, folds] >= 0) & (request.values[:, folds] <= np.pi / 2)).all()


def test_fractional_gates_are_part_of_what_a_result_is_known_by(tmp_path):
    circuit = QuantumCircuit(2)
    circuit.x([0, 1])
    pub = EstimatorPub.coerce((circuit, "ZZ"))
    ids, settings = [], []
    for fractional in (False, True):
        manager = JobManager("fake_fractional", store=tmp_path / "jobs.db", shots=10, fractional=fractional)
        ids.append(manager.submit(pub))
        settings.append(manager.store.job(ids[-1]).settings)
    assert ids[0] != ids[1]
    assert "fractional" not in settings[0]  # as jobs were known by before
    assert settings[1]["fractional"] is True
    assert settings[0]["calibration"] != settings[1]["calibration"]
    work(manager.store)  # a worker opens the device as each job wants it
    assert [manager.store.job(job).state for job in ids] == ["done", "done"]


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("aer", "Fractional gates are requested, but aer takes any gate."),
        ("fake_fez", "Fractional gates are requested, but fake_fez has none."),
        (StatevectorSampler(), "Fractional gates belong to a device, but StatevectorSampler is a sampler."),
    ],
    ids=["aer", "fake_fez", "sampler"],
)
def test_a_place_without_fractional_gates_is_one_sentence(where, sentence):
    with pytest.raises(DeviceError) as error:
        JobManager(where, fractional=True)
    assert str(error.value) == sentence


def test_both_ways_are_priced():
    circuit = QuantumCircuit(2)
    circuit.rzz(Parameter("p"), 0, 1)
    pub = EstimatorPub.coerce((circuit, "ZZ", [[0.3]]))
    for fractional in (False, True):
        manager = JobManager("fake_fractional", shots=100, fractional=fractional)
        other = JobManager("fake_fractional", shots=100, fractional=not fractional)
        assert price_the_other_way(manager, pub) == other.price(other.plan(pub))
        assert the_other_way(manager.device).fractional is not fractional
    assert price_the_other_way(JobManager("fake_manila", shots=100), pub) is None
    assert price_the_other_way(JobManager("aer", shots=100), pub) is None


# Words.


def test_a_gate_that_nobody_knows_is_one_sentence_with_what_to_do():
    circuit = QuantumCircuit(2, name="mine")
    circuit.append(Gate("strange", 2, []), [0, 1])
    sentence = (
        "Circuit 'mine' cannot be transpiled for fake_manila: its gate 'strange' has neither a definition nor a "
        "matrix. The device has the gates cx, id, rz, sx, x; define each gate by Qiskit's standard gates, or decompose "
        "it first."
    )
    with pytest.raises(DeviceError) as error:
        transpile_template(circuit, resolve_device("fake_manila"))
    assert str(error.value) == sentence
