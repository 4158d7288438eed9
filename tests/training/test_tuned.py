"""Controls with training settings of their own, and their search."""

import json
from pathlib import Path

import pytest

from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.reproduction.records import Record, Records, read_records, write_records
from qiskit_hqnn.sweeps import read_points, run_sweep
from qiskit_hqnn.training import find_job, read_job
from qiskit_hqnn.training.job_settings import settings_of

SETTINGS = ["tuned=", "controls=['twin','frozen']", "tuned.twin.learning_rate=0.5", "tuned.twin.epochs=3"]


def job_of(*settings):
    return read_job(find_job("circuit-centric-binary"), [*SETTINGS, *settings])


def test_a_control_has_its_own_settings_and_the_others_the_jobs(tmp_path):
    job = job_of()
    trains = {control: job.single(0, control).train for control in (None, "twin", "frozen")}
    assert (trains["twin"].learning_rate, trains["twin"].epochs) == (0.5, 3)
    assert trains[None] == trains["frozen"] == job.train
    assert trains["twin"].batch_size == job.train.batch_size
    assert job.single(0, "twin").tuned is None
    runs = [
        Record(0, control, settings_of(job.single(0, control)), _metrics(), {}) for control in (None, "twin")
    ]
    write_records(tmp_path / "row.json", job, Records(runs))
    found = read_records(tmp_path / "row.json", job)
    assert [run.control for run in found.runs] == [None, "twin"]
    assert found.runs[1].settings["train.learning_rate"] == 0.5
    plain = read_records(tmp_path / "row.json", job_of("tuned="))
    assert [run.control for run in plain.runs] == [None]
    assert "train.epochs 3, here 30" in plain.left_out[0]


def _metrics():
    block = {
        "where": "exact",
        "images": 2,
        "accuracy": 0.5,
        "loss": 0.1,
        "macro_f1": 0.5,
        "confusion": [[1, 0], [1, 0]],
    }
    return {"test": {"exact": block}, "parameters": {"classical": 1, "quantum": 1}, "seconds": {"train": 1}}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (
            "tuned.twinn.epochs=3",
            r"\[tuned.twinn\] is for a control of the network, one of twin, .*; did you mean 'twin'",
        ),
        (
            "tuned.twin.epoch=3",
            r"--set: unknown key 'tuned.twin.epoch'; \[tuned.twin\] takes learning_rate, .*mean 'epochs'",
        ),
        ("tuned.twin.epochs='many'", "--set: tuned.twin.epochs is 'many': must be a whole number"),
        ("tuned.twin.learning_rate=0.0", "tuned.twin.learning_rate is 0.0: must be more than 0"),
        ("tuned.twin=3", r"tuned is"),
    ],
)
def test_a_slip_is_one_sentence(setting, words):
    with pytest.raises(JobFileError, match=words):
        job_of(setting)


def test_a_sweep_chooses_for_every_control(tmp_path):
    settings = [
        "seeds=[0]",
        "controls=['twin']",
        "tuned.twin.learning_rate=0.5",
        "train.epochs=2",
        "train.threads=1",
    ]
    points = read_points(find_job("circuit-centric-binary"), settings, ["train.learning_rate=1e-6,0.05"])
    assert all(point.job.tuned is None for point in points)
    judged, _ = run_sweep(points, tmp_path, Path("data"))
    by_rate = {
        row.point.values["train.learning_rate"]: row.values[0] for row in judged.rows if row.control == "twin"
    }
    best = max(by_rate, key=by_rate.get)
    content = json.loads((tmp_path / "sweep.json").read_text())
    assert by_rate["0.05"] > by_rate["1e-6"]
    assert content["chosen_for_controls"] == {"twin": {"train.learning_rate": best}}
    assert f"[tuned.twin] with learning_rate = {best} gives it these." in (tmp_path / "sweep.md").read_text()
