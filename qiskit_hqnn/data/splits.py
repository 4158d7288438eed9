"""Training, validation and test sets chosen from a data set: by class, by count, stratified, by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from torch import nn

from qiskit_hqnn.data.arrays import prepared
from qiskit_hqnn.data.choosing import DEFAULT_VALIDATION, Choice, choose
from qiskit_hqnn.data.datasets import LabelledImages, read_dataset
from qiskit_hqnn.data.image_set import ImageSet
from qiskit_hqnn.data.medmnist import PREFIX
from qiskit_hqnn.data.names import OWN, RESIZES, check_name
from qiskit_hqnn.data.preprocessing import Preprocessing
from qiskit_hqnn.data.source import Source
from qiskit_hqnn.data.sources import read_source
from qiskit_hqnn.data.targets import Targets, check_names
from qiskit_hqnn.data.twins import Twins, find_twins
from qiskit_hqnn.errors import MissingDataError


@dataclass(frozen=True, eq=False)
class Splits:
    """What a run trains on, chooses on, and is tested on; the three have no image in common.

    Attributes:
        train, validation, test: labelled images; labels count the chosen classes from 0.
        class_names: names of the chosen classes.
        preprocessing: how files become such images; None for vectors of features.
        digest: SHA-256 of the files' content, if no checksum is published.
        notes: how the parts were chosen, a sentence each.
        encoder: from images to features (N, F), if they were reduced; otherwise None.
        targets: the numbers in the place of classes, with their scale; None for classes.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    class_names: tuple[str, ...]
    preprocessing: Preprocessing | None = None
    digest: str | None = None
    notes: tuple[str, ...] = ()
    encoder: nn.Module | None = None
    targets: Targets | None = None

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def num_outputs(self) -> int:
        """What a network for these images answers: numbers, or one output for each class."""
        return len(self.targets.names) if self.targets else self.num_classes

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(channels, height, width), or (features,)."""
        return tuple(self.train.images.shape[1:])

    @property
    def parts(self) -> dict[str, ImageSet]:
        """The three sets by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @cached_property
    def twins(self) -> Twins:
        """Test images that are also training or validation images."""
        return find_twins(self.test, (self.train, self.validation))

    def counts(self) -> dict[str, dict[str, int]]:
        """Images of each class in each part; of numbers their count alone."""
        if self.targets:
            return {part: {"images": len(images)} for part, images in self.parts.items()}
        return {
            part: dict(
                zip(
                    self.class_names, images.labels.bincount(minlength=self.num_classes).tolist(), strict=True
                )
            )
            for part, images in self.parts.items()
        }

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(images):,} {part}" for part, images in self.parts.items())
        shape = "×".join(map(str, self.image_shape))
        return f"Splits({sizes}; {self.answers}; {shape})"

    @property
    def answers(self) -> str:
        """In words what is learned of an image: "10 classes", "numbers: age, weight"."""
        if self.targets is None:
            return f"{self.num_classes} classes"
        return f"number{'s' * (self.num_outputs > 1)}: {', '.join(self.targets.names)}"


def load(
    name: str,
    root: str | Path = "data",
    *,
    path: str | Path | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[int | str] | None = None,
    train_samples: int | None = None,
    test_samples: int | None = None,
    first: bool = False,
    balanced: bool = False,
    validation: int | float = DEFAULT_VALIDATION,
    test_fraction: float = 0.2,
    image_size: int | None = None,
    resize: str | None = None,
    channels: int | None = None,
    seed: int = 0,
) -> Splits:
    """Load a data set and choose from it.

    Args:
        name: "digits", "mnist", "fashion-mnist", "cifar10", "medical-mnist", "medmnist:<set>"; or "folder", "npz" or
            "csv" for images at `path`.
        root: folder of the published data sets; what torchvision can download goes there.
        path: a folder with {train,test}/CLASS/* or CLASS/*; an archive with train_images, train_labels and so on; or a
            table with the columns path, label and, if it defines the test set, split.
        targets: columns of a table, or names of an archive's labels (N,) or (N, K), to learn as numbers. None: classes.
        classes: labels to keep, in the order of the new labels, by number or name; all by default.
        train_samples: images for training and validation together (without validation images that the data set comes
            with), stratified by class; all by default.
        test_samples: images of the test set; all by default.
        first: use the first images of each class instead of random ones.
        balanced: the same number of images of each class, instead of the classes' shares in the data set.
        validation: images (≥ 1) or share (< 1) of the training images that are held out for validation, stratified. A
            data set that comes with validation images accepts only the default, and uses those.
        test_fraction: share for the test set, stratified, where none comes along; fixed for digits, else by `seed`.
        image_size: pixels per side to resize to; by default custom images keep their size, which must then be equal.
        resize: of the published sets "bilinear" (torch's interpolation, the default) or "antialias" (averaged over all
            old pixels that a new one covers, as by Pillow). Custom images and MedMNIST's are always antialiased.
        channels: 1 (grey) or 3 (colour); by default those of the data set.
        seed: of every random choice here, separate from the seed of training.

    Raises:
        MissingDataError: for an unknown name, missing or damaged files, or too few images.
    """
    check_name(name)
    if channels not in (None, 1, 3):
        raise MissingDataError(f"Argument `channels` must be 1 or 3, but is {channels!r}.")
    own = name in OWN or name.startswith(PREFIX)
    _check_resize(resize, own)
    size = None if image_size is None else (image_size, image_size)
    numbers = check_names(targets, name)
    source = read_source(name, Path(root), None if path is None else Path(path), size, channels, numbers)
    if channels is not None:
        source = _in_channels(source, channels)
    if source.preprocessing and size is not None and source.preprocessing.size != size:
        source = replace(source, preprocessing=_to_size(source.preprocessing, size, resize))
    choice = Choice(classes, train_samples, test_samples, first, balanced, validation, test_fraction, seed)
    return _splits(source, choice, fixed_test_set=name not in OWN)


