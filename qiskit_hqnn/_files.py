"""Files that are complete or absent: written under a temporary name, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

from qiskit_hqnn.errors import FileError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Call `write` with a temporary name beside `path`, then rename; a kill leaves the old file or none.

    `write` creates the file, so its permissions follow the user's umask. Missing folders are created.

    Raises:
        FileError: if the disk is full, or the folder cannot be written.
    """
    beside = path.with_name(f".{path.stem}-{token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_bytes(path: Path, content: bytes) -> None:
    def write(beside: Path) -> None:
        beside.write_bytes(content)

    write_whole(path, write)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
