"""What a survey found in a data set: its pictures, classes and parts, and which pictures are identical."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Item:
    """One picture.

    Attributes:
        name: the file's name, or the number in an archive.
        label: of its class.
        digest: SHA-256 of its pixels; empty if it is damaged.
        size: (width, height).
        kind: kind of file, such as "RGB" or "I;16".
        grey: whether it has one channel.
        frames: pictures in the file.
        flat: whether all of its pixels are equal.
        largest: its brightest value, if the file leaves white open; otherwise None.
        error: why it cannot be read.
    """

    name: str
    label: int
    digest: str = ""
    size: tuple[int, int] = (0, 0)
    kind: str = ""
    grey: bool = False
    frames: int = 1
    flat: bool = False
    largest: float | None = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """The content of a data set.

    Attributes:
        class_names: by label.
        items: all pictures.
        parts: positions of the items in "train", "validation" and "test".
        notes: how the parts were chosen.
        skipped: files among the pictures that are not pictures.
        thumbnails: some pictures of each class, (height, width, 3) bytes.
    """

    class_names: tuple[str, ...]
    items: Sequence[Item]
    parts: Mapping[str, Sequence[int]]
    notes: tuple[str, ...]
    skipped: Sequence[Path]
    thumbnails: Mapping[int, Sequence[np.ndarray]]

    def counts(self) -> dict[str, dict[str, int]]:
        """Pictures by class and part."""
        labels = {
            part: Counter(self.items[index].label for index in members)
            for part, members in self.parts.items()
        }
        return {
            name: {part: labels[part][label] for part in self.parts}
            for label, name in enumerate(self.class_names)
        }

    @property
    def damaged(self) -> list[Item]:
        """What cannot be read."""
        return [item for item in self.items if item.error]

    def sizes(self) -> Counter[tuple[int, int]]:
        """Number of pictures of each (width, height)."""
        return Counter(item.size for item in self.items if not item.error)

    def kinds(self) -> Counter[str]:
        """Number of files of each kind."""
        return Counter(item.kind for item in self.items if not item.error)

    @cached_property
    def _alike(self) -> list[list[int]]:
        by_digest: dict[str, list[int]] = defaultdict(list)
        for index, item in enumerate(self.items):
            if item.digest:
                by_digest[item.digest].append(index)
        return [group for group in by_digest.values() if len(group) > 1]

    def duplicates(self) -> dict[str, list[list[str]]]:
        """Groups of pictures that are identical pixel by pixel, by name.

        They are "across" the split (a test or validation picture is also a training picture), in several "classes", or
        "within" one part.
        """
        part_of = {index: part for part, members in self.parts.items() for index in members}
        found: dict[str, list[list[str]]] = {"across": [], "classes": [], "within": []}
        for group in self._alike:
            names = [self.items[index].name for index in group]
            if len({self.items[index].label for index in group}) > 1:
                found["classes"].append(names)
            across = len({part_of[index] for index in group if index in part_of}) > 1
            found["across" if across else "within"].append(names)
        return found

    def leaked(self, part: str) -> int:
        """Pictures of a part that are also training pictures."""
        trained = {self.items[index].digest for index in self.parts["train"]} - {""}
        return sum(self.items[index].digest in trained for index in self.parts[part])
