"""The table of six networks on sets of MedMNIST: npz files made here, in MedMNIST's own layout."""

import json

import numpy as np
import pytest
import torch

from benchmarks.medmnist_table import NETWORKS, PUBLISHED, job_of, main, table, takes
from qiskit_hqnn import data
from qiskit_hqnn.training import build_model, load_splits


def write_set(root, name, classes, channels, each=6):
    generator = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 4 * each), ("val", each), ("test", each)):
        shape = (count * classes, 28, 28) + ((3,) if channels == 3 else ())
        arrays[f"{part}_images"] = generator.integers(0, 255, shape).astype(np.uint8)
        arrays[f"{part}_labels"] = (np.arange(count * classes) % classes)[:, None].astype(np.uint8)
    np.savez(root / f"{name}.npz", **arrays)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("medmnist")
    write_set(folder, "breastmnist", 2, 1)
    write_set(folder, "bloodmnist", 8, 3)
    return folder


@pytest.mark.parametrize("name", ["breastmnist", "bloodmnist"])
@pytest.mark.parametrize("network", [network for network in NETWORKS if network != "reuploading"])
def test_every_network_takes_grey_and_coloured_sets(network, name, root):
    if not takes(network, name):
        pytest.skip("it has two classes")
    job = job_of(network, name, 0)
    splits = load_splits(job, root)
    classes = 2 if name == "breastmnist" else 8
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (
        24 * classes,
        6 * classes,
        6 * classes,
    )
    model = build_model(job.single(0, None), splits).eval()
    with torch.no_grad():
        outputs = model(data.as_float(splits.test.images[:2]))
    assert outputs.shape == (2, classes)


def test_re_uploading_sees_the_features_of_an_autoencoder():
    assert job_of("reuploading", "bloodmnist", 0).data.reduce == "autoencoder"


def test_what_is_there_is_run_once_and_what_is_not_is_said(root, tmp_path, capsys):
    words = [
        "run",
        "--data-root",
        str(root),
        "--folder",
        str(tmp_path),
        "--networks",
        "hqnn-quanv",
        "textbook",
    ]
    words += ["--sets", "breastmnist", "octmnist", "--seeds", "1", "--epochs", "1"]
    main(words)
    said = capsys.readouterr().out
    assert "breastmnist: textbook, seed 0" in said
    assert "octmnist.npz or" in said
    main(words)
    assert "breastmnist" not in capsys.readouterr().out
    page = tmp_path / "page.md"
    main(["write", "--folder", str(tmp_path), "--page", str(page)])
    runs = json.loads(page.with_suffix(".json").read_text())["runs"]
    accuracy = {run["network"]: run["accuracy"] for run in runs}
    assert set(accuracy) == {"hqnn-quanv", "textbook"}
    lines = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in page.read_text().splitlines()}
    column = 1 + list(PUBLISHED).index("breastmnist")
    assert lines["hqnn-quanv"][column] == f"{100 * accuracy['hqnn-quanv']:.2f} % (1)"
    assert lines["hqnn-quanv"][1] == lines["vqc-head"][column] == "not run"
    assert lines["textbook"][1] == "two classes only"
    assert lines["ResNet-18, published"][column] == "86.3 %"


def test_without_files_the_table_is_visibly_empty(tmp_path):
    main(["write", "--folder", str(tmp_path), "--page", str(tmp_path / "page.md")])
    assert "**Nothing has been run yet:**" in (tmp_path / "page.md").read_text()
    # Six networks on seven sets, without the textbook's network on five of them.
    assert table([]).count("not run") == 6 * 7 - 5
