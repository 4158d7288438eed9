"""What the results page says of the quantum layers."""

import pytest
from scipy.stats import nct
from scipy.stats import t as student

from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.records import Records
from qiskit_hqnn.reproduction.reproducing import Options, job_of
from qiskit_hqnn.reproduction.rows import published_rows
from qiskit_hqnn.reproduction.what_it_did import differences_table, find_differences, paragraph
from qiskit_hqnn.training.significance import detectable
from tests.reproduction.test_reproduction import record

ROWS = {row.job: row for row in published_rows()}


def outcome_of(network, **controls):
    runs = [record(seed, value) for seed, value in enumerate(network)]
    for control, values in controls.items():
        name = control.replace("_", "-")
        runs += [record(seed, value, control=name) for seed, value in enumerate(values)]
    row = ROWS["textbook-37"]
    return Outcome(row, row.job, job_of(row, Options()), "", Records(runs))


def words_of(outcome):
    return paragraph(outcome, find_differences([outcome])["textbook-37"])


def test_what_is_shown_and_what_is_not():
    outcome = outcome_of(
        [0.90, 0.92, 0.94, 0.92],
        twin=[0.90, 0.94, 0.92, 0.92],
        frozen=[0.70, 0.74, 0.74, 0.70],
        left_out=[0.92] * 4,
    )
    found = {item.comparison.control: item for item in find_differences([outcome])["textbook-37"]}
    assert {control: item.word for control, item in found.items()} == {
        "twin": "no difference shown",
        "frozen": "better",
        "left-out": "no difference shown",
    }
    assert found["frozen"].adjusted == 3 * found["frozen"].comparison.evidence.p
    text = words_of(outcome)
    assert "Training the quantum weights changed the accuracy by +20.00 points (" in text
    assert (
        "Shown to help here: training the quantum weights. Beside the classical twin no gain is shown."
        in text
    )
    assert "no difference is shown, and one of " in text
    table = differences_table([outcome], find_differences([outcome]), "rows")
    assert "adjusted for the 3 comparisons of this table" in table
    assert "(rows/textbook-37.md) | frozen quantum weights | 4 | +20.00 points (" in table


def test_what_could_be_shown_is_at_the_level_of_the_whole_table():
    outcome = outcome_of(
        [0.90, 0.92, 0.94, 0.92], twin=[0.90, 0.94, 0.92, 0.92], frozen=[0.70, 0.74, 0.74, 0.70]
    )
    items = find_differences([outcome])["textbook-37"]
    alone = find_differences([outcome_of([0.90, 0.92, 0.94, 0.92], twin=[0.90, 0.94, 0.92, 0.92])])
    (twin,) = alone["textbook-37"]
    assert twin.seen == pytest.approx(twin.comparison.evidence.detectable)
    for item in items:
        size = item.seen / item.comparison.evidence.detectable * detectable(4)
        shift, bound = size * 4**0.5, student.ppf(1 - 0.025 / 2, 3)
        assert nct.sf(bound, 3, shift) == pytest.approx(0.8, abs=1e-6)
        if not item.shown:
            assert abs(item.comparison.difference.mean) < item.seen


def test_a_loss_is_said_and_one_seed_says_nothing():
    worse = words_of(outcome_of([0.7, 0.72, 0.7], twin=[0.9, 0.92, 0.92]))
    assert (
        "Nothing quantum is shown to help here. Shown to cost accuracy: the quantum layer in place of"
        in worse
    )
    assert "which one seed cannot tell from chance" in words_of(outcome_of([0.9], twin=[0.8]))
    assert "Nothing quantum" not in words_of(outcome_of([0.9], twin=[0.8]))
    assert "No control was run" in words_of(outcome_of([0.9, 0.9]))
    assert "+0.00 points in every pair" in words_of(outcome_of([0.9, 0.8], twin=[0.9, 0.8]))
