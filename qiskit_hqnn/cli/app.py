"""The command `hqnn`: a table of subcommands, one file each, and one place where errors become sentences."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from qiskit_hqnn._version import __version__
from qiskit_hqnn.cli import (
    analyse,
    circuits,
    devices,
    evaluate,
    inspect,
    jobfiles,
    jobs,
    reproduce,
    run,
    submit,
)
from qiskit_hqnn.errors import HQNNError

app = typer.Typer(
    name="hqnn",
    help="Train hybrid quantum neural networks, submit them to devices, inspect their circuits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run")(run.run)
app.command("reproduce")(reproduce.reproduce)
app.command("evaluate")(evaluate.evaluate)
app.command("submit")(submit.submit)
app.add_typer(jobs.app, name="jobs")
app.command("devices")(devices.devices)
app.command("analyse")(analyse.analyse)
app.command("inspect")(inspect.inspect)
app.command("gallery")(inspect.gallery)
app.command("ls")(jobfiles.list_jobs)
app.command("cp")(jobfiles.copy)
app.command("validate")(jobfiles.validate)
app.add_typer(circuits.app, name="circuits")


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"hqnn {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Train hybrid quantum neural networks, submit them to devices, inspect their circuits.

    First steps: `hqnn run quickstart`, `hqnn ls`, `hqnn circuits`.
    """


def main() -> None:
    """Entry point: exit code 0, 2 for bad input (one sentence), 130 after Ctrl-C."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(arguments, standalone_mode=True)
    except HQNNError as error:
        if debug:
            raise
        typer.echo(f"hqnn: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("hqnn: interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
