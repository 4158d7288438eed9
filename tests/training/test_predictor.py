"""Predictions of a trained network: what is printed of them, where they run, and what they cost."""

import csv
import io
import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import BudgetError, HQNNError, MissingDataError, ShapeError
from qiskit_hqnn.models import build
from qiskit_hqnn.training import Prediction


def test_a_margin_is_the_lead_over_the_next_class():
    prediction = Prediction(
        torch.tensor([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]]), ("a", "b", "c"), ("x.png", "y.png")
    )
    assert prediction.names == ["b", "a"]
    torch.testing.assert_close(prediction.margins, torch.tensor([0.5, 0.1]))
    row = prediction.rows[1]
    assert (row["image"], row["class"], round(row["probability"], 6)) == ("y.png", "a", 0.5)
    assert repr(prediction).splitlines()[1:] == ["  x.png  b  0.700  (+0.500)", "  y.png  a  0.500  (+0.100)"]
    assert "<td>y.png</td><td>a</td><td>0.500</td><td>0.100</td>" in prediction._repr_html_()


def test_names_from_outside_do_nothing_on_a_page():
    prediction = Prediction(torch.tensor([[0.9, 0.1]]), ("<b>", "c"), ("\x1b[2J.png",))
    assert "<td>\\x1b[2J.png</td><td>&lt;b&gt;</td>" in prediction._repr_html_()
    assert "\x1b" not in repr(prediction)


def test_a_place_is_that_of_the_layer(own_run):
    run, pictures = own_run
    there = run.predict(pictures, where="noisy:fake_manila")
    with run.model.quantum.running_on("noisy:fake_manila"):
        same = run.predict(pictures)
    torch.testing.assert_close(there.probabilities, same.probabilities)
    assert there.where == "noisy:fake_manila"
    assert run.predict(pictures).where == "exact"
    assert not torch.equal(run.predict(pictures).probabilities, there.probabilities)


def test_a_price_is_that_of_what_is_sampled(own_run):
    run, pictures = own_run
    price = run.predictor.price(pictures, "fake_manila", shots=70)
    prediction = run.predict(pictures, "fake_manila", shots=70, max_qpu_seconds=price.qpu_seconds)
    assert price.executions == 3 * 70  # one copy, one basis
    assert len(prediction) == 3
    assert run.predictor.price(pictures, "exact").executions == 0
    with pytest.raises(BudgetError, match="nothing was sent"):
        run.predict(pictures, "fake_manila", shots=70, max_qpu_seconds=price.qpu_seconds / 2)


def test_what_cannot_be_answered_is_one_sentence(own_run, tmp_path):
    run, _ = own_run
    with pytest.raises(ShapeError, match="must hold one sample at least"):
        run.predict([])
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n half of one")
    with pytest.raises(MissingDataError, match="bad.png cannot be read as an image"):
        run.predict(tmp_path / "bad.png")
    classical = replace(run.predictor, model=build("hqnn-parallel", image_size=8, classes=3, control="twin"))
    with pytest.raises(HQNNError, match="has no quantum layer: it runs at 'exact' only"):
        classical.price(torch.zeros(1, 1, 8, 8), "aer")


def test_the_command_prints_a_table_json_and_csv_of_the_same(own_run):
    run, pictures = own_run
    folder, words = str(run.folder.path), [str(path) for path in pictures]
    expected = run.predict(pictures)
    answers = {
        form: CliRunner().invoke(app, ["predict", folder, *words, "--format", form])
        for form in ("table", "json", "csv")
    }
    assert all(answer.exit_code == 0 for answer in answers.values())
    for word, name in zip(words, expected.names, strict=True):
        assert any(word in line and name in line for line in answers["table"].stdout.splitlines())
    content = json.loads(answers["json"].stdout)["predictions"]
    assert [row["class"] for row in content] == expected.names
    assert set(content[0]["probabilities"]) == {"cat", "dog", "eel"}
    rows = list(csv.DictReader(io.StringIO(answers["csv"].stdout)))
    assert [row["image"] for row in rows] == words
    assert float(rows[0]["p(dog)"]) == pytest.approx(expected.probabilities[0, 1].item(), abs=1e-6)


def test_the_command_takes_folders_and_names_what_is_not_there(own_run, tmp_path):
    run, pictures = own_run
    answer = CliRunner().invoke(
        app, ["predict", str(run.folder.path), str(pictures[0].parent), "--format", "csv"]
    )
    assert len(answer.stdout.strip().splitlines()) == 1 + 10
    for words, sentence in (
        ([str(tmp_path), "x.png"], "is not a run folder"),
        ([str(run.folder.path), "gone.png"], "There is no picture gone.png"),
        ([str(run.folder.path), str(tmp_path)], "There is no picture in"),
    ):
        error = CliRunner().invoke(app, ["predict", *words]).exception
        assert isinstance(error, HQNNError)
        assert sentence in str(error)


def test_the_command_shows_the_price_first_and_sends_nothing_in_a_dry_run(own_run):
    run, pictures = own_run
    words = ["predict", str(run.folder.path), str(pictures[0]), "--where", "fake_manila"]
    answer = CliRunner().invoke(app, [*words, "--dry-run"])
    assert answer.exit_code == 0
    assert "QPU seconds" in answer.stderr
    assert answer.stdout == ""
