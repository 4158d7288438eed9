"""`hqnn data`: a survey of a folder of pictures before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.options import DATA_ROOT
from qiskit_hqnn.cli.terminal import doing, note, print_rows, say

if TYPE_CHECKING:
    from qiskit_hqnn.data import Survey


def data(
    place: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER",
            help="A folder of pictures, an .npz archive, a .csv table, or a data set's name.",
        ),
    ],
    targets: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of numbers to learn, as data.targets; of an .npz a name for each. May be repeated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="<int>", help="Of the split, as data.seed.")] = 0,
    test_fraction: Annotated[
        float, typer.Option(help="Share that becomes the test set, if there is none.")
    ] = 0.2,
    sheet: Annotated[
        Path | None, typer.Option(help="File of the sheet of pictures; NAME-sheet.png by default.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON; write a sheet only with --sheet.")
    ] = False,
    data_root: DATA_ROOT = Path("data"),
) -> None:
    """Survey a data set: pictures by class and part, sizes, problems, duplicates across the split, a sheet.

    Exit code 1 if a file is damaged.

    Example: hqnn data pics
    """
    name, path = _meant(place)

    from qiskit_hqnn.data import draw_sheet, survey

    with doing(f"reading {place}"):
        seen = survey(name, data_root, path, targets=targets or None, test_fraction=test_fraction, seed=seed)
    target = sheet or (None if json else Path(f"{(path.stem if path else name).replace(':', '-')}-sheet.png"))
    if target:
        draw_sheet(seen, target)
    if json:
        from json import dumps

        say(dumps(_content(seen), indent=2, ensure_ascii=False))
    else:
        _print(seen, place, target)
    if seen.damaged:
        raise typer.Exit(1)


def _meant(place: str) -> tuple[str, Path | None]:
    """The word of the data set, and the path of custom data."""
    from qiskit_hqnn.data import check_name
    from qiskit_hqnn.errors import MissingDataError

    path = Path(place).expanduser()
    if path.is_dir():
        return "folder", path
    kinds = {".npz": "npz", ".csv": "csv", ".tsv": "csv"}
    if path.suffix.lower() in kinds:
        return kinds[path.suffix.lower()], path
    if path.exists():
        raise MissingDataError(
            f"Data must be a folder, an .npz archive or a .csv table, but {place} is a different kind of file."
        )
    try:
        check_name(place)
    except MissingDataError as error:
        raise MissingDataError(f"There is no folder {place}, and no data set of that name. {error}") from None
    return place, None


def _print(seen: Survey, place: str, target: Path | None) -> None:
    counts = seen.counts()
    parts = [part for part, members in seen.parts.items() if members]
    rows = [
        (name, *(f"{by[part]:,}" for part in parts), f"{sum(by.values()):,}") for name, by in counts.items()
    ]
    total = [f"{len(seen.parts[part]):,}" for part in parts]
    print_rows(("class", *parts, "all"), [*rows, ("all", *total, f"{len(seen.items):,}")], left=("class",))
    for text in seen.notes:
        note(text)
    sizes = ", ".join(f"{w}×{h} ({count:,})" for (w, h), count in seen.sizes().most_common(6))
    say(f"\nsizes    {sizes}{', …' if len(seen.sizes()) > 6 else ''}")
    say(f"kinds    {', '.join(f'{kind} ({count:,})' for kind, count in seen.kinds().most_common())}")
    found = seen.oddities()
    say("oddities " + ("none" if not found else ""))
    for text in found:
        say(f"  - {text}")
    if target:
        say(f"sheet    {target}")


def _content(seen: Survey) -> dict[str, object]:
    return {
        "classes": seen.counts(),
        "notes": seen.notes,
        "sizes": [{"width": w, "height": h, "pictures": count} for (w, h), count in seen.sizes().items()],
        "kinds": seen.kinds(),
        "oddities": seen.oddities(),
        "duplicates": seen.duplicates(),
        "damaged": {item.name: item.error for item in seen.damaged},
    }
