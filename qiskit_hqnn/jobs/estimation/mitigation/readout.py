"""Readout mitigation: random flips and the factors they leave (TREX), and inverted assignment matrices (M3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.estimation.expectations import MeasuredBasis


def flipped(circuit: QuantumCircuit, pattern: int) -> QuantumCircuit:
    """A measured circuit with X in front of the measurement of every classical bit in `pattern`."""
    result = circuit.copy_empty_like()
    for step in circuit.data:
        if step.operation.name == "measure":
            bit = circuit.find_bit(step.clbits[0]).index
            if pattern >> bit & 1:
                result.x(step.qubits[0])
        result.append(step)
    return result


def calibration_circuit(measured: QuantumCircuit) -> QuantumCircuit:
    """Only the measurements: what |0…0⟩ reads as on the same qubits."""
    result = QuantumCircuit(measured.num_qubits, measured.num_clbits, name="readout")
    for step in measured.data:
        if step.operation.name == "measure":
            qubit, bit = measured.find_bit(step.qubits[0]).index, measured.find_bit(step.clbits[0]).index
            result.measure(qubit, bit)
    return result


def flip_patterns(bits: int, randomizations: int, seed: int) -> list[int]:
    """Random flip patterns in pairs of complements, so that every bit is flipped in exactly half of them."""
    rng = np.random.default_rng(seed)
    everything = (1 << bits) - 1
    patterns: list[int] = []
    while len(patterns) < randomizations:
        pattern = int.from_bytes(rng.bytes(-(-bits // 8)), "big") & everything
        patterns += [pattern, everything ^ pattern]
    return patterns[:randomizations]


def trex_factors(basis: MeasuredBasis, parity_means: np.ndarray) -> np.ndarray:
    """Factor of each term's string, from its parity on |0…0⟩.

    Raises:
        MitigationError: if readout is so bad that a string carries no signal.
    """
    if (parity_means < 0.05).any():
        raise MitigationError(
            "TREX cannot correct this readout: a string's signal on |0…0⟩ is below 5 %; choose other qubits or "
            "observables of fewer qubits."
        )
    return parity_means


@dataclass(frozen=True, eq=False)
class ReadoutCalibration:
    """How one basis's readout errs, and how well that is known.

    Attributes:
        factors, factor_errors: TREX: the factor of each term's string and its standard error; None for M3.
        flips, flip_errors: M3: array of shape (bits, 2), P(1|0) and P(0|1) of each bit, and standard errors; None for
            TREX.
    """

    factors: np.ndarray | None = None
    factor_errors: np.ndarray | None = None
    flips: np.ndarray | None = None
    flip_errors: np.ndarray | None = None


def trex_calibration(basis: MeasuredBasis, parity_means: np.ndarray, shots: int) -> ReadoutCalibration:
    """TREX's calibration from the parities of |0…0⟩ with its flips undone."""
    factors = trex_factors(basis, parity_means)
    return ReadoutCalibration(factors, np.sqrt(np.maximum(1 - factors**2, 0) / shots))


def m3_calibration(zeros: np.ndarray, ones: np.ndarray, symmetric: bool) -> ReadoutCalibration:
    """M3's calibration, qubit by qubit.

    Args:
        zeros, ones: counts of each outcome, of shape (2^bits,), on |0…0⟩ and on |1…1⟩.
        symmetric: whether measured bits will be flipped at random and back: both errors are then their mean.

    Raises:
        MitigationError: if a bit says next to nothing about its qubit.
    """
    bits = int(np.log2(len(zeros)))
    is_one = (np.arange(len(zeros))[:, None] >> np.arange(bits)) & 1
    flips = np.stack([zeros @ is_one / zeros.sum(), 1 - ones @ is_one / ones.sum()], axis=1)
    if symmetric:
        flips = np.broadcast_to(flips.mean(axis=1, keepdims=True), flips.shape).copy()
    if (flips.sum(axis=1) > 0.9).any():
        raise MitigationError(
            "M3 cannot correct this readout: a qubit's reading is right in barely half of all cases; choose other "
            "qubits."
        )
    shots = np.array([zeros.sum(), ones.sum()])
    errors = np.sqrt(np.maximum(flips * (1 - flips), 0) / shots)
    return ReadoutCalibration(flips=flips, flip_errors=errors / np.sqrt(2) if symmetric else errors)


def m3_means(
    counts: np.ndarray, values: np.ndarray, calibration: ReadoutCalibration
) -> tuple[np.ndarray, np.ndarray]:
    """Means of functions of the true outcome, and the variances of these means.

    The variance has the shots' part, exactly, and the calibration's part, to first order.

    Args:
        counts: array of shape (sets, 2^bits).
        values: array of shape (functions, 2^bits): each function's value on each outcome.
        calibration: of M3.

    Raises:
        MitigationError: if mthree is not installed.
    """
    assert calibration.flips is not None
    assert calibration.flip_errors is not None
    mean, variance = _inverted(counts, values, calibration.flips)
    # Errors of a twirled calibration are one number for both flips of a bit.
    symmetric = bool((calibration.flips[:, 0] == calibration.flips[:, 1]).all())
    for bit, kind in np.ndindex(len(calibration.flips), 1 if symmetric else 2):
        shifted = calibration.flips.copy()
        shifted[bit, slice(None) if symmetric else kind] += calibration.flip_errors[bit, kind]
        variance = variance + (_inverted(counts, values, shifted)[0] - mean) ** 2
    return mean, variance


def _inverted(counts: np.ndarray, values: np.ndarray, flips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mitigator = _mthree().M3Mitigation(None)
    mitigator.cals_from_matrices([np.array([[1 - up, down], [up, 1 - down]]) for up, down in flips])
    bits = len(flips)
    mean, variance = np.empty((2, len(counts), len(values)))
    known: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    for row, found in enumerate(counts):
        seen = np.flatnonzero(found)
        key = seen.tobytes()
        if key not in known:
            strings = {format(outcome, f"0{bits}b"): int(found[outcome]) for outcome in seen}
            matrix, order = mitigator.reduced_cal_matrix(strings, list(range(bits)))
            index = np.array([int(string, 2) for string in order])
            # Solving for the functions instead of the outcomes gives the variance along with the mean.
            known[key] = index, np.linalg.solve(matrix.astype(float).T, values[:, index].T)
        index, weights = known[key]
        shares = found[index] / found.sum()
        mean[row] = shares @ weights
        variance[row] = np.maximum(shares @ weights**2 - mean[row] ** 2, 0) / found.sum()
    return mean, variance


def _mthree() -> Any:
    try:
        import mthree
    except ImportError:
        raise MitigationError(
            "Option `readout` = 'm3' needs the package mthree: pip install 'qiskit-hqnn[m3]'."
        ) from None
    return mthree


def check_m3() -> None:
    """Raises MitigationError if mthree is not installed: before anything is sent, not after."""
    _mthree()
