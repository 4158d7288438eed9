"""Grids of settings: what is refused before anything starts, what is chosen on which images, what is not repeated."""

import csv
import json

import pytest

from qiskit_hqnn.cluster import connect
from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.sweeps import plans_of, read_points, run_plans, run_sweep
from qiskit_hqnn.training import RunFolder, mean_of, read_job
from tests.command import hqnn
from tests.forked import forked_dask_workers
from tests.scheduler import scheduler_apart

_JOB = """
[model]
name = "hybrid"
ansatz = "hqnn-parallel"
options = { num_qubits = 2, depth = 1 }
[data]
name = "digits"
classes = [0, 1]
train_samples = 40
test_samples = 10
validation = 20
image_size = 4
[train]
epochs = 2
batch_size = 10
learning_rate = 0.05
"""
_GRID = ["model.copies=1", "train.learning_rate=0.05,1e-9"]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    path = tmp_path_factory.mktemp("job") / "job.toml"
    path.write_text(_JOB)
    return path


@pytest.fixture(scope="module")
def swept(job, tmp_path_factory):
    """A sweep of four points with two seeds each, as a command."""
    folder = tmp_path_factory.mktemp("sweep")
    words = ["sweep", job, "--seeds", "2", "--quiet", "--out", folder / "out"]
    words += [word for part in _GRID for word in ("--grid", part)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qiskit_hqnn.training.running.draw_curves", lambda *given: None)
        patch.setattr("qiskit_hqnn.training.running.keep_circuit", lambda *given: None)
        return hqnn(*words, cwd=folder), folder / "out", words


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (["model.copis=1,2"], r"Grid: unknown key 'model.copis'.*did you mean 'copies'"),
        (["train.epochs=1,two"], r"Grid: train.epochs is 'two': must be a whole number"),
        (["train.learning_rate=0.1,-1"], r"Grid: train.learning_rate is -1: must be more than 0"),
        (["modle.copies=1"], r"Grid: unknown section \[modle\].*did you mean 'model'"),
        (["model.copies"], "must have the form key=value,value"),
        (["model.copies=1,,2"], "must have the form key=value,value"),
        (["model.copies=1,1"], "each value once"),
        (["model.copies=1", "model.copies=2"], "each key once"),
        (["train.threads=1,2"], "'train.threads' changes nothing that is learned"),
        (["seeds=[0],[1]"], "'seeds' changes nothing that is learned"),
        (["train.learning_rate=0.1,1e-1"], "has one value in 0.1 and 1e-1"),
        (["train.epochs=" + ",".join(map(str, range(1, 200))), "train.batch_size=" + ",".join(map(str, range(1, 99)))],
         "10,000 runs at most"),
        ([], "takes a grid"),
        (["shots=100,200", 'test=["ibm_fez"]'], "does not go to hardware"),
    ],
)  # fmt: skip
def test_a_grid_that_cannot_be_meant_is_a_sentence(job, grid, words):
    with pytest.raises(JobFileError, match=words):
        read_points(job, [], grid)


def test_values_are_parted_at_commas_of_their_own_and_have_the_types_of_their_fields(job):
    points = read_points(job, [], ["model.head=[16],[8, 4],linear", "train.schedule=cosine"], seeds=3)
    assert [point.job.model.options["head"] for point in points] == [[16], [8, 4], "linear"]
    assert {point.job.train.schedule for point in points} == {"cosine"}
    assert points[0].job.seeds == [0, 1, 2]
    assert len({point.folder for point in points}) == 3
    assert points[2].folder == "head-linear_schedule-cosine"


def test_a_sweep_without_validation_images_is_refused(job):
    with pytest.raises(JobFileError, match="chooses on validation images"):
        read_points(job, ["data.validation=0"], ["model.copies=1"])


