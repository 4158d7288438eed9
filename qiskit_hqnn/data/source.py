"""A source of images: labelled images by part, the names of their classes, and how they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from qiskit_hqnn.data.folders import Label, Listing
from qiskit_hqnn.data.image_set import ImageSet, as_float
from qiskit_hqnn.data.pictures import Picture, open_white, read_picture
from qiskit_hqnn.data.preprocessing import Preprocessing, with_channels
from qiskit_hqnn.errors import MissingDataError

_SIZES = 4
"""Most sizes listed in a sentence."""


@dataclass(frozen=True, eq=False)
class Source:
    """Labelled images as they are published.

    Attributes:
        train: bytes or floats of shape (N, channels, height, width), labels (N,).
        test: its own test images, if it has any.
        validation: its own validation images, if it has any.
        class_names: by label.
        preprocessing: how files become such images; None for vectors of features.
        digest: SHA-256 of the files' content, if no checksum is published.
        targets: names of the numbers that stand in the place of classes; none where there are classes.
        notes: what a reader of the data should know, a sentence each.
    """

    train: ImageSet
    test: ImageSet | None
    class_names: tuple[str, ...]
    preprocessing: Preprocessing | None
    validation: ImageSet | None = None
    digest: str | None = None
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_listing(
    listing: Listing, size: tuple[int, int] | None = None, channels: int | None = None
) -> Source:
    """Read all files of a listing.

    Args:
        listing: the files.
        size: (height, width); by default the files' own, if all have the same.
        channels: 1 or 3; by default 1 if all files are grey, otherwise 3.

    Raises:
        MissingDataError: if a file is damaged, or files have several sizes and no size is given.
    """
    files = [(part, path, label) for part, members in listing.parts.items() for path, label in members]
    digest = sha256()
    images: list[Tensor] = []
    open_files: list[int] = []
    highest = largest = 0.0
    for index, (_part, path, label) in enumerate(files):
        content = _bytes_of(path)
        picture = read_picture(path, content)
        digest.update(b"%s %d " % (_as_bytes(label), len(content)) + sha256(content).digest())
        if picture.white is None:
            open_files.append(index)
            highest = max(highest, float(picture.pixels.max(initial=0)))
            largest = max(largest, picture.largest)
        images.append(picture.tensor(size))
        _check_size(images, files, path, picture)
    listing.check()
    white = open_white(highest, largest) if open_files else None
    for index in open_files:
        images[index] = images[index] / white  # type: ignore[operator]
    channels = channels or (1 if all(len(image) == 1 for image in images) else 3)
    stacked = _stack(images, channels)
    sets, start = {}, 0
    for part, members in listing.parts.items():
        kind = torch.float32 if listing.targets else torch.long
        labels = torch.tensor([label for _, label in members], dtype=kind)
        sets[part] = ImageSet(stacked[start : start + len(members)], labels)
        start += len(members)
    height, width = stacked.shape[-2:]
    return Source(
        sets["train"],
        sets.get("test"),
        listing.classes,
        Preprocessing(channels, (height, width), white),
        sets.get("validation"),
        digest.hexdigest(),
        listing.targets,
        listing.notes,
    )


def _as_bytes(label: Label) -> bytes:
    return str(label if isinstance(label, int) else list(label)).encode()


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingDataError(f"{path} cannot be read: {error.strerror}.") from error


def _check_size(
    images: Sequence[Tensor], files: Sequence[tuple[str, Path, Label]], path: Path, picture: Picture
) -> None:
    if images[-1].shape[1:] == images[0].shape[1:]:
        return
    first, here = (f"{image.shape[2]}×{image.shape[1]}" for image in (images[0], images[-1]))
    raise MissingDataError(
        f"The pictures have several sizes ({files[0][1]} has {first} pixels, {path} has {here}): set image_size "
        "to the number of pixels per side."
    )


def _stack(images: list[Tensor], channels: int) -> Tensor:
    """(N, channels, height, width), bytes if all are bytes; the list is emptied, so that nothing is in memory twice."""
    floats = any(image.dtype != torch.uint8 for image in images)
    shape = (len(images), channels, *images[0].shape[1:])
    stacked = torch.empty(shape, dtype=torch.float32 if floats else torch.uint8)
    images.reverse()
    for position in range(len(images)):
        image = images.pop()
        image = as_float(image) if floats else image
        # A grey image fills all channels.
        stacked[position] = image if len(image) == 1 else with_channels(image, channels)
    return stacked
