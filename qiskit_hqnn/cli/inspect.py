"""`hqnn inspect` and `hqnn gallery`: what devices do to circuits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn._files import write_text
from qiskit_hqnn._text import one_line
from qiskit_hqnn.cli.options import (
    DATA_ROOT,
    DEPTH,
    FRACTIONAL,
    INPUTS,
    NUM_QUBITS,
    OBSERVABLES,
    OPTIONS,
    TILES,
    WEIGHTS,
    factory_options,
    tiles_of_option,
)
from qiskit_hqnn.cli.terminal import console, doing, say
from qiskit_hqnn.where import Where, check_devices

if TYPE_CHECKING:
    from pandas import DataFrame

    from qiskit_hqnn.inspection import Inspection


_WHAT = Annotated[
    str,
    typer.Argument(
        metavar="NAME|RUN|FILE|FILE.py:FACTORY",
        help="A name that `hqnn circuits` lists, a run folder, a QPY or OpenQASM file, or a function of a Python "
        "file.",
    ),
]
_WHERE = Annotated[list[str] | None, typer.Option(help="A device, such as fake_fez; may be repeated.")]
_SEEDS = Annotated[int, typer.Option(help="Transpiler seeds for each level.")]
_LEVELS = Annotated[str, typer.Option(help="Optimisation levels.")]
_SAMPLES = Annotated[int, typer.Option(help="Samples that the price is for.")]
_SHOTS = Annotated[int, typer.Option(help="Shots of each sample, for the price and for a run's predictions.")]
_IMAGES = Annotated[int, typer.Option(help="Of a run: test images to predict on each device.")]
_STANDARD_ERROR = Annotated[float, typer.Option(help="Of a run: the standard error of every logit to reach.")]
_COPY = Annotated[
    int | None, typer.Option(help="Of a run: the copy whose weights are in the circuit; the first is 0.")
]
_COPIES = Annotated[
    int | None, typer.Option(help="Of a circuit: number of copies side by side, for the price.")
]
_HTML = Annotated[Path | None, typer.Option(help="Write one self-contained page.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
_EXPORT = Annotated[Path | None, typer.Option(help="Folder for the ISA circuits as QPY and OpenQASM 3.")]
_PNG = Annotated[Path | None, typer.Option(help="Folder for the page's pictures as PNG files.")]


@dataclass(frozen=True)
class _Files:
    """Where results are written in addition to the terminal.

    Raises:
        HQNNError: before anything is computed, if one could not be written.
    """

    html: Path | None
    export: Path | None
    png: Path | None

    def __post_init__(self) -> None:
        from qiskit_hqnn.errors import HQNNError

        html = self.html
        if html and (html.is_dir() or not html.parent.is_dir()):
            reason = f"{html} is a folder" if html.is_dir() else f"there is no folder {html.parent}"
            raise HQNNError(f"Option --html must be a file in a folder that exists, but {reason}.")
        for option, folder in (("export", self.export), ("png", self.png)):
            if folder and folder.exists() and not folder.is_dir():
                raise HQNNError(f"Option --{option} must be a folder, but {folder} is a file.")


def inspect(
    what: _WHAT,
    where: _WHERE = None,
    num_qubits: NUM_QUBITS = None,
    depth: DEPTH = None,
    settings: OPTIONS = None,
    inputs: INPUTS = None,
    weights: WEIGHTS = None,
    observables: OBSERVABLES = None,
    fractional: FRACTIONAL = None,
    tiles: TILES = None,
    seeds: _SEEDS = 8,
    levels: _LEVELS = "0,1,2,3",
    samples: _SAMPLES = 100,
    shots: _SHOTS = 1000,
    images: _IMAGES = 8,
    standard_error: _STANDARD_ERROR = 0.1,
    copy: _COPY = None,
    copies: _COPIES = None,
    data_root: DATA_ROOT = Path("data"),
    html: _HTML = None,
    json: _JSON = False,
    export: _EXPORT = None,
    png: _PNG = None,
) -> None:
    """Transpile a circuit for devices at every level and seed, and compare costs and expected errors.

    Of a trained run also: predictions under the device's noise, and the shots for a given standard error. Exit code 1
    if an ISA circuit does not compute the ansatz.

    Example: hqnn inspect hqnn-parallel --where fake_fez --where fake_torino --html page.html

    Example: hqnn inspect runs/quickstart --where fake_fez

    Example: hqnn inspect own.qasm --inputs 'x*' --observables 'Z*'
    """
    numbers = _numbers(levels)
    regions = None if tiles is None else tiles_of_option(tiles)
    files = _Files(html, export, png)
    sizes = factory_options(settings, num_qubits=num_qubits, depth=depth)
    check_devices([Where.parse(word) for word in where or ()])
    _check_there(what)

    from qiskit_hqnn.inspection import inspect as inspect_circuit

    chosen = partial(
        inspect_circuit, what, where or ["fake_fez"], inputs=inputs, weights=weights, observables=observables
    )
    placed = partial(chosen, seeds=seeds, levels=numbers, fractional=bool(fractional), tiles=regions)
    priced = partial(placed, samples=samples, shots=shots, copies=copies, copy=copy)
    of_run = partial(priced, images=images, standard_error=standard_error, data_root=data_root)
    with doing(what) as status:
        result = of_run(progress=lambda step: status(f"{what}: {step}"), **sizes)
        if html:
            status(f"{what}: drawing {html}")
            write_text(html, result.page())
    _say_result(result, files, json)
    if not all(part.proven for part in result.devices):
        raise typer.Exit(1)


def _numbers(levels: str) -> list[int]:
    from qiskit_hqnn.errors import HQNNError

    try:
        return [int(level) for level in levels.split(",")]
    except ValueError:
        raise HQNNError(f"Option --levels must be numbers such as 2,3, but is {levels!r}.") from None


def _check_there(what: str) -> None:
    if not Path(what).is_dir():
        from qiskit_hqnn.circuits import check_there

        check_there(what)


def _say_result(result: Inspection, files: _Files, json: bool) -> None:
    """Print a result, write the other files, and print where they are."""
    if json:
        from json import dumps

        say(dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(result)
    if files.html:
        say(f"page     {files.html}", err=json)
    exported = _export(result, files.export) if files.export else []
    drawn = _draw(result, files.png) if files.png else []
    for path in [*exported, *drawn]:
        say(str(path), err=json)


def gallery(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("circuits"),
) -> None:
    """Write every published ansatz as OpenQASM 3, a drawing, and a page with its cost on three devices.

    Example: hqnn gallery --out circuits
    """
    from qiskit_hqnn.inspection import write_gallery

    for path in write_gallery(out):
        say(str(path))


def _print(result: Inspection) -> None:
    from pandas import DataFrame

    _print_table(result.shown_table())
    say(
        "✓: what the job manager uses. Success: expected, of the best seed; lowest: of the worst seed.\n"
        "2q: two-qubit. Swaps: added by routing. Idle: of all qubits, from their first gate on."
    )
    say(f"\n{result.verdict}\n{result.price_note}\n")
    if result.fractional_notes:
        say(f"{result.fractional_notes}\n")
    for part in result.devices:
        if part.tiles is not None:
            say(f"{part.tiles.note}\n")
    causes = [
        {
            "expected failures": part.device.name,
            **part.budget,
            "qubits of the best": " ".join(map(str, part.best.logical)),
        }
        for part in result.devices
    ]
    _print_table(DataFrame(causes))
    for prediction in result.predictions:
        say()
        _print_table(prediction.table)
        say(prediction.summary)


_SHORT = {  # for a window of 80 characters
    "used": "",
    "expected success": "success",
    "two-qubit gates": "2q gates",
    "two-qubit depth": "2q depth",
    "swaps added": "swaps",
    "duration, µs": "time, µs",
    "QPU seconds": "QPU s",
}


def _print_table(table: DataFrame) -> None:
    import sys

    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    names = ("device", "expected failures")
    for column in table.columns:
        text = column in (*names, "qubits of the best", "", "label", "exact class", "class on device")
        heading = _SHORT.get(column, column)
        words = max(map(len, heading.split()), default=1)
        shown.add_column(
            heading, justify="left" if text else "right", min_width=words, no_wrap=column in names
        )
    for _, row in table.iterrows():
        cells = [f"{cell:.3g}" if isinstance(cell, float) else one_line(cell) for cell in row]
        shown.add_row(*map(Text, cells))
    # A file or a pipe has no width.
    console(width=None if sys.stdout.isatty() else 110).print(shown)


def _export(result: Inspection, folder: Path) -> list[Path]:
    from qiskit import qasm3, qpy

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part in result.devices:
        stem = folder / f"{result.ansatz.name}-{part.device.name}"
        with stem.with_suffix(".qpy").open("wb") as file:
            qpy.dump(part.best.circuit, file)
        stem.with_suffix(".qasm").write_text(qasm3.dumps(part.best.circuit), encoding="utf-8")
        paths += [stem.with_suffix(".qpy"), stem.with_suffix(".qasm")]
    return paths


def _draw(result: Inspection, folder: Path) -> list[Path]:
    import re

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in result.figures.items():
        paths.append(folder / f"{re.sub(r'[^A-Za-z0-9_]+', '-', name)}.png")
        draw().savefig(paths[-1], dpi=150, bbox_inches="tight")
    return paths
