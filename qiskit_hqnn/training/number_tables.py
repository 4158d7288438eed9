"""Tables of numbers as CSV: a row of titles, then a row for each epoch or image."""

from __future__ import annotations

import csv
from pathlib import Path

from qiskit_hqnn.errors import RunFolderError


def read_numbers(file: Path) -> list[dict[str, float]]:
    """The rows of a table by their titles, without empty cells; none where the file is gone.

    Raises:
        RunFolderError: if it is not a table of numbers.
    """
    if not file.exists():
        return []
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        return [{name: float(value) for name, value in row.items() if value} for row in rows]
    except (ValueError, TypeError, csv.Error) as error:
        raise RunFolderError(f"{file} is not a table of numbers: {error}.") from error
