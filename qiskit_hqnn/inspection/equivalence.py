"""Proof that an ISA circuit still computes its ansatz: the same outputs at random parameters."""

from __future__ import annotations

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.jobs.aer import on_qubits, used_qubits
from qiskit_hqnn.jobs.transpiling import ISATemplate


def largest_difference(ansatz: Ansatz, template: ISATemplate, points: int = 3, seed: int = 0) -> float:
    """Largest difference of any output between the ansatz and its ISA circuit, over random parameters.

    Both are simulated exactly, the ISA circuit on its used qubits, the observables carried to where it says that the
    qubits end up. A lost gate or two exchanged qubits show as a difference of order 1.
    """
    used = sorted({*used_qubits(template.circuit), *template.logical})
    small = on_qubits(template.circuit, used)
    places = [used.index(qubit) for qubit in template.logical]
    moved = [_moved(observable, places, len(used)) for observable in ansatz.observables]
    rng = np.random.default_rng(seed)
    largest = 0.0
    for _ in range(points):
        values = {parameter.name: rng.uniform(-np.pi, np.pi) for parameter in ansatz.circuit.parameters}
        logical = Statevector(_bound(ansatz.circuit, values))
        physical = Statevector(_bound(small, values))
        for observable, other in zip(ansatz.observables, moved, strict=True):
            difference = logical.expectation_value(observable) - physical.expectation_value(other)
            largest = max(largest, abs(complex(difference)))
    return largest


def _bound(circuit: QuantumCircuit, values: dict[str, float]) -> QuantumCircuit:
    by_parameter: dict[Parameter, float] = {p: values[p.name] for p in circuit.parameters}
    return circuit.assign_parameters(by_parameter)


def _moved(observable: SparsePauliOp, places: list[int], num_qubits: int) -> SparsePauliOp:
    terms = [
        (letters, [places[qubit] for qubit in qubits], coefficient)
        for letters, qubits, coefficient in observable.to_sparse_list()
    ]
    return SparsePauliOp.from_sparse_list(terms, num_qubits)
