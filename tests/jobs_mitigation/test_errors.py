"""Reported errors are right: z-scores against known values for every option, below and above 12 measured qubits."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, coherent_unitary_error, depolarizing_error
from scipy.linalg import expm

from qiskit_hqnn.jobs import JobManager, MitigationOptions
from qiskit_hqnn.jobs.adapters.sampling import Outcomes, parities
from qiskit_hqnn.jobs.estimation import strings
from qiskit_hqnn.jobs.estimation.expectations import expectation_values
from qiskit_hqnn.jobs.estimation.measurement import MeasuredBasis, Measurement
from qiskit_hqnn.jobs.estimation.mitigation.readout import (
    flip_patterns,
    m3_calibration,
    trex_calibration,
    unflipped,
)

REPETITIONS = 200


class Source:
    """Bits of a mixture of two products, so correlated, that decay with the noise factor and are read with errors."""

    decay = 0.02

    def __init__(self, bits, readout):
        rng = np.random.default_rng(bits)
        self.bits = bits
        self.ones = np.stack([rng.uniform(0, 0.3, bits), rng.uniform(0.5, 1, bits)])
        self.up, self.down = rng.uniform([[0.005], [0.02]], [[0.03], [0.08]], (2, bits)) * readout

    def mean(self, mask):
        inside = [bit for bit in range(self.bits) if mask >> bit & 1]
        return np.prod(1 - 2 * self.ones[:, inside], axis=1) @ [0.6, 0.4]

    def read(self, rng, state, pattern):
        """Outcomes of given states (sets, shots, bits) under flips that are undone."""
        flips = np.array([pattern >> bit & 1 for bit in range(self.bits)], dtype=bool)
        chance = rng.random(state.shape)
        bits = np.where(state ^ flips, chance >= self.down, chance < self.up)
        padded = np.pad(bits[..., ::-1], ((0, 0), (0, 0), (-self.bits % 8, 0)))
        return unflipped(Outcomes.from_bit_array(np.packbits(padded, axis=-1), self.bits), pattern)

    def prepared(self, rng, value, shots, pattern=0):
        return self.read(rng, np.full((REPETITIONS, shots, self.bits), value, dtype=bool), pattern)

    def sample(self, rng, shots, factor, pattern=0):
        member = (rng.random((REPETITIONS, shots)) > 0.6).astype(int)
        state = rng.random((REPETITIONS, shots, self.bits)) < self.ones[member]
        lost = rng.random(state.shape) < 1 - np.exp(-self.decay * factor)
        return self.read(rng, np.where(lost, rng.random(state.shape) < 0.5, state), pattern)


def repetition(outcomes, index):
    """One set of several."""
    part = slice(index, index + 1)
    if outcomes.counts is not None:
        return Outcomes(outcomes.bits, outcomes.counts[part])
    return Outcomes(outcomes.bits, None, outcomes.packed[part])


def observables(bits):
    """Single strings, a sum of Z, and a random sum with an identity: terms, and weights of the strings."""
    rng = np.random.default_rng(bits + 1)
    masks = [*(1 << bit for bit in range(bits)), 3, 5, (1 << bits) - 1, int(rng.integers(1, 1 << bits))]
    masks = list(dict.fromkeys(masks))
    weights = np.vstack([np.eye(len(masks)), np.arange(len(masks)) < bits, rng.normal(size=(1, len(masks)))])
    terms = tuple((o, float(weights[o, k]), masks[k]) for o, k in np.argwhere(weights))
    constants = np.zeros(len(weights))
    constants[-1] = 0.7
    basis = MeasuredBasis(dict.fromkeys(range(bits), "Z"), terms)
    return Measurement((basis,), constants), weights, masks


OPTIONS = {
    "plain": MitigationOptions(),
    "trex": MitigationOptions(readout="trex"),
    "m3": MitigationOptions(readout="m3"),
    "m3, twirled": MitigationOptions(readout="m3", twirl_measure=True),
    "linear": MitigationOptions(zne=(1, 3), extrapolation="linear"),
    "exponential": MitigationOptions(zne=(1, 3)),
    "trex, exponential": MitigationOptions(readout="trex", zne=(1, 3)),
    "m3, linear": MitigationOptions(readout="m3", zne=(1, 3), extrapolation="linear"),
    "m3, exponential": MitigationOptions(readout="m3", zne=(1, 3)),
}


@pytest.mark.parametrize(
    ("bits", "name", "rough"),
    [
        *((3, name, False) for name in OPTIONS),
        *((14, name, False) for name in ("plain", "m3", "trex, exponential")),
        *((3, name, True) for name in ("trex", "m3")),
    ],
)
def test_z_scores_have_mean_zero_and_width_one(bits, name, rough):
    """Also where a rough calibration's part of the error is as large as the shots'."""
    options = OPTIONS[name]
    source = Source(bits, readout=options.readout is not None)
    measurement, weights, masks = observables(bits)
    true = weights @ [source.mean(mask) for mask in masks] + measurement.constants
    patterns = flip_patterns(bits, 16, seed=7) if options.flips else [0]
    rng = np.random.default_rng(3)
    # All repetitions are drawn at once; each is calibrated by its own draws.
    if options.readout == "trex":
        ground = [source.prepared(rng, False, 1 if rough else 64, pattern) for pattern in patterns]
    if options.readout == "m3":
        states = [source.prepared(rng, value, 24 if rough else 1024) for value in (False, True)]
    draws = [
        [source.sample(rng, 512 // len(patterns), factor, pattern) for pattern in patterns]
        for factor in options.zne or (0,)
    ]
    scores = []
    for index in range(REPETITIONS):
        calibrations = None
        if options.readout == "trex":
            own = [repetition(outcomes, index) for outcomes in ground]
            calibrations = [trex_calibration(measurement.bases[0].strings, own)]
        if options.readout == "m3":
            zeros, ones = (repetition(outcomes, index) for outcomes in states)
            calibrations = [m3_calibration(zeros, ones, symmetric=options.flips)]
        of_factors = [[[repetition(outcomes, index) for outcomes in parts]] for parts in draws]
        values, errors = expectation_values(measurement, of_factors, calibrations, options)
        scores.append((values[0] - true) / errors[0])
    # Means of 200 have standard errors of 0.07, widths of 0.05. The larger of two estimates is a little too large.
    scores = np.array(scores)
    single = slice(0, bits)
    assert np.abs(scores.mean(axis=0)[single]).max() < 0.3
    assert abs(scores[:, -2:].mean(axis=0)).max() < 0.35
    assert scores.std(axis=0).min() > (0.65 if options.flips else 0.8)
    assert scores.std(axis=0).max() < 1.25
    assert 0.82 < scores.std(axis=0).mean() < 1.1


@pytest.mark.parametrize("qubits", [12, 13, 20])
def test_a_sum_over_a_ghz_state_is_as_uncertain_as_it_is(qubits):
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    total = SparsePauliOp.from_sparse_list([("Z", [qubit], 1.0) for qubit in range(qubits)], qubits)
    data = JobManager("aer", shots=400, seed=2).estimator().run([(circuit, [total, "Z" * qubits])]).result()
    evs, stds = data[0].data.evs, data[0].data.stds
    assert stds[0] == pytest.approx(np.sqrt(qubits**2 - evs[0] ** 2) / 20, rel=1e-9)  # ±n in every shot
    assert stds[1] == pytest.approx(np.sqrt(1 - evs[1] ** 2) / 20, abs=1e-9)


def noisy(**errors):
    noise = NoiseModel(basis_gates=["rz", "sx", "x", "cx"])
    for error in errors.get("gate", ()):
        noise.add_all_qubit_quantum_error(error, ["cx"])
    if "readout" in errors:
        noise.add_all_qubit_readout_error(ReadoutError(errors["readout"]))
    return AerSimulator(noise_model=noise, method="density_matrix")


def chain(depth):
    """RY(θ) and a chain of CNOTs that is the identity: 200 equal sets of values are 200 repetitions in one job."""
    theta = Parameter("θ")
    circuit = QuantumCircuit(2)
    circuit.ry(theta, 0)
    for _ in range(depth):
        circuit.cx(0, 1)
        circuit.barrier()
    return circuit


def test_an_identity_in_an_observable_is_not_extrapolated():
    circuit = chain(12).assign_parameters([0.45])
    device = noisy(gate=[depolarizing_error(0.04, 2)])
    rng = np.random.default_rng(4)
    coefficients = rng.normal(size=(4, 4))
    paulis = ["II", "IZ", "ZI", "ZZ"]
    sums = [SparsePauliOp(paulis, row) for row in coefficients]
    asked = [
        "IZ",
        "ZI",
        "ZZ",
        SparsePauliOp(["II", "IZ"], [0.5, 0.5]),
        SparsePauliOp(["II", "IZ"], [0.5, -0.5]),
    ]
    options = MitigationOptions(zne=(1, 3, 5))
    manager = JobManager(device, shots=200_000, seed=3, mitigation=options)
    data = manager.estimator().run([(circuit, [*asked, *sums])]).result()[0].data
    single = data.evs[:3]
    exact = [Statevector(circuit).expectation_value(SparsePauliOp(name)).real for name in paulis[1:]]
    assert np.abs((single - exact) / data.stds[:3]).max() < 4
    assert data.evs[3:5] == pytest.approx([(1 + single[0]) / 2, (1 - single[0]) / 2], abs=1e-12)
    assert data.stds[3:5] == pytest.approx(data.stds[0] / 2, rel=1e-12)
    assert data.evs[5:] == pytest.approx(coefficients @ [1, *single], abs=1e-12)


@pytest.mark.parametrize(
    ("words", "device"),
    [
        ({"twirl_gates": True}, noisy(gate=[])),
        (
            {"twirl_gates": True},  # a coherent error: draws differ by far more than their shots
            noisy(gate=[coherent_unitary_error(expm(-0.2j * np.kron([[1, 0], [0, -1]], [[0, 1], [1, 0]])))]),
        ),
        ({"twirl_gates": True, "zne": (1, 3)}, noisy(gate=[depolarizing_error(0.02, 2)])),
    ],
    ids=["no noise", "coherent", "depolarising, extrapolated"],
)
def test_errors_of_twirled_gates_have_what_draws_differ_by(words, device):
    options = MitigationOptions(**words, extrapolation="exponential")
    manager = JobManager(device, shots=800, seed=6, mitigation=options)
    observable = SparsePauliOp(["II", "IZ", "ZI", "ZZ"], [1.0, 0.5, 0.2, -0.3])
    values = np.full((REPETITIONS, 1), 0.7)
    data = manager.estimator().run([(chain(2), [[observable]], values)]).result()[0].data
    spread = data.evs[0].std(ddof=1)
    # Fifteen degrees of freedom: the root of a mean variance is right where draws differ, a little large elsewhere.
    assert 0.85 < spread / np.sqrt((data.stds[0] ** 2).mean()) < 1.15


def test_too_few_draws_make_errors_that_are_called_lower_bounds():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)

    def said(observable="ZZ", **words):
        options = MitigationOptions(**words)
        manager = JobManager("aer", shots=80, seed=1, mitigation=options)
        return manager.estimator().run([(circuit, observable)]).result()[0].metadata["stds"]

    assert said() == said(twirl_gates=True, randomizations=4) == "standard errors"
    assert said(twirl_gates=True, randomizations=3) == "lower bounds"
    assert said(readout="trex", randomizations=8) == "standard errors"
    assert said(readout="trex", randomizations=6) == "lower bounds"
    assert said("IZ", readout="trex", randomizations=2) == "standard errors"  # flips cancel within a pair


@pytest.mark.parametrize("at_once", [1 << 22, 3000])
def test_counts_and_shots_say_the_same(monkeypatch, at_once):
    monkeypatch.setattr(strings, "_NUMBERS_AT_ONCE", at_once)
    rng = np.random.default_rng(5)
    read = rng.integers(0, 2, (3, 400, 10)) | rng.integers(0, 2, (3, 400, 1))
    packed = np.packbits(np.pad(read[..., ::-1], ((0, 0), (0, 0), (6, 0))), axis=-1)
    counted, by_shot = Outcomes.from_bit_array(packed, 10), Outcomes(10, None, packed)
    assert counted.counts is not None
    masks = [1, 2, 512, 3, 1023, 0b1010101010]
    signs = np.stack(
        [np.prod(1 - 2 * read[..., [b for b in range(10) if m >> b & 1]], axis=-1) for m in masks]
    )
    factors = rng.normal(1, 0.1, (10, 2)) * [1, -1]
    weights = rng.normal(size=(2, len(masks)))
    own = rng.normal(size=(3, 2, len(masks)))
    for outcomes in (counted, by_shot):
        np.testing.assert_allclose(strings.string_means(outcomes, masks), signs.mean(axis=2).T)
        for given in (weights, own):
            sums = np.einsum("sok,kst->sot", np.broadcast_to(given, own.shape), signs)
            mean, variance = strings.weighted_sums(outcomes, masks, given)
            np.testing.assert_allclose(mean, sums.mean(axis=2), atol=1e-12)
            np.testing.assert_allclose(variance, sums.var(axis=2) / 400, atol=1e-12)
        one = Outcomes(10, None if outcomes.counts is None else outcomes.counts[:1], packed[:1])
        if outcomes is counted:
            one = Outcomes(10, counted.counts[:1])
        covariance = np.cov(signs[:, 0], ddof=0) / 400
        np.testing.assert_allclose(strings.string_covariance(one, masks), covariance, atol=1e-12)
    for function in (strings.string_means, strings.string_errors):
        np.testing.assert_allclose(
            function(counted, masks, factors), function(by_shot, masks, factors), atol=1e-12
        )
    for first, second in zip(
        strings.weighted_sums(counted, masks, own, factors),
        strings.weighted_sums(by_shot, masks, own, factors),
        strict=True,
    ):
        np.testing.assert_allclose(first, second, atol=1e-12)


@pytest.mark.parametrize("bits", [13, 24, 64, 70, 150])
def test_parities_of_any_width_are_those_of_the_bits(bits):
    rng = np.random.default_rng(bits)
    read = rng.integers(0, 2, (2, 30, bits))
    packed = np.packbits(np.pad(read[..., ::-1], ((0, 0), (0, 0), (-bits % 8, 0))), axis=-1)
    chosen = rng.integers(0, 2, (5, bits))
    masks = [sum(1 << bit for bit in range(bits) if row[bit]) for row in chosen]
    wanted = np.einsum("stb,kb->kst", read, chosen) % 2
    np.testing.assert_array_equal(np.concatenate(list(parities(packed, masks))), wanted)
    np.testing.assert_allclose(
        Outcomes(bits, None, packed).parity_means(masks), 1 - 2 * wanted.mean(axis=2).T, atol=1e-15
    )
