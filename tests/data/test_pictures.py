"""Pictures of every depth and kind are read at the brightness that their files hold; what is no data is left alone."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from qiskit_hqnn import data
from qiskit_hqnn.data.pictures import is_hidden, is_picture, open_white, read_picture
from qiskit_hqnn.errors import MissingDataError


def flat(level, side=8):
    """A grey picture of one brightness, as bytes."""
    return np.full((side, side), level, np.uint8)


def write_tiff(path, array, sample_format, bits, photometric=1):
    """TIFF files of kinds that Pillow does not write: sample formats 1 unsigned, 2 signed, 3 float."""
    height, width = array.shape
    pixels = array.tobytes()
    short = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1)]
    short += [(278, height), (279, len(pixels)), (339, sample_format)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in short)
    head = b"II*\0" + struct.pack("<I", 8 + len(pixels))
    path.write_bytes(head + pixels + struct.pack("<H", len(short)) + entries + bytes(4))


def write_deep_png(path, array, colour_type):
    """PNG files of 16 bits with several channels, which Pillow does not write."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    height, width, _ = array.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


KINDS = [
    ("L", ".png"), ("LA", ".png"), ("P", ".png"), ("RGB", ".png"), ("RGBA", ".png"), ("I;16", ".png"),
    ("L", ".bmp"), ("RGB", ".bmp"), ("L", ".pgm"), ("I;16", ".pgm"), ("RGB", ".ppm"), ("L", ".webp"), ("RGBA", ".webp"),
    ("L", ".gif"), ("L", ".jpg"), ("RGB", ".jpeg"), ("CMYK", ".jpg"), ("L", ".jp2"), ("I;16", ".jp2"), ("RGB", ".tga"),
    ("L", ".avif"), ("RGB", ".qoi"), ("L", ".ico"), ("L", ".tiff"), ("LA", ".tiff"), ("PA", ".tiff"), ("RGBA", ".tif"),
    ("CMYK", ".tiff"), ("YCbCr", ".tiff"), ("I;16", ".tiff"), ("I", ".tiff"), ("F", ".tiff"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "suffix"), KINDS)
def test_a_level_is_read_as_its_share_of_the_files_own_full_scale(tmp_path, mode, suffix):
    for level in (0, 60, 180, 255):
        image = Image.fromarray(flat(level).astype(np.uint16) * 257) if mode == "I;16" else None
        path = tmp_path / f"{level}{suffix}"
        (image or Image.fromarray(flat(level)).convert(mode)).save(path)
        picture = read_picture(path)
        white = picture.white or open_white(float(picture.pixels.max()), picture.largest)
        if picture.white is None and level == 0:
            white = 255.0  # of a whole data set, which is not all black
        assert picture.pixels.mean() / white == pytest.approx(level / 255, abs=0.012)
        assert picture.tensor((4, 4)).shape == (1 if picture.grey else 3, 4, 4)


TIFF_NUMBERS = [("u1", 1), ("u2", 1), ("u4", 1), ("i1", 2), ("i2", 2), ("i4", 2), ("f4", 3)]


@pytest.mark.parametrize(("kind", "sample_format"), TIFF_NUMBERS)
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_tiff_numbers_are_scaled_by_their_type_and_white_may_be_zero(
    tmp_path, kind, sample_format, white_is_zero
):
    full = 1.0 if kind == "f4" else float(np.iinfo(kind).max)
    array = np.full((6, 5), full * (0.75 if white_is_zero else 0.25)).astype(kind)
    path = tmp_path / "picture.tiff"
    write_tiff(path, array, sample_format, array.itemsize * 8, photometric=0 if white_is_zero else 1)
    if white_is_zero and kind in ("u4", "i1", "i2", "i4"):  # a negative of such numbers no library reads
        with pytest.raises(MissingDataError, match=r"picture.tiff cannot be read as an image"):
            read_picture(path)
        return
    picture = read_picture(path)
    white = picture.white or open_white(float(picture.pixels.max()), picture.largest)
    assert picture.pixels.mean() / white == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("channels", "colour_type"), [(2, 4), (3, 2), (4, 6)])
def test_colours_of_sixteen_bits_keep_their_lower_bits(tmp_path, channels, colour_type):
    array = np.full((4, 4, channels), 65535)
    array[..., : 1 if channels == 2 else 3] = 12345
    write_deep_png(tmp_path / "deep.png", array, colour_type)
    tensor = read_picture(tmp_path / "deep.png").tensor()
    assert tensor.shape[0] == (1 if channels == 2 else 3)
    torch.testing.assert_close(tensor, torch.full_like(tensor, 12345 / 65535))


def test_lab_and_premultiplied_colours_come_back_as_they_were(tmp_path):
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[...] = (200, 90, 30)
    rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    ImageCms.profileToProfile(Image.fromarray(colours), rgb, lab, outputMode="LAB").save(
        tmp_path / "lab.tiff"
    )
    assert np.abs(read_picture(tmp_path / "lab.tiff").pixels.astype(int) - colours).max() <= 3


