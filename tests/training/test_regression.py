"""Numbers in the place of classes: read, learned, judged, predicted, exported, compared."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.functional import mean_absolute_error, mean_squared_error, r2_score

from qiskit_hqnn.data import from_dataset, load
from qiskit_hqnn.errors import HQNNError, JobFileError, MissingDataError
from qiskit_hqnn.training import load_run, read_job, run_each, run_job, summarise, write_study
from qiskit_hqnn.training.losses import Loss
from qiskit_hqnn.training.regression import judge_numbers
from tests.command import hqnn

JOB = """
title = "ages"
[model]
name = "hybrid"
ansatz = "hqnn-parallel"
options = {num_qubits = 1, depth = 1}
[data]
name = "csv"
path = "table.csv"
targets = ["age", "width"]
[train]
epochs = 12
batch_size = 8
learning_rate = 0.05
early_stopping = 12
early_stopping_metric = "validation_r2"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Grey pictures, and a table of two numbers that follow from their brightness."""
    folder = tmp_path_factory.mktemp("numbers")
    random, lines = np.random.default_rng(0), ["path,age,width,word"]
    for index in range(40):
        bright = random.uniform(0.1, 0.9)
        Image.fromarray(np.full((4, 4), 255 * bright, dtype=np.uint8)).save(folder / f"{index}.png")
        lines.append(f"{index}.png,{20 + 60 * bright:.3f},{bright:.4f},w")
    (folder / "table.csv").write_text("\n".join(lines))
    (folder / "job.toml").write_text(JOB)
    return folder


@pytest.fixture(scope="module")
def run(place):
    return load_run(run_job(read_job(place / "job.toml"), place / "run").path)


def test_numbers_of_a_table_are_read_with_the_scale_of_the_training_images(place):
    splits = load("csv", path=place / "table.csv", targets=["age", "width"])
    assert splits.train.labels.dtype == torch.float32
    assert splits.train.labels.shape == (len(splits.train), 2)
    ages = splits.train.labels[:, 0].double()
    assert splits.targets.means[0] == pytest.approx(float(ages.mean()))
    assert splits.targets.scales[0] == pytest.approx(float(ages.std(correction=0)))
    # An image is as bright as its number says: rows and pictures stay together through every split.
    for part in splits.parts.values():
        bright = part.images.float().mean(dim=(1, 2, 3)) / 255
        torch.testing.assert_close(part.labels[:, 0], 20 + 60 * bright, atol=0.3, rtol=0)


def test_numbers_of_an_archive_and_of_a_program(tmp_path):
    images, values = np.zeros((10, 3, 3), dtype=np.uint8), np.linspace(0, 1, 10)
    np.savez(tmp_path / "a.npz", train_images=images, train_labels=values)
    splits = load("npz", path=tmp_path / "a.npz", targets=["dose"])
    assert sorted(
        torch.cat([part.labels for part in splits.parts.values()]).flatten().tolist()
    ) == pytest.approx(values.tolist())
    with pytest.raises(MissingDataError, match=r"one whole number per image.*named by data\.targets"):
        load("npz", path=tmp_path / "a.npz")
    pairs = [(torch.zeros(2), 0.5 * index) for index in range(10)]
    assert from_dataset(pairs, targets=["dose"]).targets.names == ("dose",)
    with pytest.raises(MissingDataError, match=r"the label 0\.5 is no class"):
        from_dataset(pairs)


@pytest.mark.parametrize(
    ("table", "targets", "words"),
    [
        ("path,age\n0.png,1\n0.png,old\n", ["age"], "line 3: the column 'age' must hold numbers.* but holds 'old'"),
        ("path,age\n0.png,1\n0.png,nan\n", ["age"], "line 3: the column 'age' must hold numbers"),
        ("path,age\n0.png,1\n0.png,\n", ["age"], "line 3: the column 'age' is empty"),
        ("path,age\n0.png,1\n", ["agee"], "has no column 'agee'.*did you mean 'age'"),
        ("path,age\n0.png,1\n0.png,1\n0.png,1\n", ["age"], "Target 'age' is 1 for all training images"),
    ],
)  # fmt: skip
def test_tables_without_the_numbers_are_refused(place, table, targets, words):
    (place / "odd.csv").write_text(table)
    with pytest.raises(MissingDataError, match=words):
        load("csv", path=place / "odd.csv", targets=targets)


def test_numbers_read_as_classes_are_said(place):
    (place / "doses.csv").write_text(
        "path,label\n" + "".join(f"{i}.png,{0.5 * (i % 2 + 1)}\n" for i in range(20))
    )
    notes = load("csv", path=place / "doses.csv").notes
    assert notes[0].startswith("The 2 different numbers of column 'label' are read as classes; data.targets")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("train.loss='bce'", "'bce' is of classes, but data.targets are numbers"),
        ("train.class_weights='balanced'", "class_weights is of classes"),
        ("train.early_stopping_metric='validation_accuracy'", "take 'validation_loss' or 'validation_r2'"),
        ("data.balanced=true", "data.balanced chooses classes"),
        ("data.name='folder'", "goes with data.name = 'npz', 'csv', but data.name is 'folder'"),
        ("data.targets=", "'validation_r2' is of numbers, but without data.targets the data has classes"),
        ("data.targets=['age','age']", "must name each number once"),
    ],
)
def test_what_does_not_go_with_numbers_is_refused(place, setting, words):
    with pytest.raises(JobFileError, match=words):
        read_job(place / "job.toml", [setting])


def test_metrics_are_torchmetrics_in_the_numbers_own_units(place):
    targets = load("csv", path=place / "table.csv", targets=["age", "width"]).targets
    generator = torch.Generator().manual_seed(1)
    labels = torch.rand(30, 2, generator=generator) * torch.tensor([60.0, 1.0]) + torch.tensor([20.0, 0.0])
    outputs = targets.standardised(labels) + 0.3 * torch.randn(30, 2, generator=generator)
    loss = Loss("mse", targets=targets)
    found, answers = judge_numbers(outputs, labels, loss), targets.in_units(outputs)
    for column, errors in enumerate(found.targets.values()):
        mine, true = answers[:, column], labels[:, column]
        assert errors.mse == pytest.approx(mean_squared_error(mine, true).item(), rel=1e-4)
        assert errors.mae == pytest.approx(mean_absolute_error(mine, true).item(), rel=1e-4)
        assert errors.r2 == pytest.approx(r2_score(mine, true).item(), abs=1e-4)
    assert found.r2 == pytest.approx(r2_score(answers, labels).item(), abs=1e-4)
    assert found.r2_interval[0] < found.r2 < found.r2_interval[1]
    # The sums of two batches give the same score, and naming the mean always gives none.
    tally = loss.tally(outputs[:7], labels[:7]) + loss.tally(outputs[7:], labels[7:])
    assert loss.score_of(tally, 30) == pytest.approx(found.r2, abs=1e-5)
    constant = targets.standardised(labels.mean(dim=0, keepdim=True)).expand(30, 2)
    assert judge_numbers(constant, labels, loss).r2 == pytest.approx(0.0, abs=1e-4)
    assert judge_numbers(outputs[:1], labels[:1], loss).r2 is None


def test_a_run_of_numbers_learns_and_says_so(run, place):
    result = run.folder.read_metrics().test["exact"]
    assert result.value > 0.5
    assert result.score.key == "r2"
    assert set(result.targets) == {"age", "width"}
    test = run.splits.test
    values = run.predict(test.images).values
    assert result.targets["age"].mse == pytest.approx(
        float((values - test.labels)[:, 0].square().mean()), rel=1e-3
    )
    pairs = zip(result.targets.values(), run.splits.targets.scales, strict=True)
    assert result.loss == pytest.approx(sum(errors.mse / scale**2 for errors, scale in pairs) / 2, rel=1e-3)
    rows = run.folder.history()
    assert {"train_r2", "validation_r2", "validation_loss"} <= rows[0].keys()
    assert "accuracy" not in json.dumps(run.folder.metrics())
    page = run.folder.report.read_text()
    assert page.count("<circle") == 2 * len(test)
    assert "R²" in page
    assert "Confusion" not in page
    assert repr(run).startswith(
        f"LoadedRun({str(run.folder.path)!r}: hybrid, 1×4×4 → numbers: age, width, R² 0."
    )
    card = (run.folder.path / "card.md").read_text()
    assert "It answers numbers" in card
    assert re.search(r"\| exact \| 0\.\d+ \| 0\.\d+ – 0\.\d+ \|", card)


def test_a_run_of_numbers_resumes_and_notices_other_numbers(run, place):
    job = read_job(place / "job.toml")
    again = run_job(job, run.folder.path, resume=True)
    assert len(again.history()) == len(run.folder.history())
    table = place / "table.csv"
    text = table.read_text()
    try:
        table.write_text(text.replace("0.png,", "0.png,1", 1))
        with pytest.raises(HQNNError, match="belongs to other data"):
            run_job(job, run.folder.path, resume=True)
    finally:
        table.write_text(text)


def test_values_of_pictures_by_command(run, place):
    exact = run.predict([place / "3.png"]).values[0, 0].item()
    answer = hqnn("predict", run.folder.path, "3.png", "--format", "csv", cwd=place)
    titles, row = answer.stdout.splitlines()
    assert titles == "image,age,width"
    assert float(row.split(",")[1]) == pytest.approx(exact, rel=1e-5)
    answer = hqnn("evaluate", run.folder.path, "--where", "aer", "--confidence", "0.9", cwd=place)
    assert answer.returncode == 2
    assert "A confidence is of a class, but this network answers numbers (age, width)" in answer.stderr


def test_exported_networks_of_numbers_answer_the_same(run, place, tmp_path):
    import qiskit_hqnn
    from qiskit_hqnn.training import plain_network, write_network

    loaded = qiskit_hqnn.load(write_network(run, tmp_path / "a.safetensors"))
    images = run.splits.test.images
    expected = run.predict(images).values
    torch.testing.assert_close(loaded.predict(images).values, expected)
    with torch.no_grad():
        plain = plain_network(run)(images.float() / 255)
    torch.testing.assert_close(plain, expected, atol=1e-4, rtol=1e-4)


def test_controls_of_numbers_are_compared_by_r2(place, tmp_path):
    job = read_job(place / "job.toml", ["controls=['twin']", "seeds=[0,1]", "train.epochs=1"])
    runs = run_each(job, tmp_path / "study", lambda one, folder: run_job(one, folder))
    comparison = summarise([(repeat, control, run.metrics()) for repeat, control, run in runs])[
        "comparisons"
    ][0]
    values = {control: [] for control in (None, "twin")}
    for _, control, one in runs:
        values[control].append(one.read_metrics().test["exact"].r2)
    assert comparison.difference.mean == pytest.approx(np.mean(values[None]) - np.mean(values["twin"]))
    page = write_study(tmp_path / "study", job, runs).read_text()
    assert "test R²" in page
    assert "macro F1" not in page
    rows = json.loads((tmp_path / "study" / "study.json").read_text())["rows"]
    assert rows[0]["r2"]["mean"] == pytest.approx(np.mean(values[None]))
