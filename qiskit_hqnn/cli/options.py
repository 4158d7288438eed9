"""Options that several subcommands share."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from qiskit_hqnn._tiles import read_tiles

DATA_ROOT = Annotated[
    Path, typer.Option("--data-root", envvar="HQNN_DATA", help="Folder of the data sets; downloads go there.")
]
"""Folder of the data sets."""


def _a_name(store: str | None) -> str | None:
    if (
        store is not None and not store.strip()
    ):  # from an unset shell variable: not the default, which may be a different store
        raise typer.BadParameter("it is empty; name a file or a URL.")
    return store


STORE = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="HQNN_STORE",
        callback=_a_name,
        help="Job store: a file or URL; runs/jobs.db by default.",
    ),
]
"""Where jobs are recorded."""


PLAN = Annotated[
    str | None,
    typer.Option(
        "--plan",
        envvar="HQNN_PLAN",
        help="The price in money: open, pay-as-you-go, flex, premium, or a custom rate, such as 1.25/s or 60/min.",
    ),
]
"""The user's price of QPU seconds; None shows seconds only."""


RUN = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
SUBSET = Annotated[int | None, typer.Option(help="Only the first N test images.")]
BUDGET = Annotated[float | None, typer.Option("--max-qpu-seconds", help="Send nothing that costs more.")]
SHOW_PRICE_ONLY = Annotated[bool, typer.Option("--dry-run", help="Show the price, send nothing.")]
YES = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
YES_TO_HARDWARE = Annotated[bool, typer.Option("--yes", "-y", help="Hardware: do not ask.")]
"""Options of all commands that send something to a device."""


INPUTS = Annotated[
    str | None,
    typer.Option(
        "--inputs",
        help="Of a file or a factory: its inputs, such as 'x*'; by default all except the weights.",
    ),
]
WEIGHTS = Annotated[
    str | None,
    typer.Option(
        "--weights",
        help="Of a file or a factory: its weights, such as 'theta*'; by default all except the inputs.",
    ),
]
OBSERVABLES = Annotated[
    str | None,
    typer.Option(
        "--observables",
        help="Of a file or a factory: its outputs, such as 'Z*', 'Z0*Z1,X2' or '0.5 - 0.5*Z0'.",
    ),
]
OPTIONS = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="An argument of a factory; may be repeated."),
]
NUM_QUBITS = Annotated[int | None, typer.Option(help="Number of qubits, if the ansatz takes it.")]
DEPTH = Annotated[int | None, typer.Option(help="Number of layers, if the ansatz takes it.")]
"""How a custom circuit becomes an ansatz, for every command that takes one."""


FRACTIONAL = Annotated[
    bool | None,
    typer.Option(
        "--fractional/--no-fractional",
        help="Use, or leave out, rx and rzz gates of any angle if a device has them.",
    ),
]
"""Whether a device's fractional gates are used; None is the job file's value, otherwise no."""


TILES = Annotated[
    str | None,
    typer.Option(
        "--tiles",
        metavar="N|auto|none",
        help="Regions of the device that run side by side; auto for as many as there are good ones. Settings "
        "follow it: 20,floor=0.9,spacing=1.",
    ),
]
"""Number of sets of values side by side; None is the job file's value, otherwise one."""


def tiles_of_option(text: str) -> int | str | None:
    """The value of --tiles, as in a job file: a number, a word, or None for "none".

    Raises:
        HQNNError: if it is anything else.
    """
    if text == "none":
        return None
    read = read_tiles(int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text)
    if read is None:
        from qiskit_hqnn.errors import HQNNError

        raise HQNNError(
            "Option --tiles must be a whole number from 1 to 10000, auto or none, or with settings such as "
            f"20,floor=0.9,spacing=1, but is {text!r}."
        )
    return read.word


CONFIDENCE = Annotated[
    float | None,
    typer.Option(
        help="Only the shots that each image's class needs, in rounds up to --shots: with 0.99, the class is that of "
        "all --shots at 99 % confidence."
    ),
]
"""Confidence for images in rounds; None gives all images the full budget."""


def check_confidence_option(confidence: float | None) -> None:
    """Raises HQNNError if a confidence is out of range, before torch is loaded."""
    from qiskit_hqnn.errors import HQNNError

    if confidence is not None and not 0.5 < confidence < 1:
        raise HQNNError(
            f"Option --confidence must be above 0.5 and below 1, such as 0.99, but is {confidence:g}."
        )


def check_shots_option(shots: int | None) -> None:
    """Raises HQNNError if a number of shots is out of range."""
    if shots is not None and shots < 1:
        from qiskit_hqnn.errors import HQNNError

        raise HQNNError(f"Option --shots must be at least 1, but is {shots}.")


def check_budget_option(max_qpu_seconds: float | None) -> None:
    """Raises HQNNError if a budget is not positive."""
    if max_qpu_seconds is not None and not max_qpu_seconds > 0:  # also refuses NaN
        from qiskit_hqnn.errors import HQNNError

        raise HQNNError(f"Option --max-qpu-seconds must be positive, but is {max_qpu_seconds:g}.")


def factory_options(settings: list[str] | None, **given: int | None) -> dict[str, Any]:
    """Arguments of a factory: values are TOML, otherwise text.

    Raises:
        HQNNError: if a setting is not KEY=VALUE, or is given twice.
    """
    import tomllib

    from qiskit_hqnn.errors import HQNNError

    options: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    for setting in settings or []:
        key, separator, value = (part.strip() for part in setting.partition("="))
        if not separator or not key.isidentifier():
            raise HQNNError(
                f"Option --set must have the form KEY=VALUE, such as depth=3, but is {setting!r}."
            )
        if key in options:
            raise HQNNError(f"Argument {key!r} is given twice.")
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):
            options[key] = value
    return options


def store_option(store: str | None) -> str:
    """The store's option in a command printed for the user; an address with a password is not repeated."""
    return f" --store {shlex.quote(store)}" if store and "@" not in store else ""


def summary(command: Callable[..., object]) -> str:
    """A command's whole first sentence: the list of commands would cut the docstring."""
    return (inspect.getdoc(command) or "").split("\n\n")[0].replace("\n", " ")


def check_run_folder(folder: Path) -> None:
    """Check that a folder can be a run's, before torch is loaded.

    Raises:
        RunFolderError: if it has no job file.
    """
    if not (folder / "job.toml").exists():
        from qiskit_hqnn.errors import RunFolderError

        raise RunFolderError(f"{folder} is not a run folder: it has no job.toml.")