def _to_size(how: Preprocessing, size: tuple[int, int], resize: str | None) -> Preprocessing:
    return replace(how, size=size) if resize == "antialias" else replace(how, image_size=size[0])


def from_dataset(
    train: LabelledImages,
    test: LabelledImages | None = None,
    *,
    targets: Sequence[str] | None = None,
    classes: Sequence[int | str] | None = None,
    train_samples: int | None = None,
    test_samples: int | None = None,
    first: bool = False,
    balanced: bool = False,
    validation: int | float = DEFAULT_VALIDATION,
    test_fraction: float = 0.2,
    image_size: int | None = None,
    channels: int | None = None,
    seed: int = 0,
) -> Splits:
    """Choose from a torchvision-style data set, which is read into memory.

    Args:
        train: maps 0 … len − 1 to (image, label): an image of Pillow's, an array (height, width[, channels]) or a
            tensor (channels, height, width) of bytes or floats; its `classes`, if it has them, name the labels.
        test: the same for test images; by default `test_fraction` of `train`, stratified, by `seed`.
        targets: names of the numbers that an item has in the place of a label; None where labels are classes.

    The other arguments are those of `load`.

    Raises:
        MissingDataError: if an item is not an image with a label, or there are too few images.
    """
    size, numbers = None if image_size is None else (image_size, image_size), check_names(targets, "npz")
    source = read_dataset(train, test, size, channels, numbers)
    choice = Choice(classes, train_samples, test_samples, first, balanced, validation, test_fraction, seed)
    return _splits(source, choice, fixed_test_set=False)


def _splits(source: Source, choice: Choice, fixed_test_set: bool) -> Splits:
    chosen = choose(source, choice, fixed_test_set)
    how = source.preprocessing
    return Splits(
        _resized(chosen.train, how),
        _resized(chosen.validation, how),
        _resized(chosen.test, how),
        chosen.class_names,
        how,
        source.digest,
        chosen.notes,
        targets=Targets.of(source.targets, chosen.train.labels) if source.targets else None,
    )


def _check_resize(resize: str | None, own: bool) -> None:
    if resize is not None and resize not in RESIZES:
        raise MissingDataError(
            f"Argument `resize` must be one of {', '.join(map(repr, RESIZES))}, but is {resize!r}."
        )
    if resize == "bilinear" and own:
        raise MissingDataError(
            "Argument `resize` is 'bilinear', but custom images and MedMNIST's are always resized with antialiasing: "
            "leave it out."
        )


def _resized(part: ImageSet, how: Preprocessing | None) -> ImageSet:
    """Chosen images at the size of a network's input; those that were not chosen cost nothing."""
    if how is None:
        return part
    images = how.interpolated(prepared(part.images, how.size, None))
    return part if images is part.images else ImageSet(images, part.labels, part.augment)


def _in_channels(source: Source, channels: int) -> Source:
    """The published sets come with their own number of channels."""
    if source.preprocessing is None or source.preprocessing.channels == channels:
        return source

    def one(images: ImageSet) -> ImageSet:
        return ImageSet(prepared(images.images, None, channels), images.labels)

    return replace(
        source,
        train=one(source.train),
        test=source.test and one(source.test),
        preprocessing=replace(source.preprocessing, channels=channels),
    )
