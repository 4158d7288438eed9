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
    """Values of single Pauli strings at no noise, and their standard errors where those of `values` are independent.

    Args:
        factors: F noise factors.
        values: array of shape (F, …). An observable with an identity part has no exponential of its own: its strings
            are extrapolated one by one, the identity stays.
        errors: standard errors, of the same shape.
        model: "linear", "quadratic", or "exponential" (a · exp(−b λ), by a straight line through the logarithms; where
            signs differ or a value is lost in its error, the linear fit takes its place).
    """
    zero, slopes = zero_noise(factors, values, errors, model)
    return zero, np.sqrt(((slopes * errors) ** 2).sum(axis=0))


def zero_noise(
    factors: Sequence[int], values: np.ndarray, errors: np.ndarray, model: str
) -> tuple[np.ndarray, np.ndarray]:
    """Values at no noise, and their derivatives by the values at each noise factor, of the shape of `values`."""
    weights = zero_noise_weights(factors, "linear" if model == "exponential" else model)
    slopes = np.broadcast_to(weights.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    linear = np.tensordot(weights, values, axes=1)
    if model != "exponential":
        return linear, slopes
    signs = np.sign(values[0])
    usable = (np.sign(values) == signs).all(axis=0) & (np.abs(values) > 2 * errors).all(axis=0)
    magnitude = np.where(usable, np.abs(values), 1.0)
    zero = np.where(usable, signs * np.exp(np.tensordot(weights, np.log(magnitude), axes=1)), linear)
    return zero, np.where(usable, slopes * zero / np.where(usable, values, 1.0), slopes)


def zero_noise_weights(factors: Sequence[int], model: str) -> np.ndarray:
    """Weight of each noise factor's value in a "linear" or "quadratic" extrapolation: least squares, all alike."""
    degree = {"linear": 1, "quadratic": 2}[model]
    return np.asarray(
        np.linalg.pinv(np.vander(np.asarray(factors, dtype=float), degree + 1, increasing=True))[0]
    )
