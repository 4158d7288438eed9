"""`hqnn analyse`: what an ansatz can express, whether it can be trained, and what a trained one does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.options import DATA_ROOT

if TYPE_CHECKING:
    from qiskit_hqnn.analysis import Analysis
    from qiskit_hqnn.circuits import Ansatz

OF_ANSATZ = ("fourier", "zx", "expressibility", "gradients", "lie-algebra", "effective-dimension")
_ROWS = 20
OF_RUN = ("ablation", "outputs", "bloch", "weights", "gradient-norms")


def analyse(
    target: Annotated[
        str,
        typer.Argument(
            help="A name that `hqnn circuits` lists, 'all' (expressibility, lie-algebra), or a run folder."
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help=f"Of an ansatz: {', '.join(OF_ANSATZ)}. Of a run: {', '.join(OF_RUN)}, or all of them."
        ),
    ] = None,
    num_qubits: Annotated[
        int | None, typer.Option(help="Number of qubits, where the ansatz takes it.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Number of layers, where the ansatz takes it.")] = None,
    samples: Annotated[
        int | None, typer.Option(help="Weight sets, pairs of states, or parameter sets.")
    ] = None,
    images: Annotated[
        str, typer.Option(help="Of a run: images of the train, validation or test split.")
    ] = "validation",
    data_root: DATA_ROOT = Path("data"),
    seed: Annotated[int, typer.Option(help="Of all random parameters.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, tables and pages; analysis, or RUN/analysis.")
    ] = None,
) -> None:
    """Analyse an ansatz, or the quantum layer of a trained run; writes pictures, tables and pages.

    Example: hqnn analyse hqnn-parallel --kind fourier

    Example: hqnn analyse runs/quickstart
    """
    from qiskit_hqnn.errors import HQNNError

    of_run = Path(target).is_dir()
    kinds = OF_RUN if of_run else OF_ANSATZ
    if kind is not None and kind not in kinds:
        what = "a run folder" if of_run else "an ansatz"
        raise HQNNError(f"Option --kind of {what} must be one of {', '.join(kinds)}, but is {kind!r}.")
    if samples is not None and samples < 2:
        raise HQNNError(f"Option --samples must be at least 2, but is {samples}.")
    if of_run:
        from qiskit_hqnn.cli.analyse_run import analyse_run

        folder = out or Path(target) / "analysis"
        for name, result in analyse_run(Path(target), data_root, kind, images):
            _show(result, folder, name)
        return
    kind = kind or "fourier"
    _show(
        _of_ansatz(target, kind, num_qubits, depth, samples, seed),
        out or Path("analysis"),
        f"{kind}-{target}",
    )


def _of_ansatz(
    name: str, kind: str, num_qubits: int | None, depth: int | None, samples: int | None, seed: int
) -> Analysis:
    from qiskit_hqnn.circuits import ANSATZE
    from qiskit_hqnn.circuits.choosing import make_ansatz

    sizes = {
        key: value for key, value in {"num_qubits": num_qubits, "depth": depth}.items() if value is not None
    }
    if kind in ("expressibility", "lie-algebra"):
        names = list(ANSATZE) if name == "all" else [name]
        make = _small if kind == "lie-algebra" else make_ansatz
        chosen = {each: make(each, **sizes) for each in names}
    elif kind == "gradients":
        make_ansatz(
            name, num_qubits=2, depth=1
        )  # a name or size that does not fit is told before the imports
    else:
        chosen = {name: make_ansatz(name, **sizes)}

    from rich.console import Console

    from qiskit_hqnn import analysis

    with Console(stderr=True).status(f"{kind} of {name}") as status:
        if kind == "expressibility":
            return analysis.expressibility(chosen, samples or 5000, seed, status.update)
        if kind == "lie-algebra":
            return analysis.lie_algebra(chosen)
        if kind == "gradients":
            return analysis.gradient_variance(
                ANSATZE[name], samples=samples or 200, seed=seed, progress=status.update
            )
        if kind == "zx":
            return analysis.zx_reduction(chosen[name], seed=seed)
        if kind == "effective-dimension":
            return analysis.effective_dimension(chosen[name], weight_samples=samples or 50, seed=seed)
        inputs = tuple(range(min(2, chosen[name].num_inputs)))
        return analysis.fourier(chosen[name], inputs, -1, samples or 100, seed)


def _small(name: str, num_qubits: int = 3, depth: int | None = None) -> Ansatz:
    """An ansatz small enough for its Lie algebra: three qubits, unless a number was given."""
    from inspect import signature

    from qiskit_hqnn.circuits import ANSATZE
    from qiskit_hqnn.circuits.choosing import make_ansatz

    takes = signature(ANSATZE[name]).parameters if name in ANSATZE else {}
    given = {"num_qubits": num_qubits, "depth": depth}
    return make_ansatz(
        name, **{key: value for key, value in given.items() if key in takes and value is not None}
    )


def _show(result: Analysis, folder: Path, name: str) -> None:
    typer.echo(result.table.head(_ROWS).to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    if len(result.table) > _ROWS:
        typer.echo(f"… {len(result.table) - _ROWS} more rows in the table's file")
    typer.echo(result.summary)
    for path in result.save(folder, name):
        typer.echo(str(path))
