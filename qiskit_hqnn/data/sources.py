"""Where the images come from: scikit-learn's digits, torchvision's data sets, trees of image folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms.v2.functional import resize

from qiskit_hqnn.errors import MissingDataError


@dataclass(frozen=True, eq=False)
class Source:
    """Labelled images as they are published: bytes of shape (N, channels, height, width), labels (N,)."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor | None
    test_labels: Tensor | None
    class_names: tuple[str, ...]


def digits(root: Path) -> Source:
    """scikit-learn's 1,797 handwritten digits of 8×8 pixels; needs no download and has no test set of its own."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(np.round(bunch.images * (255 / 16)).astype(np.uint8))[:, None]
    labels = torch.from_numpy(bunch.target.astype(np.int64))
    return Source(images, labels, None, None, tuple(str(digit) for digit in range(10)))


def mnist(root: Path) -> Source:
    """MNIST, 60,000 + 10,000 images of 28×28 pixels."""
    return _of_torchvision(datasets.MNIST, root, "mnist")


def fashion_mnist(root: Path) -> Source:
    """Fashion-MNIST, 60,000 + 10,000 images of 28×28 pixels."""
    return _of_torchvision(datasets.FashionMNIST, root, "fashion-mnist")


def cifar10(root: Path) -> Source:
    """CIFAR-10, 50,000 + 10,000 images of 32×32 pixels and 3 channels; or a tree cifar10/{train,test}/CLASS/*."""
    tree = root / "cifar10"
    return (
        _of_folders(tree, 32)
        if (tree / "train").is_dir()
        else _of_torchvision(datasets.CIFAR10, root, "cifar10")
    )


def medical_mnist(root: Path) -> Source:
    """Medical MNIST, 64×64 pixels and 3 channels, from a tree medical-mnist/{train,test}/CLASS/*."""
    tree = root / "medical-mnist"
    if not (tree / "train").is_dir():
        raise MissingDataError(
            f"Data set 'medical-mnist' is read from {tree}/train/CLASS/*.jpeg and {tree}/test/CLASS/*.jpeg, which do "
            "not exist: unpack it there, or name another folder with --data-root."
        )
    return _of_folders(tree, 64)


SOURCES: dict[str, Callable[[Path], Source]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
    "medical-mnist": medical_mnist,
}
"""The data sets by the words of job files."""


def _of_torchvision(kind: type, root: Path, name: str) -> Source:
    parts = []
    for train in (True, False):
        try:
            # Checks what is there by its checksum first, and unpacks it where that has not been done.
            part = kind(root, train=train, download=True)
        except (URLError, OSError, RuntimeError) as error:
            raise MissingDataError(
                f"Data set {name!r} is not in {root} and could not be downloaded ({type(error).__name__}): put its "
                "files there, or name another folder with --data-root."
            ) from error
        images = torch.as_tensor(np.asarray(part.data))
        images = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()
        parts.append((images, torch.as_tensor(part.targets, dtype=torch.long)))
    return Source(*parts[0], *parts[1], tuple(part.classes))


def _of_folders(tree: Path, side: int) -> Source:
    classes: tuple[str, ...] = ()
    parts: list[tuple[Tensor, Tensor]] = []
    for name in ("train", "test"):
        if not (tree / name).is_dir():
            raise MissingDataError(
                f"A tree of image folders needs {tree / name}/CLASS/*, which does not exist."
            )
        folder = datasets.ImageFolder(tree / name, allow_empty=True)
        classes = classes or tuple(folder.classes)
        if tuple(folder.classes) != classes:
            raise MissingDataError(
                f"The folders of {tree}/train and {tree}/test must name the same classes, but differ: "
                f"{sorted(set(classes) ^ set(folder.classes))}."
            )
        if not folder.samples:
            raise MissingDataError(f"There is not one image in {tree / name}/CLASS/*.")
        images = [_read(Path(path), side) for path, _ in folder.samples]
        labels = torch.tensor([label for _, label in folder.samples], dtype=torch.long)
        parts.append((torch.stack(images), labels))
    return Source(*parts[0], *parts[1], classes)


def _read(path: Path, side: int) -> Tensor:
    try:
        image = decode_image(str(path), mode=ImageReadMode.RGB)
    except RuntimeError as error:
        raise MissingDataError(f"{path} is no image that can be read: copy or unpack it again.") from error
    return image if image.shape[1:] == (side, side) else resize(image, [side, side], antialias=True)
