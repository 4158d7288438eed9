"""Expectation values and their standard errors from the outcomes of every basis, noise factor and random draw.

Pauli strings are corrected and extrapolated one by one, and identities are added at the end. To first order every value
is then a weighted sum of strings' means, and its variance that of independent parts:

- shots: of each basis and noise factor, with the covariances of strings that the same shots read;
- readout calibration: one for all noise factors, so its error is common to them;
- random draws: shots of one draw share its Paulis or flips, so a value is known no better than its draws agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiskit_hqnn.jobs.adapters import Outcomes
from qiskit_hqnn.jobs.estimation.measurement import MeasuredBasis, Measurement
from qiskit_hqnn.jobs.estimation.mitigation import (
    MitigationOptions,
    ReadoutCalibration,
    pooled,
    zero_noise,
    zero_noise_weights,
)
from qiskit_hqnn.jobs.estimation.strings import string_errors, string_means, weighted_sums

Draws = Sequence[Outcomes]
"""The outcomes of one basis at one noise factor, draw by draw, with random flips undone."""

DRAWS_TO_COMPARE = 4
"""Fewer independent draws do not tell what draws differ by."""


@dataclass(frozen=True, eq=False)
class _Part:
    """One basis's part of every value.

    Attributes:
        values, variances: arrays of shape (sets, observables); the variances are those of shots and TREX's calibration,
            which the draws have in them, too.
        beside: variances of M3's calibration, which is drawn only once.
        by_draw: what the values of single draws are, up to a constant; array of shape (draws, sets, observables), or
            None where draws do not differ.
    """

    values: np.ndarray
    variances: np.ndarray
    beside: np.ndarray
    by_draw: np.ndarray | None


def expectation_values(
    measurement: Measurement,
    draws: Sequence[Sequence[Draws]],
    calibrations: Sequence[ReadoutCalibration] | None = None,
    options: MitigationOptions | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Values and standard errors, both of shape (sets, observables).

    Args:
        measurement: bases and terms.
        draws: of each noise factor and basis.
        calibrations: of each basis's readout, which is corrected then.
        options: noise factors, and what is random about the draws.
    """
    options = options or MitigationOptions()
    sets = draws[0][0][0].sets if measurement.bases else 1
    shape = (sets, len(measurement.constants))
    values = np.tile(measurement.constants, (sets, 1))
    variances, beside = np.zeros(shape), np.zeros(shape)
    by_draw: np.ndarray | None = None
    compared = _draws_differ(measurement, options) and _comparable(options)
    for index, basis in enumerate(measurement.bases):
        calibration = ReadoutCalibration() if calibrations is None else calibrations[index]
        of_basis = [bases[index] for bases in draws]
        part = _of_basis(basis, len(measurement.constants), of_basis, calibration, options, compared)
        values += part.values
        variances += part.variances
        beside += part.beside
        if part.by_draw is not None:
            by_draw = part.by_draw if by_draw is None else by_draw + part.by_draw
    if by_draw is not None:
        variances = np.maximum(variances, by_draw.var(axis=0, ddof=1) / len(by_draw))
    return values, np.sqrt(variances + beside)


def errors_are_bounds(measurement: Measurement, options: MitigationOptions) -> bool:
    """Whether standard errors are lower bounds: they have the shots' part, but draws are too few to be compared."""
    return _draws_differ(measurement, options) and not _comparable(options)


def _of_basis(
    basis: MeasuredBasis,
    observables: int,
    draws: Sequence[Draws],
    calibration: ReadoutCalibration,
    options: MitigationOptions,
    compared: bool,
) -> _Part:
    """One basis's part of every value, from the draws of each noise factor, and of every draw if these are compared."""
    weights = basis.weights(observables)
    if calibration.signal is not None:
        weights = weights / calibration.signal
    together = [pooled(parts) for parts in draws]
    zero, slopes = _at_no_noise(basis.strings, together, calibration, options)
    # Of each noise factor: (observables, strings), or with slopes of their own (sets, observables, strings).
    linear = [weights * (slope if slope.ndim == 0 else slope[:, None, :]) for slope in slopes]
    sums = [
        weighted_sums(outcomes, basis.strings, part, calibration.factors)
        for outcomes, part in zip(together, linear, strict=True)
    ]
    values = np.sum([mean for mean, _ in sums], axis=0) if zero is None else zero @ weights.T
    variances = np.sum([variance for _, variance in sums], axis=0)
    by_draw = _by_draw(basis.strings, draws, linear, calibration, options) if compared else None
    if calibration.signal is not None:
        assert zero is not None
        assert calibration.covariance is not None
        assert calibration.by_draw is not None
        by_signal = weights * (zero / calibration.signal)[:, None, :]
        variances = variances + (by_signal @ calibration.covariance * by_signal).sum(axis=-1)
        if by_draw is not None:
            by_draw = by_draw - _applied(by_signal, _independent(calibration.by_draw, options)[:, None, :])
    return _Part(values, variances, _of_m3(basis.strings, together, linear, calibration), by_draw)


