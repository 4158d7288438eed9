"""Equivalence of wide circuits: proven by rotations that cancel, and any angle that is off is found."""

import math
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import RZGate
from qiskit.quantum_info import SparsePauliOp, Statevector

from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel
from qiskit_hqnn.inspection import equivalence, largest_difference
from qiskit_hqnn.inspection.one_qubit import fewest_rotations, product_of
from qiskit_hqnn.inspection.pauli_rotations import RotationProduct
from qiskit_hqnn.jobs import resolve_device, transpile_template


def changed(template, position, operation):
    circuit = template.circuit.copy()
    circuit.data[position] = circuit.data[position].replace(operation=operation)
    return replace(template, circuit=circuit)


@pytest.mark.slow
@pytest.mark.parametrize("simulated", [False, True], ids=["rotations", "state-vector"])
@pytest.mark.parametrize("name", ["hqnn-parallel", "hqnn-quanv", "vqc-head", "textbook", "circuit-centric"])
def test_large_circuits_are_proven_by_whole_states(name, simulated, monkeypatch):
    monkeypatch.setattr(equivalence, "EXACT_QUBITS", 0)
    if simulated:
        monkeypatch.setattr(RotationProduct, "distance_from_identity", lambda self: None)
    ansatz = ANSATZE[name]()
    template = transpile_template(ansatz.circuit, resolve_device("fake_fez"), seeds=[0], levels=[1])
    assert largest_difference(ansatz, template) < 1e-11
    if ansatz.num_qubits > 1:
        first, second, *rest = template.logical
        assert largest_difference(ansatz, replace(template, logical=(second, first, *rest)), points=1) > 1e-2
    gates = [i for i, step in enumerate(template.circuit.data) if step.operation.name in ("cz", "sx")]
    broken = template.circuit.copy()
    del broken.data[gates[len(gates) // 2]]
    assert largest_difference(ansatz, replace(template, circuit=broken), points=1) > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("qubits", [5, 16, 30])
def test_an_angle_that_is_a_little_off_is_found_at_any_width(qubits):
    ansatz = hqnn_parallel(qubits, 1)
    template = transpile_template(ansatz.circuit, resolve_device("fake_fez"), seeds=[0], levels=[1])
    assert largest_difference(ansatz, template, points=1) < 1e-10
    points = 3 if qubits <= equivalence.EXACT_QUBITS else 1  # an output may not feel a weight at one point
    weight = ansatz.weight_params[1]
    (own,) = [p for p in template.circuit.parameters if p.name == weight.name]
    for wrong, size in ((own + 1e-4, 1e-4), (own + 1e-7, 1e-7), (own + 1e-3 * own, 1e-3), (5 * own, 1)):
        circuit = template.circuit.assign_parameters({own: wrong})
        difference = largest_difference(ansatz, replace(template, circuit=circuit), points)
        assert 0.1 * size < difference < 3 * size


def test_fixed_gates_that_were_synthesised_anew_are_simulated_or_said_to_be_unproven(monkeypatch):
    circuit = QuantumCircuit(4)
    weights = ParameterVector("w", 4)
    for qubit in range(4):
        circuit.ry(weights[qubit], qubit)
    for first, second in ((0, 1), (1, 2), (2, 3)):
        circuit.cu(0.3, 0.7, -0.2, 0.4, first, second)
        circuit.t(second)
        circuit.ry(0.9, second)
        circuit.cx(second, first)
    ansatz = Ansatz(circuit, (), tuple(weights), (SparsePauliOp("ZZZZ"),))
    template = transpile_template(circuit, resolve_device("fake_fez"), seeds=[0], levels=[3])
    monkeypatch.setattr(equivalence, "EXACT_QUBITS", 0)
    assert largest_difference(ansatz, template) < 1e-9
    position = next(i for i, step in enumerate(template.circuit.data) if step.operation.name == "rz")
    turned = changed(template, position, RZGate(template.circuit.data[position].operation.params[0] + 1e-6))
    assert largest_difference(ansatz, turned) > 1e-8
    monkeypatch.setattr(RotationProduct, "distance_from_identity", lambda self: None)
    monkeypatch.setattr(equivalence, "STATE_QUBITS", 3)
    assert math.isnan(largest_difference(ansatz, template))


GATES = (
    ("rx", 1, 1), ("ry", 1, 1), ("rz", 1, 1), ("u", 3, 1), ("h", 0, 1), ("t", 0, 1), ("sx", 0, 1), ("x", 0, 1),
    ("cx", 0, 2), ("cy", 0, 2), ("ch", 0, 2), ("ecr", 0, 2), ("iswap", 0, 2), ("rzz", 1, 2), ("rxx", 1, 2),
    ("ryy", 1, 2), ("rzx", 1, 2), ("crx", 1, 2), ("cry", 1, 2), ("cp", 1, 2), ("cu", 4, 2), ("ccx", 0, 3),
    ("cswap", 0, 3),
)  # fmt: skip


def random_circuit(rng, qubits, gates):
    circuit = QuantumCircuit(qubits)
    for index in rng.integers(len(GATES), size=gates):
        name, angles, width = GATES[index]
        where = rng.choice(qubits, width, replace=False).tolist()
        getattr(circuit, name)(*rng.uniform(-3, 3, angles).tolist(), *where)
    return circuit


@pytest.mark.parametrize("seed", range(12))
def test_a_product_of_rotations_is_the_circuit(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, 4, 6)
    exact = np.linalg.norm(Statevector(circuit).data[1:])
    found = RotationProduct.from_circuit(circuit).distance_from_identity()
    assert exact - 1e-9 <= found <= 2 * exact + 1e-9  # at most √4 times too large
    whole = random_circuit(rng, 4, 40)
    lowered = transpile(whole, basis_gates=["rz", "sx", "x", "cz"], optimization_level=int(seed % 2))
    product = RotationProduct.from_circuit(lowered)
    product.undo(whole, range(4))
    assert not product.rotations
    assert product.distance_from_identity() < 1e-10
    lowered.rx(1e-7, 2)
    product = RotationProduct.from_circuit(lowered)
    product.undo(whole, range(4))
    assert product.distance_from_identity() > 1e-9


def test_a_gate_is_known_by_its_class_and_not_by_its_name():
    other = QuantumCircuit(2, name="cx")
    other.cz(0, 1)
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.append(other.to_gate(), [0, 1])
    circuit.cx(0, 1, ctrl_state=0)
    inverse = QuantumCircuit(2)
    inverse.h([0, 1])
    inverse.cz(0, 1)
    inverse.x(0)
    inverse.cx(0, 1)
    inverse.x(0)
    assert RotationProduct.from_circuit(circuit.compose(inverse.inverse())).distance_from_identity() < 1e-12


@pytest.mark.parametrize("generic", [0, 1, 2, 3])
def test_as_few_rotations_are_found_as_clifford_gates_leave(generic):
    rng = np.random.default_rng(generic)
    for _ in range(20):
        angles = [rng.integers(4) * np.pi / 2 for _ in range(8)]
        for place in rng.choice(8, generic, replace=False):
            angles[place] = rng.uniform(0.1, 1.4)
        wanted = product_of([("XYZ"[rng.integers(3)], angle) for angle in angles])
        turns, count = fewest_rotations(wanted, 1e-9)
        assert count <= generic
        overlap = abs(np.trace(product_of(turns).conj().T @ wanted)) / 2
        assert overlap == pytest.approx(1, abs=1e-12)
