"""Images and labels in memory, as a torchvision-style data set that can also be read in whole batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from qiskit_hqnn.data.augmentation import Augmentation


class ImageSet(Dataset[tuple[Tensor, Any]]):
    """N labelled images (or feature vectors).

    Args:
        images: uint8 in 0 … 255 or float, shape (N, channels, height, width) or (N, features).
        labels: int64, shape (N,), 0 … classes − 1; or numbers to learn, float (N, K).
        augment: applied to each image when it is read, like torchvision's transforms; an `Augmentation` is applied to a
            whole batch at once.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, augment: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.images, self.labels, self.augment = images, labels, augment

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.images.shape[1:]))
        numbers = self.labels.is_floating_point()
        what = f"{self.labels.shape[1]} numbers each" if numbers else f"{len(self.labels.unique())} classes"
        return f"ImageSet({len(self):,} of {shape}, {what})"

    def __getitem__(self, index: int) -> tuple[Tensor, Any]:
        image, label = as_float(self.images[index]), self.labels[index]
        return (self.augment(image) if self.augment else image), label if label.ndim else int(label)

    def batch(self, indices: Sequence[int] | range) -> tuple[Tensor, Tensor]:
        """Images (batch, …) as float, augmented, and labels (batch,), in one call."""
        chosen = torch.as_tensor(indices)  # on the CPU, wherever the images are
        images = as_float(self.images[chosen])
        if isinstance(self.augment, Augmentation):
            images = self.augment(images)
        elif self.augment:
            images = torch.stack([self.augment(image) for image in images])
        return images, self.labels[chosen]

    def batches(self, size: int, count: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """The first `count` images (all by default) in order, in batches."""
        count = len(self) if count is None else min(count, len(self))
        for start in range(0, count, size):
            yield self.batch(range(start, min(start + size, count)))

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Called by torch's loader instead of `__getitem__`; it needs `collate_fn=as_it_is`."""
        return self.batch(indices)

    def subset(self, indices: Tensor | Sequence[int]) -> ImageSet:
        """The images at these positions."""
        chosen = torch.as_tensor(indices, dtype=torch.long)
        return ImageSet(self.images[chosen], self.labels[chosen], self.augment)

    def to(self, device: torch.device | str) -> ImageSet:
        """The same images in a device's memory."""
        return ImageSet(self.images.to(device), self.labels.to(device), self.augment)

    def with_augmentation(self, augment: Callable[[Tensor], Tensor] | None) -> ImageSet:
        return ImageSet(self.images, self.labels, augment)


def as_float(images: Tensor) -> Tensor:
    """Bytes to [0, 1]; floats unchanged."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def as_it_is(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The collate function for an `ImageSet`, which returns whole batches."""
    return batch
