"""Error mitigation by its words: what is sampled besides the request itself, and how outcomes are corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.expectations import MeasuredBasis

_FOLDED = frozenset({"cx", "cz", "ecr", "swap", "cy"})


@dataclass(frozen=True)
class MitigationOptions:
    """Which errors to mitigate.

    Args:
        readout: None, or "trex": measured bits are flipped at random and back, which makes the readout error of a
            string a factor; the factor is measured on |0…0⟩ and divided out (van den Berg et al. 2022,
            arXiv:2012.09738, eq. (7)).
        zne: None, or odd noise factors such as (1, 3, 5): two-qubit gates are replaced by so many copies that cancel,
            and the values are extrapolated to no noise (Giurgica-Tiron et al. 2020, arXiv:2005.10921, section III).
        extrapolation: "linear", "quadratic" or "exponential".
        randomizations: random flips of TREX; the shots are spread over them.

    Raises:
        MitigationError: if a word is unknown, or the noise factors do not fit the extrapolation.
    """

    readout: str | None = None
    zne: tuple[int, ...] | None = None
    extrapolation: str = "exponential"
    randomizations: int = 16

    def __post_init__(self) -> None:
        if self.readout not in (None, "trex"):
            raise MitigationError(f"Option `readout` must be None or 'trex', but is {self.readout!r}.")
        needed = {"linear": 2, "exponential": 2, "quadratic": 3}
        if self.extrapolation not in needed:
            raise MitigationError(
                f"Option `extrapolation` must be one of {', '.join(map(repr, needed))}, but is "
                f"{self.extrapolation!r}."
            )
        if self.zne is not None:
            factors = tuple(self.zne)
            object.__setattr__(self, "zne", factors)
            if len(set(factors)) < needed[self.extrapolation] or any(f < 1 or f % 2 == 0 for f in factors):
                raise MitigationError(
                    f"Option `zne` must be at least {needed[self.extrapolation]} different odd factors for "
                    f"{self.extrapolation!r} extrapolation, but is {factors}."
                )
        if self.randomizations < 1:
            raise MitigationError(
                f"Option `randomizations` must be at least 1, but is {self.randomizations}."
            )

    @property
    def active(self) -> bool:
        return self.readout is not None or self.zne is not None


def fold_gates(circuit: QuantumCircuit, factor: int) -> QuantumCircuit:
    """Every two-qubit gate G as G (G† G)^k, with factor = 2k + 1; barriers keep compilers from undoing it."""
    folded = circuit.copy_empty_like()
    for step in circuit.data:
        folded.append(step)
        if step.operation.name in _FOLDED:
            for _ in range(factor // 2):
                folded.barrier(step.qubits)
                folded.append(step.operation.inverse(), step.qubits)
                folded.barrier(step.qubits)
                folded.append(step)
    return folded


def extrapolate(
    factors: Sequence[int], values: np.ndarray, errors: np.ndarray, model: str
) -> tuple[np.ndarray, np.ndarray]:
    """Values at no noise, and their standard errors.

    Args:
        factors: F noise factors.
        values: array of shape (F, …).
        errors: standard errors, of the same shape.
        model: "linear", "quadratic", or "exponential" (a · exp(−b λ), by a weighted fit of the logarithm; where signs
            differ or a value is lost in its error, the linear fit takes its place).
    """
    scale = np.asarray(factors, dtype=float)
    linear = _polynomial(scale, values, errors, 2 if model == "quadratic" else 1)
    if model != "exponential":
        return linear
    signs = np.sign(values[0])
    usable = (np.sign(values) == signs).all(axis=0) & (np.abs(values) > 2 * errors).all(axis=0)
    magnitude = np.where(usable, np.abs(values), 1.0)
    log, log_error = _polynomial(scale, np.log(magnitude), errors / magnitude, 1)
    zero = signs * np.exp(log)
    return np.where(usable, zero, linear[0]), np.where(usable, np.abs(zero) * log_error, linear[1])


def _polynomial(
    scale: np.ndarray, values: np.ndarray, errors: np.ndarray, degree: int
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares at equal weights; the value at 0 is a fixed linear combination of the data."""
    basis = np.vander(scale, degree + 1, increasing=True)
    weights = np.linalg.pinv(basis)[0]
    value = np.tensordot(weights, values, axes=1)
    return value, np.sqrt(np.tensordot(weights**2, errors**2, axes=1))


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
