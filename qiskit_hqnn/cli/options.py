"""Options that several subcommands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA_ROOT = Annotated[
    Path, typer.Option("--data-root", envvar="HQNN_DATA", help="Folder of the data sets; downloads go there.")
]
"""Folder of the data sets."""

STORE = Annotated[
    str | None,
    typer.Option("--store", envvar="HQNN_STORE", help="Job store: a file or URL; runs/jobs.db by default."),
]
"""Where jobs are recorded."""


def store_option(store: str | None) -> str:
    """The option to repeat in a hint; an address with credentials is never printed."""
    return f" --store {store}" if store and "@" not in store else ""
