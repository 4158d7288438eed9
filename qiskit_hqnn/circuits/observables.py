"""Observables by words: "Z*", "Z0*Z1", "ZZI", "0.5 - 0.5*Z0"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from qiskit.quantum_info import Operator, Pauli, SparseObservable, SparsePauliOp

from qiskit_hqnn.circuits.operators import as_operators, pauli_on_each
from qiskit_hqnn.errors import CircuitError

Observable: TypeAlias = str | SparsePauliOp | SparseObservable | Pauli | Operator
Observables: TypeAlias = Observable | Iterable[Observable]
"""One word or operator, or several; words within one string are separated by commas."""

_OPERATORS = (SparsePauliOp, SparseObservable, Pauli, Operator)
_TERM = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?P<factor>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)?\s*\*?\s*(?P<pauli>[IXYZ][IXYZ0-9* ]*)?\s*"
)
_PLACED = re.compile(r"([IXYZ])(\d+)")
_ALLOWED = (
    "'Z*' (each qubit), 'Z0' or 'Z0*Z1' (by qubit), a label such as 'ZZI' (its first letter is the last qubit), or a "
    "sum such as '0.5 - 0.5*Z0'"
)


def observables_of(
    given: Observables | None, num_qubits: int, measured: Sequence[int] = ()
) -> tuple[SparsePauliOp, ...]:
    """The observables that words or operators stand for.

    Args:
        given: words or operators; None is ⟨Z⟩ of each measured qubit, or of each qubit if none was measured.
        num_qubits: of the circuit.
        measured: qubits that the circuit measured.

    Raises:
        CircuitError: if a word cannot be read, or names a qubit that does not exist.
    """
    if given is None:
        each = pauli_on_each("Z", num_qubits)
        return tuple(each[qubit] for qubit in measured) or each
    found: list[SparsePauliOp] = []
    parts: Iterable[object] = [given] if isinstance(given, (str, *_OPERATORS)) else given
    for part in parts:
        if isinstance(part, str):
            for word in filter(None, (text.strip() for text in part.split(","))):
                found += _of_word(word, num_qubits)
        elif isinstance(part, _OPERATORS):
            found += as_operators(part)
        else:
            raise CircuitError(
                f"An observable must be an operator or a word: {_ALLOWED}; but it is {part!r}."
            )
    return tuple(found)


def _of_word(word: str, num_qubits: int) -> Sequence[SparsePauliOp]:
    if re.fullmatch(r"[XYZ]\*", word):
        return pauli_on_each(word[0], num_qubits)
    terms: list[tuple[str, list[int], float]] = []
    rest = word
    while rest:
        match = _TERM.match(rest)
        if match is None or not (match["factor"] or match["pauli"]) or (terms and not match["sign"]):
            raise CircuitError(f"Observable {word!r} cannot be read: it must be {_ALLOWED}.")
        factor = float(match["factor"] or 1) * (-1 if match["sign"] == "-" else 1)
        letters, qubits = _placed((match["pauli"] or "").replace(" ", ""), word, num_qubits)
        terms.append((letters, qubits, factor))
        rest = rest[match.end() :]
    return (SparsePauliOp.from_sparse_list(terms, num_qubits),)


def _placed(pauli: str, word: str, num_qubits: int) -> tuple[str, list[int]]:
    """The letters of a product and their qubits."""
    if not any(letter.isdigit() for letter in pauli):
        label = pauli.replace("*", "")
        if label and len(label) != num_qubits:
            raise CircuitError(
                f"Label {label!r} in observable {word!r} must have a letter for each of the circuit's {num_qubits} "
                f"qubits, but has {len(label)}; 'Z0' names a single qubit, and 'Z*' each of them."
            )
        return label, list(reversed(range(len(label))))
    factors = pauli.replace("*", "")
    if _PLACED.sub("", factors):
        raise CircuitError(f"Observable {word!r} cannot be read: it must be {_ALLOWED}.")
    found = _PLACED.findall(factors)
    qubits = [int(qubit) for _, qubit in found]
    if len(set(qubits)) < len(qubits):
        raise CircuitError(f"Observable {word!r} must name each qubit once in a product.")
    if max(qubits) >= num_qubits:
        raise CircuitError(
            f"Observable {word!r} must be on the qubits 0 to {num_qubits - 1} of the circuit, but is on {max(qubits)}."
        )
    return "".join(letter for letter, _ in found), qubits
