"""Job files whose training or tests are at "noisy:fake_<device>", or sampled without Aer."""

import pytest

from qiskit_hqnn.errors import DeviceError, JobFileError
from qiskit_hqnn.training import read_job
from qiskit_hqnn.training.running import run_job
from qiskit_hqnn.training.running_on import check_snapshots, is_sampled

JOB = """
where = "{where}"
test = ["exact", "noisy:fake_manila"]
shots = 50
{more}
[model]
name = "hqnn-parallel"
num_qubits = 2
depth = 1
copies = 1
convolutions = 1
[data]
name = "digits"
classes = [0, 1]
train_samples = 24
test_samples = 12
[train]
epochs = 1
batch_size = 8
"""


def job_of(tmp_path, where, more=""):
    path = tmp_path / "job.toml"
    path.write_text(JOB.format(where=where, more=more))
    return read_job(path)


def test_training_under_noise_is_exact_and_its_tests_have_blocks_of_their_own(tmp_path):
    run = run_job(job_of(tmp_path, "noisy:fake_manila"), tmp_path / "run", progress=False)
    metrics = run.metrics()
    assert set(metrics["test"]) == {"exact", "noisy:fake_manila"}
    assert "shots" not in metrics["test"]["noisy:fake_manila"]
    assert "shots" not in metrics["training"]


def test_a_rule_of_shifts_samples_without_aer(tmp_path):
    job = job_of(tmp_path, "exact", 'gradient = "parameter-shift"')
    metrics = run_job(job, tmp_path / "run", progress=False).metrics()
    assert metrics["training"]["shots"] == 50
    assert metrics["training"]["executions"] > 0
    assert "shots" not in metrics["test"]["exact"]


@pytest.mark.parametrize(
    ("where", "shots", "gradient", "sampled"),
    [
        ("exact", None, None, False),
        ("noisy:fake_fez", None, "autograd", False),
        ("noisy:fake_fez", None, "spsa", True),
        ("exact", 100, None, True),
        ("aer", None, None, True),
    ],
)
def test_where_shots_are_drawn(where, shots, gradient, sampled):
    assert is_sampled(where, shots, gradient) is sampled


def test_a_snapshot_that_there_is_not_is_told_before_training(tmp_path):
    with pytest.raises(DeviceError, match="no snapshot 'fake_manilla'"):
        check_snapshots(job_of(tmp_path, "noisy:fake_manilla"))


def test_a_word_that_is_none_names_them_all(tmp_path):
    with pytest.raises(JobFileError, match="'noisy:fake_<device>'"):
        job_of(tmp_path, "noisy:aer")


def test_fractional_gates_are_not_left_out_in_silence(tmp_path):
    job = job_of(tmp_path, "fake_fez", "fractional = true")
    with pytest.raises(DeviceError, match="noisy:fake_manila has no fractional gates"):
        check_snapshots(job)