def _at_no_noise(
    strings: Sequence[int],
    together: Sequence[Outcomes],
    calibration: ReadoutCalibration,
    options: MitigationOptions,
) -> tuple[np.ndarray | None, list[np.ndarray]]:
    """Means of the strings at no noise, where they are needed one by one, and their slopes by each noise factor."""
    if options.zne and options.extrapolation == "exponential":
        means = np.stack([string_means(outcomes, strings, calibration.factors) for outcomes in together])
        errors = np.stack([string_errors(outcomes, strings, calibration.factors) for outcomes in together])
        zero, slopes = zero_noise(options.zne, means, errors, options.extrapolation)
        return zero, list(slopes)
    weights = zero_noise_weights(options.zne, options.extrapolation) if options.zne else np.ones(1)
    each = [np.asarray(weight) for weight in weights]
    if calibration.signal is None:
        return None, each
    means = np.stack([string_means(outcomes, strings) for outcomes in together])
    return np.tensordot(weights, means, axes=1), each


def _of_m3(
    strings: Sequence[int],
    together: Sequence[Outcomes],
    linear: Sequence[np.ndarray],
    calibration: ReadoutCalibration,
) -> np.ndarray:
    """Variances by M3's calibration, of shape (sets, observables); it is one for all noise factors."""
    result = np.zeros((together[0].sets, linear[0].shape[-2]))
    if calibration.flips is None:
        return result
    means = [string_means(outcomes, strings, calibration.factors) for outcomes in together]
    for bit, factors in calibration.shifted():
        reading = [column for column, mask in enumerate(strings) if mask >> bit & 1]
        masks = [strings[column] for column in reading]
        moved = [
            _applied(weights[..., reading], string_means(outcomes, masks, factors) - unmoved[:, reading])
            for weights, outcomes, unmoved in zip(linear, together, means, strict=True)
        ]
        result += np.sum(moved, axis=0) ** 2
    return result


def _by_draw(
    strings: Sequence[int],
    draws: Sequence[Draws],
    linear: Sequence[np.ndarray],
    calibration: ReadoutCalibration,
    options: MitigationOptions,
) -> np.ndarray:
    """Weighted sums of every independent draw, of shape (draws, sets, observables)."""
    found = np.zeros(1)
    for parts, weights in zip(draws, linear, strict=True):
        means = np.stack([string_means(draw, strings, calibration.factors) for draw in parts])
        found = found + _applied(weights, _independent(means, options))
    return found


def _applied(weights: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Weighted sums (…, sets, observables) of means (…, sets, strings)."""
    if weights.ndim == 2:
        return means @ weights.T
    return (weights @ means[..., None])[..., 0]


def _independent(by_draw: np.ndarray, options: MitigationOptions) -> np.ndarray:
    """Means of independent draws: flips come in pairs of complements, in which most of their effect cancels."""
    if not options.flips:
        return by_draw
    return by_draw.reshape(-1, 2, *by_draw.shape[1:]).mean(axis=1)


def _comparable(options: MitigationOptions) -> bool:
    draws = options.draws // 2 if options.flips else options.draws
    return draws >= DRAWS_TO_COMPARE


def _draws_differ(measurement: Measurement, options: MitigationOptions) -> bool:
    """Whether draws differ by more than their shots: flips average out of a single bit within their pairs."""
    several_bits = any(mask & (mask - 1) for basis in measurement.bases for mask in basis.strings)
    return bool(measurement.bases) and (options.twirl_gates or (options.flips and several_bits))
