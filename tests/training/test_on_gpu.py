"""Trainings on a CUDA device, and their run folders read elsewhere. Skipped where there is no such device."""

import pytest
import torch

from qiskit_hqnn.training import find_job, load_run, read_job, run_job

if not torch.cuda.is_available():
    pytest.skip("there is no CUDA device here", allow_module_level=True)

TINY = [
    "train.epochs=3",
    "data.train_samples=300",
    "data.test_samples=100",
    "test=['exact']",
    "train.threads=1",
]


def job_of(*more):
    return read_job(find_job("quickstart"), [*TINY, *more])


def curve(run):
    return [(row["train_loss"], row["validation_loss"]) for row in run.history()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on the device that "auto" finds."""
    return run_job(job_of(), tmp_path_factory.mktemp("on-gpu") / "run", progress=False)


def test_auto_takes_the_device_and_its_curve_is_the_cpus(trained, tmp_path):
    assert torch.cuda.max_memory_allocated() > 0
    assert trained.environment()["device"] == torch.cuda.get_device_name()
    on_cpu = run_job(job_of("train.device=cpu"), tmp_path / "cpu", progress=False)
    assert on_cpu.environment()["device"] == "cpu"
    for found, expected in zip(curve(trained), curve(on_cpu), strict=True):
        assert found == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("augment", [[], ["rotation", "flip", "crop"]], ids=["plain", "augmented"])
@pytest.mark.parametrize("control", [None, "twin", "frozen"])
def test_it_trains_with_what_a_job_can_ask_for(control, augment, tmp_path):
    more = [f"data.augment={augment!r}"] if augment else []
    run = run_job(job_of(*more).single(0, control), tmp_path / "run", progress=False)
    losses = [row["train_loss"] for row in run.history()]
    assert losses[-1] < losses[0]


def test_a_longer_training_resumes_there(tmp_path):
    straight = run_job(job_of("train.schedule=", "train.epochs=5"), tmp_path / "straight", progress=False)
    run_job(job_of("train.schedule="), tmp_path / "run", progress=False)
    longer = run_job(
        job_of("train.schedule=", "train.epochs=5"), tmp_path / "run", resume=True, progress=False
    )
    assert curve(longer) == curve(straight)


def test_a_run_is_repeatable(trained, tmp_path):
    again = run_job(job_of(), tmp_path / "again", progress=False)
    assert curve(again) == curve(trained)


@pytest.mark.parametrize("place", ["noisy:fake_manila", "exact"])
def test_it_trains_under_noise_and_with_shots(place, tmp_path):
    shots = [] if place.startswith("noisy") else ["train.shots=100", "gradient=parameter-shift"]
    job = job_of(f"where={place}", *shots, "data.train_samples=64", "train.epochs=2", "model.num_qubits=2")
    run = run_job(job, tmp_path / "run", progress=False)
    assert len(run.history()) == 2


def test_its_run_is_loaded_and_answers_on_the_cpu(trained, tmp_path):
    run = load_run(trained.path)
    assert all(tensor.device.type == "cpu" for tensor in run.model.state_dict().values())
    images = torch.rand(5, 1, 8, 8)
    with torch.no_grad():
        expected = run.model.eval()(images)
        there = run.model.cuda()(images.cuda()).cpu()
    # Convolutions there have TF32's ten bits, as torch has it by default.
    torch.testing.assert_close(there, expected, atol=5e-3, rtol=0)


def test_its_checkpoints_are_read_on_the_cpu(trained):
    for path in (trained.path / "checkpoints").glob("*.ckpt"):
        torch.load(path, map_location="cpu", weights_only=True)
