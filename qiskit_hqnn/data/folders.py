"""Folders of pictures: the files, and the class and part of the data set of each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from qiskit_hqnn.data.pictures import is_hidden, is_picture
from qiskit_hqnn.errors import MissingDataError

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
"""The parts of a data set, and the names that their folders may have."""

_NAMED = 5
"""Most names listed in a sentence."""


Label: TypeAlias = int | tuple[float, ...]
"""A class by number, or the numbers that stand in its place."""


@dataclass(frozen=True)
class Listing:
    """The files of a data set.

    Attributes:
        classes: their names, sorted.
        parts: for "train", and "validation" and "test" where they exist, each file and its label.
        places: the folder of each part.
        skipped: files among the pictures that are not pictures.
        targets: names of the numbers that stand in the place of classes; none where there are classes.
        notes: what a reader of the data should know, a sentence each.
    """

    classes: tuple[str, ...]
    parts: Mapping[str, Sequence[tuple[Path, Label]]]
    places: Mapping[str, str]
    skipped: Sequence[Path] = ()
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def check(self) -> None:
        """Check that each part has pictures, and each class some training pictures.

        Raises:
            MissingDataError: if not.
        """
        for part, members in self.parts.items():
            if not members:
                raise MissingDataError(f"There is not one image in {self.places[part]}/CLASS/*.")
        trained = {label for _, label in self.parts["train"]}
        if empty := [name for label, name in enumerate(self.classes) if label not in trained]:
            raise MissingDataError(
                f"{self.places['train']} has no training picture of {shortened(empty)}: add some, "
                "or remove the class."
            )


def list_tree(tree: Path) -> Listing:
    """The pictures in {train,test}/CLASS/* (and validation/CLASS/*, if it exists), or in CLASS/* if there is no train.

    Names that begin with a dot, and files that operating systems create, are ignored. Within a class, folders may be
    nested; files that are not pictures are skipped.

    Raises:
        MissingDataError: if the folder is missing, parts have different classes, or there is no picture.
    """
    _check_folder(tree)
    folders = parts_of(tree) or {"train": tree}
    if "train" not in folders:
        raise MissingDataError(
            f"A tree of image folders needs {tree / 'train'}/CLASS/*, which does not exist."
        )
    classes = _classes(folders["train"])
    skipped: list[Path] = []
    parts: dict[str, list[tuple[Path, Label]]] = {}
    for part, folder in folders.items():
        own = _classes(folder)
        if own != classes:
            raise MissingDataError(
                f"The folders of {folders['train']} and {folder} must name the same classes, but differ: "
                f"{shortened(sorted(set(classes) ^ set(own)))}."
            )
        files = [_pictures(folder / name, skipped) for name in classes]
        parts[part] = [(path, label) for label, paths in enumerate(files) for path in paths]
    listing = Listing(classes, parts, {part: str(folder) for part, folder in folders.items()}, skipped)
    if not parts["train"]:
        listing.check()
    return listing


def pictures_below(folder: Path) -> list[Path]:
    """All pictures in a folder and its subfolders, in order; other files are skipped.

    Raises:
        MissingDataError: if there is none, or the folder cannot be read.
    """
    _check_folder(folder)
    if not (files := _pictures(folder, [])):
        raise MissingDataError(f"There is no picture in {folder}.")
    return files


def parts_of(tree: Path) -> dict[str, Path]:
    """The folders of a tree's parts by "train", "validation" and "test"; empty if its folders are classes."""
    names = {path.name.lower(): path for path in _subfolders(tree)}
    found = {
        part: next(names[word] for word in words if word in names)
        for part, words in PARTS.items()
        if any(word in names for word in words)
    }
    # A class may be called "train"; a part has classes in it.
    split = len(found) > 1 and all(_subfolders(folder) for folder in found.values())
    return found if split or ("train" in found and len(names) == 1) else {}


def shortened(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(repr, names[:_NAMED])) + more


def _check_folder(tree: Path) -> None:
    if not tree.exists():
        raise MissingDataError(f"There is no folder {tree}.")
    if not tree.is_dir():
        raise MissingDataError(f"A data set in folders must be a folder, but {tree} is a file.")


def _classes(folder: Path) -> tuple[str, ...]:
    names = tuple(path.name for path in _subfolders(folder))
    if not names:
        raise MissingDataError(f"{folder} has no folders in it: each class must be a folder of pictures.")
    return names


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))
    except OSError as error:
        raise MissingDataError(f"{folder} cannot be read: {error.strerror}.") from error


def _pictures(folder: Path, skipped: list[Path]) -> list[Path]:
    found = []
    for place, _folders, files in sorted(os.walk(folder, followlinks=True)):
        if any(is_hidden(part) for part in Path(place).relative_to(folder).parts):
            continue
        for name in sorted(files):
            path = Path(place) / name
            if is_hidden(name):
                continue
            if is_picture(path):
                found.append(path)
            else:
                skipped.append(path)
    return found
