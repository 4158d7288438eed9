"""What can be inspected, and what the job manager receives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit

from qiskit_hqnn.circuits import (
    Ansatz,
    Selection,
    Template,
    choose_ansatz,
    is_factory,
    is_file,
)
from qiskit_hqnn.errors import CircuitError, HQNNError
from qiskit_hqnn.inspection.reading import ansatz_of, read_ansatz
from qiskit_hqnn.inspection.subject import Subject, as_sent

if TYPE_CHECKING:
    pass


def subject_of(
    what: object,
    copies: int | None,
    copy: int | None,
    data_root: str | Path,
    sizes: Mapping[str, Any],
    selection: Selection | None = None,
) -> Subject:
    """What a user names or passes, ready to be inspected.

    Args:
        what: an ansatz by name, "mine.py:factory", a run folder or a circuit file; or an Ansatz, a Template or a
            QuantumCircuit.
        copies: circuits per sample; None is 1 or, for a run, the run's own number.
        copy: of a run: the copy whose weights are in the circuit; None is the first.
        data_root: of a run: folder of the data sets.
        sizes: arguments of an ansatz by name or of a factory.
        selection: inputs, weights and observables of a custom circuit.

    Raises:
        HQNNError: if it is none of these, or an option does not apply to it.
    """
    selection = selection or Selection()
    if isinstance(what, str) and (is_factory(what) or not (is_file(what) or Path(what).is_dir())):
        _refuse(copy=copy)
        return _subject(choose_ansatz(what, selection, **sizes), copies)
    _refuse(what=what, **sizes)
    if isinstance(what, str | os.PathLike):
        path = Path(what)
        if path.is_dir():
            _refuse(what=what, copies=copies, **vars(selection))
            from qiskit_hqnn.inspection.trained import trained_subject

            return trained_subject(path, copy or 0, Path(data_root))
        _refuse(copy=copy)
        if not path.exists() and not path.suffix:
            raise CircuitError(f"There is no run folder or circuit file {path}.")
        return _subject(read_ansatz(path, selection), copies)
    _refuse(copy=copy)
    if isinstance(what, Ansatz):
        _refuse(**vars(selection))
        return _subject(what, copies)
    if isinstance(what, Template):
        what = what.circuit
    if isinstance(what, QuantumCircuit):
        return _subject(ansatz_of(what, selection), copies)
    raise HQNNError(
        "Argument `what` must be the name of an ansatz, a path, an Ansatz, a Template or a QuantumCircuit, but is a "
        f"{type(what).__name__}."
    )


def _refuse(what: object = None, **options: object) -> None:
    """Raises HQNNError if an option is given that does not apply to what is inspected."""
    circuit = "a circuit file, or a factory that makes a circuit"
    home = {"copy": "a run folder", "copies": "a circuit, while a run has its own"}
    home |= dict.fromkeys(("inputs", "weights", "observables"), circuit)
    for option, value in options.items():
        if value is not None:
            belongs = home.get(option, "an ansatz by name")
            but = f", but {str(what)!r} is none" if isinstance(what, str | os.PathLike) else ""
            raise HQNNError(f"Argument `{option}` belongs to {belongs}{but}.")


def _subject(ansatz: Ansatz, copies: int | None) -> Subject:
    if copies is not None and copies < 1:
        raise HQNNError(f"Argument `copies` must be at least 1, but is {copies}.")
    sent, angles = as_sent(ansatz)
    return Subject(ansatz, sent, angles, circuits=copies or 1)