def test_a_palette_of_greys_is_grey_and_one_of_colours_is_coloured(tmp_path):
    Image.fromarray(flat(60)).convert("P").save(tmp_path / "grey.gif")
    Image.fromarray(np.dstack([flat(200), flat(60), flat(0)])).convert("P").save(tmp_path / "red.gif")
    assert read_picture(tmp_path / "grey.gif").grey
    assert not read_picture(tmp_path / "red.gif").grey


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_is_turned_as_its_camera_says(tmp_path, suffix, orientation):
    upright = np.zeros((16, 32), np.uint8)
    upright[:, :16] = 255  # bright on its left
    turned = np.rot90(upright, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
    image = Image.fromarray(np.ascontiguousarray(turned))
    exif = image.getexif()
    exif[274] = orientation
    image.save(tmp_path / f"turned{suffix}", exif=exif)
    pixels = read_picture(tmp_path / f"turned{suffix}").pixels
    assert pixels.shape[:2] == (16, 32)
    assert pixels[:, :12].mean() > 200 > 60 > pixels[:, 20:].mean()


def tree(root, save, classes=("dark", "bright"), levels=(60, 180), each=3, side=64):
    """`root`/medical-mnist/{train,test}/CLASS/*, written by `save(array, path without suffix)`."""
    for part in ("train", "test"):
        for label, level in zip(classes, levels, strict=True):
            folder = root / "medical-mnist" / part / label
            folder.mkdir(parents=True)
            for number in range(each):
                save(flat(level + number, side), folder / str(number))
    return root


def as_png(array, path):
    Image.fromarray(array).save(path.with_suffix(".png"))


@pytest.mark.parametrize(("factor", "kind"), [(1, "I"), (257, "I"), (1, "F"), (257, "F"), (1 / 255, "F")])
def test_a_data_sets_open_files_share_one_full_scale(tmp_path, factor, kind):
    """Of 8 or 16 bits or in 0 … 1, whichever is the smallest that holds the brightest of them."""

    def save(array, path):
        wide = array.astype(np.float64) * factor
        Image.fromarray(wide.astype(np.int32 if kind == "I" else np.float32)).save(path.with_suffix(".tiff"))

    splits = data.load("medical-mnist", tree(tmp_path, save), validation=0)
    dark = splits.train.images[splits.train.labels == splits.class_names.index("dark")]
    torch.testing.assert_close(dark.mean(dim=(1, 2, 3)), torch.tensor([60, 61, 62]) / 255, atol=1e-4, rtol=0)
    assert splits.preprocessing.white == pytest.approx(255 * factor)


def test_deep_and_shallow_files_of_one_set_meet(tmp_path):
    def save(array, path):
        deep = int(path.name) % 2
        Image.fromarray(array.astype(np.uint16) * 257 if deep else array).save(path.with_suffix(".png"))

    splits = data.load("medical-mnist", tree(tmp_path, save), validation=0)
    levels = splits.train.images.mean(dim=(1, 2, 3)) * 255
    assert levels.tolist() == pytest.approx([180, 181, 182, 60, 61, 62], abs=1e-3)


LITTER = (
    ".DS_Store", "._0.png", ".hidden.png", "Thumbs.db", "desktop.ini", "notes.txt", "labels.csv",
    ".ipynb_checkpoints/0-checkpoint.png", "@eaDir/0.png", ".git/0.png",
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    litter=st.lists(st.sampled_from(LITTER), min_size=1, max_size=6, unique=True),
    places=st.lists(st.sampled_from(["", "train", "test", "train/dark", "test/bright"]), min_size=1),
)
def test_what_editors_and_systems_leave_behind_is_no_data(tmp_path_factory, litter, places):
    root = tree(tmp_path_factory.mktemp("litter"), as_png)
    clean = data.load("medical-mnist", root, validation=0)
    for place in places:
        for name in litter:
            path = root / "medical-mnist" / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\0\5\x16\7 no picture")
    for part in ("train", "test"):
        (root / "medical-mnist" / part / "__MACOSX").mkdir(exist_ok=True)
    again = data.load("medical-mnist", root, validation=0)
    assert again.class_names == clean.class_names == ("bright", "dark")
    for part in ("train", "test"):
        assert torch.equal(again.parts[part].images, clean.parts[part].images)


def test_hidden_names_and_pictures_are_known_by_name_or_first_bytes(tmp_path):
    assert all(is_hidden(name) for name in (".x", "._x.png", "Thumbs.db", "__MACOSX", "Desktop.ini"))
    assert not any(is_hidden(name) for name in ("x.png", "thumbs", "a.b"))
    Image.fromarray(flat(1)).save(tmp_path / "bare", format="PNG")
    (tmp_path / "README").write_text("no picture")
    assert [is_picture(tmp_path / name) for name in ("bare", "README", "a.TIF", "a.pdf", "a.txt")] == [
        True, False, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp", ".pgm", ".webp", ".gif", ".jp2"])
def test_a_damaged_file_is_named_with_its_error(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)

    def save(array, path):
        Image.fromarray(noise).save(path.with_suffix(suffix))

    root = tree(tmp_path, save, each=1)
    broken = root / "medical-mnist" / "train" / "dark" / f"0{suffix}"
    content = broken.read_bytes()
    for keep in (0, 7, len(content) // 3, 2 * len(content) // 3):
        broken.write_bytes(content[:keep])
        with pytest.raises(
            MissingDataError, match=r"cannot be read as an image \(.+\): copy or unpack"
        ) as error:
            data.load("medical-mnist", root)
        assert str(broken) in str(error.value)
        assert "\n" not in str(error.value)


def test_values_that_are_no_brightness_are_refused(tmp_path):
    for values, sentence in (
        ([-5, 10], "values from -5 to 10: a picture's values start at 0"),
        ([0, float("nan")], "not finite"),
        ([0, 1e6], "floats up to 1e.06, and does not define which value is white"),
    ):
        Image.fromarray(np.array([values], np.float32)).save(tmp_path / "odd.tiff")
        with pytest.raises(MissingDataError, match=sentence):
            read_picture(tmp_path / "odd.tiff")


def test_a_file_that_vanishes_is_one_sentence(tmp_path):
    with pytest.raises(MissingDataError, match=r"gone.png cannot be read: No such file"):
        read_picture(Path(tmp_path / "gone.png"))
