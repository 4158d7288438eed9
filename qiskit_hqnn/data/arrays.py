"""Images in NumPy's archives (.npz), named as MedMNIST names them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2.functional import resize

from qiskit_hqnn.data.image_set import ImageSet
from qiskit_hqnn.data.pictures import open_white
from qiskit_hqnn.data.preprocessing import Preprocessing, with_channels
from qiskit_hqnn.data.source import Source
from qiskit_hqnn.data.targets import check_values
from qiskit_hqnn.errors import MissingDataError

_PARTS = {"train": "train", "validation": "val", "test": "test"}


def read_npz(
    path: Path,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    class_names: Sequence[str] = (),
    targets: tuple[str, ...] = (),
) -> Source:
    """An archive with train_images, train_labels, and val_… and test_… where they exist.

    Args:
        path: the file; nothing in it is unpickled.
        size: (height, width) to resize to.
        channels: 1 or 3; by default that of the arrays.
        class_names: by label; by default the labels' numbers.
        targets: names of the numbers that the labels, (N,) or (N, K), are; none where they are classes.

    Raises:
        MissingDataError: if the file is missing, damaged, or lacks an array.
    """
    arrays = _arrays_of(path)
    parts = [part for part, word in _PARTS.items() if f"{word}_images" in arrays]
    if "train" not in parts:
        raise MissingDataError(
            f"{path} must have arrays train_images and train_labels (and val_…, test_… where they exist), but has "
            f"{', '.join(sorted(arrays)) or 'none'}."
        )
    digest = sha256()
    images, labels = {}, {}
    for part in parts:
        word = _PARTS[part]
        if f"{word}_labels" not in arrays:
            raise MissingDataError(f"{path} has {word}_images, but no {word}_labels.")
        images[part], labels[part] = arrays[f"{word}_images"], arrays[f"{word}_labels"]
        digest.update(np.ascontiguousarray(images[part]).tobytes())
        digest.update(np.ascontiguousarray(labels[part]).tobytes())
    names = () if targets else tuple(class_names) or _numbers(labels["train"], path)
    checked = {
        part: _values(labels[part], len(images[part]), targets, f"{_PARTS[part]}_labels of {path}")
        if targets
        else _labels(labels[part], len(images[part]), len(names), path)
        for part in parts
    }
    tensors, white = _images(images, path)
    sets = {part: ImageSet(prepared(tensors[part], size, channels), checked[part]) for part in parts}
    shape = sets["train"].images.shape
    return Source(
        sets["train"],
        sets.get("test"),
        names,
        Preprocessing(shape[1], (shape[2], shape[3]), white),
        sets.get("validation"),
        digest.hexdigest(),
        targets,
    )


def prepared(images: Tensor, size: tuple[int, int] | None, channels: int | None) -> Tensor:
    """Images (N, channels, height, width) with a new size, by antialiased bilinear interpolation, and channels."""
    if channels is not None:
        images = with_channels(images, channels)
    if size is not None and tuple(images.shape[-2:]) != size:
        images = torch.cat([resize(chunk, list(size), antialias=True) for chunk in images.split(4096)])
    return images


def _arrays_of(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise MissingDataError(f"There is no file {path}.")
    wanted = {f"{word}_{kind}" for word in _PARTS.values() for kind in ("images", "labels")}
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not hasattr(archive, "files"):
                raise ValueError("it is a single array")
            return {name: archive[name] for name in archive.files if name in wanted}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        words = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise MissingDataError(f"{path} is not an archive of NumPy arrays (.npz): {words}.") from error


def _images(arrays: dict[str, np.ndarray], path: Path) -> tuple[dict[str, Tensor], float | None]:
    """(N, channels, height, width) of each part, and the full scale if the numbers leave it open."""
    shapes = {array.shape[1:] for array in arrays.values()}
    if len(shapes) > 1:
        raise MissingDataError(f"The images of {path} have several shapes: {sorted(shapes)}.")
    (shape,) = shapes
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 2, 3, 4)):
        raise MissingDataError(
            f"Images of {path} must have shape (N, height, width) or (N, height, width, channels) with 1 to 4 channels,"
            f" but have (N, {', '.join(map(str, shape))})."
        )
    white, is_open = _white(arrays, path)
    tensors = {}
    for part, array in arrays.items():
        stacked = array[..., None] if array.ndim == 3 else array
        colours = stacked[..., : 1 if stacked.shape[3] < 3 else 3]  # without transparency
        moved = np.ascontiguousarray(colours.transpose(0, 3, 1, 2))
        if moved.dtype == np.uint8:
            tensors[part] = torch.from_numpy(moved)
        else:
            tensors[part] = torch.from_numpy(moved.astype(np.float32) / np.float32(white))
    return tensors, white if is_open else None


def _white(arrays: dict[str, np.ndarray], path: Path) -> tuple[float, bool]:
    """Full scale of the images' numbers, and whether their type leaves it open."""
    kind = next(iter(arrays.values())).dtype
    if kind in (np.dtype(bool), np.dtype(np.uint8), np.dtype(np.uint16)):
        return (1.0 if kind.kind == "b" else float(np.iinfo(kind).max)), False
    if kind.kind not in "iuf":
        raise MissingDataError(f"Images of {path} must be numbers, but are {kind}.")
    low = min(float(array.min(initial=0)) for array in arrays.values())
    high = max(float(array.max(initial=0)) for array in arrays.values())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or (kind.kind == "f" and high > 65535):
        raise MissingDataError(
            f"Images of {path} have values from {low:g} to {high:g}: scale them to 0 … 1, or to bytes from 0 to 255."
        )
    return open_white(high, float("inf") if kind.kind == "f" else float(np.iinfo(kind).max)), True


def _numbers(labels: np.ndarray, path: Path) -> tuple[str, ...]:
    flat = _flat(labels, path)
    if flat.size == 0 or flat.min() < 0:
        raise MissingDataError(f"The labels of {path} must count from 0, and there must be at least one.")
    return tuple(str(label) for label in range(int(flat.max()) + 1))


def _values(labels: np.ndarray, images: int, targets: tuple[str, ...], what: str) -> Tensor:
    if labels.dtype.kind not in "iuf":
        raise MissingDataError(f"{what} must be numbers, but are {labels.dtype}.")
    if len(labels) != images:
        raise MissingDataError(f"{what} are {len(labels)}, for {images} images.")
    return check_values(torch.from_numpy(labels.astype(np.float64)), targets, what)


def _flat(labels: np.ndarray, path: Path) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise MissingDataError(
            f"Labels of {path} must be one whole number per image, but have shape {labels.shape} and type "
            f"{labels.dtype}: sets with several labels per image are not supported, and numbers to learn are named "
            "by data.targets."
        )
    return labels


def _labels(labels: np.ndarray, images: int, classes: int, path: Path) -> Tensor:
    flat = _flat(labels, path)
    if len(flat) != images:
        raise MissingDataError(f"{path} has {images} images, but {len(flat)} labels.")
    if flat.size and not (flat.min() >= 0 and flat.max() < classes):
        raise MissingDataError(
            f"Labels of {path} must be from 0 to {classes - 1}, as in its training images, but reach from {flat.min()} "
            f"to {flat.max()}."
        )
    return torch.from_numpy(flat.astype(np.int64))
