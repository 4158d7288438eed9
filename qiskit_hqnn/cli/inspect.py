"""`hqnn inspect` and `hqnn gallery`: what devices do to circuits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    ansatz: Annotated[str, typer.Argument(help="A name that `hqnn circuits` lists.")],
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
    shots: Annotated[int, typer.Option(help="Shots of each sample that the price is for.")] = 1000,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Folder for the ISA circuits as QPY and OpenQASM 3.")
    ] = None,
) -> None:
    """Transpile an ansatz for devices at every level and seed, and compare what each would cost and lose.

    Example: hqnn inspect hqnn-parallel --where fake_fez --where fake_torino --html page.html
    """
    from qiskit_hqnn.circuits.choosing import make_ansatz
    from qiskit_hqnn.errors import HQNNError

    sizes = {
        key: value for key, value in {"num_qubits": num_qubits, "depth": depth}.items() if value is not None
    }
    chosen = make_ansatz(ansatz, **sizes)
    try:
        numbers = [int(level) for level in levels.split(",")]
    except ValueError:
        raise HQNNError(f"Option --levels must be numbers such as 2,3, but is {levels!r}.") from None

    from qiskit_hqnn.inspection import inspect as inspect_ansatz

    result = inspect_ansatz(
        chosen,
        where or ["fake_fez"],
        seeds,
        numbers,
        samples,
        shots,
        lambda word: typer.echo(f"{word} …", err=True),
    )
    if json:
        typer.echo(result.table.to_json(orient="records", indent=2, force_ascii=False))
    else:
        _print_table(result.table)
        typer.echo(result.verdict)
    if html:
        beside = html.with_name(f".{html.name}.part")
        beside.write_text(result.page(), encoding="utf-8")
        beside.replace(html)
        typer.echo(f"page     {html}", err=json)
    if export:
        for path in _export(result, export):
            typer.echo(str(path), err=json)


def gallery(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("circuits"),
) -> None:
    """Write every published ansatz as OpenQASM 3, a drawing, and a page with its cost on three devices.

    Example: hqnn gallery --out circuits
    """
    from qiskit_hqnn.inspection.gallery import write_gallery

    for path in write_gallery(out):
        typer.echo(str(path))


def _print_table(table: object) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    columns = [c for c in table.columns if c not in ("gates", "depth", "qubits")]  # type: ignore[attr-defined]
    for column in columns:
        shown.add_column(
            column, justify="left" if column in ("device", "") else "right", no_wrap=column == "device"
        )
    for _, row in table.iterrows():  # type: ignore[attr-defined]
        shown.add_row(*(f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c]) for c in columns))
    Console().print(shown)


def _export(result: object, folder: Path) -> list[Path]:
    from qiskit import qasm3, qpy

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part in result.devices:  # type: ignore[attr-defined]
        stem = folder / f"{result.ansatz.name}-{part.device.name}"  # type: ignore[attr-defined]
        with stem.with_suffix(".qpy").open("wb") as file:
            qpy.dump(part.best.circuit, file)
        stem.with_suffix(".qasm").write_text(qasm3.dumps(part.best.circuit), encoding="utf-8")
        paths += [stem.with_suffix(".qpy"), stem.with_suffix(".qasm")]
    return paths