def test_the_point_that_learns_is_chosen_on_validation_images_and_no_test_set_is_read(swept):
    answer, out, _ = swept
    assert answer.returncode == 0, answer.stderr
    runs = sorted(out.glob("*/seed-*"))
    assert len(runs) == 4
    assert not any(RunFolder(run).metrics().get("test") for run in runs)
    with (out / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    (chosen,) = (row for row in rows if row["chosen"] == "True")
    assert chosen["train.learning_rate"] == "0.05"
    assert json.loads((out / "sweep.json").read_text())["chosen"]["train.learning_rate"] == "0.05"
    # The mean, and the difference from the other point, from the single runs' own logs.
    best = []
    for row, rate in zip(rows, ("0.05", "1e-9"), strict=True):
        logs = [
            RunFolder(out / f"copies-1_learning_rate-{rate}" / f"seed-{seed}").history() for seed in (0, 1)
        ]
        best.append([max(line["validation_accuracy"] for line in log) for log in logs])
        assert float(row["accuracy"]) == pytest.approx(mean_of(best[-1]).mean)
    expected = mean_of([a - b for a, b in zip(*best, strict=True)])
    assert float(rows[1]["difference"]) == pytest.approx(expected.mean)
    assert float(rows[1]["difference_low"]) == pytest.approx(expected.low)


def test_a_table_a_picture_and_every_run_are_written(swept):
    answer, out, _ = swept
    assert "best − this" in answer.stdout
    assert (out / "sweep.svg").read_bytes().startswith(b"<?xml")
    assert (out / "sweep.md").read_text().count("| 2 |") == 2
    assert len((out / "runs.csv").read_text().splitlines()) == 5


def test_finished_runs_are_not_repeated_and_more_points_add_only_theirs(swept, job):
    _, out, _ = swept
    before = _files(out)
    points = read_points(job, [], ["model.copies=1,2", "train.learning_rate=0.05"], seeds=2)
    run_sweep(points, out)
    after = _files(out)
    assert {path: after[path] for path in before} == before
    assert {path.parents[1].name for path in after.keys() - before.keys()} == {"copies-2_learning_rate-0.05"}


def test_the_test_set_is_run_when_asked_of_the_chosen_point_alone(swept):
    _, out, words = swept
    answer = hqnn(*words, "--test", cwd=out)
    assert answer.returncode == 0, answer.stderr
    chosen = json.loads((out / "sweep.json").read_text())["chosen"]
    tested = {run.parent.name for run in out.glob("*/seed-*") if RunFolder(run).metrics().get("test")}
    assert tested == {f"copies-{chosen['model.copies']}_learning_rate-{chosen['train.learning_rate']}"}
    assert "Test set of the chosen point" in answer.stdout


def test_a_failed_run_is_named_and_does_not_end_the_others(job, tmp_path):
    words = ["sweep", job, "--grid", "data.train_samples=40,100000", "--out", tmp_path / "out", "--quiet"]
    answer = hqnn(*words, cwd=tmp_path)
    assert answer.returncode == 1
    assert "train_samples 100000, seed-0 failed: " in answer.stderr
    assert (tmp_path / "out" / "train_samples-40" / "seed-0" / "report.html").exists()
    assert "chosen   train_samples 40" in answer.stdout


def test_points_with_other_validation_images_are_not_compared_in_pairs(job, tmp_path):
    points = read_points(job, ["train.epochs=1"], ["data.seed=0,1"])
    judged, _ = run_sweep(points, tmp_path)
    assert "not have the same validation images" in judged.notes[0]
    assert all(row.difference is None for row in judged.rows)


def test_runs_side_by_side_are_those_of_one_process(job, swept, tmp_path):
    content = read_job(job, ["seeds=[0,1]"])
    with forked_dask_workers(), connect(workers=1) as client:
        beside = run_plans(plans_of(content, tmp_path), "data", client, tested=False)
        broken = run_plans(plans_of(read_job(job, ["data.classes=[0,77]"]), tmp_path / "b"), "data", client)
        with pytest.raises(HQNNError, match="have one process each"):
            run_plans(plans_of(read_job(job, ["train.devices=2"]), tmp_path / "no"), "data", client)
        with pytest.raises(HQNNError, match=r"seed-0 and seed-0 have the same folder"):
            run_plans(2 * plans_of(content, tmp_path)[:1], "data", client)
    same = swept[1] / "copies-1_learning_rate-0.05"
    for outcome in beside:
        assert outcome.failure is None
        weights = (same / outcome.plan.folder.name / "model.safetensors").read_bytes()
        assert outcome.run.weights.read_bytes() == weights
    assert "77" in broken[0].failure


def test_a_killed_scheduler_leaves_the_finished_runs_and_the_same_sweep_resumes(
    job, swept, tmp_path, monkeypatch
):
    for slow in ("draw_curves", "keep_circuit"):
        monkeypatch.setattr(f"qiskit_hqnn.training.running.{slow}", lambda *given: None)
    monkeypatch.setattr("qiskit_hqnn.sweeps.side_by_side._LOOK_SECONDS", 0.2)
    plans = plans_of(read_job(job, ["seeds=[0,1]"]), tmp_path / "runs")
    with scheduler_apart(tmp_path) as (process, address), connect(address) as client:
        cut = run_plans(plans, "data", client, tested=False, progress=lambda event: process.kill())
    assert [outcome.failure is None for outcome in cut] == [True, False]
    assert "does not answer any more" in cut[1].failure
    finished = _files(plans[0].folder)
    resumed = run_plans(plans, "data", tested=False)
    assert [outcome.failure for outcome in resumed] == [None, None]
    assert _files(plans[0].folder) == finished
    for plan in plans:
        same = swept[1] / "copies-1_learning_rate-0.05" / plan.folder.name
        assert RunFolder(plan.folder).weights.read_bytes() == RunFolder(same).weights.read_bytes()
