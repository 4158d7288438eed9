"""A sheet of pictures: a row for each class."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from qiskit_hqnn._files import write_whole
from qiskit_hqnn._text import one_line
from qiskit_hqnn.data.surveying import Survey

_GAP, _TEXT = 4, 16


def draw_sheet(seen: Survey, path: Path) -> None:
    """Write some pictures of each class to a PNG file, with the class's name and number.

    Raises:
        FileError: if it cannot be written.
    """
    rows = [(label, name, seen.thumbnails.get(label, ())) for label, name in enumerate(seen.class_names)]
    side = next((len(pictures[0]) for _, _, pictures in rows if pictures), 64)
    columns = max((len(pictures) for _, _, pictures in rows), default=1) or 1
    row = side + _TEXT + _GAP
    sheet = Image.new(
        "RGB", (max(columns * (side + _GAP) + _GAP, 240), len(rows) * row + _GAP), (255, 255, 255)
    )
    pen = ImageDraw.Draw(sheet)
    totals = seen.counts()
    for index, (_, name, pictures) in enumerate(rows):
        top = _GAP + index * row
        pen.text((_GAP, top), f"{one_line(name)} ({sum(totals[name].values()):,})", fill=(0, 0, 0))
        for column, pixels in enumerate(pictures):
            sheet.paste(Image.fromarray(pixels), (_GAP + column * (side + _GAP), top + _TEXT))
    write_whole(path, lambda beside: sheet.save(beside, format="PNG"))
