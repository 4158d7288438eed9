"""A run folder loads and predicts without its data set; what is damaged or gone is one sentence with its path."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from qiskit_hqnn.errors import FileError, JobFileError, MissingDataError, RunFolderError, ShapeError
from qiskit_hqnn.training import RunFolder, find_job, load_run, read_job, run_job
from tests.data.test_own_data import write_pictures
from tests.training.tiny_data import write_all

FIXTURE = Path(__file__).parents[1] / "fixtures" / "v0_1" / "runs" / "quickstart"
TINY = [
    "model.num_qubits=2", "model.depth=1", "model.copies=1", "train.epochs=1", "train.batch_size=8", "shots=50",
    "test=['exact']",
]  # fmt: skip


def own_job(path, *more):
    return read_job(find_job("quickstart"), [*TINY, "data={name='folder', path='%s'}" % path, *more])  # noqa: UP031


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on own pictures, whose data set is gone."""
    place = tmp_path_factory.mktemp("own")
    write_pictures(place / "pics", each=12, mode="RGB")
    run = run_job(
        own_job(place / "pics", "data.image_size=8", "data.channels=1"), place / "run", progress=False
    )
    images, labels = load_run(run.path).splits.test.__getitems__(range(5))
    shutil.move(place / "pics", place / "elsewhere")
    return run, images, labels


def test_a_run_loads_and_predicts_without_its_data_set(trained):
    folder, images, _ = trained
    run = load_run(folder.path)
    assert run.class_names == ("cat", "dog", "eel")
    assert run.description.shape == (1, 8, 8)
    with torch.no_grad():
        expected = run.model(images).softmax(dim=1)
    torch.testing.assert_close(run.predict(images).probabilities, expected)
    files = sorted((folder.path.parent / "elsewhere").rglob("*.png"))[::6]
    prediction = run.predict(files)
    assert prediction.probabilities.shape == (len(files), 3)
    assert set(prediction.names) <= {"cat", "dog", "eel"}
    torch.testing.assert_close(prediction.probabilities.sum(dim=1), torch.ones(len(files)))
    with pytest.raises(MissingDataError, match="There is no folder .*pics"):
        _ = run.splits


def test_pictures_of_the_data_set_are_read_as_the_data_set_was(trained, tmp_path):
    folder, images, labels = trained
    run = load_run(folder.path)
    names = [run.class_names[label] for label in labels.tolist()]
    files = sorted((folder.path.parent / "elsewhere").rglob("*.png"))
    read = run.read(files)
    for image, name in zip(images, names, strict=True):
        same = [path.parent.name for path, one in zip(files, read, strict=True) if torch.equal(one, image)]
        assert same == [name]


def test_the_description_has_every_option(trained):
    folder, _, _ = trained
    content = json.loads(folder.description_file.read_text())
    assert content["options"] == {
        "num_qubits": 2, "depth": 1, "copies": 1, "classes": 3, "channels": 1, "image_size": 8, "convolutions": 2,
        "squash": None, "control": None, "filters": [16, 32, 64, 64], "kernel": 5,
    }  # fmt: skip
    assert content["preprocessing"] == {"channels": 1, "size": [8, 8], "white": None, "image_size": None}
    metrics = folder.metrics()["data"]
    assert (
        metrics["classes"]["test"] == {"cat": 2, "dog": 3, "eel": 2}
        or sum(metrics["classes"]["test"].values()) == 7
    )
    assert metrics["notes"] == ["The test set is 20% of the images, stratified by class, by seed 0."]


def test_samples_of_another_shape_are_one_sentence(trained):
    run = load_run(trained[0].path)
    with pytest.raises(ShapeError, match=r"must have shape \(N, 1, 8, 8\), but has \(2, 3, 8, 8\)"):
        run.predict(torch.rand(2, 3, 8, 8))
    with pytest.raises(MissingDataError, match="gone.png cannot be read"):
        run.predict(["gone.png"])


