"""The user's own data: folders, archives, tables and data sets in Python, with classes by name and splits by seed."""

import csv
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets
from torchvision.transforms.v2 import functional as vision

from qiskit_hqnn import data
from qiskit_hqnn.errors import MissingDataError

CLASSES = {"cat": 40, "dog": 120, "eel": 200}


def write_pictures(folder, each=10, side=12, classes=CLASSES, mode="L", suffix=".png", start=0):
    """folder/CLASS/*, every picture of another brightness: that of its class and its number."""
    for name, level in classes.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(start, start + each):
            pixels = np.full((side, side), level + number, np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{number:03}{suffix}")
    return folder


def levels(images):
    return sorted((images.images.float().mean(dim=(1, 2, 3))).round().int().tolist())


def test_one_tree_is_split_by_seed_stratified_and_says_so(tmp_path):
    write_pictures(tmp_path, each=20)
    splits = data.load("folder", path=tmp_path, seed=3, validation=0.25)
    assert splits.class_names == ("cat", "dog", "eel")
    assert [part.labels.bincount().tolist() for part in splits.parts.values()] == [[12] * 3, [4] * 3, [4] * 3]
    assert splits.counts()["test"] == {"cat": 4, "dog": 4, "eel": 4}
    assert splits.notes == ("The test set is 20% of the images, stratified by class, by seed 3.",)
    everything = sorted(level for part in splits.parts.values() for level in levels(part))
    assert everything == sorted(level + number for level in CLASSES.values() for number in range(20))
    again, other = (data.load("folder", path=tmp_path, seed=seed, validation=0.25) for seed in (3, 4))
    assert torch.equal(splits.test.images, again.test.images)
    assert not torch.equal(splits.test.images, other.test.images)


@pytest.mark.parametrize(
    "names", [("train", "test"), ("Training", "Testing"), ("train", "val", "test"), ("train",)]
)
def test_a_trees_own_parts_are_kept(tmp_path, names):
    for index, name in enumerate(names):
        write_pictures(tmp_path / name, each=10, start=10 * index)
    splits = data.load("folder", path=tmp_path)
    if "val" in names:
        assert (len(splits.train), len(splits.validation), len(splits.test)) == (30, 30, 30)
        assert levels(splits.validation)[0] == 50
        with pytest.raises(
            MissingDataError, match="comes with 30 validation images, so `validation` must be left"
        ):
            data.load("folder", path=tmp_path, validation=0.2)
    elif len(names) == 1:
        assert (len(splits.train), len(splits.validation), len(splits.test)) == (22, 2, 6)
    else:
        assert (len(splits.train), len(splits.validation), len(splits.test)) == (27, 3, 30)
        assert levels(splits.test)[0] == 50


def test_classes_that_are_called_like_parts_are_classes(tmp_path):
    write_pictures(tmp_path, classes={"train": 10, "test": 90})
    assert data.load("folder", path=tmp_path).class_names == ("test", "train")


def test_channels_follow_the_files_unless_they_are_asked_for(tmp_path):
    write_pictures(tmp_path / "grey")
    write_pictures(tmp_path / "mixed", mode="L")
    write_pictures(tmp_path / "mixed", mode="RGB", start=10)
    assert data.load("folder", path=tmp_path / "grey").image_shape == (1, 12, 12)
    assert data.load("folder", path=tmp_path / "mixed").image_shape == (3, 12, 12)
    assert data.load("folder", path=tmp_path / "grey", channels=3).image_shape == (3, 12, 12)
    grey = data.load("folder", path=tmp_path / "mixed", channels=1)
    assert grey.image_shape == (1, 12, 12)
    assert levels(grey.test)[0] in range(40, 60)
    assert data.load("digits", channels=3).image_shape == (3, 8, 8)
    with pytest.raises(MissingDataError, match="`channels` must be 1 or 3, but is 2"):
        data.load("digits", channels=2)


def test_colours_become_grey_as_pillow_weighs_them(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (12, 12, 3), dtype=np.uint8)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(5):
            Image.fromarray(colours).save(tmp_path / name / f"{number}.png")
    grey = data.load("folder", path=tmp_path, channels=1).train.images[0, 0].int()
    expected = torch.from_numpy(np.asarray(Image.fromarray(colours).convert("L")).astype(np.int32))
    assert (grey - expected).abs().max() <= 1


def test_several_sizes_need_one_to_be_resized_to(tmp_path):
    write_pictures(tmp_path, side=12)
    write_pictures(tmp_path, side=20, start=10)
    with pytest.raises(
        MissingDataError, match=r"several sizes \(.*12×12 pixels, .*010.png has 20×20\): set image_size"
    ):
        data.load("folder", path=tmp_path)
    splits = data.load("folder", path=tmp_path, image_size=6)
    assert splits.image_shape == (1, 6, 6)
    assert splits.preprocessing.as_dict() == {
        "channels": 1,
        "size": (6, 6),
        "white": None,
        "image_size": None,
    }


def test_classes_by_name_in_the_order_given(tmp_path):
    write_pictures(tmp_path)
    splits = data.load("folder", path=tmp_path, classes=["eel", "cat"])
    assert splits.class_names == ("eel", "cat")
    assert levels(splits.train.subset((splits.train.labels == 0).nonzero().flatten()))[0] >= 200
    with pytest.raises(
        MissingDataError, match="must be one of 'cat', 'dog', 'eel', but is 'cot'; did you mean 'cat'"
    ):
        data.load("folder", path=tmp_path, classes=["cot", "dog"])
    assert data.load("digits", classes=["7", "3"]).class_names == ("7", "3")


def arrays(each=8, shape=(10, 10), kind=np.uint8, parts=("train", "val", "test"), column=True):
    """MedMNIST's arrays: images whose brightness is 50 · label, labels of shape (N, 1)."""
    found = {}
    for part in parts:
        labels = np.arange(3 * each) % 3
        images = (50 * labels).reshape(-1, *[1] * len(shape)) * np.ones(shape)
        scale = {"u1": 1, "u2": 257, "f4": 1 / 255}[np.dtype(kind).str[1:]]
        found[f"{part}_images"] = (images * scale).astype(kind)
        found[f"{part}_labels"] = labels[:, None] if column else labels
    return found


@pytest.mark.parametrize(
    ("shape", "channels"), [((10, 10), 1), ((10, 10, 1), 1), ((10, 10, 3), 3), ((10, 10, 4), 3)]
)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_archives_of_arrays_are_read_at_their_own_depth(tmp_path, shape, channels, kind):
    np.savez(tmp_path / "own.npz", **arrays(shape=shape, kind=kind))
    splits = data.load("npz", path=tmp_path / "own.npz")
    assert splits.image_shape == (channels, 10, 10)
    assert [len(part) for part in splits.parts.values()] == [24, 24, 24]
    assert splits.class_names == ("0", "1", "2")
    batch, labels = splits.train.__getitems__(range(24))
    torch.testing.assert_close(batch.mean(dim=(1, 2, 3)), 50 * labels / 255, atol=1e-5, rtol=0)


def test_an_archive_without_a_test_set_is_split(tmp_path):
    np.savez_compressed(tmp_path / "own.npz", **arrays(each=20, parts=("train",), column=False))
    splits = data.load("npz", path=tmp_path / "own.npz", image_size=5, classes=["2", "0"])
    assert [len(part) for part in splits.parts.values()] == [29, 3, 8]
    assert splits.image_shape == (1, 5, 5)


def test_sets_of_medmnist_have_their_names_and_validation_images(tmp_path):
    (tmp_path / "medmnist").mkdir()
    np.savez(tmp_path / "medmnist" / "octmnist.npz", **arrays(shape=(28, 28)))
    splits = data.load("medmnist:octmnist", tmp_path)
    assert splits.class_names == (
        "choroidal neovascularization",
        "diabetic macular edema",
        "drusen",
        "normal",
    )
    assert splits.notes == ("The validation images are the data set's own.",)
    with pytest.raises(
        MissingDataError, match=r"read from .*/bloodmnist.npz or .*/medmnist/bloodmnist.npz, which do"
    ):
        data.load("medmnist:bloodmnist", tmp_path)
    with pytest.raises(
        MissingDataError, match="but is 'medmnist:bloodnist'; did you mean 'medmnist:bloodmnist'"
    ):
        data.load("medmnist:bloodnist", tmp_path)
    with pytest.raises(MissingDataError, match="'medmnist:chestmnist' has several labels per image"):
        data.load("medmnist:chestmnist", tmp_path)


def write_table(path, rows, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_paths_and_labels_are_read(tmp_path, delimiter):
    write_pictures(tmp_path / "pictures")
    files = sorted((tmp_path / "pictures").rglob("*.png"))
    rows = [(path.relative_to(tmp_path), path.parent.name) for path in files]
    write_table(tmp_path / "labels.csv", [("path", "label"), *rows], delimiter)
    splits = data.load("csv", path=tmp_path / "labels.csv")
    assert splits.class_names == ("cat", "dog", "eel")
    assert [len(part) for part in splits.parts.values()] == [22, 2, 6]
    parts = ["train", "test", "val"]
    marked = [(*row, parts[index % 3]) for index, row in enumerate(rows)]
    write_table(tmp_path / "marked.csv", [("File", "Class", "Split"), *marked], delimiter)
    splits = data.load("csv", path=tmp_path / "marked.csv")
    assert [len(part) for part in splits.parts.values()] == [10, 10, 10]


def test_numbers_in_a_table_are_classes_by_their_value(tmp_path):
    write_pictures(tmp_path, classes={"9": 10, "10": 50, "2": 90}, each=5)
    rows = [(path.relative_to(tmp_path), path.parent.name) for path in sorted(tmp_path.rglob("*.png"))]
    write_table(tmp_path / "labels.csv", [("path", "label"), *rows])
    assert data.load("csv", path=tmp_path / "labels.csv").class_names == ("2", "9", "10")


class Pairs:
    """The least that a data set can be."""

    def __init__(self, items, classes=None):
        self.items = items
        if classes:
            self.classes = classes

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def test_a_data_set_of_torchvision_is_taken_as_it_is(tmp_path):
    write_pictures(tmp_path, mode="RGB")
    folder = datasets.ImageFolder(tmp_path)
    splits = data.from_dataset(folder, classes=["dog", "cat"])
    assert splits.class_names == ("dog", "cat")
    assert splits.image_shape == (3, 12, 12)
    assert splits.train.images.dtype == torch.uint8
    same = data.load("folder", path=tmp_path, classes=["dog", "cat"])
    assert torch.equal(splits.train.images, same.train.images)
    transformed = datasets.ImageFolder(tmp_path, transform=lambda image: vision.to_image(image).float() / 255)
    batch = data.from_dataset(transformed, channels=1, image_size=6).train.__getitems__([0, 1])[0]
    assert batch.shape == (2, 1, 6, 6)
    assert batch.max() <= 1


def test_vectors_of_features_are_a_data_set_too():
    vectors = Pairs([(torch.arange(4.0) + label, label) for label in (0, 1) * 20], classes=["low", "high"])
    splits = data.from_dataset(vectors, vectors, validation=0.1)
    assert (splits.image_shape, splits.class_names, splits.preprocessing) == ((4,), ("low", "high"), None)


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([], "has no items"),
        ([(torch.zeros(1, 3, 3), 0), (torch.zeros(1, 4, 4), 1)], "must have one shape and type"),
        ([(torch.zeros(1, 3, 3), "cat")], "Item 0 of the data set must be an image and its label"),
        ([torch.zeros(1, 3, 3)], "Item 0 of the data set must be an image and its label"),
        ([(torch.zeros(1, 3, 3), -1)], "Labels must count from 0, but one is -1"),
        ([(torch.zeros(1, 3, 3, dtype=torch.int64), 0)], "type torch.int64"),
    ],
)
def test_items_that_are_no_labelled_images_are_one_sentence(items, sentence):
    with pytest.raises(MissingDataError, match=sentence):
        data.from_dataset(Pairs(items))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "must have the columns path and label in its first line"),
        ("picture,kind\n", "but has picture, kind"),
        ("path,label\n", "lists no picture"),
        ("path,label\na.png,\n", "line 2: the column 'label' is empty"),
        (
            "path,label,split\na.png,x,tain\n",
            "line 2: the part must be train, validation or test, but is 'tain'",
        ),
        ("path,label,split\na.png,x,test\n", "has no training picture"),
        ("path,label\na.png,x\n", "a.png cannot be read: No such file"),
    ],
)
def test_bad_tables_are_one_sentence(tmp_path, content, sentence):
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(MissingDataError, match=sentence):
        data.load("csv", path=tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"train_images": None}, "must have arrays train_images and train_labels"),
        ({"train_labels": None}, "has train_images, but no train_labels"),
        ({"train_labels": np.zeros((24, 14), int)}, "sets with several labels per image are not supported"),
        ({"train_labels": np.zeros(5, int)}, "has 24 images, but 5 labels"),
        (
            {"test_labels": np.full(24, 7)},
            "must be from 0 to 2, as in its training images, but reach from 7 to 7",
        ),
        ({"train_images": np.zeros((24, 9, 9, 9), np.uint8)}, "have several shapes"),
        ({"train_images": np.full((24, 10, 10), -1.0)}, "have values from -1 to"),
        ({"train_images": np.full((24, 10, 10), "x")}, "must be numbers"),
    ],
)
def test_bad_archives_are_one_sentence(tmp_path, change, sentence):
    content = arrays() | change
    np.savez(tmp_path / "own.npz", **{name: array for name, array in content.items() if array is not None})
    with pytest.raises(MissingDataError, match=sentence):
        data.load("npz", path=tmp_path / "own.npz")


