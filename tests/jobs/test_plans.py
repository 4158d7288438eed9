"""QPU seconds in money and in days: IBM's plans, and rates of the user's own."""

import pytest

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs import PLANS, Price, in_words, plan_of


@pytest.mark.parametrize(
    ("word", "dollars"),
    [
        ("pay-as-you-go", 960.0),
        ("flex", 720.0),
        ("premium", 480.0),
        ("open", 0.0),
        ("1.25/s", 750.0),
        ("$60/min", 600.0),
        ("3000 $/h", 500.0),
    ],
)
def test_ten_minutes_of_qpu_time_in_dollars(word, dollars):
    assert plan_of(word).dollars(600) == pytest.approx(dollars)


def test_the_free_plan_is_shares_of_a_period_and_what_it_does_not_hold_takes_years():
    plan = PLANS["open"]
    assert plan.describe(22.4) == "open plan: 3.7 % of its 600 s in 28 days"
    assert plan.describe(600) == "open plan: 100.0 % of its 600 s in 28 days"
    # The second part of two can be sent when one period is over.
    assert "2 periods, so the last part starts after 28.0 days" in plan.describe(600.1)
    assert "6,681 periods, so the last part starts after 512.1 years" in plan.describe(4_008_248)


def test_what_is_paid_says_its_rate_and_of_a_listed_plan_since_when():
    told = PLANS["pay-as-you-go"].describe(4_008_248)
    assert told == "$6,413,196.80 at 1.60 $/s (pay-as-you-go, November 2026)"
    assert plan_of("60/min").describe(30) == "$30.00 at 60.00 $/min (own rate)"


@pytest.mark.parametrize("word", ["", "gold", "1.25", "-1/s", "1/day", "nan/s", "1e400/s", "opne"])
def test_another_word_is_one_sentence_with_those_that_there_are(word):
    with pytest.raises(HQNNError, match="'open', 'pay-as-you-go', 'flex', 'premium', or a rate in dollars"):
        plan_of(word)


def test_long_times_are_told_in_the_largest_unit():
    told = [in_words(seconds) for seconds in (22.4, 90, 7200, 4_008_248, 63_115_200)]
    assert told == ["22.4 s", "1.5 min", "2.0 hours", "46.4 days", "2.0 years"]
    assert "4,008,248.0 QPU seconds (46.4 days)" in str(Price(1, 4_008_248.0, 1))
    assert "22.4 QPU seconds, 0.0 MB" in str(Price(1, 22.4, 1))
