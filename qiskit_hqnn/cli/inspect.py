"""`hqnn inspect` and `hqnn gallery`: what devices do to circuits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.options import DATA_ROOT

if TYPE_CHECKING:
    from pandas import DataFrame

    from qiskit_hqnn.circuits import Ansatz
    from qiskit_hqnn.inspection import Inspection


def inspect(
    what: Annotated[
        str, typer.Argument(help="A name that `hqnn circuits` lists, a run folder, or a .qpy or .qasm file.")
    ],
    where: Annotated[
        list[str] | None, typer.Option(help="A device, such as fake_fez; may be repeated.")
    ] = None,
    num_qubits: Annotated[
        int | None, typer.Option(help="Number of qubits, where the ansatz takes it.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Number of layers, where the ansatz takes it.")] = None,
    seeds: Annotated[int, typer.Option(help="Transpiler seeds for each level.")] = 8,
    levels: Annotated[str, typer.Option(help="Optimisation levels.")] = "0,1,2,3",
    samples: Annotated[int, typer.Option(help="Samples that the price is for.")] = 100,
    shots: Annotated[
        int, typer.Option(help="Shots of each sample, for the price and for a run's answers.")
    ] = 1000,
    images: Annotated[int, typer.Option(help="Of a run: test images to predict on each device.")] = 8,
    standard_error: Annotated[float, typer.Option(help="Of a run: wanted of every logit.")] = 0.1,
    copy: Annotated[int, typer.Option(help="Of a run: the copy whose weights are in the circuit.")] = 0,
    data_root: DATA_ROOT = Path("data"),
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Folder for the ISA circuits as QPY and OpenQASM 3.")
    ] = None,
) -> None:
    """Transpile a circuit for devices at every level and seed, and compare what each would cost and lose.

    Of a trained run also: its answers under the device's noise, and the shots for a given standard error.

    Example: hqnn inspect hqnn-parallel --where fake_fez --where fake_torino --html page.html

    Example: hqnn inspect runs/quickstart --where fake_fez
    """
    from qiskit_hqnn.errors import HQNNError

    try:
        numbers = [int(level) for level in levels.split(",")]
    except ValueError:
        raise HQNNError(f"Option --levels must be numbers such as 2,3, but is {levels!r}.") from None
    devices = where or ["fake_fez"]
    run = None
    if Path(what).is_dir():
        from qiskit_hqnn.cli.inspect_run import open_run, trained_ansatz

        run = open_run(Path(what), data_root)
        chosen = trained_ansatz(run, copy)
    else:
        chosen = _circuit(what, num_qubits, depth)

    from rich.console import Console

    from qiskit_hqnn.inspection import inspect as inspect_ansatz

    with Console(stderr=True).status(f"{chosen.name}: transpiling for {devices[0]}") as status:
        result = inspect_ansatz(
            chosen, devices, seeds, numbers, samples, shots,
            lambda word: status.update(f"{chosen.name}: {word} done"),
        )  # fmt: skip
        if run is not None:
            from qiskit_hqnn.cli.inspect_run import predictions

            status.update(f"{chosen.name}: {images} test images on {', '.join(devices)}")
            result.predictions.extend(predictions(run, devices, images, shots, standard_error))
    if json:
        typer.echo(_as_json(result))
    else:
        _print(result)
    if html:
        beside = html.with_name(f".{html.name}.part")
        beside.write_text(result.page(), encoding="utf-8")
        beside.replace(html)
        typer.echo(f"page     {html}", err=json)
    if export:
        for path in _export(result, export):
            typer.echo(str(path), err=json)


def _circuit(what: str, num_qubits: int | None, depth: int | None) -> Ansatz:
    """A file's circuit, or an ansatz by name."""
    from qiskit_hqnn.circuits.choosing import make_ansatz
    from qiskit_hqnn.errors import HQNNError

    sizes = {
        key: value for key, value in {"num_qubits": num_qubits, "depth": depth}.items() if value is not None
    }
    if not Path(what).suffix and "/" not in what:
        return make_ansatz(what, **sizes)
    if sizes:
        raise HQNNError(
            f"Options --num-qubits and --depth belong to an ansatz by name, but {what} is a file."
        )
    from qiskit_hqnn.inspection import read_ansatz

    return read_ansatz(Path(what))


def gallery(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("circuits"),
) -> None:
    """Write every published ansatz as OpenQASM 3, a drawing, and a page with its cost on three devices.

    Example: hqnn gallery --out circuits
    """
    from qiskit_hqnn.inspection.gallery import write_gallery

    for path in write_gallery(out):
        typer.echo(str(path))


def _as_json(result: Inspection) -> str:
    if not result.predictions:
        return str(result.table.to_json(orient="records", indent=2, force_ascii=False))
    from json import dumps

    return dumps(
        {
            "transpilation": result.table.to_dict(orient="records"),
            "predictions": [
                {
                    "device": part.device,
                    "shots": part.shots,
                    "standard_error": part.standard_error,
                    "shots_needed": part.shots_needed,
                    "images": part.table.to_dict(orient="records"),
                    "outputs": part.outputs.to_dict(orient="records"),
                }
                for part in result.predictions
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _print(result: Inspection) -> None:
    hidden = ("gates", "depth", "qubits")
    _print_table(result.table.drop(columns=[c for c in hidden if c in result.table]))
    typer.echo(result.verdict)
    for part in result.predictions:
        typer.echo()
        _print_table(part.table)
        typer.echo(part.summary)


def _print_table(table: DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        text = column in ("device", "", "label", "exact class", "class on device")
        shown.add_column(column, justify="left" if text else "right", no_wrap=column == "device")
    for _, row in table.iterrows():
        shown.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row))
    Console().print(shown)


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
