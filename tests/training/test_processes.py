"""Training in several processes: the losses of one, one run folder, and what happens when one of them dies."""

import contextlib
import csv
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from qiskit_hqnn.cli.app import main
from qiskit_hqnn.errors import HQNNError, JobFileError, ProcessError
from qiskit_hqnn.training import RunFolder, read_job, run_job
from tests.forked import run_forked

_DATA = """
[data]
name = "digits"
classes = [0, 1, 2]
train_samples = {images}
test_samples = 9
validation = 13
image_size = 4
[train]
batch_size = 8
epochs = 3
optimizer = "sgd"
learning_rate = 0.1
"""
_NORMALISED = """
[model]
name = "hybrid"
ansatz = "hqnn-parallel"
options = {{ num_qubits = 2, depth = 1 }}
copies = 2
{data}class_weights = [1.0, 2.0, 4.0]
momentum = 0.9
"""
"""Linear, batch norm, circuits, linear: 24 images, the last batch of three."""
_PLAIN = """
[model]
name = "hybrid"
ansatz = "hqnn-parallel"
options = {{ num_qubits = 2, depth = 1 }}
scaling = "tanh"
{data}"""
"""Without batch norm the last batch of one image is trained on: one process has nothing of it."""


def _job(folder: Path, name: str, *settings: str):
    text = {"normalised": _NORMALISED, "plain": _PLAIN}[name]
    path = folder / f"{name}.toml"
    path.write_text(text.format(data=_DATA.format(images=40 if name == "normalised" else 46)))
    return read_job(path, settings)


def _commands(*commands):
    for words in commands:
        sys.argv = ["hqnn", *words]
        with contextlib.suppress(SystemExit):
            main()


def _dying(folder):
    """A training whose second process dies in its second epoch."""
    from lightning.pytorch.callbacks import Callback  # most of the tests' processes need none

    class Dies(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if trainer.current_epoch == 1 and trainer.global_rank == 1:
                os._exit(9)

    job = _job(folder, "normalised", "train.devices=2")
    try:
        run_job(job, folder / "killed", callbacks=[Dies()])
    except ProcessError as error:
        print(error)


def _pair(work, *given, folder: Path):
    """Two processes as torchrun or a user starts them; what each has printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def one(rank):
        own = folder / f"process-{rank}"
        own.mkdir(parents=True)
        known = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": "0", "LOCAL_RANK": str(rank)}
        run_forked(work, *given, folder=own, environment={**os.environ, **known})
        return (own / "printed").read_text()

    with ThreadPoolExecutor(2) as both:
        return list(both.map(one, range(2)))


def _rows(run: Path):
    with (run / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _assert_same(one: Path, other: Path):
    left, right = _rows(one), _rows(other)
    assert len(left) == len(right) == 3
    for row, same in zip(left, right, strict=True):
        for name in row.keys() - {"seconds"}:
            assert same[name] == pytest.approx(row[name], abs=1e-5), name
    weights = load_file(other / "model.safetensors")
    for name, tensor in load_file(one / "model.safetensors").items():
        assert torch.allclose(tensor, weights[name], atol=1e-5), name


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Both networks in one process, and by two."""
    folder = tmp_path_factory.mktemp("processes")
    for name in ("normalised", "plain"):
        run_job(_job(folder, name), folder / f"{name}-one")
    (folder / "study.toml").write_text(
        (folder / "plain.toml").read_text().replace("[model]", "seeds = [0, 1]\n[model]", 1)
    )
    one = ["run", str(folder / "normalised.toml"), "--out", str(folder / "two"), "--devices", "2"]
    several = ["run", str(folder / "study.toml"), "--out", str(folder / "study"), "--devices", "2"]
    return folder, _pair(_commands, one, several, folder=folder)


def test_two_processes_have_the_losses_and_weights_of_one_over_uneven_batches(trained):
    folder, _ = trained
    _assert_same(folder / "normalised-one", folder / "two")
    _assert_same(folder / "plain-one", folder / "study" / "seed-0")


def test_the_first_process_alone_writes_and_reports(trained):
    folder, (first, second) = trained
    assert first.count("epoch 3/3") == 3
    assert second == ""
    run, one = RunFolder(folder / "two"), RunFolder(folder / "normalised-one")
    assert run.metrics()["training"]["processes"] == 2
    assert run.read_metrics().test["exact"].confusion == one.read_metrics().test["exact"].confusion


def test_a_study_has_all_runs_in_the_same_processes(trained):
    assert (trained[0] / "study" / "report.html").exists()
    assert (trained[0] / "study" / "seed-1" / "report.html").exists()


def test_a_killed_process_is_a_sentence_and_the_run_resumes_in_any_number_of_processes(trained, tmp_path):
    said, _ = _pair(_dying, tmp_path, folder=tmp_path)
    assert "One of the 2 processes of this training has ended early" in said
    assert len(_rows(tmp_path / "killed")) == 1
    run_job(_job(tmp_path, "normalised"), tmp_path / "killed", resume=True)
    _assert_same(trained[0] / "normalised-one", tmp_path / "killed")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["train.devices=0"], "train.devices is 0: must be at least 1"),
        (["train.devices=9"], "train.batch_size is 8, but a batch is divided among 9 processes"),
        (["train.devices=2", "where=aer"], "takes one process"),
        (["train.devices=2", 'gradient="spsa"'], "takes one process"),
        (["train.batch_size=4096", "train.devices=4096"], "but this machine has"),
        (["train.nodes=2"], "does not know the other machines: start it with torchrun or srun"),
        (["train.devices=2", "train.device=mps"], "torch finds no such device here"),
    ],
)
def test_processes_that_cannot_be_are_a_sentence(tmp_path, settings, words):
    with pytest.raises(HQNNError, match=words):
        run_job(_job(tmp_path, "plain", *settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("settings", [[], ["train.devices=2", "train.nodes=2"]])
def test_torchrun_with_another_number_of_processes_is_a_sentence(tmp_path, settings, monkeypatch):
    for name, value in {
        "TORCHELASTIC_RUN_ID": "x",
        "WORLD_SIZE": "2",
        "RANK": "1",
        "LOCAL_RANK": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(JobFileError, match="torchrun has started 2 processes"):
        run_job(_job(tmp_path, "plain", *settings), tmp_path / "run")
