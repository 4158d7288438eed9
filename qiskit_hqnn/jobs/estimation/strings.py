"""Means of Pauli strings over measured outcomes, and means and variances of weighted sums of them, at any width.

A string is read as a product over its bits: of +1 for 0 and −1 for 1, or of other factors of each bit, where an
inverted readout error is in them. Strings of one basis are read from the same shots, so their errors are correlated;
the variance of a sum is that of the sum's value from shot to shot, which has all covariances in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qiskit_hqnn.jobs.adapters import Outcomes, parities

_NUMBERS_AT_ONCE = 1 << 22
"""Bounds the memory of one step: 32 MB of float64."""


def string_means(outcomes: Outcomes, strings: Sequence[int], factors: np.ndarray | None = None) -> np.ndarray:
    """Mean of every string in every set, of shape (sets, strings).

    Args:
        outcomes: of S sets.
        strings: masks of classical bits.
        factors: array of shape (bits, 2): what a bit of a string contributes when it reads 0 and 1; None is (1, −1).
    """
    if factors is None:
        return outcomes.parity_means(list(strings))
    if outcomes.counts is not None:
        table = _table(outcomes.bits, strings, factors)
        return outcomes.shares @ table.T
    means = np.zeros((outcomes.sets, len(strings)))
    for part, values in _by_shot(outcomes, strings, factors):
        means[part] += values.sum(axis=2).T
    return means / shots_of(outcomes)


def string_errors(
    outcomes: Outcomes, strings: Sequence[int], factors: np.ndarray | None = None
) -> np.ndarray:
    """Standard errors of `string_means`, of the same shape."""
    means = string_means(outcomes, strings, factors)
    squares = 1.0 if factors is None else string_means(outcomes, strings, factors**2)
    return np.sqrt(np.maximum(squares - means**2, 0) / shots_of(outcomes))


def weighted_sums(
    outcomes: Outcomes, strings: Sequence[int], weights: np.ndarray, factors: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Means of weighted sums of strings, and the variances of these means, both of shape (sets, sums).

    Args:
        outcomes: of S sets.
        strings: masks of classical bits.
        weights: array of shape (sums, strings), or (sets, sums, strings).
        factors: as for `string_means`.
    """
    if outcomes.counts is None:
        return _sums_by_shot(outcomes, strings, weights, factors)
    shots = outcomes.counts.sum(axis=1, keepdims=True)
    if weights.ndim == 2:
        mean, variance = outcomes.means(_function(outcomes.bits, strings, weights, factors))
        return mean, variance / shots
    shares = outcomes.shares
    table = _table(outcomes.bits, strings, factors)
    mean, variance = np.empty((2, len(weights), weights.shape[1]))
    step = max(1, _NUMBERS_AT_ONCE // (weights.shape[1] << outcomes.bits))
    for start in range(0, len(weights), step):
        part = slice(start, start + step)
        values = weights[part] @ table
        mean[part] = np.einsum("so,sko->sk", shares[part], values)
        variance[part] = np.einsum("so,sko->sk", shares[part], values**2) - mean[part] ** 2
    return mean, np.maximum(variance, 0) / shots


def string_covariance(outcomes: Outcomes, strings: Sequence[int]) -> np.ndarray:
    """Covariances of the means of all strings, of shape (strings, strings), from the outcomes of one set."""
    means = string_means(outcomes, strings)[0]
    shots = int(shots_of(outcomes)[0, 0])
    if outcomes.counts is not None:
        table = _table(outcomes.bits, strings)
        products = (table * outcomes.shares) @ table.T
    else:
        products = sum(
            (values[:, 0] @ values[:, 0].T for _, values in _by_shot(outcomes, strings)),
            np.zeros((len(strings), len(strings))),
        )
        products /= shots
    return (products - np.outer(means, means)) / shots


def shots_of(outcomes: Outcomes) -> np.ndarray:
    """Shots of each set, of shape (sets, 1)."""
    if outcomes.counts is not None:
        return outcomes.counts.sum(axis=1, keepdims=True)
    assert outcomes.packed is not None
    return np.full((outcomes.sets, 1), outcomes.packed.shape[1])


def _table(bits: int, strings: Sequence[int], factors: np.ndarray | None = None) -> np.ndarray:
    """Each string's value on each outcome, of shape (strings, 2^bits)."""
    index = np.arange(1 << bits)
    if factors is None:
        masks = np.array(strings, dtype=np.int64)[:, None]
        return 1.0 - 2.0 * (np.bitwise_count(index & masks) & 1)
    table = np.ones((len(strings), len(index)))
    for bit in range(bits):
        reading = [row for row, mask in enumerate(strings) if mask >> bit & 1]
        table[reading] *= factors[bit][index >> bit & 1]
    return table


def _function(
    bits: int, strings: Sequence[int], weights: np.ndarray, factors: np.ndarray | None
) -> np.ndarray:
    """Each weighted sum's value on each outcome, of shape (sums, 2^bits)."""
    step = max(1, _NUMBERS_AT_ONCE >> bits)
    return sum(
        (
            weights[:, start : start + step] @ _table(bits, strings[start : start + step], factors)
            for start in range(0, len(strings), step)
        ),
        np.zeros((len(weights), 1 << bits)),
    )


def _sums_by_shot(
    outcomes: Outcomes, strings: Sequence[int], weights: np.ndarray, factors: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """`weighted_sums` of outcomes that are kept shot by shot."""
    shots = shots_of(outcomes)
    mean, square = np.zeros((2, outcomes.sets, weights.shape[-2]))
    for part, values in _by_shot(outcomes, strings, factors):
        if weights.ndim == 2:
            sums = np.tensordot(weights, values, axes=1).swapaxes(0, 1)
        else:
            sums = weights[part] @ values.swapaxes(0, 1)
        mean[part] += sums.sum(axis=2)
        square[part] += (sums**2).sum(axis=2)
    mean, square = mean / shots, square / shots
    return mean, np.maximum(square - mean**2, 0) / shots


def _by_shot(
    outcomes: Outcomes, strings: Sequence[int], factors: np.ndarray | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Some sets at a time, and each string's value in some of their shots, of shape (strings, sets, shots)."""
    assert outcomes.packed is not None
    sets, shots, width = outcomes.packed.shape
    at_once = max(1, _NUMBERS_AT_ONCE // max(1, len(strings), 8 * width))
    for start in range(0, sets, max(1, at_once // shots)):
        part = slice(start, start + max(1, at_once // shots))
        for first in range(0, shots, at_once):
            packed = outcomes.packed[part, first : first + at_once]
            yield part, _values(packed, strings, factors)


def _values(packed: np.ndarray, strings: Sequence[int], factors: np.ndarray | None) -> np.ndarray:
    if factors is None:
        return np.concatenate([1.0 - 2.0 * odd for odd in parities(packed, strings)])
    values = np.ones((len(strings), *packed.shape[:2]))
    # The last byte holds bits 0 to 7, its lowest bit is bit 0.
    read = np.unpackbits(packed, axis=-1)[..., ::-1]
    for bit, (zero, one) in enumerate(factors):
        factor = np.where(read[..., bit], one, zero)
        for row, mask in zip(values, strings, strict=True):
            if mask >> bit & 1:
                row *= factor
    return values
