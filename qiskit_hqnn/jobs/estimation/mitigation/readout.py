"""Readout mitigation: random flips and the factors they leave (TREX), and inverted assignment matrices (M3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.adapters import Outcomes
from qiskit_hqnn.jobs.estimation.strings import shots_of, string_covariance, string_means


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


@dataclass(frozen=True, eq=False)
class ReadoutCalibration:
    """How one basis's readout errs, and how well that is known.

    Attributes:
        signal: TREX: what readout leaves of each string, of shape (strings,); None for M3.
        covariance: TREX: of these, of shape (strings, strings).
        by_draw: TREX: the same of every random flip alone, of shape (draws, strings).
        flips, flip_errors: M3: arrays of shape (bits, 2), P(1|0) and P(0|1) of each bit, and standard errors; None for
            TREX.
    """

    signal: np.ndarray | None = None
    covariance: np.ndarray | None = None
    by_draw: np.ndarray | None = None
    flips: np.ndarray | None = None
    flip_errors: np.ndarray | None = None

    @property
    def factors(self) -> np.ndarray | None:
        """What each bit of a string contributes when it reads 0 and 1, with M3's inverse in it; (bits, 2)."""
        return None if self.flips is None else inverse_factors(self.flips)

    def shifted(self) -> Iterator[tuple[int, np.ndarray]]:
        """M3: for each calibrated number its bit, and `factors` with this number off by its standard error."""
        if self.flips is None or self.flip_errors is None:
            return
        # Errors of a twirled calibration are one number for both flips of a bit.
        symmetric = bool((self.flips[:, 0] == self.flips[:, 1]).all())
        for bit, kind in np.ndindex(len(self.flips), 1 if symmetric else 2):
            shifted = self.flips.copy()
            shifted[bit, slice(None) if symmetric else kind] += self.flip_errors[bit, kind]
            yield bit, inverse_factors(shifted)


def trex_calibration(strings: Sequence[int], draws: Sequence[Outcomes]) -> ReadoutCalibration:
    """TREX's calibration from the outcomes of |0…0⟩, draw by draw, with its flips undone.

    Raises:
        MitigationError: if readout is so bad that a string carries no signal.
    """
    together = pooled(draws)
    signal = string_means(together, strings)[0]
    if (signal < 0.05).any():
        raise MitigationError(
            "TREX cannot correct this readout: a string's signal on |0…0⟩ is below 5 %; choose other qubits or "
            "observables of fewer qubits."
        )
    by_draw = np.stack([string_means(draw, strings)[0] for draw in draws])
    return ReadoutCalibration(signal, string_covariance(together, strings), by_draw)


def m3_calibration(zeros: Outcomes, ones: Outcomes, symmetric: bool) -> ReadoutCalibration:
    """M3's calibration, qubit by qubit.

    Args:
        zeros, ones: outcomes of one set each, on |0…0⟩ and on |1…1⟩.
        symmetric: whether measured bits will be flipped at random and back: both errors are then their mean.

    Raises:
        MitigationError: if a bit says next to nothing about its qubit.
    """
    each_bit = [1 << bit for bit in range(zeros.bits)]
    reads_one = [(1 - string_means(state, each_bit)[0]) / 2 for state in (zeros, ones)]
    flips = np.stack([reads_one[0], 1 - reads_one[1]], axis=1)
    if symmetric:
        flips = np.broadcast_to(flips.mean(axis=1, keepdims=True), flips.shape).copy()
    if (flips.sum(axis=1) > 0.9).any():
        raise MitigationError(
            "M3 cannot correct this readout: a qubit's reading is right in barely half of all cases; choose other "
            "qubits."
        )
    shots = np.array([shots_of(state)[0, 0] for state in (zeros, ones)])
    errors = np.sqrt(np.maximum(flips * (1 - flips), 0) / shots)
    return ReadoutCalibration(flips=flips, flip_errors=errors / np.sqrt(2) if symmetric else errors)


def inverse_factors(flips: np.ndarray) -> np.ndarray:
    """(+1, −1) of each bit with the inverse of its assignment matrix: array of shape (bits, 2) from one of the same.

    The assignment matrix of all bits is the Kronecker product of theirs, and so is its inverse. What a Pauli string
    reads from the inverted distribution is therefore a product over its bits, whichever outcomes were seen.
    """
    up, down = flips.T
    return np.stack([1 - down + up, -(1 - up + down)], axis=1) / (1 - up - down)[:, None]


def pooled(parts: Sequence[Outcomes]) -> Outcomes:
    """All shots of the same sets together."""
    if len(parts) == 1:
        return parts[0]
    counts = [part.counts for part in parts if part.counts is not None]
    if counts:
        return Outcomes(parts[0].bits, np.stack(counts).sum(axis=0))
    packed = [part.packed for part in parts if part.packed is not None]
    return Outcomes(parts[0].bits, None, np.concatenate(packed, axis=1))


def unflipped(outcomes: Outcomes, pattern: int) -> Outcomes:
    """Outcomes of a circuit that `flipped` made, with the flips of its bits undone."""
    if outcomes.counts is not None:
        return Outcomes(outcomes.bits, outcomes.counts[:, np.arange(1 << outcomes.bits) ^ pattern])
    assert outcomes.packed is not None
    mask = np.frombuffer(pattern.to_bytes(outcomes.packed.shape[-1], "big"), dtype=np.uint8)
    return Outcomes(outcomes.bits, None, outcomes.packed ^ mask)
