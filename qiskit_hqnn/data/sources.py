"""Where the images come from: published data sets by name, and custom folders, arrays and tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets

from qiskit_hqnn.data.arrays import read_npz
from qiskit_hqnn.data.folders import list_tree, parts_of
from qiskit_hqnn.data.image_set import ImageSet
from qiskit_hqnn.data.lists import list_csv
from qiskit_hqnn.data.medmnist import PREFIX, read_medmnist
from qiskit_hqnn.data.names import DEFAULT_ROOT, OWN
from qiskit_hqnn.data.preprocessing import Preprocessing
from qiskit_hqnn.data.source import Source, read_listing
from qiskit_hqnn.errors import MissingDataError


def digits(root: Path) -> Source:
    """scikit-learn's 1,797 handwritten digits of 8×8 pixels; needs no download and comes without a test set."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(np.round(bunch.images * (255 / 16)).astype(np.uint8))[:, None]
    labels = torch.from_numpy(bunch.target.astype(np.int64))
    names = tuple(str(digit) for digit in range(10))
    return Source(ImageSet(images, labels), None, names, Preprocessing(1, (8, 8)))


def mnist(root: Path) -> Source:
    """MNIST, 60,000 + 10,000 images of 28×28 pixels."""
    return _of_torchvision(datasets.MNIST, root, "mnist")


def fashion_mnist(root: Path) -> Source:
    """Fashion-MNIST, 60,000 + 10,000 images of 28×28 pixels."""
    return _of_torchvision(datasets.FashionMNIST, root, "fashion-mnist")


def cifar10(root: Path) -> Source:
    """CIFAR-10, 50,000 + 10,000 images of 32×32 pixels and 3 channels; or a tree cifar10/{train,test}/CLASS/*."""
    tree = root / "cifar10"
    if (tree / "train").is_dir():
        return _of_tree(tree, 32)
    return _of_torchvision(datasets.CIFAR10, root, "cifar10")


def medical_mnist(root: Path) -> Source:
    """Medical MNIST, 64×64 pixels and 3 channels, from a tree medical-mnist/{train,test}/CLASS/*."""
    tree = root / "medical-mnist"
    if not (tree / "train").is_dir():
        raise MissingDataError(
            f"Data set 'medical-mnist' is read from {tree}/train/CLASS/*.jpeg and {tree}/test/CLASS/*.jpeg, which do "
            "not exist: unpack it there, or use another data root."
        )
    return _of_tree(tree, 64)


PUBLISHED: dict[str, Callable[[Path], Source]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
    "medical-mnist": medical_mnist,
}
"""The published data sets by the words of job files."""


def read_source(
    name: str,
    root: Path,
    path: Path | None,
    size: tuple[int, int] | None,
    channels: int | None,
    targets: tuple[str, ...] = (),
) -> Source:
    """A data set by its word.

    Args:
        name: checked by `check_name`.
        root: folder of the published data sets.
        path: of "folder", "npz" and "csv".
        size: (height, width) to which custom images and MedMNIST's are resized.
        channels: 1 or 3.
        targets: names of numbers in the place of classes, of "npz" and "csv".
    """
    if (name in OWN) != (path is not None):
        allowed = ", ".join(map(repr, OWN))
        raise MissingDataError(
            f"Data set {name!r} needs a path."
            if path is None
            else f"A path is for the data sets {allowed}, but the data set is {name!r}."
        )
    if name.startswith(PREFIX):
        return read_medmnist(name, root, size, channels)
    if path is None:
        return PUBLISHED[name](root)
    if name == "npz":
        return read_npz(path, size, channels, targets=targets)
    return read_listing(list_csv(path, targets) if name == "csv" else list_tree(path), size, channels)


class _OfTorchvision(Protocol):
    """A data set that torchvision loads into memory."""

    data: Tensor | np.ndarray
    targets: Tensor | list[int]
    classes: list[str]


def _of_torchvision(kind: Callable[..., _OfTorchvision], root: Path, name: str) -> Source:
    if not root.exists() and root != DEFAULT_ROOT:
        # torchvision would create the folder, and a typo would download the whole set again.
        raise MissingDataError(
            f"Data set {name!r} is not in {root} and could not be downloaded there, since no such folder exists: "
            "create it, or use another data root."
        )
    parts = [_part_of_torchvision(kind, root, name, train) for train in (True, False)]
    images = [torch.as_tensor(np.asarray(part.data)) for part in parts]
    sets = [
        ImageSet(
            pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2).contiguous(),
            torch.as_tensor(part.targets, dtype=torch.long),
        )
        for pixels, part in zip(images, parts, strict=True)
    ]
    channels, height, width = sets[0].images.shape[1:]
    return Source(sets[0], sets[1], tuple(parts[0].classes), Preprocessing(channels, (height, width)))


def _part_of_torchvision(
    kind: Callable[..., _OfTorchvision], root: Path, name: str, train: bool
) -> _OfTorchvision:
    there = root.exists()
    try:
        # Verifies existing files by their checksum first, and unpacks them if needed.
        return kind(root, train=train, download=True)
    except (URLError, OSError, RuntimeError, EOFError) as error:
        if not there:
            _remove_empty(root)
        raise MissingDataError(
            f"Data set {name!r} is not in {root} and could not be downloaded ({type(error).__name__}): put its "
            "files there, or use another data root."
        ) from error


def _remove_empty(folder: Path) -> None:
    """Remove the empty folders that a failed download created."""
    for path in sorted(folder.rglob("*"), reverse=True) if folder.is_dir() else ():
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _of_tree(tree: Path, side: int) -> Source:
    """A published tree of image folders: squares of 3 channels, with its own test set."""
    if "test" not in parts_of(tree):
        raise MissingDataError(
            f"A tree of image folders needs {tree / 'test'}/CLASS/*, which does not exist."
        )
    return read_listing(list_tree(tree), (side, side), 3)
