"""A template with its angles bound computes the ansatz, and knows each angle's shift rule."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import CPhaseGate, CRXGate, MCPhaseGate, PauliEvolutionGate
from qiskit.quantum_info import Operator, SparsePauliOp

from qiskit_hqnn.circuits import ANSATZE, Ansatz, make_template, pauli_on_each
from qiskit_hqnn.errors import CircuitError

X = Parameter("x")


@pytest.mark.parametrize("name", ANSATZE)
def test_template_bound_to_its_angles_is_the_ansatz(name):
    ansatz = ANSATZE[name]()
    template = make_template(ansatz)
    values = np.random.default_rng(1).uniform(-3, 3, ansatz.num_inputs + ansatz.num_weights)
    bound = ansatz.circuit.assign_parameters(
        dict(zip([*ansatz.input_params, *ansatz.weight_params], values, strict=True))
    )
    angles = template.coefficients @ values + template.offsets
    from_template = template.circuit.assign_parameters(dict(zip(template.angles, angles, strict=True)))
    assert Operator(from_template).equiv(Operator(bound))


def test_an_input_uploaded_four_times_has_four_angles():
    template = make_template(ANSATZE["reuploading"]())
    assert template.num_angles == 4 * 63 + 144
    assert (template.coefficients[:, :63].sum(axis=0) == 4).all()


def test_rules_and_map_of_expressions():
    x, w = Parameter("x"), Parameter("w")
    circuit = QuantumCircuit(2)
    circuit.ry(2 * x + 0.5, 0)
    circuit.crx(w, 0, 1)
    circuit.rz(x * w, 1)
    template = make_template(Ansatz(circuit, (x,), (w,), pauli_on_each("Z", 2)))
    assert template.terms.tolist() == [2, 4, 2]
    assert template.coefficients.tolist() == [[2, 0], [0, 1], [0, 0]]
    assert template.offsets.tolist() == [0.5, 0, 0]
    assert list(template.nonlinear) == [2]
    assert template.depends_on(range(0, 1)).tolist() == [True, False, True]


def test_gates_without_a_rule_are_decomposed():
    x = Parameter("x")
    circuit = QuantumCircuit(2)
    circuit.r(x, 0.3, 0)
    circuit.cu(x, 0.1, 0.2, 0.3, 0, 1)
    ansatz = Ansatz(circuit, (x,), (), pauli_on_each("Z", 2))
    template = make_template(ansatz)
    angles = template.coefficients @ [0.7] + template.offsets
    bound = template.circuit.assign_parameters(dict(zip(template.angles, angles, strict=True)))
    assert Operator(bound).equiv(Operator(circuit.assign_parameters([0.7])))


def test_an_opaque_parameterised_gate_is_one_sentence():
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, [x]), [0])
    with pytest.raises(
        CircuitError, match=r"standard gates or be defined by them, but \['mystery'\] are not"
    ):
        make_template(Ansatz(circuit, (x,), (), pauli_on_each("Z", 1)))


def test_parameters_of_phases_and_delays_are_no_angles_to_shift():
    x, t, phase = (Parameter(name) for name in ("x", "t", "phase"))
    inner = QuantumCircuit(1, global_phase=2 * phase)
    inner.ry(x, 0)
    circuit = QuantumCircuit(2, global_phase=phase)
    circuit.append(inner.to_gate(), [0])
    circuit.delay(2 * t, 1, unit="us")
    circuit.append(PauliEvolutionGate(SparsePauliOp("II"), time=phase), [0, 1])
    template = make_template(Ansatz(circuit, (x,), (t, phase), pauli_on_each("Z", 2)))
    assert template.circuit.count_ops() == {"ry": 1, "delay": 1}
    assert template.terms.tolist() == [2, 0]
    assert template.coefficients.tolist() == [[1, 0, 0], [0, 2, 0]]
    assert not template.depends_on(range(2, 3)).any()


@pytest.mark.parametrize(
    ("gate", "terms"),
    [
        (MCPhaseGate(X, 3), [2]),
        (CRXGate(X), [4]),
        (CRXGate(X, ctrl_state=0), [4]),
        (CPhaseGate(X, ctrl_state=0), [2]),
    ],
)
def test_rules_of_controlled_gates(gate, terms):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, circuit.qubits)
    template = make_template(Ansatz(circuit, (X,), (), pauli_on_each("Z", gate.num_qubits)))
    assert template.terms.tolist() == terms


def test_slopes_are_read_off_what_is_written():
    circuit = QuantumCircuit(1)
    for angle in (X.sign() - 100, abs(X), 2**X, X.conjugate() / 3, X - X):
        circuit.rx(angle, 0)
    template = make_template(Ansatz(circuit, (X,), (), pauli_on_each("Z", 1)))
    assert sorted(template.nonlinear) == [0, 1, 2]
    assert template.coefficients[:, 0].tolist() == pytest.approx([0, 0, 0, 1 / 3, 0])


@pytest.mark.parametrize("angle", [float("nan"), float("inf")])
def test_angles_that_are_no_numbers_are_one_sentence(angle):
    circuit = QuantumCircuit(1)
    circuit.ry(X, 0)
    circuit.rx(angle, 0)
    with pytest.raises(CircuitError, match=r"must be finite, but 'rx' has \[(nan|inf)\]"):
        make_template(Ansatz(circuit, (X,), (), pauli_on_each("Z", 1)))
