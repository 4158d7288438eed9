"""`hqnn analyse`: what an ansatz can express, and whether it can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_KINDS = ("fourier", "zx", "expressibility", "gradients")


def analyse(
    ansatz: Annotated[
        str, typer.Argument(help="A name that `hqnn circuits` lists, or 'all' (expressibility).")
    ],
    kind: Annotated[str, typer.Option(help="fourier, zx, expressibility or gradients.")] = "fourier",
    num_qubits: Annotated[
        int | None, typer.Option(help="Number of qubits, where the ansatz takes it.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Number of layers, where the ansatz takes it.")] = None,
    samples: Annotated[
        int | None, typer.Option(help="Weight sets, pairs of states, or parameter sets.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all random parameters.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the picture, the table and the page.")] = Path(
        "analysis"
    ),
) -> None:
    """Analyse an ansatz; writes a picture, a table and a page.

    Example: hqnn analyse hqnn-parallel --kind fourier
    """
    from qiskit_hqnn.errors import HQNNError

    if kind not in _KINDS:
        raise HQNNError(f"Option --kind must be one of {', '.join(_KINDS)}, but is {kind!r}.")
    if samples is not None and samples < 2:
        raise HQNNError(f"Option --samples must be at least 2, but is {samples}.")

    from qiskit_hqnn.analysis import expressibility, fourier, gradient_variance, zx_reduction
    from qiskit_hqnn.circuits import ANSATZE
    from qiskit_hqnn.circuits.choosing import make_ansatz

    sizes = {
        key: value for key, value in {"num_qubits": num_qubits, "depth": depth}.items() if value is not None
    }
    if kind == "expressibility":
        names = list(ANSATZE) if ansatz == "all" else [ansatz]
        result = expressibility({name: make_ansatz(name, **sizes) for name in names}, samples or 5000, seed)
    elif kind == "zx":
        result = zx_reduction(make_ansatz(ansatz, **sizes), seed=seed)
    elif kind == "fourier":
        chosen = make_ansatz(ansatz, **sizes)
        result = fourier(chosen, tuple(range(min(2, chosen.num_inputs))), -1, samples or 100, seed)
    else:
        make_ansatz(ansatz, num_qubits=2, depth=1)
        result = gradient_variance(
            ANSATZE[ansatz],
            samples=samples or 200,
            seed=seed,
            progress=lambda line: typer.echo(line, err=True),
        )
    typer.echo(result.table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    typer.echo(result.summary)
    for path in result.save(out, f"{kind}-{ansatz}"):
        typer.echo(str(path))
