"""Zero-noise extrapolation: circuits with more noise, and values with none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import MitigationError

_KEPT = frozenset({"barrier", "delay", "measure"})


def fold_gates(circuit: QuantumCircuit, factor: int) -> QuantumCircuit:
    """Every gate G of several qubits as G (G† G)^k, with factor = 2k + 1; barriers keep compilers from undoing it.

    Raises:
        MitigationError: if the inverse of such a gate is another gate, which a device may not have.
    """
    folded = circuit.copy_empty_like()
    for step in circuit.data:
        folded.append(step)
        if len(step.qubits) < 2 or step.operation.name in _KEPT:
            continue
        inverse = step.operation.inverse()
        # The inverse of rzz(θ) is rzz(−θ), outside the angles that devices take.
        if inverse.name != step.operation.name or inverse.name == "rzz":
            raise MitigationError(
                f"Zero-noise extrapolation folds gates that have an inverse of their own kind, such as cx, cz and ecr, "
                f"but the circuit has {step.operation.name!r}."
            )
        for _ in range(factor // 2):
            folded.barrier(step.qubits)
            folded.append(inverse, step.qubits)
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
