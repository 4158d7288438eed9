"""A batch as the PUB that it goes to an estimator as, and the outputs made of what comes back: against the layer."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.layers import SPSA, QuantumLayer, SamplerLayer

PLAIN = hqnn_parallel(2, 1)
MIXED = (SparsePauliOp("ZI"), SparsePauliOp("ZZ", 0.0), SparsePauliOp("IX", 1e-9))
ODD = Ansatz(PLAIN.circuit, PLAIN.input_params, PLAIN.weight_params, MIXED)


def measured(pub):
    return StatevectorEstimator().run([pub]).result()[0].data.evs


@pytest.mark.parametrize("ansatz", [PLAIN, ODD], ids=["plain", "one-zero-one-tiny"])
def test_outputs_of_the_measured_pub_are_the_layers(ansatz):
    layer = QuantumLayer(ansatz, copies=3).double()
    inputs = torch.rand(2, 2, 6, dtype=torch.float64)
    pub = layer.pub(inputs)
    assert pub.shape == (2, 2 * 2 * 3, 1)
    found = layer.outputs(measured(pub), batch=4)
    torch.testing.assert_close(found, layer(inputs).flatten(0, 1).detach(), atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("gradient", "of_inputs", "shifted"),
    [
        ("parameter-shift", False, 12),
        ("parameter-shift", True, 16),
        (SPSA(0.1, 3), False, 6),
        (None, True, 0),
    ],
)
def test_a_training_steps_pub_is_the_one_that_is_sent(gradient, of_inputs, shifted):
    sent = []

    class Keeping(StatevectorEstimator):
        def run(self, pubs, *, precision=None):
            sent.extend(pubs)
            return super().run(pubs, precision=precision)

    layer = QuantumLayer(PLAIN, copies=2, estimator=Keeping(), gradient=gradient, shots=400)
    inputs = torch.rand(5, 4, requires_grad=of_inputs)
    torch.manual_seed(1)
    pub = layer.pub(inputs, gradient)
    torch.manual_seed(1)
    with torch.set_grad_enabled(gradient is not None):
        layer(inputs)
    (_, observables, values) = sent[0]
    assert pub.shape == (len(observables), *values.shape) == (2, 10, 1 + shifted)
    np.testing.assert_array_equal(pub.parameter_values.as_array(), values.as_array())
    assert pub.precision == 400**-0.5
    assert layer.pub(inputs, shots=100).precision == 0.1
    assert QuantumLayer(PLAIN).pub(inputs[:, :2]).precision is None


def test_a_circuit_without_parameters_is_measured_once_for_any_batch():
    circuit = QuantumCircuit(2)
    circuit.ry(0.3, 0)
    layer = QuantumLayer(Ansatz(circuit, (), (), pauli_on_each("Z", 2)), copies=2)
    pub = layer.pub(torch.empty(3, 0))
    assert pub.shape == (2, 1, 1)
    torch.testing.assert_close(layer.outputs(measured(pub), batch=3), layer(torch.empty(3, 0)))
    assert layer.outputs(measured(pub)).shape == (1, 4)


def test_values_that_are_not_this_layers_are_one_sentence():
    layer = QuantumLayer(PLAIN, copies=2)
    for evs in (np.zeros((2, 5, 1)), np.zeros((2, 6)), np.zeros(3)):
        with pytest.raises(ShapeError, match=r"\(observables, batch · 2 copies, sets\), but have shape \("):
            layer.outputs(evs)
    with pytest.raises(ShapeError, match=r"\(observables, 4 · 2 copies, sets\), but have shape \(2, 6, 1\)"):
        layer.outputs(np.zeros((2, 6, 1)), batch=4)
    with pytest.raises(ShapeError, match=r"must have shape \(2, 6, 1\), but have shape \(3, 6, 1\)"):
        layer.outputs(np.zeros((3, 6, 1)))


def test_a_pub_that_cannot_be_is_one_sentence():
    layer, inputs = QuantumLayer(PLAIN, copies=2), torch.rand(1, 4)
    with pytest.raises(ShapeError, match=r"must have shape \(\.\.\., 4\)"):
        layer.pub(inputs[:, :3])
    with pytest.raises(ShapeError, match="must be finite"):
        layer.pub(inputs * float("nan"))
    with pytest.raises(HQNNError, match="needs the exact simulator"):
        layer.pub(inputs, "autograd")
    with pytest.raises(HQNNError, match="`shots` must be a whole number of at least 1, but is 0"):
        layer.pub(inputs, shots=0)
    with pytest.raises(HQNNError, match="every observable of the ansatz is zero"):
        zero = Ansatz(PLAIN.circuit, PLAIN.input_params, PLAIN.weight_params, MIXED[1:2])
        QuantumLayer(zero).pub(inputs[:, :2])


def test_the_networks_own_primitive_is_the_one_that_runs():
    one, other = StatevectorEstimator(), StatevectorEstimator()
    layer = QuantumLayer(PLAIN)
    assert layer.neural_network.estimator is None
    with layer.running_on(one):
        assert layer.neural_network.estimator is one
        assert layer.evaluator.place is one
        with layer.running_on("noisy:fake_manila"):
            assert layer.neural_network.estimator is None
        assert layer.neural_network.estimator is one
    layer.neural_network.estimator = other  # as Qiskit's attribute is set
    assert layer.evaluator.place is other
    assert layer.neural_network.gradient_rule == "parameter-shift"
    sampler = SamplerLayer(PLAIN)
    with sampler.running_on("aer"):
        assert sampler.neural_network.sampler is sampler.evaluator.place
    assert sampler.neural_network.sampler is None


def test_weights_can_be_replaced_and_keep_one_name():
    layer = QuantumLayer(PLAIN)
    fresh = torch.nn.Parameter(torch.ones(6))
    layer.weight = fresh
    assert layer.weight is layer._weights is fresh
    assert list(layer.state_dict()) == ["weight"]
    with pytest.raises(TypeError, match="cannot assign"):
        layer.weight = torch.ones(6)
