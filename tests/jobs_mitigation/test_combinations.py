"""Options together: unbiased where there is no noise, repeatable, better where there is some, refused where unsound."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, SuperOp
from qiskit_aer.noise import depolarizing_error

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs import JobManager, MitigationOptions
from qiskit_hqnn.jobs.estimation import recipe
from qiskit_hqnn.jobs.estimation.mitigation import extrapolate, fold_gates

OBSERVABLES = [[SparsePauliOp("ZII")], [SparsePauliOp(["XXI", "IZZ", "III"], [0.5, -1.0, 0.25])]]


@cache
def request(sets=6, depth=1):
    """A PUB over arrays of values, with its exact result."""
    template = make_template(hqnn_parallel(3, depth))
    values = np.random.default_rng(5).uniform(-3, 3, (sets, template.num_angles))
    pub = (template.circuit, OBSERVABLES, values)
    return pub, StatevectorEstimator().run([pub]).result()[0].data.evs


def run(where, pub, options, shots=2000, seed=4):
    return (
        JobManager(where, shots=shots, mitigation=options, seed=seed).estimator().run([pub]).result()[0].data
    )


COMBINATIONS = [
    {
        "readout": readout,
        "twirl_gates": gates,
        "twirl_measure": measure,
        "zne": zne,
        "extrapolation": "linear",
    }
    for readout, gates, measure, zne in product(
        (None, "trex", "m3"), (False, True), (False, True), (None, (1, 3))
    )
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", COMBINATIONS, ids=lambda words: "-".join(str(word) for word in words.values())
)
def test_every_combination_is_unbiased_without_noise(words):
    pub, exact = request(sets=8)
    data = run("aer", pub, MitigationOptions(**words, randomizations=4), shots=1000)
    assert data.evs.shape == data.stds.shape == exact.shape == (2, 8)
    scores = (data.evs - exact) / np.maximum(data.stds, 1e-3)
    assert np.abs(scores).max() < 4.5
    assert 0.4 < scores.std() < 1.8


@pytest.mark.parametrize(
    "options",
    [
        MitigationOptions(readout="trex", zne=(1, 3), randomizations=2, extrapolation="linear"),
        MitigationOptions(readout="m3", twirl_measure=True, twirl_gates=True, randomizations=4),
        MitigationOptions(dynamical_decoupling="XpXm", twirl_gates=True, zne=(1, 3), randomizations=2),
    ],
)
def test_the_seed_decides_every_random_draw(options):
    pub, _ = request(sets=1)
    first, again, other = (run("fake_manila", pub, options, 500, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.evs, again.evs)
    assert np.array_equal(first.stds, again.stds)
    assert not np.array_equal(first.evs, other.evs)


@pytest.mark.slow
def test_readout_mitigation_and_extrapolation_reduce_the_error_on_a_snapshot():
    pub, exact = request(sets=6, depth=2)
    error = {
        name: np.abs(run("fake_manila", pub, options, 40_000).evs - exact).mean()
        for name, options in {
            "none": MitigationOptions(),
            "trex": MitigationOptions(readout="trex", randomizations=4),
            "m3": MitigationOptions(readout="m3"),
            "m3, twirled": MitigationOptions(readout="m3", twirl_measure=True, randomizations=4),
            "zne": MitigationOptions(zne=(1, 3, 5), extrapolation="linear"),
            "m3 and zne": MitigationOptions(readout="m3", zne=(1, 3, 5), extrapolation="linear"),
        }.items()
    }
    for name in ("trex", "m3", "m3, twirled"):
        assert error[name] < 0.5 * error["none"], error
    assert error["zne"] < 0.95 * error["none"], error  # readout is most of this device's error
    assert error["m3 and zne"] < 0.8 * error["m3"], error


def test_exponential_extrapolation_is_exact_under_depolarising_noise():
    circuit = QuantumCircuit(2)
    circuit.ry(0.8, 0)
    for _ in range(3):
        circuit.cx(0, 1)
    noise = SuperOp(depolarizing_error(0.03, 2))
    observable = SparsePauliOp(["ZI", "ZZ"], [0.7, 0.4])
    factors, values = (1, 3, 5), []
    for factor in factors:
        state = DensityMatrix.from_label("00")
        folded = fold_gates(circuit, factor)
        for step in folded.data:
            if step.operation.name == "barrier":
                continue
            qubits = [folded.find_bit(qubit).index for qubit in step.qubits]
            state = state.evolve(step.operation, qubits)
            if step.operation.name == "cx":
                state = state.evolve(noise, qubits)
        values.append([state.expectation_value(observable).real])
    exact = DensityMatrix(circuit).expectation_value(observable).real
    assert abs(values[0][0] - exact) > 0.02
    at_zero, _ = extrapolate(factors, np.array(values), np.full((3, 1), 1e-6), "exponential")
    assert at_zero[0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("model", ["linear", "quadratic", "exponential"])
def test_standard_errors_of_extrapolated_values_are_right(model):
    rng = np.random.default_rng(6)
    factors = np.array([1, 3, 5])
    truth = {
        "linear": 0.8 - 0.05 * factors,
        "quadratic": 0.8 - 0.05 * factors + 0.004 * factors**2,
        "exponential": 0.8 * np.exp(-0.1 * factors),
    }[model]
    errors = np.full((3, 4000), 0.005)
    values, stds = extrapolate(factors, rng.normal(truth[:, None], errors), errors, model)
    assert values.mean() == pytest.approx(0.8, abs=0.002)
    assert values.std() == pytest.approx(stds.mean(), rel=0.06)


def test_options_that_do_not_fit_are_one_sentence():
    with pytest.raises(MitigationError, match="`dynamical_decoupling` must be None, 'XX', .* but is 'CPMG'"):
        MitigationOptions(dynamical_decoupling="CPMG")
    with pytest.raises(MitigationError, match="`extrapolation` must be one of .* but is 'cubic'"):
        MitigationOptions(extrapolation="cubic")
    with pytest.raises(MitigationError, match="at least 3 different odd factors for 'quadratic'"):
        MitigationOptions(zne=(1, 3), extrapolation="quadratic")
    with pytest.raises(MitigationError, match="different odd factors"):
        MitigationOptions(zne=(1, 3, 3))
    with pytest.raises(MitigationError, match="`randomizations` must be even"):
        MitigationOptions(readout="trex", randomizations=5)
    with pytest.raises(
        MitigationError, match="`randomizations` must be a whole number of at least 1, but is 0"
    ):
        MitigationOptions(randomizations=0)
    manager = JobManager("aer", mitigation=MitigationOptions(readout="m3"), seed=1)
    measured = QuantumCircuit(1)
    measured.measure_all()
    with pytest.raises(MitigationError, match="corrects expectation values, not samples"):
        manager.sampler().run([measured]).result()


@pytest.mark.parametrize(
    "words", [{"readout": "m3"}, {"readout": "trex", "zne": (1, 3)}, {"twirl_gates": True}]
)
def test_a_recipe_that_was_written_down_reads_the_outcomes_in_the_same_way(words):
    options = MitigationOptions(**words, randomizations=4)
    manager = JobManager("fake_manila", shots=400, mitigation=options, seed=3)
    pub, _ = request(sets=2)
    estimation, outcomes = manager.estimate(EstimatorPub.coerce(pub))
    again = recipe.from_bytes(recipe.to_bytes(estimation)).result(outcomes).data
    wanted = estimation.result(outcomes).data
    assert np.array_equal(again.evs, wanted.evs)
    assert np.array_equal(again.stds, wanted.stds)
