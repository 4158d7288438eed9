"""Readout mitigation against outcomes whose true distribution is known."""

import numpy as np
import pytest

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.adapters.sampling import Outcomes
from qiskit_hqnn.jobs.estimation.expectations import expectation_values
from qiskit_hqnn.jobs.estimation.measurement import MeasuredBasis, Measurement
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
from qiskit_hqnn.jobs.estimation.mitigation.readout import (
    flip_patterns,
    inverse_factors,
    m3_calibration,
    trex_calibration,
)
from qiskit_hqnn.jobs.estimation.strings import string_means

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
    mean = string_means(Outcomes(BITS, counts), MASKS, inverse_factors(FLIPS))
    assert mean[0] == pytest.approx(parities() @ truth, abs=1e-10)


def test_m3_is_what_mthree_makes_of_a_distribution_that_is_seen_whole():
    mthree = pytest.importorskip("mthree")
    counts = np.random.default_rng(2).multinomial(5000, assignment(FLIPS) @ true_distribution())
    mitigator = mthree.M3Mitigation(None)
    mitigator.cals_from_matrices([np.array([[1 - up, down], [up, 1 - down]]) for up, down in FLIPS])
    strings = {format(outcome, f"0{BITS}b"): int(count) for outcome, count in enumerate(counts)}
    quasi = mitigator.apply_correction(strings, list(range(BITS)))
    theirs = sum(share * parities()[:, int(string, 2)] for string, share in quasi.items())
    ours = string_means(Outcomes(BITS, counts[None]), MASKS, inverse_factors(FLIPS))[0]
    assert ours == pytest.approx(theirs, abs=1e-5)  # mthree computes in single precision


def m3_estimate(rng, truth, shots, calibration_shots):
    matrix = assignment(FLIPS)
    zeros, ones = (Outcomes(BITS, sampled(rng, calibration_shots, matrix[:, state])) for state in (0, -1))
    calibration = m3_calibration(zeros, ones, symmetric=False)
    outcomes = Outcomes(BITS, sampled(rng, shots, matrix @ truth))
    measurement = Measurement((basis_of(),), np.zeros(len(MASKS)))
    return expectation_values(measurement, [[[outcomes]]], [calibration])


def trex_estimate(rng, truth, shots, calibration_shots):
    matrix = assignment(FLIPS)
    index = np.arange(1 << BITS)
    ground = np.eye(1 << BITS)[0]
    # All eight patterns: the flips of a finite draw leave a remainder on strings of several bits.
    draws = [[], []]
    for first in range(1 << BITS - 1):
        for pattern in (first, first ^ (1 << BITS) - 1):
            for found, state, number in zip(draws, (ground, truth), (calibration_shots, shots), strict=True):
                counts = sampled(rng, number // (1 << BITS), matrix @ state[index ^ pattern])
                found.append(Outcomes(BITS, counts[:, index ^ pattern]))
    calibration = trex_calibration(basis_of().strings, draws[0])
    measurement = Measurement((basis_of(),), np.zeros(len(MASKS)))
    options = MitigationOptions(readout="trex", randomizations=1 << BITS)
    return expectation_values(measurement, [[draws[1]]], [calibration], options)


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
    values, errors = expectation_values(Measurement((basis_of(),), np.zeros(len(MASKS))), [[[outcomes]]])
    assert np.abs((values[0] - parities() @ truth) / errors[0]).max() > 10


def test_twirled_m3_calibrates_the_symmetric_channel():
    matrix = assignment(FLIPS)
    zeros, ones = (Outcomes(BITS, np.round(1e9 * matrix[None, :, state])) for state in (0, -1))
    calibration = m3_calibration(zeros, ones, symmetric=True)
    assert calibration.flips == pytest.approx(np.repeat(FLIPS.mean(axis=1)[:, None], 2, axis=1), abs=1e-6)


def test_flips_come_in_pairs_that_flip_every_bit_once():
    patterns = flip_patterns(5, 12, seed=1)
    assert all(first ^ second == 31 for first, second in zip(patterns[::2], patterns[1::2], strict=True))


def test_hopeless_readout_is_refused():
    even = Outcomes(1, np.array([[50, 50]]))
    with pytest.raises(MitigationError, match="right in barely half of all cases"):
        m3_calibration(even, even, symmetric=False)
    with pytest.raises(MitigationError, match="below 5 %"):
        trex_calibration([1], [even])