def test_an_archive_is_never_unpickled(tmp_path):
    np.savez(tmp_path / "own.npz", train_images=np.array([{}], object), train_labels=np.zeros(1, int))
    with pytest.raises(MissingDataError, match=r"is not an archive of NumPy arrays \(.npz\)"):
        data.load("npz", path=tmp_path / "own.npz")
    (tmp_path / "half.npz").write_bytes(b"PK\3\4 no archive")
    with pytest.raises(MissingDataError, match=r"half.npz is not an archive"):
        data.load("npz", path=tmp_path / "half.npz")


@pytest.mark.parametrize(
    ("name", "path", "sentence"),
    [
        ("folder", None, "Data set 'folder' needs a path"),
        (
            "digits",
            "pics",
            "A path is for the data sets 'folder', 'npz', 'csv', but the data set is 'digits'",
        ),
        ("folder", "gone", "There is no folder .*gone"),
        ("folder", "file", "must be a folder, but .*file is a file"),
        ("folder", "empty", "has no folders in it: each class must be a folder of pictures"),
        ("npz", "gone", "There is no file .*gone"),
        ("foldr", "pics", "but is 'foldr'; did you mean 'folder'"),
        ("python", None, "were passed by a program"),
    ],
)
def test_bad_places_are_one_sentence(tmp_path, name, path, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingDataError, match=sentence):
        data.load(name, tmp_path, path=path and tmp_path / path)


