"""As few measured circuits as the Pauli strings of some observables allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp


@dataclass(frozen=True, eq=False)
class MeasuredBasis:
    """Pauli strings that are read from one measured circuit.

    Attributes:
        letters: the Pauli that is measured on each qubit, "X", "Y" or "Z"; other qubits are not measured.
        terms: (observable, coefficient, mask of classical bits).
    """

    letters: dict[int, str]
    terms: tuple[tuple[int, float, int], ...]

    @property
    def qubits(self) -> tuple[int, ...]:
        """Measured qubits; the k-th goes to classical bit k."""
        return tuple(sorted(self.letters))

    @property
    def strings(self) -> tuple[int, ...]:
        """The masks of all different Pauli strings."""
        return tuple(dict.fromkeys(mask for *_, mask in self.terms))

    def weights(self, observables: int) -> np.ndarray:
        """Coefficients of the strings in each observable, of shape (observables, strings)."""
        column = {mask: index for index, mask in enumerate(self.strings)}
        result = np.zeros((observables, len(column)))
        for observable, coefficient, mask in self.terms:
            result[observable, column[mask]] += coefficient
        return result


@dataclass(frozen=True, eq=False)
class Measurement:
    """All bases of a list of observables, and the constants in them."""

    bases: tuple[MeasuredBasis, ...]
    constants: np.ndarray


def measurement_of(observables: Sequence[SparsePauliOp]) -> Measurement:
    """Group all Pauli strings by qubit-wise commutation, widest strings first."""
    constants = np.zeros(len(observables))
    strings: list[tuple[dict[int, str], int, float]] = []
    for index, observable in enumerate(observables):
        for letters, qubits, coefficient in observable.simplify().to_sparse_list():
            if letters:
                strings.append((dict(zip(qubits, letters, strict=True)), index, float(np.real(coefficient))))
            else:
                constants[index] += float(np.real(coefficient))
    groups: list[tuple[dict[int, str], list[tuple[dict[int, str], int, float]]]] = []
    for string in sorted(strings, key=lambda item: -len(item[0])):
        for known, members in groups:
            if all(known.get(qubit, letter) == letter for qubit, letter in string[0].items()):
                known.update(string[0])
                members.append(string)
                break
        else:
            groups.append((dict(string[0]), [string]))
    bases = []
    for known, members in groups:
        bit = {qubit: index for index, qubit in enumerate(sorted(known))}
        terms = tuple(
            (index, coefficient, sum(1 << bit[qubit] for qubit in letters))
            for letters, index, coefficient in members
        )
        bases.append(MeasuredBasis(known, terms))
    return Measurement(tuple(bases), constants)


def measured(template: QuantumCircuit, basis: MeasuredBasis, where: Sequence[int]) -> QuantumCircuit:
    """The template with the change of basis and the measurement of a basis behind it.

    Args:
        template: with or without measurements of its own: their bits come behind those of the basis, and are not read.
        basis: over the qubits of the original circuit.
        where: the template's qubit for each qubit of the original circuit.
    """
    bits = len(basis.letters)
    circuit = QuantumCircuit(template.num_qubits, bits + template.num_clbits, name=template.name)
    circuit.compose(template, clbits=range(bits, circuit.num_clbits), inplace=True, copy=False)
    for bit, qubit in enumerate(basis.qubits):
        letter, physical = basis.letters[qubit], where[qubit]
        if letter == "X":
            circuit.rz(pi / 2, physical)
        if letter in "XY":
            circuit.sx(physical)  # rotates Y to Z; together with rz(π/2), X to Z
        circuit.measure(physical, bit)
    return circuit
