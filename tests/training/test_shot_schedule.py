"""Shots by epoch and by plateau: what is sampled, what it costs, and how a resumed training goes on."""

import pytest

from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.training import find_job, price_run, price_training, read_job, run_job
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.preparation import build_model, load_splits
from qiskit_hqnn.training.rungs import Rung, rungs_of, step_of

# 20 training images in batches of 8, 8, 4, and 4 to validate; a copy has 2 inputs and 6 weights.
TINY = [
    "model.num_qubits=2", "model.depth=1", "model.copies=2", "train.epochs=3", "train.batch_size=8", "shots=50",
    "data.classes=[0,1]", "data.train_samples=24", "data.test_samples=12", "data.validation=4",
    "where='exact'", "test=['exact']", "train.schedule=",
]  # fmt: skip


def job_of(*more):
    return read_job(find_job("quickstart"), [*TINY, *more])


def executions(run):
    return [row["executions"] for row in run.history()]


def test_shots_by_epoch_are_what_is_sampled_and_what_was_priced(tmp_path):
    settings = ["gradient='random-shift'", "random_shift.pairs=3", "train.shots=[10,20]"]
    job = job_of(*settings, "train.gradient_shots=5")
    run = run_job(job, tmp_path / "run", progress=False)
    expected = [20 * 2 * (plain + 2 * 3 * 5) + 4 * 2 * plain for plain in (10, 20, 20)]
    assert executions(run) == expected
    training = run.metrics()["training"]
    assert training["random_shift_pairs"] == 3
    assert (training["shots_schedule"], training["gradient_shots"]) == ([10, 20], [5])
    on_aer = job_of(*settings, "train.gradient_shots=5", "where='aer'")
    splits = load_splits(on_aer, "data")
    costs = price_run(on_aer, build_model(on_aer, splits), splits)
    assert price_training(costs, 3).executions == sum(expected)
    assert price_training(costs, 2, done=1).executions == sum(expected[1:])
    by_plateau = price_run(
        job_of(*settings, "train.shots_plateau=2", "where='aer'"), build_model(job, splits), splits
    )
    assert price_training(by_plateau, 3).executions == 3 * (20 * 2 * 7 * 20 + 4 * 2 * 20)  # at the dearest


def test_a_resumed_training_finds_its_step_in_its_log(tmp_path):
    settings = ["gradient='parameter-shift'", "train.shots=[4,8,16]"]
    straight = run_job(job_of(*settings), tmp_path / "straight", progress=False)
    run_job(job_of(*settings, "train.epochs=2"), tmp_path / "grown", progress=False)
    grown = run_job(job_of(*settings), tmp_path / "grown", progress=False, resume=True)
    assert executions(grown) == executions(straight) == [(20 * 17 + 4) * 2 * shots for shots in (4, 8, 16)]


def test_by_plateau_the_next_shots_come_when_the_loss_has_stood_still():
    train = TrainSection(shots=[10, 50, 200], shots_plateau=2)
    losses = [1.0, 0.8, 0.9, 0.85, 0.7, 0.75, 0.72, 0.71, 0.9]
    rows = [{"validation_loss": loss, "train_loss": 1.0} for loss in losses]
    assert [step_of(train, rows[:done], 3) for done in range(10)] == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert step_of(train, [{"train_loss": 1.0}] * 3, 3) == 1  # nothing is validated
    assert rungs_of(TrainSection(shots=[10, 50], gradient_shots=[5]), 1000) == [Rung(10, 5), Rung(50, 5)]
    assert rungs_of(TrainSection(gradient_shots=[2, 4]), 8) == [Rung(8, 2), Rung(8, 4)]


def test_a_test_set_has_the_jobs_own_shots(tmp_path):
    job = job_of("gradient='spsa'", "train.shots=[10]", "train.epochs=1", "test=['aer']", "where='aer'")
    run = run_job(job, tmp_path / "run", progress=False)
    assert run.read_metrics().test["aer"].shots == 50
    assert run.read_metrics().test["aer"].executions == 12 * 2 * 50


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["train.shots=[10,0]"], "train.shots is 0: must be at least 1"),
        (["train.shots=0"], "train.shots is 0: must be at least 1"),
        (["train.shots=[]"], r"train.shots is \[\]: must have at least 1"),
        (["train.gradient_shots=2.5"], "train.gradient_shots"),
        (["train.shots=[10,25]", "train.gradient_shots=10"], "multiple of them, but they are 10 and 25"),
        (["train.gradient_shots=7"], "multiple of them, but they are 7 and 50"),
        (["train.shots=[10]", "train.shots_plateau=2"], "takes the next of several shots"),
        (["train.shots=[10,20]", "gradient='autograd'"], "takes effect where training is sampled"),
        (["random_shift.pairs=0", "gradient='random-shift'"], "random_shift.pairs is 0: must be at least 1"),
        (
            ["random_shift.pairs=2", "gradient='spsa'"],
            r"\[random_shift\] takes effect with gradient = 'random-shift'",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(settings, sentence):
    base = (
        [] if any(setting.startswith("gradient=") for setting in settings) else ["gradient='parameter-shift'"]
    )
    with pytest.raises(JobFileError, match=sentence):
        job_of(*base, *settings)