def test_a_run_on_reduced_images_keeps_its_encoder(tmp_path):
    write_all(tmp_path / "data")
    settings = [
        "data.train_samples=80",
        "data.test_samples=20",
        "data.validation=10",
        "train.epochs=1",
        "model.depth=1",
    ]
    run = run_job(
        read_job(find_job("reuploading-4"), settings).single(0, None), tmp_path / "run", tmp_path / "data"
    )
    features, _ = load_run(run.path, tmp_path / "data").splits.test.__getitems__(range(3))
    shutil.rmtree(tmp_path / "data")
    loaded = load_run(run.path, tmp_path / "data")
    assert loaded.predict(features).probabilities.shape == (3, 4)
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "black.png")
    assert loaded.read([tmp_path / "black.png"]).shape == (1, 64)
    assert set(load_file(run.encoder_file)) == {
        f"{layer}.{part}" for layer in (0, 2, 4) for part in ("weight", "bias")
    }


def test_a_run_folder_of_0_1_loads_with_its_data_set(tmp_path):
    folder = shutil.copytree(FIXTURE, tmp_path / "run")
    run = load_run(folder)
    assert run.class_names == tuple("0123456789")
    expected = run.folder.read_metrics().test["exact"]
    images, labels = run.splits.test.__getitems__(range(359))
    probabilities = run.predict(images).probabilities
    assert (probabilities.argmax(dim=1) == labels).double().mean().item() == expected.accuracy


def test_other_images_in_the_data_sets_place_are_noticed(tmp_path):
    write_pictures(tmp_path / "pics")
    run = run_job(own_job(tmp_path / "pics"), tmp_path / "run", progress=False)
    Image.fromarray(np.zeros((12, 12), np.uint8)).save(tmp_path / "pics" / "cat" / "003.png")
    with pytest.raises(RunFolderError, match="belongs to other data, as many images, but different ones"):
        _ = load_run(run.path).splits


def test_a_data_set_that_was_moved_is_the_same(tmp_path):
    write_pictures(tmp_path / "pics")
    run_job(own_job(tmp_path / "pics"), tmp_path / "run", progress=False)
    shutil.move(tmp_path / "pics", tmp_path / "there")
    again = run_job(own_job(tmp_path / "there"), tmp_path / "run", progress=False, resume=True)
    assert again.read_job().data.path == str(tmp_path / "there")
    assert len(load_run(again.path).splits.test) == 6


@pytest.mark.parametrize("name", ["model.safetensors", "network.json", "job.toml"])
def test_cut_files_are_one_sentence_with_their_path(trained, tmp_path, name):
    folder = shutil.copytree(trained[0].path, tmp_path / "run")
    content = (folder / name).read_bytes()
    # A job file that ends between two lines would still be one.
    kept = content.index(b'"folder"') + 3 if name == "job.toml" else len(content) // 2
    (folder / name).write_bytes(content[:kept])
    with pytest.raises((RunFolderError, JobFileError), match=str(folder / name)):
        load_run(folder)


def test_a_damaged_log_is_one_sentence(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,train_loss\n1,0.3\n2,x\n")
    with pytest.raises(RunFolderError, match="metrics.csv is not a table of numbers"):
        RunFolder(tmp_path).history()


def test_a_run_folder_that_vanishes_is_not_made_anew_by_half(tmp_path):
    run = RunFolder(tmp_path / "gone")
    for write in (lambda: run.write_history([{"epoch": 1}]), lambda: run.add_metrics(seconds={"train": 1.0})):
        with pytest.raises(
            RunFolderError, match=r"gone/metrics.\w+ cannot be written: the run folder .*gone does not exist"
        ):
            write()
    assert not run.path.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=r"Run folder .*file/run cannot be created: Not a directory"):
        RunFolder(tmp_path / "file" / "run").create()


def test_a_full_disk_is_one_sentence_with_the_path(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    run = RunFolder(tmp_path)
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(FileError, match=r"metrics.json cannot be written: No space left on device\."):
        run.add_metrics(seconds={"train": 1.0})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [str, Path])
def test_paths_may_be_text(trained, tmp_path, kind):
    file = shutil.copy(trained[0].job_file, tmp_path / "job.toml")
    assert read_job(kind(file)).data.name == "folder"
    assert load_run(kind(trained[0].path)).class_names == ("cat", "dog", "eel")
    job = read_job(find_job("quickstart"), [*TINY, "data.train_samples=60", "data.test_samples=20"])
    assert run_job(job, kind(tmp_path / "run"), kind(tmp_path), progress=False).report.exists()
