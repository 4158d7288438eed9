"""A look at a data set: counts, oddities, and pictures that stand on both sides of the split."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from qiskit_hqnn import data
from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import MissingDataError
from tests.data.test_own_data import arrays, write_pictures


@pytest.fixture
def pics(tmp_path):
    """Pictures that are all different."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pics" / name).mkdir(parents=True)
        for number in range(20):
            noise = rng.integers(0, 255, (12, 12), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "pics" / name / f"{number:02}.png")
    return tmp_path / "pics"


def test_the_split_is_the_one_that_is_loaded(pics):
    for seed in (0, 3):
        seen = data.survey("folder", path=pics, seed=seed)
        splits = data.load("folder", path=pics, seed=seed)
        assert seen.notes == splits.notes
        for part, images in splits.parts.items():
            assert [seen.items[index].label for index in seen.parts[part]] == images.labels.tolist()
            digests = [seen.items[index].name for index in seen.parts[part]]
            pixels = [np.asarray(Image.open(pics / name)) for name in digests]
            assert np.array_equal(np.stack(pixels), images.images[:, 0].numpy())
    assert {name: sum(counts.values()) for name, counts in seen.counts().items()} == {"cat": 20, "dog": 20}
    assert [len(members) for members in seen.parts.values()] == [29, 3, 8]
    assert seen.oddities() == []


def test_pictures_on_both_sides_of_the_split_are_counted(pics):
    first = data.survey("folder", path=pics)
    tested = [first.items[index].name for index in first.parts["test"]]
    trained = [first.items[index].name for index in first.parts["train"]]
    # The same pixels under another name, in another format.
    for leaked, copy in zip(tested[:2], trained[:2], strict=True):
        Image.open(pics / leaked).save(pics / copy)
    seen = data.survey("folder", path=pics)
    assert seen.leaked("test") == 2
    assert sorted(map(sorted, seen.duplicates()["across"])) == sorted(
        sorted(pair) for pair in zip(tested[:2], trained[:2], strict=True)
    )
    assert any("2 test pictures (25.0%) are also training pictures" in text for text in seen.oddities())
    shutil.copy(pics / "cat" / "05.png", pics / "dog" / "05.png")
    again = data.survey("folder", path=pics)
    assert any({"cat/05.png", "dog/05.png"} <= set(group) for group in again.duplicates()["classes"])
    assert any("1 picture stands in several classes" in text for text in again.oddities())


def test_what_is_odd_is_said(pics):
    (pics / "cat" / "torn.png").write_bytes((pics / "cat" / "01.png").read_bytes()[:60])
    (pics / "cat" / "notes.txt").write_text("by hand")
    Image.fromarray(np.full((9, 12), 7, np.uint8)).convert("RGB").save(pics / "cat" / "wide.png")
    frames = [Image.fromarray(np.full((12, 12), level, np.uint8)) for level in (9, 99)]
    frames[0].save(pics / "dog" / "moving.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(np.random.default_rng(1).random((12, 12)).astype(np.float32)).save(
        pics / "dog" / "float.tiff"
    )
    write_pictures(pics, each=1, side=12, classes={"eel": 50})
    words = data.survey("folder", path=pics).oddities()
    for sentence in (
        "torn.png cannot be read as an image",
        "The pictures have 2 sizes, such as 12×12",
        "Not all pictures are square",
        "pictures are grey and 1 in colour",
        "1 files have 32-bit numbers up to 0.99",
        "1 files contain several pictures, of which the first is read",
        "pictures have the same brightness everywhere",
        "1 files are not pictures and are skipped, such as 'notes.txt'",
        "training pictures, and class 'eel' only 1",
    ):
        assert any(sentence in text for text in words), (sentence, words)


def test_archives_and_published_sets_are_looked_at_too(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays())
    seen = data.survey("npz", path=tmp_path / "own.npz")
    assert seen.counts()["0"] == {"train": 8, "validation": 8, "test": 8}
    assert seen.leaked("test") == 24  # the arrays are the same in every part
    digits = data.survey("digits")
    assert sum(map(len, digits.parts.values())) == 1797
    assert digits.sizes() == {(8, 8): 1797}
    with pytest.raises(MissingDataError, match="There is no folder"):
        data.survey("folder", path=tmp_path / "gone")


def test_the_command_prints_tables_and_writes_a_sheet(pics, monkeypatch):
    monkeypatch.chdir(pics.parent)
    monkeypatch.setenv("COLUMNS", "120")
    answer = CliRunner().invoke(app, ["data", "pics"])
    assert answer.exit_code == 0, answer.output
    for words in (
        "all        29            3      8    40",
        "by seed 0",
        "12×12 (40)",
        "oddities none",
        "pics-sheet.png",
    ):
        assert words in answer.output, answer.output
    sheet = Image.open(pics.parent / "pics-sheet.png")
    assert sheet.size[0] > 8 * 64
    assert np.asarray(sheet).std() > 30
    (pics / "cat" / "01.png").write_bytes(b"torn")
    machine = CliRunner().invoke(app, ["data", "pics", "--json", "--seed", "3"])
    assert machine.exit_code == 1
    content = json.loads(machine.output)
    assert list(content["damaged"]) == ["cat/01.png"]
    assert content["classes"]["cat"]["test"] == 4
    assert sorted(path.name for path in pics.parent.iterdir()) == ["pics", "pics-sheet.png"]


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("nowhere", "There is no folder nowhere, and no data set of that name"),
        ("digit", "did you mean 'digits'"),
        ("file.bin", "is a different kind of file"),
        ("gone.npz", "There is no file gone.npz"),
    ],
)
def test_what_is_no_data_set_is_one_sentence(tmp_path, monkeypatch, place, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.bin").write_bytes(b"x")
    answer = CliRunner().invoke(app, ["data", place])
    assert isinstance(answer.exception, MissingDataError)
    assert sentence in str(answer.exception)
