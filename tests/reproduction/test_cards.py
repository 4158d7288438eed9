"""Result cards of rows, and own figures held against another one's."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import JobFileError, RunFolderError
from qiskit_hqnn.reproduction import hold, inside, read_card
from qiskit_hqnn.reproduction.against_card import card_of_row
from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.records import Records
from qiskit_hqnn.reproduction.reproducing import Options, job_of
from qiskit_hqnn.reproduction.rows import published_rows
from qiskit_hqnn.training.export import result_card
from tests.reproduction.test_reproduction import record

ROOT = Path(__file__).parents[2]
ROWS = {row.job: row for row in published_rows()}


def outcome_of(network, twin=(), name="textbook-37", **settings):
    runs = [record(seed, value, **settings) for seed, value in enumerate(network)]
    runs += [record(seed, value, control="twin", **settings) for seed, value in enumerate(twin)]
    row = ROWS[name]
    return Outcome(row, name, job_of(row, Options()), "", Records(runs))


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "card.json"
    path.write_text(card_of_row(outcome_of([0.90, 0.92, 0.94], twin=[0.80, 0.82, 0.84])).as_json(1))
    return path


def test_own_figures_are_held_against_the_scatter_of_the_card(card):
    network, twin = hold(outcome_of([0.88, 0.90], twin=[0.60, 0.62]), read_card(card), card)
    # t(0.975, 2) = 4.302653 times 0.02 · √(1/3 + 1/2): where a mean of two more seeds would lie.
    half = 4.302653 * 0.02 * (1 / 3 + 1 / 2) ** 0.5
    assert (network.low, network.high) == pytest.approx((0.92 - half, 0.92 + half), abs=1e-6)
    assert (network.here, twin.here) == pytest.approx((0.89, 0.61))
    assert (network.inside, twin.inside) == (True, False)
    assert inside([network, twin])  # a control decides nothing
    assert not inside(hold(outcome_of([0.5, 0.6]), read_card(card), card))


def test_a_card_of_equal_runs_says_no_more_than_to_one_image(tmp_path, card):
    card.write_text(card_of_row(outcome_of([0.92] * 4)).as_json())
    (held,) = hold(outcome_of([0.92] * 4), read_card(card), card)
    assert (held.low, held.high) == pytest.approx((0.91, 0.93))


def test_a_card_of_one_run_has_the_interval_of_its_images(card):
    content = card_of_row(outcome_of([0.9])).model_copy(update={"runs": None})
    card.write_text(content.as_json())
    (held,) = hold(outcome_of([0.84, 0.86]), read_card(card), card)
    # Wilson's for 90 of 100.
    assert (held.low, held.high) == pytest.approx((0.825632, 0.944771), abs=1e-5)
    assert held.inside


def test_what_a_card_keeps(card, tmp_path):
    content = json.loads(card.read_text())
    assert content["format"] == "card/1"
    assert [(group["run"], group["runs"]) for group in content["runs"]["groups"]] == [
        ("network", 3),
        ("twin", 3),
    ]
    (difference,) = content["runs"]["differences"]
    assert difference["difference"]["mean"] == pytest.approx(0.1)
    assert str(tmp_path) not in card.read_text()
    words = result_card(read_card(card))
    assert "| network | exact | 92.00 % | 87.03 – 96.97 % | 2 | 3 seeds | 3 | 0.9200 | 100 |" in words
    assert "| twin | +10.00 | 10.00 – 10.00 | – | 0.25 | – |" in words
    assert " – 100.00 % |" in result_card(card_of_row(outcome_of([0.96, 1.0])))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            {"format": "card/2"},
            RunFolderError,
            "has a card of version 'card/2', but this toolkit reads 'card/1'",
        ),
        ({"job": {"model": 3}}, RunFolderError, "has a damaged card"),
        ({"data": {"test": 7}}, RunFolderError, "is of 7 test images, but the own runs are of 100"),
        (
            {"results": {}, "runs": None},
            RunFolderError,
            "no place in common with the own runs of textbook-37",
        ),
    ],
)
def test_a_card_that_does_not_fit_is_one_sentence(card, change, error, words):
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    own = outcome_of([0.9, 0.92])
    for run in own.records.runs:
        run.metrics["data"] = {"test": 100}
    with pytest.raises(error, match=words):
        hold(own, read_card(card), card)


def test_cards_of_other_jobs_and_files_that_are_none_are_one_sentence(card, tmp_path):
    other = outcome_of([0.9], name="textbook-01")
    with pytest.raises(
        JobFileError, match=r"is of a job with other settings than textbook-01 \(.*learning_rate"
    ):
        hold(other, read_card(card), card)
    with pytest.raises(RunFolderError, match="cannot be read: No such file"):
        read_card(tmp_path / "none.json")
    with pytest.raises(RunFolderError, match="cannot be read"):
        read_card(tmp_path)
    card.write_text("[1, 2]")
    with pytest.raises(RunFolderError, match="damaged card"):
        read_card(card)


def test_the_command_says_in_or_out(tmp_path):
    (tmp_path / "results").mkdir()
    shutil.copy(ROOT / "docs/results/textbook-37.json", tmp_path / "results")
    words = ["reproduce", "textbook-37", "--page-only", "--out", str(tmp_path / "none"), "--page"]
    words += [str(tmp_path / "results.md"), "--against"]
    own = ROOT / "docs/cards/textbook-37.json"
    answer = CliRunner().invoke(app, [*words, str(own)])
    assert (answer.exit_code, "the network is in the interval" in answer.stdout) == (0, True)
    better = json.loads(own.read_text())
    for group in better["runs"]["groups"]:
        group["accuracy"] |= {"mean": 1.0, "deviation": 0.001}
    (tmp_path / "other.json").write_text(json.dumps(better))
    answer = CliRunner().invoke(app, [*words, str(tmp_path / "other.json")])
    assert (answer.exit_code, "the network is out of the interval" in answer.stdout) == (1, True)
    with pytest.raises(JobFileError, match="compared with one row, but 'textbook' names 4"):
        CliRunner().invoke(app, ["reproduce", "textbook", *words[2:], str(own)], catch_exceptions=False)
