"""Problems of a data set, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qiskit_hqnn.data.folders import shortened
from qiskit_hqnn.data.seen import Seen

_UNBALANCED = 10
"""A class with this many times the pictures of another one is reported."""


def oddities_of(seen: Seen) -> Iterator[str]:
    """A sentence for everything that would disturb training, or be learned by mistake."""
    yield from _of_reading(seen)
    yield from _of_classes(seen)
    found = seen.duplicates()
    for part in ("test", "validation"):
        if leaked := seen.leaked(part):
            share = leaked / len(seen.parts[part])
            yield (
                f"{leaked:,} {part} pictures ({share:.1%}) are also training pictures, identical pixel by pixel: "
                "results on them say nothing about new pictures."
            )
    if found["classes"]:
        first = shortened(found["classes"][0])
        yield f"{_so_many(found['classes'], 'picture')} in several classes, such as {first}."
    if found["within"]:
        first = shortened(found["within"][0])
        yield f"{_so_many(found['within'], 'picture')} several times in one part, such as {first}."


def _so_many(groups: Sequence[object], what: str) -> str:
    return f"{len(groups):,} {what}{'s stand' if len(groups) > 1 else ' stands'}"


def _of_reading(seen: Seen) -> Iterator[str]:
    whole = [item for item in seen.items if not item.error]
    for item in seen.damaged[:5]:
        yield item.error
    if len(seen.damaged) > 5:
        yield f"{len(seen.damaged) - 5:,} more files cannot be read."
    sizes = seen.sizes()
    if len(sizes) > 1:
        most = ", ".join(f"{w}×{h} ({count:,})" for (w, h), count in sizes.most_common(4))
        yield f"The pictures have {len(sizes)} sizes, such as {most}: data.image_size resizes them to one."
    if any(width != height for width, height in sizes):
        yield "Not all pictures are square: data.image_size stretches them to squares."
    grey = sum(item.grey for item in whole)
    if 0 < grey < len(whole):
        yield (
            f"{grey:,} pictures are grey and {len(whole) - grey:,} in colour: all are read with 3 channels, unless "
            "data.channels says otherwise."
        )
    if wide := [item for item in whole if item.largest is not None]:
        top = max(item.largest or 0.0 for item in wide)
        yield (
            f"{len(wide):,} files have 32-bit numbers up to {top:g}, and do not define white: it is set to the "
            "smallest of 1 (for floats), 255, 65535 and the type's maximum that covers them all."
        )
    if several := sum(item.frames > 1 for item in whole):
        yield f"{several:,} files contain several pictures, of which the first is read."
    if flat := sum(item.flat for item in whole):
        yield f"{flat:,} pictures have the same brightness everywhere."
    if seen.skipped:
        yield f"{len(seen.skipped):,} files are not pictures and are skipped, such as {seen.skipped[0].name!r}."


def _of_classes(seen: Seen) -> Iterator[str]:
    counts = {name: by_part["train"] for name, by_part in seen.counts().items()}
    if empty := [name for name, count in counts.items() if not count]:
        yield f"There are no training pictures of {shortened(empty)}."
    fewest, most = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
    if counts[fewest] and counts[most] >= _UNBALANCED * counts[fewest]:
        yield f"Class {most!r} has {counts[most]:,} training pictures, and class {fewest!r} only {counts[fewest]:,}."
