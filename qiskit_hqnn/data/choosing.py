"""Choosing from a data set: by class, by count, stratified, by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.data.image_set import ImageSet
from qiskit_hqnn.data.source import Source
from qiskit_hqnn.errors import MissingDataError

DEFAULT_VALIDATION = 0.1
"""Default share of the training images that is held out for validation."""


@dataclass(frozen=True)
class Choice:
    """What is selected from a data set; the arguments of `qiskit_hqnn.data.load`."""

    classes: Sequence[int | str] | None = None
    train_samples: int | None = None
    test_samples: int | None = None
    first: bool = False
    balanced: bool = False
    validation: int | float = DEFAULT_VALIDATION
    test_fraction: float = 0.2
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Chosen:
    """The chosen parts, the names of their classes, and a sentence for each about how it was chosen."""

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def choose(source: Source, choice: Choice, fixed_test_set: bool) -> Chosen:
    """Training, validation and test images of a source.

    Args:
        source: the data set.
        choice: what to select.
        fixed_test_set: whether a test set that must be split off is the same for every seed: one that varied with it
            would be seen in training sooner or later.

    Raises:
        MissingDataError: if there are too few images.
    """
    notes = list(source.notes)
    _check_numbers(source, choice)
    if source.test is None:
        source = _with_test_set(source, choice.test_fraction, 0 if fixed_test_set else choice.seed)
        how = "drawn at random" if source.targets else "stratified by class"
        by = "" if fixed_test_set else f", by seed {choice.seed}"
        notes.append(f"The test set is {choice.test_fraction:.0%} of the images, {how}{by}.")
    assert source.test is not None
    kept = _labels_of(choice.classes, source.class_names)
    generator = torch.Generator().manual_seed(choice.seed)
    training, test = (_of_classes(part, kept) for part in (source.train, source.test))
    training = _sample(training, choice.train_samples, "train_samples", generator, choice)
    test = _sample(test, choice.test_samples, "test_samples", generator, choice)
    if source.validation is not None:
        if choice.validation != DEFAULT_VALIDATION:
            raise MissingDataError(
                f"The data set comes with {len(source.validation)} validation images, so `validation` must be left "
                f"out, but is {choice.validation}."
            )
        held_out = _of_classes(source.validation, kept)
        notes.append("The validation images are the data set's own.")
    else:
        order = _stratified(training.labels, _count(choice.validation, len(training)), False, generator)
        training, held_out = _without(training, order), training.subset(order)
    names = tuple(source.class_names[label] for label in kept)
    return Chosen(training, held_out, test, names, tuple(notes))


def _check_numbers(source: Source, choice: Choice) -> None:
    """That nothing is asked for that only classes have."""
    if source.targets and (choice.classes is not None or choice.balanced):
        raise MissingDataError(
            f"Argument `{'balanced' if choice.balanced else 'classes'}` chooses classes, but the data has numbers "
            f"({', '.join(source.targets)})."
        )


def _labels_of(classes: Sequence[int | str] | None, names: Sequence[str]) -> tuple[int, ...]:
    """The labels of classes given by number or by name."""
    if classes is None:
        return tuple(range(len(names)))
    labels = []
    for given in classes:
        if isinstance(given, str):
            if given not in names:
                raise MissingDataError(
                    f"A class must be one of {', '.join(map(repr, names))}, but is {given!r}{suggestion(given, names)}"
                )
            labels.append(list(names).index(given))
        else:
            labels.append(given)
    if not labels or len(set(labels)) != len(labels) or any(not 0 <= label < len(names) for label in labels):
        raise MissingDataError(
            f"Argument `classes` must be different labels from 0 to {len(names) - 1}, but is {list(classes)}."
        )
    return tuple(labels)


def _with_test_set(source: Source, fraction: float, seed: int) -> Source:
    if not 0 < fraction < 1:
        raise MissingDataError(f"Argument `test_fraction` must lie between 0 and 1, but is {fraction}.")
    images = source.train
    generator = torch.Generator().manual_seed(seed)
    chosen = _stratified(images.labels, round(fraction * len(images)), False, generator)
    return replace(source, train=_without(images, chosen), test=images.subset(chosen))


def _without(images: ImageSet, positions: Tensor) -> ImageSet:
    mask = torch.ones(len(images), dtype=torch.bool)
    mask[positions] = False
    return images.subset(mask.nonzero().flatten())


def _of_classes(images: ImageSet, kept: Sequence[int]) -> ImageSet:
    """The images of these labels, which are renumbered from 0; all of them if labels are numbers to learn."""
    if images.labels.is_floating_point():
        return images
    highest = max(*kept, int(images.labels.max()) if len(images) else 0)
    positions = torch.full((highest + 1,), -1)
    positions[torch.tensor(kept)] = torch.arange(len(kept))
    labels = positions[images.labels]
    return ImageSet(images.images[labels >= 0], labels[labels >= 0])


def _sample(
    images: ImageSet,
    count: int | None,
    argument: str,
    generator: torch.Generator,
    choice: Choice,
) -> ImageSet:
    if count is None:
        return images
    if not 1 <= count <= len(images):
        raise MissingDataError(f"Argument `{argument}` must be from 1 to {len(images)}, but is {count}.")
    return images.subset(_stratified(images.labels, count, choice.first, generator, choice.balanced))


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
    """`count` positions with the classes' shares (or equal ones), rounded to whole images, in order."""
    if labels.is_floating_point():  # numbers to learn are one stratum
        labels = torch.zeros(len(labels), dtype=torch.long)
    classes = [(labels == label).nonzero().flatten() for label in labels.unique().tolist()]
    exact = [count / len(classes) if balanced else count * len(members) / len(labels) for members in classes]
    for members, share in zip(classes, exact, strict=True):
        if share > len(members):
            raise MissingDataError(
                f"{count} images with the same number per class are requested, but one class has only {len(members)}."
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
