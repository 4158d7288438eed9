"""An ansatz by its name and sizes, as commands take it."""

from __future__ import annotations

import inspect
from typing import Any

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.circuits import ANSATZE
from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.errors import CircuitError


def make_ansatz(name: str, **sizes: Any) -> Ansatz:
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
