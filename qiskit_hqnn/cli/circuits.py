"""`hqnn circuits`: the published ansätze, and one of them in full."""

from __future__ import annotations

from typing import Annotated

import typer

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

    typer.echo(f"{'name':<16} {'qubits':>6} {'inputs':>6} {'weights':>7} {'outputs':>7}  reference")
    for name, factory in ANSATZE.items():
        ansatz = factory()
        typer.echo(
            f"{name:<16} {ansatz.num_qubits:>6} {ansatz.num_inputs:>6} {ansatz.num_weights:>7} "
            f"{ansatz.num_outputs:>7}  {ansatz.reference}"
        )


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A name that `hqnn circuits` lists.")],
    num_qubits: Annotated[
        int | None, typer.Option(help="Number of qubits, where the ansatz takes it.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Number of layers, where the ansatz takes it.")] = None,
) -> None:
    """Draw an ansatz, and list its parameters, observables and reference.

    Example: hqnn circuits show hqnn-parallel --depth 1
    """
    from shutil import get_terminal_size

    from qiskit_hqnn.circuits.choosing import make_ansatz

    sizes = {
        key: value for key, value in {"num_qubits": num_qubits, "depth": depth}.items() if value is not None
    }
    ansatz = make_ansatz(name, **sizes)
    typer.echo(
        str(ansatz.circuit.draw("text", fold=max(60, get_terminal_size((100, 24)).columns), idle_wires=True))
    )
    typer.echo(f"\n{ansatz!r}")
    typer.echo(f"inputs       {_names(ansatz.input_params)}")
    typer.echo(f"weights      {_names(ansatz.weight_params)}")
    for index, observable in enumerate(ansatz.observables):
        terms = " + ".join(f"{coefficient.real:g} {label}" for label, coefficient in observable.to_list())
        typer.echo(f"output {index}     ⟨{terms}⟩   (leftmost letter: last qubit)")


def _names(parameters: tuple) -> str:
    names = [parameter.name for parameter in parameters]
    if not names:
        return "none"
    return ", ".join(names) if len(names) <= 6 else f"{names[0]}, {names[1]}, …, {names[-1]} ({len(names)})"
