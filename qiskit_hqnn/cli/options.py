"""Options that several subcommands share."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

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
    """How a command that is printed for the user names the store; an address with a password is not repeated."""
    return f" --store {shlex.quote(store)}" if store and "@" not in store else ""


def summary(command: Callable[..., Any]) -> str:
    """A command's first sentence in whole: the list of commands would cut what it takes from the docstring."""
    return (inspect.getdoc(command) or "").split("\n\n")[0].replace("\n", " ")


def check_run_folder(folder: Path) -> None:
    """That a folder can be a run's, told before torch is loaded.

    Raises:
        RunFolderError: if it has no job file.
    """
    if not (folder / "job.toml").exists():
        from qiskit_hqnn.errors import RunFolderError

        raise RunFolderError(f"{folder} is not a run folder: it has no job.toml.")
