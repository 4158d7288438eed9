"""An ansatz is what it was when it was made, and holds nothing but Qiskit's own classes."""

import pickle

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, Parameter
from qiskit.circuit.library import RXGate, RYGate, UnitaryGate
from qiskit.quantum_info import Operator, SparsePauliOp

from qiskit_hqnn.circuits import Ansatz, make_template, pauli_on_each
from qiskit_hqnn.errors import CircuitError

X = Parameter("x")


def one_qubit(*observables):
    circuit = QuantumCircuit(1)
    circuit.ry(X, 0)
    return circuit, Ansatz(circuit, (X,), (), observables or pauli_on_each("Z", 1))


def test_a_circuit_changed_afterwards_leaves_its_ansatz_alone():
    circuit, ansatz = one_qubit()
    circuit.x(0)
    circuit.rx(Parameter("later"), 0)
    assert ansatz.circuit.count_ops() == {"ry": 1}
    assert set(ansatz.circuit.parameters) == {X}


def test_what_an_ansatz_hands_out_is_a_copy():
    _, ansatz = one_qubit()
    ansatz.circuit.x(0)
    ansatz.observables[0].coeffs[:] = 7
    assert ansatz.circuit.count_ops() == {"ry": 1}
    assert ansatz.observables[0] == SparsePauliOp("Z")
    for name in ("circuit", "input_params", "weight_params", "observables", "name", "reference"):
        with pytest.raises(AttributeError):
            setattr(ansatz, name, None)


def test_observables_changed_afterwards_leave_the_ansatz_alone():
    observable = SparsePauliOp("Z")
    _, ansatz = one_qubit(observable)
    observable.coeffs[:] = 3
    assert ansatz.observables[0] == SparsePauliOp("Z")


def test_gates_and_modifiers_changed_afterwards_leave_the_ansatz_alone():
    inner = QuantumCircuit(1, name="inner")
    inner.ry(X, 0)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_gate(), [0])
    circuit.append(AnnotatedOperation(RXGate(0.3), ControlModifier(1)), [0, 1])
    circuit.append(UnitaryGate(np.eye(2)), [1])
    ansatz = Ansatz(circuit, (X,), (), pauli_on_each("Z", 2))
    expected = Operator(ansatz.circuit.assign_parameters([0.4]))
    circuit.data[0].operation.definition.x(0)
    circuit.data[1].operation.modifiers[0].ctrl_state = 0
    circuit.data[2].operation.params[0][:] = [[0, 1], [1, 0]]
    assert Operator(ansatz.circuit.assign_parameters([0.4])) == expected


def gates_of_local_classes():
    class Local(Gate):
        """A class that no other process can find."""

        def __init__(self, angle):
            super().__init__("local", 1, [angle])
            self.closure = lambda: angle

        def _define(self):
            self.definition = QuantumCircuit(1)
            self.definition.append(RYGate(self.params[0]), [0])
            self.definition.rz(0.3, 0)

    class Opaque(Gate):
        def __init__(self):
            super().__init__("opaque", 1, [])

        def to_matrix(self):
            return RXGate(0.3).to_matrix()

    nested = QuantumCircuit(2, name="nested")
    nested.append(Local(2 * X), [1])
    nested.append(Opaque(), [0])
    circuit = QuantumCircuit(2)
    circuit.append(Local(X), [0])
    circuit.append(nested.to_gate(), [0, 1])
    circuit.append(AnnotatedOperation(nested.to_gate(), ControlModifier(0)), [1, 0])
    return circuit


def gates_of_openqasm3():
    return qasm3.loads("""
        OPENQASM 3; include "stdgates.inc";
        input float[64] a;
        gate pair(t) p, q { rx(t) p; cx p, q; }
        gate both(t) p, q { pair(2 * t) q, p; pair(t) p, q; }
        qubit[2] r;
        both(a) r[0], r[1];
    """)


@pytest.mark.parametrize("build", [gates_of_local_classes, gates_of_openqasm3])
def test_gates_of_anybodys_classes_become_plain_ones_and_travel(build):
    circuit = build()
    ansatz = Ansatz(circuit, circuit.parameters, (), pauli_on_each("Z", 2))
    assert ansatz.circuit.count_ops() == circuit.count_ops()
    again = pickle.loads(pickle.dumps(ansatz))  # noqa: S301
    reference = Operator(circuit.assign_parameters([0.4]))
    for other in (ansatz, again):
        template = make_template(other)
        angles = template.coefficients @ [0.4] + template.offsets
        bound = template.circuit.assign_parameters(dict(zip(template.angles, angles, strict=True)))
        assert Operator(other.circuit.assign_parameters([0.4])) == reference
        assert Operator(bound).equiv(reference)


def test_gates_nested_forty_deep_are_unfolded():
    gate = RYGate(X)
    for level in range(40):
        circuit = QuantumCircuit(1, name=f"level{level}")
        circuit.append(gate, [0])
        gate = circuit.to_gate()
    template = make_template(Ansatz(circuit, (X,), (), pauli_on_each("Z", 1)))
    assert template.circuit.count_ops() == {"ry": 1}


def test_an_ansatz_without_qubits_is_one_sentence():
    with pytest.raises(CircuitError, match="at least one qubit, but circuit 'nothing' has none"):
        Ansatz(QuantumCircuit(0, name="nothing"), (), (), (SparsePauliOp(""),))
