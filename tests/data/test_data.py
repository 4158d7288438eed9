"""Data sets: splits that share nothing, classes and counts as asked, one sentence where data is missing."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.io import write_jpeg

from qiskit_hqnn import data
from qiskit_hqnn.errors import MissingDataError

SHARED = Path(__file__).parents[3] / "shared" / "data"


def as_rows(images):
    return {bytes(image.numpy().tobytes()) for image in images.images}


def test_digits_need_nothing_and_split_without_overlap():
    splits = data.load("digits", validation=0.1, seed=3)
    assert splits.image_shape == (1, 8, 8)
    assert splits.num_classes == 10
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 1797
    assert len(splits.test) == 359
    parts = [as_rows(part) for part in (splits.train, splits.validation, splits.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_the_test_set_does_not_move_with_the_seed():
    one, other = (data.load("digits", seed=seed) for seed in (1, 2))
    assert torch.equal(one.test.images, other.test.images)
    assert not torch.equal(one.validation.images, other.validation.images)
    again = data.load("digits", seed=1)
    assert torch.equal(one.train.images, again.train.images)


def test_splits_are_stratified():
    splits = data.load("digits", validation=0.2)
    shares = [part.labels.bincount() / len(part) for part in (splits.train, splits.validation, splits.test)]
    assert all((share - shares[0]).abs().max() < 0.01 for share in shares)


def test_classes_are_renumbered_in_the_order_given():
    splits = data.load("digits", classes=[7, 3], train_samples=50, test_samples=20, validation=10)
    assert splits.class_names == ("7", "3")
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (40, 10, 20)
    assert set(splits.train.labels.tolist()) == {0, 1}


def test_first_and_balanced_take_the_first_of_each_class():
    splits = data.load(
        "digits", classes=[0, 1], train_samples=40, test_samples=20, first=True, balanced=True, validation=0
    )
    assert splits.train.labels.bincount().tolist() == [20, 20]
    everything = data.load("digits", classes=[0, 1], validation=0)
    zeros = everything.train.images[everything.train.labels == 0][:20]
    assert torch.equal(splits.train.images[splits.train.labels == 0], zeros)


def test_resizing_is_bilinear_and_pixels_stay_in_the_unit_interval():
    splits = data.load("digits", image_size=4)
    assert splits.image_shape == (1, 4, 4)
    whole = data.load("digits").train.images.float() / 255
    expected = whole.reshape(-1, 1, 4, 2, 4, 2).mean(dim=(3, 5))
    torch.testing.assert_close(splits.train.images, expected)


def test_a_loader_reads_whole_batches_the_same_as_single_images():
    images = data.load("digits").train
    batch, labels = next(iter(DataLoader(images, batch_size=5, collate_fn=data.as_it_is)))
    assert batch.shape == (5, 1, 8, 8)
    for index in range(5):
        assert torch.equal(batch[index], images[index][0])
        assert labels[index] == images[index][1]


def test_augmentation_is_applied_to_each_image():
    images = data.load("digits").train.with_augmentation(lambda image: image.flip(-1))
    batch, _ = images.__getitems__([0, 1])
    assert torch.equal(batch[1], images.images[1].float().flip(-1) / 255)


def write_idx(path, array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    with gzip.open(path, "wb") as file:
        file.write(header + array.astype(np.uint8).tobytes())


def test_files_of_torchvision_are_found_where_they_lie(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train", 20), ("t10k", 10)):
        for kind, array in (
            ("images-idx3", rng.integers(0, 255, (count, 28, 28))),
            ("labels-idx1", np.arange(count) % 10),
        ):
            path = raw / f"{name}-{kind}-ubyte"
            write_idx(path.with_suffix(".gz"), array)
            path.write_bytes(gzip.decompress(path.with_suffix(".gz").read_bytes()))
    splits = data.load("mnist", tmp_path, validation=0)
    assert (len(splits.train), len(splits.test)) == (20, 10)


def test_trees_of_folders_are_read(tmp_path):
    for part, count in (("train", 4), ("test", 2)):
        for label in ("Hand", "HeadCT"):
            folder = tmp_path / "medical-mnist" / part / label
            folder.mkdir(parents=True)
            for index in range(count):
                write_jpeg(
                    torch.full((1, 64, 64), 40 * index, dtype=torch.uint8), str(folder / f"{index}.jpeg")
                )
    splits = data.load("medical-mnist", tmp_path, validation=0.25)
    assert splits.class_names == ("Hand", "HeadCT")
    assert splits.image_shape == (3, 64, 64)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (6, 2, 4)


def test_the_real_mnist_has_the_published_sizes():
    if not (SHARED / "MNIST" / "raw").is_dir():
        pytest.skip("MNIST is not at hand in ../shared/data")
    assert len(list((SHARED / "MNIST" / "raw").glob("*.gz"))) == 4


def test_missing_data_is_one_sentence(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(MissingDataError, match="'mnist' is not in .* could not be downloaded"):
        data.load("mnist", tmp_path)
    with pytest.raises(MissingDataError, match="medical-mnist/train/CLASS"):
        data.load("medical-mnist", tmp_path)


def test_bad_choices_are_one_sentence():
    with pytest.raises(
        MissingDataError, match="must be one of 'digits', .* but is 'mnits'; did you mean 'mnist'"
    ):
        data.load("mnits")
    with pytest.raises(MissingDataError, match=r"labels from 0 to 9, but is \[3, 11\]"):
        data.load("digits", classes=[3, 11])
    with pytest.raises(MissingDataError, match="`train_samples` must be from 1 to 1438, but is 5000"):
        data.load("digits", train_samples=5000)
    with pytest.raises(MissingDataError, match="takes 1438 of 1438 images"):
        data.load("digits", validation=1438)
