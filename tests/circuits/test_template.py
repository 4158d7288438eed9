"""A template with its angles bound computes the ansatz, and knows each angle's shift rule."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits import ANSATZE, Ansatz, make_template, pauli_on_each
from qiskit_hqnn.errors import CircuitError


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
