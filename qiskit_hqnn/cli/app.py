"""The command `hqnn`: a table of subcommands, one file each, and one place where errors become sentences."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from qiskit_hqnn._version import __version__
from qiskit_hqnn.cli import (
    analyse,
    circuits,
    data,
    devices,
    doctor,
    evaluate,
    export,
    inspect,
    jobfiles,
    jobs,
    predict,
    reproduce,
    run,
    submit,
    sweep,
)
from qiskit_hqnn.cli.options import summary
from qiskit_hqnn.cli.terminal import say
from qiskit_hqnn.errors import HQNNError

_COLUMNS = shutil.get_terminal_size().columns

app = typer.Typer(
    name="hqnn",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: Rich's tables cut the names of options in narrow terminals.
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # The formatter would take 50 columns at least, and 80 at most.
        "terminal_width": max(_COLUMNS, 30) - 2 if _COLUMNS < 52 else None,
    },
)

_COMMANDS: dict[str, Callable[..., object]] = {
    "run": run.run,
    "sweep": sweep.sweep,
    "reproduce": reproduce.reproduce,
    "evaluate": evaluate.evaluate,
    "predict": predict.predict,
    "export": export.export,
    "submit": submit.submit,
    "devices": devices.devices,
    "doctor": doctor.doctor,
    "analyse": analyse.analyse,
    "inspect": inspect.inspect,
    "gallery": inspect.gallery,
    "data": data.data,
    "ls": jobfiles.list_jobs,
    "cp": jobfiles.copy,
    "validate": jobfiles.validate,
}
for _name, _command in _COMMANDS.items():
    app.command(_name, short_help=summary(_command))(_command)
app.add_typer(jobs.app, name="jobs", short_help=summary(jobs.list_jobs))
app.add_typer(circuits.app, name="circuits", short_help=summary(circuits.list_circuits))


def _version(shown: bool) -> None:
    if shown:
        say(f"hqnn {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    network: Annotated[
        str | None,
        typer.Option(
            envvar="HQNN_NETWORK",
            help="Runs of custom networks: the class to load them with, as mine.py:Network; it is run.",
        ),
    ] = None,
) -> None:
    """Train hybrid quantum neural networks, submit them to devices, inspect their circuits.

    First steps: `hqnn run quickstart`, `hqnn ls`, `hqnn circuits`.
    """
    if network is not None:
        from qiskit_hqnn.training import NAMED_NETWORK

        NAMED_NETWORK.set(network)


_LONGEST = 300
"""Most characters of a device's message: Aer repeats its sentence for every circuit."""


def main() -> None:
    """Entry point: exit code 0, 2 for bad input (one sentence), 1 if a device or a check failed, 70 for a bug of the
    toolkit, 130 after Ctrl-C.
    """
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(arguments, prog_name="hqnn", standalone_mode=True)
    except KeyboardInterrupt:
        say("hqnn: interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        words, code = _in_words(error)
        say(f"hqnn: {words}", err=True)
        sys.exit(code)


def _in_words(error: Exception) -> tuple[str, int]:
    """A sentence for an error, and the exit code."""
    if isinstance(error, HQNNError):
        return str(error), 2
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename} cannot be read or written: {error.strerror}.", 2
    first = str(error).strip().partition("\n")[0]
    if isinstance(error, MemoryError) or "allocate memory" in first:
        return f"there is not enough memory for this: {first}", 2
    if isinstance(error, OSError):
        return f"{first.rstrip('.')}.", 2

    if isinstance(error, OverflowError):
        return f"a number is too large for this: {first.rstrip('.')}.", 2
    if isinstance(error, RecursionError):
        return "this is nested too deeply.", 2

    from qiskit_hqnn.jobs.adapters import AdapterError

    if isinstance(error, AdapterError):  # of a device, which is named in the message
        return first if len(first) < _LONGEST else f"{first[:_LONGEST]}…", 1
    return f"this should not happen, --debug shows where it does: {type(error).__name__}: {first}", 70


if __name__ == "__main__":
    main()
