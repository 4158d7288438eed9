"""Every gate of Qiskit's library, wrapped in every way, means to simulator and template what it means to Qiskit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    InverseModifier,
    Parameter,
    PowerModifier,
    library,
)
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

from qiskit_hqnn.circuits import Ansatz, make_template, pauli_on_each
from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.simulation import compile_ansatz
from tests.library_gates import LIBRARY, WEIGHTS, circuit_of, exported_gates, recipes

VALUES = (0.7, -1.1, 0.4)
NO_REFERENCE = {library.WeightedSumGate}
"""Qiskit has no matrix for it without spare qubits; it has a test of its own."""


def ansatz_of(circuit):
    observables = [SparsePauliOp.from_sparse_list([("XY", [0, 1], 1.0)], circuit.num_qubits)]
    return Ansatz(circuit, (), WEIGHTS, [*pauli_on_each("Z", circuit.num_qubits), *observables])


def values_of(ansatz, weights):
    program = compile_ansatz(ansatz)
    return program.expectation_values(torch.zeros(1, 1, 0, dtype=torch.float64), weights[None])[0, 0]


def state_of(ansatz, values=VALUES):
    program = compile_ansatz(ansatz)
    inputs, weights = torch.zeros(1, 1, 0, dtype=torch.float64), torch.tensor([values], dtype=torch.float64)
    return program.statevectors(inputs, weights)[0, 0].numpy()


def assert_same_state(ours, theirs, tolerance=1e-10):
    phase = np.vdot(ours, theirs)
    assert abs(phase) > 0.99
    np.testing.assert_allclose(ours * phase / abs(phase), theirs, rtol=0, atol=tolerance)


def alone(name):
    """The gate between rotations, on as many qubits as it takes, at least three."""
    angles = iter([WEIGHTS[0], 2 * WEIGHTS[1] + 0.3, WEIGHTS[2], 0.2])
    width = max(3, LIBRARY[name](lambda: 0.1).num_qubits)
    gate = LIBRARY[name](lambda: next(angles))
    circuit = QuantumCircuit(width)
    for qubit in range(width):
        circuit.u(0.3 + 0.2 * qubit, 0.1 * qubit, 0.4, qubit)
    circuit.append(gate, range(gate.num_qubits))
    for qubit, weight in enumerate(WEIGHTS):
        circuit.rx(weight, qubit)
    return circuit


def test_every_gate_of_the_library_is_met():
    made = {type(build(lambda: 0.1)) for build in LIBRARY.values()}
    bases = {getattr(build(lambda: 0.1), "base_class", None) for build in LIBRARY.values()}
    assert exported_gates() - made - bases == NO_REFERENCE


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_gate_of_the_library_is_qiskits(name):
    circuit = alone(name)
    bound = circuit.assign_parameters(dict(zip(WEIGHTS, VALUES, strict=True)))
    assert_same_state(state_of(ansatz_of(circuit)), Statevector(bound).data)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(recipe=recipes())
def test_random_circuits_of_wrapped_gates_are_qiskits(recipe):
    ansatz = ansatz_of(circuit_of(recipe))
    state = Statevector(circuit_of(recipe, VALUES))
    expected = [state.expectation_value(observable).real for observable in ansatz.observables]
    ours = values_of(ansatz, torch.tensor(VALUES, dtype=torch.float64))
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-10)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(recipe=recipes(max_qubits=4, max_gates=3))
def test_gradients_of_wrapped_gates_are_right(recipe):
    ansatz = ansatz_of(circuit_of(recipe))
    weights = torch.tensor(VALUES, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: values_of(ansatz, w), weights, fast_mode=True)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(recipe=recipes(max_qubits=4, max_gates=3))
def test_a_template_of_wrapped_gates_computes_the_ansatz(recipe):
    template = make_template(ansatz_of(circuit_of(recipe)))
    angles = template.coefficients @ VALUES + template.offsets
    values = dict(zip(WEIGHTS, VALUES, strict=True))
    for row, expression in template.nonlinear.items():
        angles[row] = expression.bind({p: values[p] for p in expression.parameters})
    bound = template.circuit.assign_parameters(dict(zip(template.angles, angles, strict=True)))
    assert_same_state(Statevector(bound).data, Statevector(circuit_of(recipe, VALUES)).data)


def own_gate(name, build, num_qubits=1):
    circuit = QuantumCircuit(num_qubits, name=name)
    build(circuit)
    return circuit.to_gate()


@pytest.mark.parametrize(
    "name", ["cx", "swap", "cz", "rzz", "delay", "reset", "measure", "global_phase", "barrier"]
)
def test_a_gate_of_ones_own_means_what_it_is_defined_by_whatever_its_name(name):
    def build(circuit):
        circuit.h(0)
        circuit.crx(WEIGHTS[0], 1, 0)

    circuit, plain = QuantumCircuit(3), QuantumCircuit(3)
    circuit.append(own_gate(name, build, 2), [2, 0])
    plain.h(2)
    plain.crx(VALUES[0], 0, 2)
    circuit.append(own_gate(name, build, 2).control(annotated=True), [1, 2, 0])
    plain.ch(1, 2)
    plain.append(library.RXGate(VALUES[0]).control(2), [1, 0, 2])
    for target, values in ((circuit, WEIGHTS), (plain, VALUES)):
        target.ry(values[1], 0)
        target.ry(values[2], 1)
    assert_same_state(state_of(ansatz_of(circuit)), Statevector(plain).data)


class Twice(Gate):
    """RY of twice the angle, under the name of another gate."""

    def __init__(self, angle):
        super().__init__("rx", 1, [angle])

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.ry(2 * self.params[0], 0)


class Opaque(Gate):
    """A gate that has a matrix, and nothing else."""

    def __init__(self, name):
        super().__init__(name, 1, [])

    def to_matrix(self):
        return library.RYGate(0.7).to_matrix()


def _rotated(*gates):
    circuit = QuantumCircuit(1)
    circuit.rx(0.3, 0)
    for gate in gates:
        circuit.append(gate, [0])
    return circuit


def renamed(gate, name):
    gate = gate.to_mutable()
    gate.name = name
    return gate


W = WEIGHTS[0]
ONE_QUBIT = {
    "own class": (Twice(W), library.RYGate(1.4)),
    "own class with a matrix": (Opaque("h"), library.RYGate(0.7)),
    "renamed": (renamed(library.XGate(), "y"), library.XGate()),
    "renamed rotation": (renamed(library.RXGate(W), "rz"), library.RXGate(0.7)),
    "fractional power": (AnnotatedOperation(library.SGate(), PowerModifier(0.5)), library.TGate()),
    "fractional power of an open angle": (
        AnnotatedOperation(library.RYGate(W), [PowerModifier(0.5), InverseModifier()]),
        library.RYGate(-0.35),
    ),
}


@pytest.mark.parametrize("case", ONE_QUBIT)
def test_a_class_decides_what_a_gate_is(case):
    gate, plain = ONE_QUBIT[case]
    circuit = _rotated(gate, library.RZGate(W), *(library.RXGate(weight) for weight in WEIGHTS[1:]))
    reference = _rotated(plain, library.RZGate(0.7), library.RXGate(-1.1), library.RXGate(0.4))
    assert_same_state(state_of(ansatz_of_one(circuit)), Statevector(reference).data)


def ansatz_of_one(circuit):
    return Ansatz(circuit, (), WEIGHTS, pauli_on_each("Z", 1))


def test_a_controlled_phase_is_no_phase_of_the_whole():
    angle = Parameter("t")
    phase = own_gate("g", lambda c: setattr(c, "global_phase", angle))
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.append(AnnotatedOperation(phase, ControlModifier(1)), [0, 1])
    circuit.append(AnnotatedOperation(library.GlobalPhaseGate(angle), ControlModifier(1)), [0])
    ansatz = Ansatz(circuit, (), [angle], pauli_on_each("X", 2))
    program = compile_ansatz(ansatz)
    value = program.expectation_values(torch.zeros(1, 1, 0), torch.tensor([[0.3]]))[0, 0, 0]
    assert value.item() == pytest.approx(np.cos(0.6), abs=1e-6)


def test_initialize_and_reset_of_untouched_qubits_prepare_states():
    circuit = QuantumCircuit(2)
    circuit.reset(1)
    circuit.initialize([0.6, 0.8j], 0)
    circuit.cx(0, 1)
    plain = QuantumCircuit(2)
    plain.prepare_state([0.6, 0.8j], 0)
    plain.cx(0, 1)
    ansatz = Ansatz(circuit, (), (), pauli_on_each("Z", 2))
    assert_same_state(state_of(ansatz, ()), Statevector(plain).data)
    circuit.initialize([1, 0], 0)
    with pytest.raises(
        CircuitError, match="contains 'reset' after other gates \\('initialize' starts with one\\)"
    ):
        compile_ansatz(Ansatz(circuit, (), (), pauli_on_each("Z", 2)))


def test_loops_over_numbers_and_boxes_are_unrolled():
    angle = Parameter("t")
    circuit, plain = QuantumCircuit(2), QuantumCircuit(2)
    with circuit.for_loop(range(3)) as step:
        circuit.ry(angle * step, 0)
        circuit.cx(0, 1)
    with circuit.box():
        circuit.rx(angle, 1)
    for step in range(3):
        plain.ry(0.4 * step, 0)
        plain.cx(0, 1)
    plain.rx(0.4, 1)
    ansatz = Ansatz(circuit, (), [angle], pauli_on_each("Z", 2))
    assert_same_state(state_of(ansatz, (0.4,)), Statevector(plain).data)


def test_a_gate_that_takes_spare_qubits_is_made_without_them():
    gate = library.WeightedSumGate(2, [1, 2])
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.x([0, 1])
    circuit.append(gate, circuit.qubits)
    state = state_of(Ansatz(circuit, (), (), pauli_on_each("Z", gate.num_qubits)), ())
    assert abs(state[0b1111]) == pytest.approx(1)  # 1 + 2 = 3, behind the two summands


class Itself(Gate):
    """A gate that consists of itself."""

    def __init__(self):
        super().__init__("itself", 1, [])

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.append(Itself(), [0])


def test_a_gate_defined_by_itself_is_one_sentence():
    circuit = QuantumCircuit(1)
    circuit.append(Itself(), [0])
    with pytest.raises(CircuitError, match="'itself' is nested too deep, or in itself"):
        Ansatz(circuit, (), (), pauli_on_each("Z", 1))


def test_open_powers_that_have_no_circuit_are_one_sentence():
    circuit = QuantumCircuit(1)
    circuit.append(AnnotatedOperation(library.UGate(W, 0.1, 0.2), PowerModifier(0.5)), [0])
    with pytest.raises(
        CircuitError, match="must be raised to a whole power of at most 1024, but 'u' is raised to"
    ):
        make_template(Ansatz(circuit, (), [W], pauli_on_each("Z", 1)))


def test_a_template_acts_as_qiskits_operator():
    circuit = alone("controlled-two-qubit")
    template = make_template(ansatz_of(circuit))
    angles = template.coefficients @ VALUES + template.offsets
    bound = template.circuit.assign_parameters(dict(zip(template.angles, angles, strict=True)))
    assert Operator(bound).equiv(Operator(circuit.assign_parameters(dict(zip(WEIGHTS, VALUES, strict=True)))))
