"""Readout mitigation against outcomes whose true distribution is known."""

import sys

import numpy as np
import pytest

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.adapters.sampling import Outcomes
from qiskit_hqnn.jobs.estimation.expectations import MeasuredBasis, Measurement, expectation_values
from qiskit_hqnn.jobs.estimation.mitigation.readout import (
    ReadoutCalibration,
    flip_patterns,
    m3_calibration,
    m3_means,
    trex_calibration,
)

FLIPS = np.array([[0.01, 0.08], [0.03, 0.05], [0.002, 0.12]])
BITS = 3
MASKS = [0b001, 0b010, 0b100, 0b101, 0b111]


def assignment(flips):
    """P(read | true) of all outcomes; bit 0 is the last factor of the Kronecker product."""
    matrix = np.ones((1, 1))
    for up, down in flips:
        matrix = np.kron(np.array([[1 - up, down], [up, 1 - down]]), matrix)
    return matrix


def parities():
    return np.array([[1.0 - 2.0 * ((i & mask).bit_count() % 2) for i in range(1 << BITS)] for mask in MASKS])


def true_distribution():
    return np.random.default_rng(8).dirichlet(np.ones(1 << BITS))


def basis_of():
    terms = tuple((index, 1.0, mask) for index, mask in enumerate(MASKS))
    return MeasuredBasis(dict.fromkeys(range(BITS), "Z"), terms)


def sampled(rng, shots, probabilities):
    return rng.multinomial(shots, probabilities)[None]


def test_m3_recovers_means_exactly_from_exact_frequencies_of_unequal_bits():
    truth = true_distribution()
    counts = np.round(1e12 * assignment(FLIPS) @ truth).astype(np.int64)[None]
    calibration = ReadoutCalibration(flips=FLIPS, flip_errors=np.zeros_like(FLIPS))
    mean, _ = m3_means(counts, parities(), calibration)
    assert mean[0] == pytest.approx(parities() @ truth, abs=2e-6)  # mthree computes in single precision


def m3_estimate(rng, truth, shots, calibration_shots):
    matrix = assignment(FLIPS)
    zeros, ones = (rng.multinomial(calibration_shots, matrix[:, state]) for state in (0, -1))
    calibration = m3_calibration(zeros, ones, symmetric=False)
    outcomes = Outcomes(BITS, sampled(rng, shots, matrix @ truth))
    return expectation_values(Measurement((basis_of(),), np.zeros(len(MASKS))), [outcomes], [calibration])


def trex_estimate(rng, truth, shots, calibration_shots):
    matrix = assignment(FLIPS)
    index = np.arange(1 << BITS)
    ground = np.eye(1 << BITS)[0]
    # All eight patterns: the flips of a finite draw leave a remainder on strings of several bits.
    merged = [np.zeros((1, 1 << BITS), dtype=int) for _ in range(2)]
    for pattern in range(1 << BITS):
        for total, state, number in zip(merged, (ground, truth), (calibration_shots, shots), strict=True):
            total += sampled(rng, number // (1 << BITS), matrix @ state[index ^ pattern])[:, index ^ pattern]
    means = Outcomes(BITS, merged[0]).parity_means(MASKS)[0]
    calibration = trex_calibration(basis_of(), means, int(merged[0].sum()))
    measurement = Measurement((basis_of(),), np.zeros(len(MASKS)))
    return expectation_values(measurement, [Outcomes(BITS, merged[1])], [calibration])


@pytest.mark.parametrize("estimate", [m3_estimate, trex_estimate])
@pytest.mark.parametrize("calibration_shots", [400, 40_000])
def test_values_are_unbiased_and_standard_errors_are_right(estimate, calibration_shots):
    rng = np.random.default_rng(3)
    truth = true_distribution()
    scores = []
    for _ in range(300):
        values, errors = estimate(rng, truth, 2000, calibration_shots)
        scores.append((values[0] - parities() @ truth) / errors[0])
    scores = np.array(scores)
    assert np.abs(scores.mean(axis=0)).max() < 0.25  # 4 standard errors of a mean of 300
    assert scores.std(axis=0) == pytest.approx(1.0, abs=0.2)


def test_without_correction_the_same_samples_are_far_off():
    rng = np.random.default_rng(3)
    truth = true_distribution()
    outcomes = Outcomes(BITS, sampled(rng, 200_000, assignment(FLIPS) @ truth))
    values, errors = expectation_values(Measurement((basis_of(),), np.zeros(len(MASKS))), [outcomes])
    assert np.abs((values[0] - parities() @ truth) / errors[0]).max() > 10


def test_twirled_m3_calibrates_the_symmetric_channel():
    matrix = assignment(FLIPS)
    zeros, ones = (np.round(1e9 * matrix[:, state]) for state in (0, -1))
    calibration = m3_calibration(zeros, ones, symmetric=True)
    assert calibration.flips == pytest.approx(np.repeat(FLIPS.mean(axis=1)[:, None], 2, axis=1), abs=1e-6)


def test_flips_come_in_pairs_that_flip_every_bit_once():
    patterns = flip_patterns(5, 12, seed=1)
    assert all(first ^ second == 31 for first, second in zip(patterns[::2], patterns[1::2], strict=True))


def test_hopeless_readout_is_refused():
    with pytest.raises(MitigationError, match="right in barely half of all cases"):
        m3_calibration(np.array([50, 50]), np.array([50, 50]), symmetric=False)
    with pytest.raises(MitigationError, match="below 5 %"):
        trex_calibration(MeasuredBasis({0: "Z"}, ((0, 1.0, 1),)), np.array([0.01]), 100)


def test_m3_without_mthree_is_one_sentence_before_anything_is_sent(monkeypatch):
    from qiskit import QuantumCircuit

    from qiskit_hqnn.jobs import JobManager, MitigationOptions

    monkeypatch.setitem(sys.modules, "mthree", None)
    manager = JobManager("aer", mitigation=MitigationOptions(readout="m3"), seed=1)
    with pytest.raises(
        MitigationError, match=r"needs the package mthree: pip install 'qiskit-hqnn\[m3\]'\.$"
    ):
        manager.estimator().run([(QuantumCircuit(1), "Z")]).result()
    assert manager.executions == 0
