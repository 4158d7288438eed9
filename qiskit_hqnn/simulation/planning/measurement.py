"""Observables as parity signs on basis states, after as few fixed changes of basis as the Pauli strings allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.simulation.planning.layering import Layer
from qiskit_hqnn.simulation.planning.lowering import HADAMARD, PAULI, TO_Z_FROM_Y

_TOLERANCE = 1e-14


@dataclass(frozen=True)
class Term:
    """coefficient · i^|x & z| X^x Z^z, a Pauli string, in the sum of output `output`."""

    output: int
    coefficient: float
    x: int
    z: int


@dataclass(frozen=True, eq=False)
class Basis:
    """Strings that one change of basis makes diagonal.

    Attributes:
        gates: the change of basis, a fixed gate for each qubit that needs one.
        terms: (output, coefficient, parity mask).
    """

    gates: dict[int, np.ndarray]
    terms: tuple[tuple[int, float, int], ...]


def terms_of(observables: Sequence[SparsePauliOp]) -> list[Term]:
    """All Pauli strings of the observables."""
    terms = []
    for output, observable in enumerate(observables):
        merged = observable.simplify(atol=0, rtol=0)
        weights = 1 << np.arange(merged.num_qubits, dtype=object)
        for x, z, coefficient in zip(merged.paulis.x, merged.paulis.z, merged.coeffs, strict=True):
            terms.append(Term(output, float(coefficient.real), int(x @ weights), int(z @ weights)))
    return terms


def through_permutation(terms: list[Term], layer: Layer) -> list[Term]:
    """The same observables before the layer's permutation: CNOTs map Pauli strings to Pauli strings."""
    columns = inverse_columns(layer.rows)
    moved = []
    for term in terms:
        z = _combine(layer.rows, term.z)
        x = _combine(columns, term.x)
        sign = 1j ** ((term.x & term.z).bit_count() - (x & z).bit_count())
        moved.append(Term(term.output, term.coefficient * float(np.real(sign)), x, z))
    return moved


def through_gates(terms: list[Term], gates: dict[int, np.ndarray]) -> list[Term] | None:
    """The same observables before one-qubit gates, if these map the Pauli strings to Pauli strings; otherwise None."""
    moved = []
    for term in terms:
        coefficient, x, z = term.coefficient, term.x, term.z
        for qubit, letter in _letters(term).items():
            if qubit not in gates:
                continue
            image = _pauli_image(gates[qubit], letter)
            if image is None:
                return None
            sign, letter = image
            coefficient *= sign
            bit = 1 << qubit
            x = x | bit if letter in "xy" else x & ~bit
            z = z | bit if letter in "yz" else z & ~bit
        moved.append(Term(term.output, coefficient, x, z))
    return moved


def sees(term: Term, mask: int) -> bool:
    """Whether the string anticommutes with this parity: only then does it depend on the phase."""
    return (term.x & mask).bit_count() % 2 == 1


def _pauli_image(gate: np.ndarray, letter: str) -> tuple[float, str] | None:
    """G† P G as ± a Pauli matrix."""
    image = gate.conj().T @ PAULI[letter] @ gate
    for other, pauli in PAULI.items():
        sign = 1.0 if np.trace(pauli @ image).real > 0 else -1.0
        # Entry by entry: 1 - cos(x) would ignore rotations of 1e-7.
        if np.abs(image - sign * pauli).max() < _TOLERANCE:
            return sign, other
    return None


def bases_of(terms: list[Term], last_gates: dict[int, np.ndarray]) -> list[Basis]:
    """Qubit-wise commuting groups, largest strings first; `last_gates` are fixed gates right before measurement."""
    groups: list[tuple[dict[int, str], list[Term]]] = []
    for term in sorted(terms, key=lambda t: -(t.x | t.z).bit_count()):
        letters = _letters(term)
        for known, members in groups:
            if all(known.get(qubit, letter) == letter for qubit, letter in letters.items()):
                known.update(letters)
                members.append(term)
                break
        else:
            groups.append((letters, [term]))
    bases = []
    for known, members in groups:
        gates = dict(last_gates)
        for qubit, letter in known.items():
            if letter != "z":
                change = HADAMARD if letter == "x" else TO_Z_FROM_Y
                gates[qubit] = change @ gates.get(qubit, np.eye(2))
        bases.append(Basis(gates, tuple((t.output, t.coefficient, t.x | t.z) for t in members)))
    return bases


def _letters(term: Term) -> dict[int, str]:
    letters = {}
    for qubit in range((term.x | term.z).bit_length()):
        x, z = term.x >> qubit & 1, term.z >> qubit & 1
        if x or z:
            letters[qubit] = "y" if x and z else "x" if x else "z"
    return letters


def _combine(rows: list[int], mask: int) -> int:
    result = 0
    for index, row in enumerate(rows):
        if mask >> index & 1:
            result ^= row
    return result


def inverse_columns(rows: list[int]) -> list[int]:
    """Columns of the inverse of a matrix over GF(2), by Gauss and Jordan; rows and columns are bit masks."""
    size = len(rows)
    left, right = list(rows), [1 << index for index in range(size)]
    for column in range(size):
        pivot = next(row for row in range(column, size) if left[row] >> column & 1)
        left[column], left[pivot] = left[pivot], left[column]
        right[column], right[pivot] = right[pivot], right[column]
        for row in range(size):
            if row != column and left[row] >> column & 1:
                left[row] ^= left[column]
                right[row] ^= right[column]
    return [sum((right[row] >> column & 1) << row for row in range(size)) for column in range(size)]
