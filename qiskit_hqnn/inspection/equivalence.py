"""Proof that an ISA circuit still computes its ansatz: the same outputs at random parameters, or the same states."""

from __future__ import annotations

import math

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer import AerSimulator

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.inspection.pauli_rotations import RotationProduct
from qiskit_hqnn.jobs.adapters import on_qubits, used_qubits
from qiskit_hqnn.jobs.devices import ISATemplate

EXACT_QUBITS = 14
"""Up to this many used qubits the outputs are compared; above, whole states."""
STATE_QUBITS = 24
"""Up to this many qubits a state fits (256 MB), if the rotations of both circuits do not cancel."""
CLIFFORD_POINTS = 12
CLIFFORD_TOLERANCE = 1e-6


def largest_difference(ansatz: Ansatz, template: ISATemplate, points: int = 3, seed: int = 0) -> float:
    """Largest difference between the ansatz and its ISA circuit, over random parameters.

    Up to 14 used qubits: of any output. Both are simulated exactly, the ISA circuit on its used qubits, with the
    observables on the qubits of its final layout. A lost gate or two exchanged qubits show as a difference of order
    1, an angle that is off by ε as one of order ε.

    Above, that takes too long, and whole states are compared: the ISA circuit is followed by the inverse of the ansatz
    on the qubits of its final layout, and the difference is the distance of the resulting state from |0…0⟩, up to a
    phase; outputs of an operator O differ by at most 2‖O‖ times as much. For this both circuits are products of Pauli
    rotations, which cancel one by one at any width. Where they do not, because a transpiler has computed new angles for
    fixed gates of two qubits, the state is simulated on up to 24 qubits; beyond, only a difference can be shown, at
    Clifford angles.

    Returns:
        The difference; nan if none was found, but one cannot be excluded.
    """
    used = sorted({*used_qubits(template.circuit), *template.logical})
    small = on_qubits(template.circuit, used)
    places = [used.index(qubit) for qubit in template.logical]
    rng = np.random.default_rng(seed)
    largest = 0.0
    for _ in range(points):
        values = {parameter.name: rng.uniform(-np.pi, np.pi) for parameter in ansatz.circuit.parameters}
        logical, physical = _bound(ansatz.circuit, values), _bound(small, values)
        if len(used) <= EXACT_QUBITS:
            difference = _of_outputs(ansatz, logical, physical, places)
        else:
            difference = _of_states(logical, physical, places)
        if math.isnan(difference):
            return _of_clifford_states(ansatz, small, places, rng)
        largest = max(largest, difference)
    return largest


def _of_outputs(
    ansatz: Ansatz, logical: QuantumCircuit, physical: QuantumCircuit, places: list[int]
) -> float:
    """Largest difference of any output between two bound circuits."""
    first, second = Statevector(logical), Statevector(physical)
    return max(
        abs(
            complex(
                first.expectation_value(observable)
                - second.expectation_value(_moved(observable, places, physical.num_qubits))
            )
        )
        for observable in ansatz.observables
    )


def _of_states(logical: QuantumCircuit, physical: QuantumCircuit, places: list[int]) -> float:
    """Distance of two bound circuits' states, up to a phase; nan if there is no way to compute it."""
    try:
        product = RotationProduct.from_circuit(physical)
        product.undo(logical, places)
        distance = product.distance_from_identity()
    except QiskitError:  # an instruction that is no product of rotations
        distance = None
    if distance is not None:
        return distance
    if physical.num_qubits > STATE_QUBITS:
        return math.nan
    whole = physical.copy()
    try:
        whole.compose(logical.inverse(), places, inplace=True)
    except QiskitError:  # no unitary circuit
        return math.nan
    return _simulated(whole)


def _of_clifford_states(
    ansatz: Ansatz, small: QuantumCircuit, places: list[int], rng: np.random.Generator
) -> float:
    """A difference at parameters that are multiples of π/2, if there is one; otherwise nan: others are not tried."""
    largest = math.nan
    for _ in range(CLIFFORD_POINTS):
        values = {
            parameter.name: int(rng.integers(4)) * math.pi / 2 for parameter in ansatz.circuit.parameters
        }
        difference = _of_states(_bound(ansatz.circuit, values), _bound(small, values), places)
        if difference > CLIFFORD_TOLERANCE:
            largest = float(np.fmax(largest, difference))
    return largest


def _simulated(whole: QuantumCircuit) -> float:
    """Norm of all amplitudes of the final state except |0…0⟩'s; 1 minus its square would lose 1e-9."""
    saved = whole.copy()
    saved.save_statevector()
    state = AerSimulator(method="statevector").run(saved).result().data()["statevector"]
    return float(np.linalg.norm(np.asarray(state)[1:]))


def _bound(circuit: QuantumCircuit, values: dict[str, float]) -> QuantumCircuit:
    by_parameter: dict[Parameter, float] = {p: values[p.name] for p in circuit.parameters}
    return circuit.assign_parameters(by_parameter)


def _moved(observable: SparsePauliOp, places: list[int], num_qubits: int) -> SparsePauliOp:
    terms = [
        (letters, [places[qubit] for qubit in qubits], coefficient)
        for letters, qubits, coefficient in observable.to_sparse_list()
    ]
    return SparsePauliOp.from_sparse_list(terms, num_qubits)
