"""Expectation values from samples: as few measured circuits as the Pauli strings allow, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.jobs.adapters.sampling import HISTOGRAM_BITS, Outcomes

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.estimation.mitigation.readout import ReadoutCalibration


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
        template: unmeasured.
        basis: over the qubits of the original circuit.
        where: the template's qubit for each qubit of the original circuit.
    """
    circuit = QuantumCircuit(template.num_qubits, len(basis.letters), name=template.name)
    circuit.compose(template, inplace=True, copy=False)
    for bit, qubit in enumerate(basis.qubits):
        letter, physical = basis.letters[qubit], where[qubit]
        if letter == "X":
            circuit.rz(pi / 2, physical)
        if letter in "XY":
            circuit.sx(physical)  # rotates Y to Z; together with rz(π/2), X to Z
        circuit.measure(physical, bit)
    return circuit


def expectation_values(
    measurement: Measurement,
    outcomes: Sequence[Outcomes],
    calibrations: Sequence[ReadoutCalibration] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard errors, both of shape (sets, observables), from the outcomes of every basis.

    Args:
        measurement: bases and terms.
        outcomes: of each basis.
        calibrations: of each basis's readout, which is corrected then.
    """
    count = len(measurement.constants)
    sets = outcomes[0].sets if outcomes else 1
    evs, variances = np.tile(measurement.constants, (sets, 1)), np.zeros((sets, count))
    for index, (basis, samples) in enumerate(zip(measurement.bases, outcomes, strict=True)):
        calibration = None if calibrations is None else calibrations[index]
        if len(basis.letters) <= HISTOGRAM_BITS:
            mean, variance = _from_counts(basis, samples, count, calibration)
            evs += mean
            variances += variance
            continue
        means = samples.parity_means([mask for _, _, mask in basis.terms])
        assert samples.packed is not None
        shots = samples.packed.shape[1]
        for (observable, coefficient, _), column in zip(basis.terms, means.T, strict=True):
            evs[:, observable] += coefficient * column
            # Covariances between strings are left out here: at most the terms' number too small or too large.
            variances[:, observable] += coefficient**2 * (1 - column**2) / shots
    return evs, np.sqrt(variances)


def _from_counts(
    basis: MeasuredBasis, samples: Outcomes, count: int, calibration: ReadoutCalibration | None
) -> tuple[np.ndarray, np.ndarray]:
    """Means of one basis's part of each observable, and the variances of these means."""
    from qiskit_hqnn.jobs.estimation.mitigation.readout import m3_means

    assert samples.counts is not None
    factors = np.ones(len(basis.terms))
    if calibration is not None and calibration.factors is not None:
        factors = calibration.factors
    index = np.arange(1 << len(basis.letters))
    values = np.zeros((count, len(index)))
    for (observable, coefficient, mask), factor in zip(basis.terms, factors, strict=True):
        values[observable] += coefficient / factor * (1.0 - 2.0 * (np.bitwise_count(index & mask) & 1))
    if calibration is not None and calibration.flips is not None:
        return m3_means(samples.counts, values, calibration)
    mean, variance = samples.means(values)
    variance = variance / samples.counts.sum(axis=1, keepdims=True)
    if calibration is not None and calibration.factor_errors is not None:
        parities = samples.parity_means([mask for *_, mask in basis.terms])
        for term, (observable, coefficient, _) in enumerate(basis.terms):
            slope = coefficient * parities[:, term] / factors[term] ** 2
            variance[:, observable] += (slope * calibration.factor_errors[term]) ** 2
    return mean, variance
