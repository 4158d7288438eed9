"""Paired differences: p, effect size, power, and Holm's correction."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from qiskit_hqnn.training.significance import detectable, evidence, holm


def test_p_is_that_of_the_paired_t_test_and_the_effect_is_hedges():
    network, other = np.array([0.91, 0.93, 0.92, 0.95]), np.array([0.89, 0.90, 0.92, 0.91])
    found = evidence(network - other)
    differences = network - other
    d = differences.mean() / differences.std(ddof=1)
    assert found.p == pytest.approx(ttest_rel(network, other).pvalue)
    # Γ(3/2) / (√(3/2) · Γ(1)) = √(π/6)
    assert found.effect == pytest.approx(d * math.sqrt(math.pi / 6))
    assert found.detectable == pytest.approx(detectable(4) * differences.std(ddof=1))


@pytest.mark.parametrize("count", [3, 8])
def test_the_smallest_difference_is_found_in_four_tests_of_five(count):
    generator = np.random.default_rng(count)
    samples = generator.normal(detectable(count), 1, (100_000, count))
    t = samples.mean(1) / samples.std(1, ddof=1) * math.sqrt(count)
    bound = {3: 4.302653, 8: 2.364624}[count]
    assert (np.abs(t) > bound).mean() == pytest.approx(0.8, abs=0.005)


def test_equal_differences_have_no_scatter():
    zero, same, one = evidence([0.0] * 5), evidence([0.02] * 5), evidence([0.1])
    assert (zero.p, same.p) == (1.0, 2 / 32)
    assert all(math.isnan(value) for value in (zero.effect, same.effect, same.detectable, one.p, one.effect))


def test_holm_by_hand():
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1, and never below the one before; one seed has no p and does not count.
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": math.nan})
    assert [adjusted[key] for key in "abc"] == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(adjusted["d"])
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