def test_a_data_root_that_does_not_exist_is_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(MissingDataError, match="could not be downloaded there, since no such folder exists"):
        data.load("mnist", "dta")
    with pytest.raises(MissingDataError, match="is not in data and could not be downloaded"):
        data.load("mnist")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_prepared_as_the_data_set_was(tmp_path):
    write_pictures(tmp_path / "pics", mode="RGB")
    splits = data.load("folder", path=tmp_path / "pics", image_size=6, channels=1)
    path = tmp_path / "pics" / "cat" / "003.png"
    image = splits.preprocessing.read(path)
    assert image.shape == splits.image_shape
    assert float(image.mean()) == pytest.approx(43 / 255, abs=1e-3)
    again = data.Preprocessing.from_dict(splits.preprocessing.as_dict())
    assert torch.equal(again.read(path), image)
    Image.fromarray(np.full((5, 5), 9, np.float32)).save(tmp_path / "open.tiff")
    with pytest.raises(MissingDataError, match="the data set does not define which of them is white"):
        splits.preprocessing.read(tmp_path / "open.tiff")


def test_what_a_data_set_is_can_be_read_in_one_line(tmp_path):
    write_pictures(tmp_path)
    assert re.fullmatch(
        r"Splits\(22 train, 2 validation, 6 test; 3 classes; 1×12×12\)",
        repr(data.load("folder", path=tmp_path)),
    )
