"""One picture from its file: any depth, any number of channels, rotated as its metadata says."""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms.v2.functional import resize

from qiskit_hqnn.errors import MissingDataError

# Pillow lists these suffixes too, but they are documents, films, or files that it cannot read.
_NO_PICTURES = frozenset(
    {".pdf", ".ps", ".eps", ".mpg", ".mpeg", ".wmf", ".emf", ".h5", ".hdf", ".grib", ".bufr", ".palm", ".iim"}
)
_BEYOND_PILLOW = frozenset({".heic", ".heif"})
_COMPANIONS = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "lost+found"}
)
"""Files that Windows, macOS and network storage create in folders, in lower case."""

_STARTS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP"}

DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, RuntimeError, OverflowError, struct.error,
    zlib.error, Image.DecompressionBombError,
)  # fmt: skip
"""What decoders raise for damaged bytes."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder belongs to an editor or a file system and not to a data set."""
    return name.startswith(".") or name.lower() in _COMPANIONS


def is_picture(path: Path) -> bool:
    """Whether a file claims to be a picture: by its suffix or, without one, by its first bytes."""
    suffix = path.suffix.lower()
    if suffix:
        Image.init()
        return (suffix in Image.EXTENSION or suffix in _BEYOND_PILLOW) and suffix not in _NO_PICTURES
    try:
        with Image.open(path):
            return True
    except DAMAGE:
        return False


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded file.

    Attributes:
        pixels: (height, width) if grey, (height, width, 3) if in colour; as in the file.
        white: the value of full scale in the file; None if 32-bit integers or floats leave it open.
        largest: the largest value that the file's numbers can take; infinite for floats.
        frames: pictures in the file, of which the first is read.
        mode: Pillow's name for this kind of file, such as "RGB" or "I;16".
    """

    pixels: np.ndarray
    white: float | None
    largest: float
    frames: int = 1
    mode: str = ""

    @property
    def grey(self) -> bool:
        return self.pixels.ndim == 2

    def tensor(self, size: tuple[int, int] | None = None) -> Tensor:
        """(1 or 3, height, width), resized to `size`: bytes if white is 255, otherwise floats.

        Floats are in 0 … 1 if white is known, and as in the file if it is open.
        """
        pixels = self.pixels[None] if self.grey else self.pixels.transpose(2, 0, 1)
        if self.white == 255:
            image = torch.from_numpy(np.array(pixels, order="C"))
        else:
            scaled = pixels.astype(np.float64) / (self.white or 1.0)
            image = torch.from_numpy(scaled.astype(np.float32))
        if size is None or tuple(image.shape[1:]) == size:
            return image
        return resize(image, list(size), antialias=True)


def read_picture(path: Path, content: bytes | None = None) -> Picture:
    """Decode a picture.

    Args:
        path: the file.
        content: its bytes, if they have been read already.

    Raises:
        MissingDataError: if the file cannot be read, is damaged, or has numbers that cannot be a brightness.
    """
    try:
        content = path.read_bytes() if content is None else content
    except OSError as error:
        raise MissingDataError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _decode(content)
    except DAMAGE as error:
        words = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise MissingDataError(
            f"{path} cannot be read as an image ({words}): copy or unpack it again."
        ) from error
    _check_brightness(picture, path)
    return picture


def open_white(largest_value: float, largest: float) -> float:
    """Full scale of pictures whose numbers leave it open: the smallest customary one that covers their largest value.

    32-bit files nearly always contain values measured with 8 or 16 bits, or floats in 0 … 1.

    Args:
        largest_value: of all pictures of a data set together.
        largest: the largest value that the files' numbers can take, as in `Picture`.
    """
    customary = [1.0, 255.0, 65535.0] if largest == float("inf") else [255.0, 65535.0, largest]
    return next((white for white in customary if largest_value <= white), largest)


def _decode(content: bytes) -> Picture:
    try:
        image = _opened(content)
    except Image.UnidentifiedImageError:
        try:
            return _by_torchvision(content, "")
        except RuntimeError:
            raise ValueError("neither Pillow nor torchvision recognises it") from None
    deep = any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    if image.format == "PNG" and deep and not image.mode.startswith("I"):
        return _by_torchvision(content, image.mode)  # of such colours Pillow keeps the upper byte
    return picture_of(image)


def _opened(content: bytes) -> Image.Image:
    """By the decoder of the first bytes: Pillow tries one after the other, which takes as long as decoding."""
    for start, kind in _STARTS.items():
        if content.startswith(start):
            try:
                return Image.open(BytesIO(content), formats=(kind,))
            except Image.UnidentifiedImageError:
                break
    return Image.open(BytesIO(content))


def picture_of(image: Image.Image) -> Picture:
    """An image as Pillow opened or created it, rotated as its metadata says."""
    mode, frames = image.mode, getattr(image, "n_frames", 1)
    white = _white(image)
    tags = getattr(image, "tag_v2", {})
    signed = tags.get(339, (1,))[0] == 2
    unsigned = image.format == "TIFF" and not signed
    inverted = tags.get(262) == 0 and mode in (
        "I;16",
        "F",
    )  # WhiteIsZero, which Pillow inverts for bytes only
    image.load()
    image = ImageOps.exif_transpose(image)
    if mode.startswith("I") or mode == "F":
        pixels = np.asarray(image)
        if mode == "I" and white is None and unsigned:
            pixels = pixels.view(np.uint32)
        largest = float("inf") if mode == "F" else float(np.iinfo(pixels.dtype).max)
        if inverted:
            pixels = (white or 1.0) - pixels.astype(np.float64)
        return Picture(pixels, white, largest, frames, mode)
    if signed and mode == "L":
        return Picture(_bytes(image).view(np.int8).astype(np.int32), 127.0, 127.0, frames, mode)
    return Picture(_bytes(image), 255.0, 255.0, frames, mode)


def _by_torchvision(content: bytes, mode: str) -> Picture:
    """Formats that Pillow does not read, and colours of 16 bits."""
    data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    pixels = decode_image(data, ImageReadMode.UNCHANGED, apply_exif_orientation=True).numpy()
    channels = {1: 1, 2: 1}.get(len(pixels), 3)  # without transparency
    white = float(np.iinfo(pixels.dtype).max)
    kept = pixels[0] if channels == 1 else pixels[:channels].transpose(1, 2, 0)
    return Picture(kept, white, white, 1, mode or "RGB")


def _white(image: Image.Image) -> float | None:
    """The full scale of numbers wider than a byte; None if the file leaves it open."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]  # a TIFF of 12 bits says so
        return float(2**bits - 1)
    if image.mode == "I":
        if image.format == "PPM":
            return 65535.0
        return 32767.0 if getattr(image, "tag_v2", {}).get(258, (32,))[0] == 16 else None
    return None if image.mode == "F" else 255.0


def _bytes(image: Image.Image) -> np.ndarray:
    """(height, width) or (height, width, 3) bytes of any mode of Pillow's that has no wider numbers."""
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode == "LAB":
        image = _colours_of_lab(image)
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"))
    if image.mode in ("P", "PA"):
        colours = np.asarray(image.convert("RGBA"))[..., :3]
        return colours[..., 0] if bool((colours == colours[..., :1]).all()) else colours
    return np.asarray(image.convert("RGB"))


def _colours_of_lab(image: Image.Image) -> Image.Image:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    assert converted is not None
    return converted


def _check_brightness(picture: Picture, path: Path) -> None:
    values = picture.pixels
    if values.dtype == np.uint8 or values.size == 0:
        return
    if not np.isfinite(values).all():
        raise MissingDataError(f"{path} has values that are not finite, which cannot be a brightness.")
    low, high = float(values.min()), float(values.max())
    if low < 0:
        raise MissingDataError(
            f"{path} has values from {low:g} to {high:g}: a picture's values start at 0, so shift or clip them first."
        )
    if picture.white is None and picture.largest == float("inf") and high > 65535:
        raise MissingDataError(
            f"{path} has floats up to {high:g}, and does not define which value is white: scale them to 0 … 1 first."
        )
