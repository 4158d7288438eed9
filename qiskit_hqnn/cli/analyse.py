"""`hqnn analyse`: what an ansatz can express, whether it can be trained, and what a trained one does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qiskit_hqnn.cli.options import (
    DATA_ROOT,
    DEPTH,
    INPUTS,
    NUM_QUBITS,
    OBSERVABLES,
    OPTIONS,
    WEIGHTS,
    factory_options,
)
from qiskit_hqnn.cli.terminal import doing, say

if TYPE_CHECKING:
    from qiskit_hqnn.analysis import Analysis
    from qiskit_hqnn.circuits import Ansatz, Selection

OF_ANSATZ = ("fourier", "zx", "expressibility", "gradients", "lie-algebra", "effective-dimension")
_ROWS = 20
OF_RUN = ("ablation", "outputs", "bloch", "weights", "gradient-norms")


_TARGET = Annotated[
    str,
    typer.Argument(
        metavar="NAME|all|RUN|FILE|FILE.py:FACTORY",
        help="A name that `hqnn circuits` lists, 'all' (expressibility, lie-algebra), a run folder, a QPY or "
        "OpenQASM file, or a function of a Python file.",
    ),
]
_KIND = Annotated[
    str | None,
    typer.Option(
        help=f"Of an ansatz: {', '.join(OF_ANSATZ)}. Of a run: {', '.join(OF_RUN)}, or all of them."
    ),
]
_SAMPLES = Annotated[int | None, typer.Option(help="Weight sets, pairs of states, or parameter sets.")]
_IMAGES = Annotated[str, typer.Option(help="Of a run: images of the train, validation or test split.")]
_SEED = Annotated[int, typer.Option(help="Of all random parameters.")]
_OUT = Annotated[
    Path | None, typer.Option(help="Folder of the pictures, tables and pages; analysis, or RUN/analysis.")
]


def analyse(
    target: _TARGET,
    kind: _KIND = None,
    num_qubits: NUM_QUBITS = None,
    depth: DEPTH = None,
    settings: OPTIONS = None,
    inputs: INPUTS = None,
    weights: WEIGHTS = None,
    observables: OBSERVABLES = None,
    samples: _SAMPLES = None,
    images: _IMAGES = "validation",
    data_root: DATA_ROOT = Path("data"),
    seed: _SEED = 0,
    out: _OUT = None,
) -> None:
    """Analyse an ansatz, or the quantum layer of a trained run; writes pictures, tables and pages.

    Example: hqnn analyse hqnn-parallel --kind fourier

    Example: hqnn analyse runs/quickstart

    Example: hqnn analyse own.qasm --inputs 'x*' --kind expressibility
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
        for name, result in analyse_run(Path(target), data_root, [kind] if kind else OF_RUN, images):
            _show(result, folder, name)
        return
    options = factory_options(settings, num_qubits=num_qubits, depth=depth)

    from qiskit_hqnn.circuits import Selection

    kind = kind or "fourier"
    selection = Selection(inputs, weights, observables)
    result = _of_ansatz(target, kind, selection, options, samples, seed)
    name = Path(target.rpartition(":")[2]).stem
    _show(result, out or Path("analysis"), f"{kind}-{name}")


def _of_ansatz(
    name: str, kind: str, selection: Selection, options: dict[str, Any], samples: int | None, seed: int
) -> Analysis:
    from qiskit_hqnn.circuits import ANSATZE, choose_ansatz, is_file
    from qiskit_hqnn.errors import HQNNError

    def factory(**sizes: int) -> Ansatz:
        return choose_ansatz(name, selection, **{**options, **sizes})

    if kind == "gradients":
        if is_file(name):
            raise HQNNError(
                f"Kind 'gradients' compares sizes, of which the circuit of {name} has one: give a name, or a function "
                "of a Python file that takes num_qubits and depth."
            )
        factory(num_qubits=2, depth=1)  # a name or size that does not fit is reported before the imports
    elif name == "all" and kind in ("expressibility", "lie-algebra"):
        make = _small if kind == "lie-algebra" else choose_ansatz
        chosen = {each: make(each, **options) for each in ANSATZE}
    else:
        small = kind == "lie-algebra" and name in ANSATZE and not selection.given
        chosen = {name: _small(name, **options) if small else factory()}

    from qiskit_hqnn import analysis

    with doing(f"{kind} of {name}") as status:
        if kind == "expressibility":
            return analysis.expressibility(chosen, samples or 5000, seed, status)
        if kind == "lie-algebra":
            return analysis.lie_algebra(chosen)
        if kind == "gradients":
            return analysis.gradient_variance(factory, samples=samples or 200, seed=seed, progress=status)
        if kind == "zx":
            return analysis.zx_reduction(chosen[name], seed=seed)
        if kind == "effective-dimension":
            return analysis.effective_dimension(chosen[name], weight_samples=samples or 50, seed=seed)
        inputs = tuple(range(min(2, chosen[name].num_inputs)))
        return analysis.fourier(chosen[name], inputs, -1, samples or 100, seed)


def _small(name: str, **options: object) -> Ansatz:
    """An ansatz small enough for its Lie algebra: three qubits, unless a number was given."""
    from inspect import signature

    from qiskit_hqnn.circuits import ANSATZE, make_ansatz

    takes = signature(ANSATZE[name]).parameters
    given = {"num_qubits": 3, **options}
    # Of all ansätze, some take no number of qubits or no depth.
    return make_ansatz(
        name,
        **{key: value for key, value in given.items() if key in takes or key not in ("num_qubits", "depth")},
    )


def _show(result: Analysis, folder: Path, name: str) -> None:
    say(result.table.head(_ROWS).to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    if len(result.table) > _ROWS:
        say(f"… {len(result.table) - _ROWS} more rows in the table's file")
    say(result.summary)
    for path in result.save(folder, name):
        say(str(path))
