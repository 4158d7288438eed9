"""Paired differences: their significance, their size relative to their scatter, and which ones could be detected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, nan
from typing import TypeVar

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import nct, ttest_1samp
from scipy.stats import t as student

POWER, LEVEL = 0.8, 0.05
"""A difference is detectable if a two-sided test at this level finds it with this probability."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class Evidence:
    """What paired differences support.

    Attributes:
        p: of the two-sided paired t-test that their mean is 0; NaN of one difference.
        effect: Hedges' g, their mean over their standard deviation, corrected for few values; NaN where they do not
            differ from each other.
        detectable: the smallest mean difference that a test at 5 % finds with a probability of 80 % where differences
            scatter as these do; NaN where they do not scatter.
    """

    p: float
    effect: float
    detectable: float


def evidence(differences: Sequence[float]) -> Evidence:
    """The evidence of independent paired differences.

    Equal ones have no scatter, and t is not defined: of n differences p is then that of the sign test, 2 · 0.5^n, and 1
    where all are 0.
    """
    values = np.asarray(differences, dtype=float)
    count = len(values)
    if count < 2:
        return Evidence(nan, nan, nan)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if deviation <= 1e-12:
        return Evidence(1.0 if abs(mean) <= 1e-12 else min(1.0, 2 * 0.5**count), nan, nan)
    return Evidence(
        float(ttest_1samp(values, 0.0).pvalue),
        mean / deviation * _correction(count - 1),
        detectable(count) * deviation,
    )


def _correction(freedom: int) -> float:
    """Hedges' factor, by which a standardised mean of few values is too large (Hedges 1981, eq. 6e)."""
    if freedom < 2:
        return nan
    return float(np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / (freedom / 2) ** 0.5)


@cache
def detectable(count: int, power: float = POWER, level: float = LEVEL) -> float:
    """The smallest mean of this many values, in standard deviations, that a two-sided t-test finds at this power."""
    if count < 2:
        return inf
    bound = float(student.ppf(1 - level / 2, count - 1))

    def missing(shift: float) -> float:
        # The other end of the test finds next to nothing where this one finds most.
        return float(nct.sf(bound, count - 1, shift)) - power

    return float(brentq(missing, 0.0, 1.6 * bound + 2)) / count**0.5


def holm(values: Mapping[Key, float]) -> dict[Key, float]:
    """p-values adjusted for their number (Holm 1979); NaN values are kept, and do not count."""
    ordered = sorted((key for key, p in values.items() if p == p), key=lambda key: values[key])
    adjusted = dict.fromkeys(values, nan)
    highest = 0.0
    for position, key in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - position) * values[key]))
        adjusted[key] = highest
    return adjusted
