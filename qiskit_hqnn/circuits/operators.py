"""Observables: those that papers measure, and all of Qiskit's kinds of operators as SparsePauliOps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from qiskit.quantum_info import Operator, Pauli, SparseObservable, SparsePauliOp

from qiskit_hqnn.errors import CircuitError

OperatorLike: TypeAlias = SparsePauliOp | SparseObservable | Pauli | Operator


def as_operators(observables: OperatorLike | Iterable[OperatorLike]) -> tuple[SparsePauliOp, ...]:
    """Observables as SparsePauliOps: one operator, whose terms are not separate observables, or several."""
    kinds = (SparsePauliOp, SparseObservable, Pauli, Operator)
    parts = [observables] if isinstance(observables, kinds) else observables
    return tuple(_as_operator(part) for part in parts)


def _as_operator(observable: OperatorLike) -> SparsePauliOp:
    if isinstance(observable, Pauli):
        return SparsePauliOp(observable)
    if isinstance(observable, SparseObservable):
        return SparsePauliOp.from_sparse_observable(observable)
    return SparsePauliOp.from_operator(observable) if isinstance(observable, Operator) else observable


def pauli_on_each(pauli: str, num_qubits: int) -> tuple[SparsePauliOp, ...]:
    """The observables ⟨P_j⟩ for j = 0 … num_qubits − 1, with P one of "X", "Y", "Z".

    Raises:
        CircuitError: if P is another letter.

    Example:
        >>> pauli_on_each("Z", 2)[0]
        SparsePauliOp(['IZ'],
                      coeffs=[1.+0.j])
    """
    if pauli.upper() not in {"X", "Y", "Z"}:
        raise CircuitError(f"Argument `pauli` must be one of 'X', 'Y', 'Z', but is {pauli!r}.")
    return tuple(
        SparsePauliOp.from_sparse_list([(pauli.upper(), [qubit], 1.0)], num_qubits)
        for qubit in range(num_qubits)
    )


def probability_of(outcome: int, qubit: int, num_qubits: int) -> SparsePauliOp:
    """The observable whose expectation value is P(outcome) of one qubit: (I ± Z)/2.

    Example:
        >>> probability_of(1, qubit=0, num_qubits=2)
        SparsePauliOp(['II', 'IZ'],
                      coeffs=[ 0.5+0.j, -0.5+0.j])
    """
    sign = 1.0 if outcome == 0 else -1.0
    return SparsePauliOp.from_sparse_list([("", [], 0.5), ("Z", [qubit], sign * 0.5)], num_qubits)
