"""Gate twirling: every draw is the same unitary, and coherent error becomes a Pauli channel."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import RXXGate, RZXGate
from qiskit.quantum_info import PTM, Operator, SuperOp

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.estimation.mitigation import twirled


def circuit_with(gate, qubits=4):
    """A parametrised circuit on qubits 0, 1 and 3: qubit 2 stays idle."""
    angles = ParameterVector("angle", 12)  # by name, angle[10] is not behind angle[9]
    circuit = QuantumCircuit(qubits)
    for index, angle in enumerate(angles[:6]):
        circuit.rz(angle, (0, 1, 3)[index % 3])
        circuit.sx((0, 1, 3)[index % 3])
    getattr(circuit, gate)(0, 1)
    circuit.rz(angles[6], 1)
    circuit.x(0)
    circuit.barrier(0, 1)
    getattr(circuit, gate)(3, 1)
    for index, angle in enumerate(angles[7:]):
        circuit.sx((0, 1, 3)[index % 3])
        circuit.rz(angle, (0, 1, 3)[index % 3])
    return circuit


@pytest.mark.parametrize("gate", ["cx", "cz", "ecr"])
def test_every_draw_is_the_same_unitary_on_the_same_qubits(gate):
    circuit = circuit_with(gate)
    names = [parameter.name for parameter in circuit.parameters][::-1]
    rng = np.random.default_rng(1)
    values = rng.uniform(-3, 3, (2, len(names)))
    twirl = twirled(circuit, names)
    drawn = twirl.values(values, draws=5, seed=7)
    assert drawn.shape == (5, 2, len(twirl.parameters))
    for draw in range(5):
        for row, given in zip(drawn[draw], values, strict=True):
            unitary = Operator(twirl.circuit.assign_parameters(dict(zip(twirl.parameters, row, strict=True))))
            wanted = Operator(circuit.assign_parameters(dict(zip(names, given, strict=True))))
            assert unitary.equiv(wanted, atol=1e-5)
    assert twirl.circuit.count_ops()[gate] == 2
    assert np.ptp(drawn, axis=0).max() > 1


def test_the_seed_decides_the_draws():
    circuit = circuit_with("cz")
    names = [parameter.name for parameter in circuit.parameters]
    values = np.zeros((1, len(names)))
    first, again, other = (twirled(circuit, names).values(values, 6, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_any_one_qubit_gate_is_taken_and_other_two_qubit_gates_are_refused():
    circuit = QuantumCircuit(2)
    theta = ParameterVector("t", 2)
    circuit.h(0)
    circuit.ry(theta[0], 0)
    circuit.rx(theta[1], 1)
    circuit.cx(0, 1)
    twirl = twirled(circuit, ["t[0]", "t[1]"])
    row = twirl.values(np.array([[0.4, -1.3]]), 1, 0)[0, 0]
    bound = twirl.circuit.assign_parameters(dict(zip(twirl.parameters, row, strict=True)))
    assert Operator(bound).equiv(Operator(circuit.assign_parameters([0.4, -1.3])), atol=1e-5)
    circuit.rzz(0.3, 0, 1)
    circuit.swap(0, 1)
    with pytest.raises(MitigationError, match="takes the two-qubit gates cx, cz and ecr, .* has rzz, swap"):
        twirled(circuit, ["t[0]", "t[1]"])


def channel_of_error(draws):
    """Pauli transfer matrix of a CZ with coherent error, CZ itself divided out, averaged over draws."""
    circuit = QuantumCircuit(2)
    circuit.cz(0, 1)
    twirl = twirled(circuit, [])
    total = np.zeros((16, 16))
    for row in twirl.values(np.zeros((1, 0)), draws, seed=5)[:, 0]:
        noisy = QuantumCircuit(2)
        for step in twirl.circuit.assign_parameters(dict(zip(twirl.parameters, row, strict=True))).data:
            qubits = [twirl.circuit.find_bit(qubit).index for qubit in step.qubits]
            noisy.append(step.operation, qubits)
            if step.operation.name == "cz":
                noisy.append(RZXGate(0.5), [0, 1])
                noisy.append(RXXGate(0.3), [0, 1])
        noisy.cz(0, 1)
        total += np.real(PTM(SuperOp(noisy)).data)
    return total / draws


def test_coherent_error_becomes_a_pauli_channel():
    bare = QuantumCircuit(2)
    bare.append(RZXGate(0.5), [0, 1])
    bare.append(RXXGate(0.3), [0, 1])
    bare.cz(0, 1)
    whole = QuantumCircuit(2)
    whole.cz(0, 1)
    coherent = np.real(PTM(SuperOp(whole.compose(bare))).data)
    averaged = channel_of_error(draws=600)

    def off_diagonal(matrix):
        return np.abs(matrix - np.diag(np.diag(matrix))).max()

    assert off_diagonal(coherent) > 0.4
    assert off_diagonal(averaged) < 0.1  # 600 draws leave 0.5 / √600 ≈ 0.02 each
    assert np.diag(averaged) == pytest.approx(np.diag(coherent), abs=1e-5)
