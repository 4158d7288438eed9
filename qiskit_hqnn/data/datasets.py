"""Data sets passed as objects: anything that maps a position to an image and its label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qiskit_hqnn.data.arrays import prepared
from qiskit_hqnn.data.image_set import ImageSet
from qiskit_hqnn.data.pictures import picture_of
from qiskit_hqnn.data.preprocessing import Preprocessing
from qiskit_hqnn.data.source import Source
from qiskit_hqnn.data.targets import check_values
from qiskit_hqnn.errors import MissingDataError


class LabelledImages(Protocol):
    """What torchvision calls a data set: items are (image, label)."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> tuple[Any, Any]: ...


def read_dataset(
    train: LabelledImages,
    test: LabelledImages | None = None,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    targets: tuple[str, ...] = (),
) -> Source:
    """A torchvision-style data set, read into memory.

    Args:
        train: maps 0 … len − 1 to (image, label); an image is Pillow's, an array or a tensor.
        test: the same for test images; None if there are none.
        size, channels: as in `read_npz`; pictures of several sizes need `size`.
        targets: names of the numbers that an item has in the place of a label; none where there are classes.

    Raises:
        MissingDataError: if an item is not an image with a label.
    """
    parts = {"train": _items(train, size, channels, targets)}
    if test is not None:
        parts["test"] = _items(test, size, channels, targets)
    if len({tuple(part.images.shape[1:]) for part in parts.values()}) > 1:
        raise MissingDataError(
            "Training and test images must have the same shape: give `image_size` and `channels`."
        )
    names = () if targets else _class_names(train, parts)
    shape = parts["train"].images.shape
    preprocessing = Preprocessing(shape[1], (shape[2], shape[3])) if len(shape) == 4 else None
    return Source(parts["train"], parts.get("test"), names, preprocessing, targets=targets)


def _class_names(train: LabelledImages, parts: Mapping[str, ImageSet]) -> tuple[str, ...]:
    highest = max(int(part.labels.max()) for part in parts.values())
    own = getattr(train, "classes", None)
    names = tuple(map(str, own)) if own is not None else tuple(str(label) for label in range(highest + 1))
    if len(names) <= highest:
        raise MissingDataError(
            f"The data set has labels up to {highest}, but names only {len(names)} classes."
        )
    return names


def _items(
    dataset: LabelledImages, size: tuple[int, int] | None, channels: int | None, targets: tuple[str, ...]
) -> ImageSet:
    images: list[Tensor] = []
    labels: list[Any] = []
    for index in range(len(dataset)):
        item = dataset[index]
        try:
            image, label = item
            tensor = _tensor(image)
            labels.append(_numbers(label) if targets else _class(label))
        except (TypeError, ValueError, RuntimeError) as error:
            raise MissingDataError(
                f"Item {index} of the data set must be an image and its label, but is {type(item).__name__} ({error})."
            ) from error
        images.append(prepared(tensor[None], size, channels)[0] if tensor.ndim == 3 else tensor)
    if not images:
        raise MissingDataError("The data set has no items.")
    if len({(image.shape, image.dtype) for image in images}) > 1:
        shapes = sorted({tuple(image.shape) for image in images})
        raise MissingDataError(
            f"The data set's images must have one shape and type, but have {shapes[:4]}: give `image_size` and "
            "`channels`."
        )
    if targets:
        return ImageSet(
            torch.stack(images), check_values(torch.stack(labels), targets, "The data set's labels")
        )
    if min(labels) < 0:
        raise MissingDataError(f"Labels must count from 0, but one is {min(labels)}.")
    return ImageSet(torch.stack(images), torch.tensor(labels, dtype=torch.long))


def _class(label: Any) -> int:
    """A label as a class; 2.5 is none, and would silently become 2."""
    if int(label) != float(label):
        raise ValueError(f"the label {label} is no class; `targets` names numbers to learn")
    return int(label)


def _numbers(label: Any) -> Tensor:
    return torch.as_tensor(label, dtype=torch.float64).reshape(-1)


def _tensor(image: object) -> Tensor:
    """(channels, height, width), bytes or floats; vectors of features stay (features,)."""
    if isinstance(image, Image.Image):
        return picture_of(image).tensor()
    tensor = image.detach().cpu() if isinstance(image, Tensor) else torch.from_numpy(np.array(image))
    if tensor.dtype == torch.uint16:
        tensor = tensor.float() / 65535
    if tensor.ndim == 3 and not isinstance(image, Tensor):
        tensor = tensor.permute(2, 0, 1)  # arrays have their channels last, as in torchvision
    tensor = tensor[None] if tensor.ndim == 2 else tensor
    if tensor.ndim not in (1, 3) or (tensor.dtype != torch.uint8 and not tensor.is_floating_point()):
        raise ValueError(f"an image of shape {tuple(tensor.shape)} and type {tensor.dtype}")
    return tensor.contiguous() if tensor.dtype == torch.uint8 else tensor.float().contiguous()
