"""A survey of a data set before training: its content, its problems, and pictures on both sides of the split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from qiskit_hqnn.data.choosing import Choice, choose
from qiskit_hqnn.data.folders import PARTS, Listing, list_tree
from qiskit_hqnn.data.image_set import ImageSet, as_float
from qiskit_hqnn.data.lists import list_csv
from qiskit_hqnn.data.names import OWN, check_name
from qiskit_hqnn.data.oddities import oddities_of
from qiskit_hqnn.data.pictures import open_white, read_picture
from qiskit_hqnn.data.seen import Item, Seen
from qiskit_hqnn.data.source import Source
from qiskit_hqnn.data.sources import read_source
from qiskit_hqnn.data.targets import check_names
from qiskit_hqnn.errors import MissingDataError

_SHOWN = 8
"""Pictures of each class that are kept for a sheet."""

_THUMB = 64


@dataclass(frozen=True, eq=False)
class Survey(Seen):
    """The content of a data set (its attributes are those of `Seen`)."""

    def oddities(self) -> list[str]:
        """A sentence for everything that would disturb training, or be learned by mistake."""
        return list(oddities_of(self))


def survey(
    name: str,
    root: str | Path = "data",
    path: str | Path | None = None,
    *,
    targets: Sequence[str] | None = None,
    test_fraction: float = 0.2,
    seed: int = 0,
) -> Survey:
    """Survey a data set; damaged files are reported, not raised.

    Args:
        name, root, path, targets, test_fraction, seed: as in `qiskit_hqnn.data.load`.

    Raises:
        MissingDataError: if there is no such data set.
    """
    check_name(name)
    numbers = check_names(targets, name)
    if name in ("folder", "csv") and path is not None:
        listing = list_tree(Path(path)) if name == "folder" else _in_one_class(list_csv(Path(path), numbers))
        read = listing.notes
        items, sizes, thumbnails = _of_files(listing, Path(path))
        names, skipped = listing.classes, listing.skipped
    else:
        source = read_source(name, Path(root), None if path is None else Path(path), None, None, numbers)
        source = _source_in_one_class(source) if numbers else source
        read = source.notes
        items, sizes, thumbnails = _of_source(source)
        names, skipped = source.class_names, ()
    parts, notes = _parted(items, sizes, names, Choice(test_fraction=test_fraction, seed=seed), name, numbers)
    return Survey(names, items, parts, (*read, *notes), skipped, thumbnails)


def _in_one_class(listing: Listing) -> Listing:
    """A table of numbers as pictures of one kind, with a sentence for each number; of classes as it is."""
    if not listing.targets:
        return listing
    rows = [label for members in listing.parts.values() for _, label in members]
    parts = {part: [(path, 0) for path, _ in members] for part, members in listing.parts.items()}
    notes = _ranges(listing.targets, torch.tensor(rows, dtype=torch.float64))
    return replace(listing, classes=("images",), parts=parts, targets=(), notes=notes)


def _source_in_one_class(source: Source) -> Source:
    sets = {"train": source.train, "validation": source.validation, "test": source.test}
    rows = torch.cat([images.labels for images in sets.values() if images is not None])
    alike = {
        part: ImageSet(images.images, torch.zeros(len(images), dtype=torch.long))
        for part, images in sets.items()
        if images is not None
    }
    notes = _ranges(source.targets, rows)
    own = source.preprocessing
    return Source(alike["train"], alike.get("test"), ("images",), own, alike.get("validation"), notes=notes)


def _ranges(names: Sequence[str], values: torch.Tensor) -> tuple[str, ...]:
    lows, highs = values.amin(dim=0).tolist(), values.amax(dim=0).tolist()
    means, spreads = values.mean(dim=0).tolist(), values.double().std(dim=0, correction=0).tolist()
    return tuple(
        f"{name} is {mean:.4g} ± {spread:.4g} (mean and standard deviation), from {low:g} to {high:g}."
        for name, low, high, mean, spread in zip(names, lows, highs, means, spreads, strict=True)
    )


Looked = tuple[list[Item], dict[str, int], dict[int, list[np.ndarray]]]
"""Items, the number in each part, in order, and thumbnails."""


def _of_files(listing: Listing, place: Path) -> Looked:
    items: list[Item] = []
    thumbnails: dict[int, list[np.ndarray]] = defaultdict(list)
    folder = place if place.is_dir() else place.parent
    for members in listing.parts.values():
        for path, label in members:
            assert isinstance(label, int)
            name = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
            try:
                picture = read_picture(path)
            except MissingDataError as error:
                items.append(Item(name, label, error=str(error)))
                continue
            pixels = picture.pixels
            height, width = pixels.shape[:2]
            largest = float(pixels.max(initial=0)) if picture.white is None else None
            flat = bool(pixels.size) and bool((pixels == pixels.flat[0]).all())
            size, kind = (width, height), picture.mode
            items.append(
                Item(name, label, _digest(pixels), size, kind, picture.grey, picture.frames, flat, largest)
            )
            if len(thumbnails[label]) < _SHOWN:
                white = picture.white or open_white(largest or 0.0, picture.largest)
                thumbnails[label].append(_thumbnail(pixels / white))
    return items, {part: len(members) for part, members in listing.parts.items()}, dict(thumbnails)


def _of_source(source: Source) -> Looked:
    items: list[Item] = []
    sizes: dict[str, int] = {}
    thumbnails: dict[int, list[np.ndarray]] = defaultdict(list)
    sets = {"train": source.train, "validation": source.validation, "test": source.test}
    for part, images in ((part, images) for part, images in sets.items() if images is not None):
        sizes[part] = len(images)
        kind = f"{'RGB' if images.images.shape[1] == 3 else 'L'}, {str(images.images.dtype).removeprefix('torch.')}"
        for index, (image, label) in enumerate(zip(images.images, images.labels.tolist(), strict=True)):
            pixels = image.numpy()
            size = (pixels.shape[-1], pixels.shape[-2])
            flat = bool((pixels == pixels.flat[0]).all())
            grey = images.images.shape[1] == 1
            items.append(Item(f"{part} {index}", label, _digest(pixels), size, kind, grey, 1, flat))
            if len(thumbnails[label]) < _SHOWN:
                thumbnails[label].append(_thumbnail(as_float(image).numpy().transpose(1, 2, 0)))
    return items, sizes, dict(thumbnails)


def _digest(pixels: np.ndarray) -> str:
    content = np.ascontiguousarray(pixels)
    return sha256(f"{content.shape} {content.dtype}".encode() + content.tobytes()).hexdigest()


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    """(side, side, 3) bytes of a picture in 0 … 1, with its proportions kept on a grey background."""
    from PIL import Image

    squeezed = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    image = Image.fromarray((np.clip(squeezed, 0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    scale = _THUMB / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Small pictures are shown pixel by pixel.
    image = image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR)
    framed = Image.new("RGB", (_THUMB, _THUMB), (128, 128, 128))
    framed.paste(image, ((_THUMB - size[0]) // 2, (_THUMB - size[1]) // 2))
    return np.asarray(framed)


def _parted(
    items: Sequence[Item],
    sizes: Mapping[str, int],
    names: tuple[str, ...],
    choice: Choice,
    name: str,
    numbers: tuple[str, ...],
) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    """The split that `load` would make, of positions instead of images."""
    sets: dict[str, ImageSet] = {}
    start = 0
    for part, size in sizes.items():
        labels = torch.tensor([item.label for item in items[start : start + size]], dtype=torch.long)
        sets[part] = ImageSet(torch.arange(start, start + size)[:, None], labels)
        start += size
    source = Source(sets["train"], sets.get("test"), names, None, sets.get("validation"), targets=numbers)
    chosen = choose(source, choice, fixed_test_set=name not in OWN)
    parts = dict(zip(PARTS, (chosen.train, chosen.validation, chosen.test), strict=True))
    return {part: images.images[:, 0].tolist() for part, images in parts.items()}, chosen.notes
