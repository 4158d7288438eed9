"""Test images that are trained on, too, and the accuracy without them."""

import numpy as np
import pytest
import torch

from qiskit_hqnn.data import ImageSet
from qiskit_hqnn.data.twins import find_twins
from qiskit_hqnn.reproduction.apart import without_twins
from qiskit_hqnn.reproduction.outcomes import Outcome
from qiskit_hqnn.reproduction.records import Record, Records
from qiskit_hqnn.reproduction.reproducing import Options, job_of
from qiskit_hqnn.reproduction.rows import published_rows
from qiskit_hqnn.training import read_job, run_job, settings_of


def images_of(generator, count, side=20, channels=3):
    return torch.randint(0, 255, (count, channels, side, side), generator=generator, dtype=torch.uint8)


def test_equal_and_nearly_equal_images_are_found():
    generator = torch.Generator().manual_seed(1)
    train, validation, test = (
        ImageSet(images_of(generator, n), torch.zeros(n, dtype=torch.long)) for n in (40, 9, 6)
    )
    test.images[1] = train.images[7]
    test.images[3] = validation.images[2]
    test.images[4] = train.images[11]
    test.images[4, :, 5, 5] += 1  # one pixel by one level
    test.images[5] = train.images[12].flip(-1)
    twins = find_twins(test, (train, validation))
    assert twins.exact.tolist() == [False, True, False, True, False, False]
    assert twins.near.tolist() == [False, True, False, True, True, False]
    assert twins.counts() == {"exact": 2, "near": 3}


def test_near_is_what_all_distances_say():
    generator = torch.Generator().manual_seed(2)
    base = images_of(generator, 300, side=16, channels=1).float()
    steps = torch.randn(300, 1, 16, 16, generator=generator)
    sizes = torch.linspace(0.5, 1.5, 300)[:, None, None, None]
    near = base + sizes * steps
    zeros = torch.zeros(300, dtype=torch.long)
    twins = find_twins(ImageSet(near / 255, zeros), (ImageSet(base / 255, zeros),))
    distances = (near[:, None] - base[None]).square().mean((2, 3, 4)).sqrt().min(1).values
    clear = (distances - 1).abs() > 1e-3
    assert torch.equal(twins.near[clear], (distances < 1)[clear])
    assert 50 < int(twins.near.sum()) < 250


def test_features_and_empty_sets_have_exact_twins_only():
    features = torch.rand(5, 4)
    labels = torch.zeros(5, dtype=torch.long)
    twins = find_twins(ImageSet(features, labels), (ImageSet(features[:2], labels[:2]),))
    assert twins.near.tolist() == twins.exact.tolist() == [True, True, False, False, False]
    empty = ImageSet(torch.empty(0, 1, 4, 4), labels[:0])
    assert find_twins(ImageSet(torch.rand(2, 1, 4, 4), labels[:2]), (empty,)).counts() == {
        "exact": 0,
        "near": 0,
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = (generator.random((40, 8, 8)) * 100 + 100 * labels[:, None, None]).astype(np.uint8)
    test = images[:12].copy()
    test[6:] = generator.integers(0, 255, (6, 8, 8))
    path = folder / "own.npz"
    np.savez(path, train_images=images, train_labels=labels, test_images=test, test_labels=labels[:12])
    (folder / "job.toml").write_text(
        '[model]\nname = "hqnn-quanv"\n[data]\nname = "npz"\npath = "own.npz"\n[train]\nepochs = 1\nbatch_size = 8\n'
    )
    job = read_job(folder / "job.toml")
    return run_job(job, folder / "run", progress=False)


def test_a_run_says_how_good_it_is_without_them(run):
    folder = run
    metrics = folder.read_metrics()
    assert metrics.data["twins"] == {"exact": 6, "near": 6}
    result = metrics.test["exact"]
    assert result.without_twins.images == 6
    right = round(result.accuracy * 12)
    low, high = result.without_twins.accuracy_interval
    assert max(0, right - 6) <= 6 * result.without_twins.accuracy <= right
    assert low <= result.without_twins.accuracy <= high
    assert "6 of the test images are among those trained or chosen on, pixel by pixel, 6 nearly" in (
        folder.report.read_text()
    )


def test_the_page_gives_the_accuracy_without_them(run):
    (row,) = [row for row in published_rows() if row.job == "hqnn-parallel-medical-mnist"]
    job = job_of(row, Options())
    metrics = run.metrics()
    words = [
        without_twins(
            Outcome(
                row,
                row.job,
                job,
                "",
                Records([Record(0, None, settings_of(job.single(0, None)), content, {})]),
            )
        )
        for content in (
            metrics,
            {**metrics, "data": {"twins": {"exact": 0, "near": 0}}},
            {**metrics, "data": {}},
        )
    ]
    accuracy = 100 * metrics["test"]["exact"]["without_twins"]["accuracy"]
    assert words[0].startswith(
        "6 of the 12 test images are equal, pixel by pixel, to one trained or chosen on, 6 nearly"
    )
    assert f"accuracy is {accuracy:.2f} % on those without an equal one and {accuracy:.2f} %" in words[0]
    assert words[1].startswith("No test image is equal")
    assert words[2] == ""
