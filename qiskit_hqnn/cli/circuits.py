"""`hqnn circuits`: the published ansätze, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.options import INPUTS, OBSERVABLES, OPTIONS, WEIGHTS, factory_options
from qiskit_hqnn.cli.terminal import say

if TYPE_CHECKING:
    from qiskit.circuit import Parameter

app = typer.Typer(
    help="List the published ansätze, or show one.\n\nExample: hqnn circuits show hqnn-parallel",
    invoke_without_command=True,
)


@app.callback()
def list_circuits(context: typer.Context) -> None:
    """List the published ansätze, or show one.

    Example: hqnn circuits show hqnn-parallel
    """
    if context.invoked_subcommand is not None:
        return
    from qiskit_hqnn.circuits import ANSATZE

    say(f"{'name':<16} {'qubits':>6} {'inputs':>6} {'weights':>7} {'outputs':>7}  reference")
    for name, factory in ANSATZE.items():
        ansatz = factory()
        say(
            f"{name:<16} {ansatz.num_qubits:>6} {ansatz.num_inputs:>6} {ansatz.num_weights:>7} "
            f"{ansatz.num_outputs:>7}  {ansatz.reference}"
        )


@app.command("show")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|FILE.py:FACTORY",
            help="A name that `hqnn circuits` lists, a QPY or OpenQASM file, or a function of a Python file.",
        ),
    ],
    num_qubits: Annotated[int | None, typer.Option(help="Number of qubits, if the ansatz takes it.")] = None,
    depth: Annotated[int | None, typer.Option(help="Number of layers, if the ansatz takes it.")] = None,
    settings: OPTIONS = None,
    inputs: INPUTS = None,
    weights: WEIGHTS = None,
    observables: OBSERVABLES = None,
) -> None:
    """Draw an ansatz, and list its parameters, observables and reference.

    Example: hqnn circuits show hqnn-parallel --depth 1

    Example: hqnn circuits show own.qasm --inputs 'x*' --weights 'theta*' --observables 'Z*'
    """
    from shutil import get_terminal_size

    options = factory_options(settings, num_qubits=num_qubits, depth=depth)

    from qiskit_hqnn.circuits import Selection, choose_ansatz

    ansatz = choose_ansatz(name, Selection(inputs, weights, observables), **options)
    say(str(ansatz.circuit.draw("text", fold=max(60, get_terminal_size((100, 24)).columns), idle_wires=True)))
    say(f"\n{ansatz!r}")
    say(f"inputs       {_names(ansatz.input_params)}")
    say(f"weights      {_names(ansatz.weight_params)}")
    for index, observable in enumerate(ansatz.observables):
        terms = " + ".join(f"{coefficient.real:g} {label}" for label, coefficient in observable.to_list())
        say(f"output {index}     ⟨{terms}⟩   (leftmost letter: last qubit)")


def _names(parameters: Sequence[Parameter]) -> str:
    names = [parameter.name for parameter in parameters]
    if not names:
        return "none"
    return ", ".join(names) if len(names) <= 6 else f"{names[0]}, {names[1]}, …, {names[-1]} ({len(names)})"
