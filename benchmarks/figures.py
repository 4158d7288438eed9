"""A benchmark's figures: the table that is printed, and the file that the pages are held against."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def show(table: str, out: Path | None, settings: Mapping[str, object], **figures: object) -> None:
    """Print the table, and write settings, the machine's load and the figures where a file is named."""
    print(table)
    if out is not None:
        content = {**settings, "load": os.getloadavg()[0], **figures}
        out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
