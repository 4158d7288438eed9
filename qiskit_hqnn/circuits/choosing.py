"""An ansatz as commands and job files name it: a published one, a circuit file, or a function of a Python file."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from pathlib import Path

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.from_circuit import parts_of_file
from qiskit_hqnn.circuits.from_python import ansatz_from_python, is_factory
from qiskit_hqnn.circuits.observables import Observables
from qiskit_hqnn.circuits.published import ANSATZE
from qiskit_hqnn.circuits.selecting import Parameters
from qiskit_hqnn.errors import CircuitError


@dataclass(frozen=True)
class Selection:
    """A circuit's inputs, weights and observables, as `Ansatz.from_circuit` takes them; None is its default."""

    inputs: Parameters | None = None
    weights: Parameters | None = None
    observables: Observables | None = None

    @property
    def given(self) -> list[str]:
        """Names of those that are not None."""
        return [name for name, value in vars(self).items() if value is not None]


def choose_ansatz(
    what: str | Path, selection: Selection | None = None, folder: Path | None = None, **options: object
) -> Ansatz:
    """The ansatz that a command or a job file names.

    Args:
        what: a key of `ANSATZE`, the path of a circuit file, or "mine.py:factory", which is run.
        selection: inputs, weights and observables of a custom circuit.
        folder: the folder that relative paths start from; None is the current folder.
        options: arguments of the factory.

    Raises:
        CircuitError: if nothing has that name, or it takes no such options.
    """
    selection = selection or Selection()
    chosen = (selection.inputs, selection.weights, selection.observables)
    if isinstance(what, str) and is_factory(what):
        return ansatz_from_python(what, *chosen, options, folder)
    if is_file(what, folder):
        if options:
            raise CircuitError(
                f"Circuit file {what} takes no {', '.join(options)}: the file determines its sizes."
            )
        return Ansatz(*parts_of_file((folder or Path()) / what, *chosen))
    if selection.given and what in ANSATZE:
        raise CircuitError(
            f"Ansatz {str(what)!r} has fixed inputs, weights and observables: {', '.join(selection.given)} can be "
            "given for a circuit file or a factory that returns a circuit."
        )
    return make_ansatz(str(what), **options)


def is_file(what: str | Path, folder: Path | None = None) -> bool:
    """Whether a word is the path of a circuit file: no ansatz has a slash or a suffix in its name."""
    text = os.fspath(what)
    if text in ANSATZE or is_factory(text):
        return False
    path = (folder or Path()) / text
    return bool(path.suffix) or "/" in text or os.sep in text or path.is_file()


def check_there(what: str) -> None:
    """That a word names an ansatz, or a file that exists; reported before anything else is loaded.

    Raises:
        CircuitError: if it does not.
    """
    file = Path(what.rpartition(":")[0] if is_factory(what) else what)
    if is_factory(what) or is_file(what):
        if not file.exists():
            kind = "Python" if is_factory(what) else "circuit" if file.suffix else "run folder or circuit"
            raise CircuitError(f"There is no {kind} file {file}.")
    elif what not in ANSATZE:
        raise CircuitError(
            f"Ansatz must be one of {quoted(ANSATZE)}, but is {what!r}{suggestion(what, ANSATZE)}"
        )


def make_ansatz(name: str, **sizes: object) -> Ansatz:
    """An ansatz by its name.

    Args:
        name: a key of `ANSATZE`.
        sizes: arguments of its factory, such as num_qubits and depth.

    Raises:
        CircuitError: if the name is unknown, or the factory takes no such argument.
    """
    if name not in ANSATZE:
        raise CircuitError(
            f"Ansatz must be one of {quoted(ANSATZE)}, but is {name!r}{suggestion(name, ANSATZE)}"
        )
    allowed = list(inspect.signature(ANSATZE[name]).parameters)
    for size in sizes:
        if size not in allowed:
            takes = ", ".join(allowed) if allowed else "no sizes"
            raise CircuitError(f"Ansatz {name!r} takes {takes}, but is given {size!r}.")
    return ANSATZE[name](**sizes)
