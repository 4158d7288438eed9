"""From a picture to a network's input: kept in a run folder, so that a run predicts without its data set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from qiskit_hqnn.data.image_set import as_float
from qiskit_hqnn.data.pictures import Picture, read_picture
from qiskit_hqnn.errors import MissingDataError

_LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as in Pillow and torchvision."""


@dataclass(frozen=True)
class Preprocessing:
    """How a data set's pictures become tensors.

    Attributes:
        channels: 1 or 3.
        size: (height, width) to which files are resized, with antialiasing.
        white: full scale of files whose numbers leave it open (32-bit integers, floats); None if there were none.
        image_size: side to which the images are then interpolated bilinearly, as in the published rows.
    """

    channels: int
    size: tuple[int, int]
    white: float | None = None
    image_size: int | None = None

    def read(self, path: str | Path) -> Tensor:
        """A picture file, read like this data set's own: (channels, height, width), floats in 0 … 1.

        Raises:
            MissingDataError: if the file is damaged or not a picture, or brighter than the data set's white.
        """
        picture = read_picture(Path(path))
        image = self.scaled(picture, path)
        return self.interpolated(as_float(image)[None])[0]

    def scaled(self, picture: Picture, path: str | Path) -> Tensor:
        """A decoded picture as (channels, *size), before any interpolation; bytes or floats.

        Raises:
            MissingDataError: if it is brighter than the data set's white, or nothing defines white.
        """
        image = with_channels(picture.tensor(self.size), self.channels)
        if picture.white is not None:
            return image
        if self.white is None:
            raise MissingDataError(
                f"{path} has values of 32 bits, and the data set does not define which of them is white: scale "
                "it to 8 or 16 bits first."
            )
        if float(picture.pixels.max(initial=0)) > self.white:
            raise MissingDataError(
                f"{path} has values up to {picture.pixels.max():g}, but this data set's white is {self.white:g}."
            )
        return image / self.white

    def interpolated(self, images: Tensor) -> Tensor:
        """Images (N, channels, height, width) at `image_size`; floats if they were resized, otherwise unchanged."""
        side = self.image_size
        if side is None or tuple(images.shape[-2:]) == (side, side):
            return images
        return interpolate(as_float(images), size=(side, side), mode="bilinear", align_corners=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of a network's input."""
        return (self.channels, *((self.image_size, self.image_size) if self.image_size else self.size))

    def as_dict(self) -> dict[str, object]:
        """For JSON; `from_dict` reads it."""
        return asdict(self)

    @staticmethod
    def from_dict(content: dict[str, Any]) -> Preprocessing:
        return Preprocessing(**{**content, "size": tuple(content["size"])})


def with_channels(images: Tensor, channels: int) -> Tensor:
    """Images (…, 1 or 3, height, width) with a new number of channels: grey repeated, or colours weighted (BT.601).

    Bytes stay bytes.
    """
    own = images.shape[-3]
    if own == channels:
        return images
    if own == 1:
        return images.expand(*images.shape[:-3], channels, *images.shape[-2:]).contiguous()
    weights = torch.tensor(_LUMA)[:, None, None]
    grey = (images.float() * weights).sum(dim=-3, keepdim=True)
    return grey.round().to(images.dtype) if images.dtype == torch.uint8 else grey
