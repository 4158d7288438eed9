"""A longer training resumes from a finished one; what does not belong to a folder is named, key by key."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from qiskit_hqnn.errors import FileError, HQNNError, RunFolderError
from qiskit_hqnn.training import RunFolder, find_job, load_run, read_job, run_each, run_job
from qiskit_hqnn.training.classifier import Classifier
from qiskit_hqnn.training.job_sections import TrainSection

TINY = [
    "model.num_qubits=2", "model.depth=1", "model.copies=1", "train.epochs=2", "train.batch_size=16", "shots=50",
    "data.train_samples=80", "data.test_samples=20", "test=['exact']", "train.schedule=",
]  # fmt: skip


def job_of(*more):
    return read_job(find_job("quickstart"), [*TINY, *more])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of two epochs."""
    return run_job(job_of(), tmp_path_factory.mktemp("resuming") / "run").path


@pytest.fixture
def short(trained, tmp_path):
    """A copy of it, as `run` in the test's folder."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def curves(run):
    return [(row["epoch"], row["train_loss"], row["validation_loss"]) for row in run.history()]


def test_a_longer_training_ends_as_one_that_was_as_long_from_the_beginning(short, tmp_path):
    straight = run_job(job_of("train.epochs=5"), tmp_path / "straight")
    longer = run_job(job_of("train.epochs=5"), short, resume=True)
    for one, other in zip(curves(longer), curves(straight), strict=True):
        assert one == pytest.approx(other, rel=1e-5)
    assert longer.read_job().train.epochs == 5
    ends = [run.read_metrics().test["exact"].loss for run in (longer, straight)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)


def test_results_of_the_shorter_training_are_kept(short):
    before = RunFolder(short).metrics()
    longer = run_job(job_of("train.epochs=3"), short, resume=True).metrics()
    (earlier,) = longer["earlier"]
    assert earlier == {"training": before["training"], "seconds": before["seconds"], "test": before["test"]}
    assert longer["test"]["exact"]["loss"] != before["test"]["exact"]["loss"]
    assert longer["training"]["epochs"] == 3
    assert longer["seconds"]["train"] >= round(sum(row["seconds"] for row in RunFolder(short).history()), 2)


def test_a_longer_training_that_is_killed_is_not_taken_for_finished(short, monkeypatch):
    def killed(*_):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("qiskit_hqnn.training.running.fit", killed)
        with pytest.raises(MemoryError):
            run_job(job_of("train.epochs=4"), short, resume=True)
    run = run_job(job_of("train.epochs=4"), short, resume=True)
    assert [row["epoch"] for row in run.history()] == [1, 2, 3, 4]
    assert len(run.metrics()["earlier"]) == 1


def test_a_training_that_stopped_early_is_finished(tmp_path):
    settings = ["train.epochs=40", "train.early_stopping=1", "train.learning_rate=0.5"]
    run = run_job(job_of(*settings), tmp_path / "run")
    rows = run.history()
    assert len(rows) < 40
    run_job(job_of(*settings), tmp_path / "run", resume=True)
    assert run.history() == rows


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_schedule_is_stretched_as_if_it_had_been_longer_from_the_beginning(tmp_path, schedule, optimizer):
    """Learning rates by step: those of a schedule over twelve steps, from the sixth on."""
    settings = TrainSection(schedule=schedule, optimizer=optimizer, learning_rate=0.1)

    def parts(total):
        classifier = Classifier(nn.Linear(2, 2), settings, total, tmp_path)
        made = classifier.configure_optimizers()
        return classifier, made["optimizer"], made["lr_scheduler"]["scheduler"]

    def rates(optimizer, schedule, steps):
        found = []
        for _ in range(steps):
            optimizer.step()
            schedule.step()
            (group,) = optimizer.param_groups
            found.append((group["lr"], group.get("betas"), group.get("momentum")))
        return found

    _, optimizer_of_six, schedule_of_six = parts(6)
    rates(optimizer_of_six, schedule_of_six, 6)
    checkpoint = {
        "callbacks": {},
        "lr_schedulers": [schedule_of_six.state_dict()],
        "optimizer_states": [optimizer_of_six.state_dict()],
    }
    classifier, optimizer_of_twelve, schedule_of_twelve = parts(12)
    classifier.on_load_checkpoint(checkpoint)
    optimizer_of_twelve.load_state_dict(checkpoint["optimizer_states"][0])
    schedule_of_twelve.load_state_dict(checkpoint["lr_schedulers"][0])
    _, straight_optimizer, straight_schedule = parts(12)
    expected = rates(straight_optimizer, straight_schedule, 12)[6:]
    for one, other in zip(rates(optimizer_of_twelve, schedule_of_twelve, 6), expected, strict=True):
        assert one[0] == pytest.approx(other[0], rel=1e-9, abs=1e-12)
        assert one[1] == (other[1] and pytest.approx(other[1]))
        assert one[2] == (other[2] and pytest.approx(other[2]))


def test_with_a_schedule_a_longer_training_learns_on(tmp_path):
    run_job(job_of("train.schedule=cosine"), tmp_path / "run")
    run = run_job(job_of("train.schedule=cosine", "train.epochs=4"), tmp_path / "run", resume=True)
    losses = [row["train_loss"] for row in run.history()]
    assert losses[3] < losses[2] < losses[1]


def test_a_run_folder_that_was_moved_goes_on_with_its_best_epoch(short, tmp_path):
    shutil.move(short, tmp_path / "there")
    run = run_job(job_of("train.epochs=3"), tmp_path / "there", resume=True)
    best = max(row["validation_accuracy"] - 1e-5 * row["validation_loss"] for row in run.history())
    loaded = load_run(run.path)
    images, labels = loaded.splits.validation.__getitems__(range(len(loaded.splits.validation)))
    with torch.no_grad():
        outputs = loaded.model(images)
    accuracy = (outputs.argmax(dim=1) == labels).float().mean().item()
    loss = nn.functional.cross_entropy(outputs, labels).item()
    assert accuracy - 1e-5 * loss == pytest.approx(best, abs=1e-6)
    assert not short.exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["train.epochs=1"], "train.epochs 2, here 1"),
        (["train.batch_size=8"], "train.batch_size 16, here 8"),
        (["model.depth=2", "train.epochs=5"], "model.depth 1, here 2"),
        (["seeds=[3]"], r"seeds \[0\], here \[3\]"),
        (["model.control='frozen'"], "model.control not set, here frozen"),
        (["train.batch_size=8", "data.seed=3"], "data.seed 0, here 3; train.batch_size 16, here 8"),
    ],
)
def test_other_settings_are_named(trained, settings, words):
    with pytest.raises(
        RunFolderError, match=rf"belongs to a job with other settings \({words}\): choose another folder"
    ):
        run_job(job_of(*settings), trained, resume=True)


def test_threads_titles_and_tests_are_free(short):
    settings = ["title='another'", "train.threads=1", "test=['exact', 'aer']", "shots=60"]
    tests = run_job(job_of(*settings), short, resume=True).read_metrics().test
    assert {name: result.shots for name, result in tests.items()} == {"exact": None, "aer": 60}


def test_a_cut_checkpoint_is_one_sentence_with_its_path(short):
    run = RunFolder(short)
    content = run.checkpoint.read_bytes()
    for kept in (0, 10, len(content) // 2):
        run.checkpoint.write_bytes(content[:kept])
        with pytest.raises(
            RunFolderError,
            match=rf"Checkpoint {run.checkpoint} is damaged, or holds more than .*\): remove it",
        ):
            run_job(job_of("train.epochs=3"), short, resume=True)
    shutil.rmtree(run.checkpoint.parent)
    assert len(run_job(job_of("train.epochs=3"), short, resume=True).history()) == 3


@pytest.mark.parametrize("number", [27, 28])
def test_a_full_disk_in_training_is_one_sentence_with_the_path(tmp_path, monkeypatch, number):
    def full(*_, **__):
        raise OSError(number, "File too large" if number == 27 else "No space left on device")

    monkeypatch.setattr("lightning.pytorch.Trainer.save_checkpoint", full)
    with pytest.raises(
        FileError, match=r"checkpoints cannot be written: (File too large|No space left on device); the"
    ):
        run_job(job_of(), tmp_path)


def test_a_run_folder_that_vanishes_in_training_stays_gone(tmp_path):
    folder = tmp_path / "run"

    def vanish(event):
        if event.stage == "epoch":
            shutil.rmtree(folder)

    with pytest.raises(
        RunFolderError, match=r"last.ckpt cannot be written: the run folder .*run does not exist"
    ):
        run_job(job_of(), folder, progress=vanish)
    assert not folder.exists()


def test_a_controls_typo_is_found_before_the_first_training(tmp_path):
    begun = []
    with pytest.raises(HQNNError, match="must be one of 'twin', .* but is 'twinn'"):
        run_each(job_of("controls=['twin', 'twinn']"), tmp_path, lambda job, folder: begun.append(folder))
    assert begun == []


def test_what_is_measured_is_an_object_of_json(trained):
    run = RunFolder(trained)
    content = json.loads(run.metrics_file.read_text())
    assert content["test"]["exact"]["where"] == "exact"
    assert content["data"]["classes"]["test"] == {str(digit): 2 for digit in range(10)}
    assert run.read_metrics().data["notes"] == ["The test set is 20% of the images, stratified by class."]
