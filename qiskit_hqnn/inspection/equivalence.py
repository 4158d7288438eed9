"""Proof that an ISA circuit still computes its ansatz: the same outputs at random parameters, or the same states."""

from __future__ import annotations

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Pauli, SparsePauliOp, StabilizerState, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.library import SaveExpectationValue

from qiskit_hqnn.circuits import Ansatz, make_template
from qiskit_hqnn.jobs.adapters.aer import on_qubits, used_qubits
from qiskit_hqnn.jobs.devices.transpiling import ISATemplate

EXACT_QUBITS = 14
"""Up to so many used qubits the outputs are compared; above, whole states."""
CLIFFORD_POINTS = 12


def largest_difference(ansatz: Ansatz, template: ISATemplate, points: int = 3, seed: int = 0) -> float:
    """Largest difference of any output between the ansatz and its ISA circuit, over random parameters.

    Both are simulated exactly, the ISA circuit on its used qubits, the observables carried to where it says that the
    qubits end up. A lost gate or two exchanged qubits show as a difference of order 1.

    Where that would take too long (more than 14 used qubits), whole states are compared: the ISA circuit is followed by
    the inverse of the ansatz on the qubits where it ends up, and the difference is the largest of 1 − ⟨Z⟩ over all used
    qubits, 0 for equal states. Every gate angle is a random multiple of π/2, so that both are Clifford circuits, of any
    size; where the transpiler has left other angles, they are arbitrary and Aer holds the state.
    """
    used = sorted({*used_qubits(template.circuit), *template.logical})
    small = on_qubits(template.circuit, used)
    places = [used.index(qubit) for qubit in template.logical]
    rng = np.random.default_rng(seed)
    if len(used) > EXACT_QUBITS:
        try:
            return max(_of_states(ansatz, small, places, rng) for _ in range(CLIFFORD_POINTS))
        except QiskitError:
            return _of_large_states(ansatz, small, places, rng)
    moved = [_moved(observable, places, len(used)) for observable in ansatz.observables]
    largest = 0.0
    for _ in range(points):
        values = {parameter.name: rng.uniform(-np.pi, np.pi) for parameter in ansatz.circuit.parameters}
        logical = Statevector(_bound(ansatz.circuit, values))
        physical = Statevector(_bound(small, values))
        for observable, other in zip(ansatz.observables, moved, strict=True):
            difference = logical.expectation_value(observable) - physical.expectation_value(other)
            largest = max(largest, abs(complex(difference)))
    return largest


def _of_states(ansatz: Ansatz, small: QuantumCircuit, places: list[int], rng: np.random.Generator) -> float:
    """Largest 1 − ⟨Z⟩ of any qubit behind the ISA circuit and the inverse of the ansatz, at one Clifford point."""
    values = _clifford_point(ansatz, rng)
    whole = _bound(small, values)
    whole.compose(_bound(ansatz.circuit, values).inverse(), places, inplace=True)
    state = StabilizerState(Clifford(_rounded(whole)))
    size = whole.num_qubits
    return max(1 - float(state.expectation_value(Pauli(_single_z(qubit, size)))) for qubit in range(size))


def _of_large_states(
    ansatz: Ansatz, small: QuantumCircuit, places: list[int], rng: np.random.Generator
) -> float:
    """The same at one arbitrary point, by Aer's state vector."""
    values = {parameter.name: float(rng.uniform(-np.pi, np.pi)) for parameter in ansatz.circuit.parameters}
    whole = _bound(small, values)
    whole.compose(_bound(ansatz.circuit, values).inverse(), places, inplace=True)
    size = whole.num_qubits
    for qubit in range(size):
        whole.append(SaveExpectationValue(Pauli("Z"), f"z{qubit}"), [qubit])
    data = AerSimulator(method="statevector").run(whole).result().data()
    return max(1 - float(data[f"z{qubit}"]) for qubit in range(size))


def _clifford_point(ansatz: Ansatz, rng: np.random.Generator) -> dict[str, float]:
    """Random parameters that make every gate angle a multiple of π/2, where the angles are integer sums of them."""
    coefficients = np.abs(make_template(ansatz).coefficients)
    values = {}
    for column, parameter in enumerate([*ansatz.input_params, *ansatz.weight_params]):
        own = coefficients[:, column]
        unit = own[own > 0].min() if (own > 0).any() else 1.0
        values[parameter.name] = float(rng.integers(0, 4)) * np.pi / 2 / unit
    return values


def _rounded(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with every angle rounded to the multiple of π/2 that it is but for the last digits."""
    rounded = circuit.copy_empty_like()
    for step in circuit.data:
        operation = step.operation
        if operation.params:
            operation = operation.to_mutable()
            quarter = np.array([float(value) for value in operation.params]) / (np.pi / 2)
            if np.abs(quarter - quarter.round()).max() > 1e-9:
                raise QiskitError(f"{operation.name} is no Clifford gate here")
            operation.params = [float(turns) * np.pi / 2 for turns in quarter.round()]
        rounded.append(operation, step.qubits, step.clbits)
    return rounded


def _single_z(qubit: int, size: int) -> str:
    return "I" * (size - 1 - qubit) + "Z" + "I" * qubit


def _bound(circuit: QuantumCircuit, values: dict[str, float]) -> QuantumCircuit:
    by_parameter: dict[Parameter, float] = {p: values[p.name] for p in circuit.parameters}
    return circuit.assign_parameters(by_parameter)


def _moved(observable: SparsePauliOp, places: list[int], num_qubits: int) -> SparsePauliOp:
    terms = [
        (letters, [places[qubit] for qubit in qubits], coefficient)
        for letters, qubits, coefficient in observable.to_sparse_list()
    ]
    return SparsePauliOp.from_sparse_list(terms, num_qubits)
