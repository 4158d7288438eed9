"""`hqnn inspect RUN --where noisy:fake_<device>`: the device's circuits, and the answers under its noise, exactly."""

import pytest
import torch
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.data import as_float
from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.inspection import inspect
from qiskit_hqnn.training import find_job, load_run, read_job, run_job

WORD = "noisy:fake_manila"
FEW = {"seeds": 1, "levels": (2,), "samples": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("inspected")
    sizes = ["model.num_qubits=2", "model.depth=1", "model.copies=1", "data.train_samples=40"]
    settings = [*sizes, "data.test_samples=6", "train.epochs=1", "seeds=[0]", 'test=["exact"]']
    run_job(read_job(find_job("quickstart"), settings), root / "run", root, progress=False)
    return load_run(root / "run", root)


def test_the_answers_are_those_of_the_layer_at_that_word(run):
    found = inspect(run.folder.path, WORD, data_root=run.data_root, images=3, **FEW)
    (prediction,) = found.predictions
    assert prediction.device == WORD
    assert "without shots" in prediction.summary
    with run.model.quantum.running_on(WORD), torch.no_grad():
        expected = run.model.quantum(run.model.encode(as_float(run.splits.test.images[:3])))
    found_values = prediction.outputs["on device"].to_numpy()
    assert found_values == pytest.approx(expected.flatten().numpy(), abs=1e-6)
    assert (prediction.outputs["on device"] - prediction.outputs["exact"]).abs().max() > 1e-4
    assert {part.device.name for part in found.devices} == {"fake_manila"}


def test_the_command_takes_the_word(run, tmp_path):
    given = [
        "inspect",
        str(run.folder.path),
        "--where",
        WORD,
        "--seeds",
        "1",
        "--levels",
        "2",
        "--images",
        "2",
    ]
    done = CliRunner().invoke(
        app, [*given, "--data-root", str(run.data_root), "--html", str(tmp_path / "page.html")]
    )
    assert done.exit_code == 0, done.output
    assert "without shots" in " ".join(done.output.split())


def test_a_snapshot_that_there_is_not_is_one_sentence(run):
    with pytest.raises(DeviceError, match="no snapshot 'fake_manilla'; the nearest are fake_manila"):
        inspect(run.folder.path, "noisy:fake_manilla", data_root=run.data_root, **FEW)
