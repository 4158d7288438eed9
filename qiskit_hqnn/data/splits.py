"""Training, validation and test sets chosen from a data set: by class, by count, stratified, by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.data.image_set import ImageSet, as_float
from qiskit_hqnn.data.sources import SOURCES, Source
from qiskit_hqnn.errors import MissingDataError


@dataclass(frozen=True, eq=False)
class Splits:
    """What a run trains on, chooses on, and is judged on; the three have no image in common.

    Attributes:
        train, validation, test: labelled images; labels count the chosen classes from 0.
        class_names: names of the chosen classes.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    class_names: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(channels, height, width), or (features,)."""
        return tuple(self.train.images.shape[1:])


def load(
    name: str,
    root: str | Path = "data",
    *,
    classes: Sequence[int] | None = None,
    train_samples: int | None = None,
    test_samples: int | None = None,
    first: bool = False,
    balanced: bool = False,
    validation: int | float = 0.1,
    test_fraction: float = 0.2,
    image_size: int | None = None,
    seed: int = 0,
) -> Splits:
    """Load a data set and choose from it.

    Args:
        name: "digits", "mnist", "fashion-mnist", "cifar10" or "medical-mnist".
        root: folder of the data; what torchvision can download goes there.
        classes: labels to keep, in the order of the new labels; all by default.
        train_samples: images for training and validation together; all by default. Stratified by class.
        test_samples: images of the test set; all by default.
        first: take the first images of each class instead of random ones.
        balanced: as many images of each class, instead of the classes' shares in the data set.
        validation: images (≥ 1) or share (< 1) of the training images that are held out for validation, stratified.
        test_fraction: share of the images that become the test set, where the data set comes without one (digits).
        image_size: resize to so many pixels a side, bilinearly.
        seed: of every random choice here; it is apart from the seed of a training.

    Raises:
        MissingDataError: if the name is unknown, the data is not there and cannot be downloaded, or there are too few
            images for what is asked.
    """
    if name not in SOURCES:
        raise MissingDataError(
            f"Data set must be one of {', '.join(map(repr, SOURCES))}, but is {name!r}{suggestion(name, SOURCES)}"
        )
    source = _with_test_set(SOURCES[name](Path(root)), test_fraction)
    kept = tuple(range(len(source.class_names))) if classes is None else tuple(classes)
    unknown = [label for label in kept if not 0 <= label < len(source.class_names)]
    if unknown or not kept or len(set(kept)) != len(kept):
        raise MissingDataError(
            f"Argument `classes` must be different labels from 0 to {len(source.class_names) - 1}, but is {list(kept)}."
        )
    assert source.test_images is not None
    assert source.test_labels is not None
    generator = torch.Generator().manual_seed(seed)
    training = _chosen(source.train_images, source.train_labels, kept, image_size)
    test = _chosen(source.test_images, source.test_labels, kept, image_size)
    training = _sample(training, train_samples, "train_samples", generator, first, balanced)
    test = _sample(test, test_samples, "test_samples", generator, first, balanced)
    held_out = _count(validation, len(training))
    order = _stratified(training.labels, held_out, False, generator)
    mask = torch.ones(len(training), dtype=torch.bool)
    mask[order] = False
    names = tuple(source.class_names[label] for label in kept)
    return Splits(training.subset(mask.nonzero().flatten()), training.subset(order), test, names)


def _with_test_set(source: Source, fraction: float) -> Source:
    if source.test_images is not None:
        return source
    if not 0 < fraction < 1:
        raise MissingDataError(f"Argument `test_fraction` must lie between 0 and 1, but is {fraction}.")
    # Always the same images: a test set that moved with the seed would be seen in training sooner or later.
    generator = torch.Generator().manual_seed(0)
    count = round(fraction * len(source.train_labels))
    chosen = _stratified(source.train_labels, count, False, generator)
    rest = torch.ones(len(source.train_labels), dtype=torch.bool)
    rest[chosen] = False
    return replace(
        source,
        train_images=source.train_images[rest],
        train_labels=source.train_labels[rest],
        test_images=source.train_images[chosen],
        test_labels=source.train_labels[chosen],
    )


def _chosen(images: Tensor, labels: Tensor, kept: tuple[int, ...], image_size: int | None) -> ImageSet:
    positions = torch.full((int(labels.max()) + 1,), -1)
    for new, old in enumerate(kept):
        if old < len(positions):
            positions[old] = new
    mask = positions[labels] >= 0
    images, labels = images[mask], positions[labels[mask]]
    if image_size is not None and tuple(images.shape[-2:]) != (image_size, image_size):
        images = interpolate(
            as_float(images), size=(image_size, image_size), mode="bilinear", align_corners=False
        )
    return ImageSet(images, labels)


def _sample(
    images: ImageSet,
    count: int | None,
    argument: str,
    generator: torch.Generator,
    first: bool,
    balanced: bool,
) -> ImageSet:
    if count is None:
        return images
    if not 1 <= count <= len(images):
        raise MissingDataError(f"Argument `{argument}` must be from 1 to {len(images)}, but is {count}.")
    return images.subset(_stratified(images.labels, count, first, generator, balanced))


def _count(validation: int | float, total: int) -> int:
    count = round(validation * total) if validation < 1 else int(validation)
    if not 0 <= count < total:
        raise MissingDataError(
            f"Argument `validation` must leave images for training: it takes {count} of {total} images."
        )
    return count


def _stratified(
    labels: Tensor, count: int, first: bool, generator: torch.Generator, balanced: bool = False
) -> Tensor:
    """`count` positions with the classes' shares (or equal ones) as nearly as whole images allow, in order."""
    classes = [(labels == label).nonzero().flatten() for label in labels.unique().tolist()]
    exact = [count / len(classes) if balanced else count * len(members) / len(labels) for members in classes]
    for members, share in zip(classes, exact, strict=True):
        if share > len(members):
            raise MissingDataError(
                f"{count} images with as many of each class are asked for, but one class has only {len(members)}."
            )
    quotas = [int(share) for share in exact]
    by_remainder = sorted(range(len(classes)), key=lambda index: quotas[index] - exact[index])
    for index in by_remainder[: count - sum(quotas)]:
        quotas[index] += 1
    picked = [
        members[:quota] if first else members[torch.randperm(len(members), generator=generator)[:quota]]
        for members, quota in zip(classes, quotas, strict=True)
    ]
    return torch.cat(picked).sort().values if picked else torch.empty(0, dtype=torch.long)
