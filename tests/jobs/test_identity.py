"""A circuit's identity is what it does: two that do something else never share one, whatever their names are."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import (
    AnnotatedOperation,
    Clbit,
    ControlModifier,
    InverseModifier,
    Parameter,
    PowerModifier,
)
from qiskit.circuit.library import HamiltonianGate, RYGate, UCGate, UGate, XGate, YGate, ZGate
from qiskit.quantum_info import Clifford

from qiskit_hqnn.jobs.devices.identity import circuit_bytes


def appended(operation):
    circuit = QuantumCircuit(operation.num_qubits)
    circuit.append(operation, range(operation.num_qubits))
    return circuit


def annotated(gate, *modifiers):
    return AnnotatedOperation(gate, list(modifiers))


def with_phase(phase):
    inner = QuantumCircuit(1, global_phase=phase, name="block")
    inner.x(0)
    return inner.to_gate()


def renamed(gate, name):
    gate = gate.to_mutable()
    gate.name = name
    return gate


def clifford_of(name):
    circuit = QuantumCircuit(1)
    getattr(circuit, name)(0)
    return Clifford(circuit)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (annotated(RYGate(0.3), ControlModifier(1)), annotated(RYGate(0.4), ControlModifier(1))),
        (annotated(RYGate(0.3), ControlModifier(1)), annotated(RYGate(0.3), ControlModifier(1, 0))),
        (annotated(UGate(1, 2, 3), InverseModifier()), annotated(UGate(1, 2, 3), PowerModifier(2))),
        (annotated(with_phase(0.3), ControlModifier(1)), annotated(with_phase(0.4), ControlModifier(1))),
        (clifford_of("h"), clifford_of("s")),
        (renamed(XGate(), "y"), YGate()),
        (XGate(label="noisy"), XGate()),
    ],
)
def test_operations_that_do_something_else_have_another_identity(one, other):
    assert circuit_bytes(appended(one)) == circuit_bytes(appended(one))
    assert circuit_bytes(appended(one)) != circuit_bytes(appended(other))


def test_a_standard_gate_under_another_name_is_the_gate_that_it_is():
    assert circuit_bytes(appended(renamed(XGate(), "y"))) == circuit_bytes(appended(XGate()))


def test_phases_of_a_definition_that_stays_global_do_not_count():
    assert circuit_bytes(appended(with_phase(0.3))) == circuit_bytes(appended(with_phase(0.4)))


def test_registers_that_hold_other_bits_make_another_circuit():
    def circuit(order):
        bits = [Clbit(), Clbit()]
        result = QuantumCircuit(QuantumRegister(1), bits)
        result.add_register(ClassicalRegister(name="c", bits=[bits[index] for index in order]))
        result.measure(0, bits[0])
        return result

    assert circuit_bytes(circuit([0, 1])) == circuit_bytes(circuit([0, 1]))
    assert circuit_bytes(circuit([0, 1])) != circuit_bytes(circuit([1, 0]))


def test_the_bytes_of_standard_gates_are_those_of_stores_that_exist():
    circuit = QuantumCircuit(2, 1)
    circuit.rz(0.5, 0)
    circuit.cx(0, 1)
    circuit.measure(1, 0)
    assert circuit_bytes(circuit) == (
        b'[2, 1, [["c", 1]], [[["rz", ["0.5"]], [0], []], [["cx", [], 1], [0, 1], []], '
        b'[["measure", []], [1], [0]]]]'
    )


def test_matrices_count_bit_by_bit():
    base = np.eye(4, dtype=complex)
    turned = base.copy()
    turned[3, 3] = np.exp(1e-12j)
    one, other = QuantumCircuit(2), QuantumCircuit(2)
    one.unitary(base, [0, 1])
    other.unitary(turned, [0, 1])
    assert circuit_bytes(one) != circuit_bytes(other)
    assert circuit_bytes(appended(ZGate())) != circuit_bytes(appended(XGate()))


def test_the_number_that_qiskit_gives_an_unnamed_circuit_is_no_part_of_what_it_does():
    def unnamed():
        inner = QuantumCircuit(1)
        inner.x(0)
        return inner

    assert unnamed().name != unnamed().name
    for made in (
        lambda: unnamed().to_gate(),
        lambda: unnamed().to_gate().inverse(),
        lambda: UCGate(MATRICES),
    ):
        assert circuit_bytes(appended(made())) == circuit_bytes(appended(made()))
    assert circuit_bytes(appended(UCGate(MATRICES))) != circuit_bytes(appended(UCGate(MATRICES[::-1])))


MATRICES = [np.array([[0, 1], [1, 0]]), np.diag([1, 1j])]


def test_a_gate_whose_matrix_needs_values_is_known_by_what_it_was_given():
    time = Parameter("t")
    one, other = (HamiltonianGate(np.diag([1.0, 0.3 + step]), time) for step in (0, 1e-9))
    assert circuit_bytes(appended(one)) == circuit_bytes(appended(HamiltonianGate(np.diag([1.0, 0.3]), time)))
    assert circuit_bytes(appended(one)) != circuit_bytes(appended(other))
