"""Random changes of training images, drawn for each image and applied to the whole batch at once.

torchvision's own transforms draw once for a batch, and image by image they take longer than a small network's step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.errors import HQNNError

MOST_DEGREES = 10
"""Largest rotation, degrees (Senokosov et al. 2024, arXiv:2304.09224, section 2.2.3; flips too)."""


class Augmentation:
    """Random changes of images, in the order of their words, drawn from torch's CPU generator.

    Args:
        words: "rotation" turns by up to 10°, with the nearest pixel and black corners as in torchvision; "flip"
            mirrors an image from left to right with probability 1/2; "crop" shifts by up to an eighth of the image in
            each direction, with black edges (4 of CIFAR-10's 32 pixels, as in He et al. 2016, arXiv:1512.03385).

    Raises:
        HQNNError: if a word is unknown.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> Augmentation(["flip"])(torch.tensor([0.0, 1.0]).repeat(3, 1, 1, 1)).flatten(1)
        tensor([[1., 0.],
                [0., 1.],
                [1., 0.]])
    """

    def __init__(self, words: Sequence[str]) -> None:
        for word in words:
            if word not in AUGMENTATIONS:
                raise HQNNError(
                    f"Augmentation must be one of {quoted(AUGMENTATIONS)}, but is {word!r}"
                    f"{suggestion(word, AUGMENTATIONS)}"
                )
        self.words = tuple(words)

    def __call__(self, images: Tensor) -> Tensor:
        """Changed images of the same shape, (batch, channels, height, width) or one without the batch."""
        if images.ndim == 3:
            return self(images[None])[0]
        for word in self.words:
            images = AUGMENTATIONS[word](images)
        return images


def _rotation(images: Tensor) -> Tensor:
    degrees = (2 * torch.rand(len(images)) - 1) * MOST_DEGREES
    cos, sin = (degrees * math.pi / 180).cos(), (degrees * math.pi / 180).sin()
    height, width = images.shape[-2:]
    # In units of half an image, which differ between height and width unless the image is square.
    ratio, zero = height / width, torch.zeros(len(images))
    rows = [torch.stack([cos, -sin * ratio, zero], 1), torch.stack([sin / ratio, cos, zero], 1)]
    grid = affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return grid_sample(images, grid.to(images), mode="nearest", align_corners=False)


def _flip(images: Tensor) -> Tensor:
    mirrored = (torch.rand(len(images)) < 0.5)[:, None, None, None].to(images.device)
    return torch.where(mirrored, images.flip(-1), images)


def _crop(images: Tensor) -> Tensor:
    count, _, height, width = images.shape
    edges = [max(1, round(side / 8)) for side in (height, width)]
    padded = pad(images, [edges[1], edges[1], edges[0], edges[0]])
    down, across = (torch.randint(2 * edge + 1, (count,)) for edge in edges)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: (batch, channels, down, across, …)
    return windows[torch.arange(count), :, down, across]


AUGMENTATIONS = {"rotation": _rotation, "flip": _flip, "crop": _crop}
"""By the words of job files."""
