"""Derivatives of any order and torch.func through exact layers: analytic, finite differences, Qiskit's own backward."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from torch.func import functional_call, hessian, jacfwd, jacrev, vmap

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, hqnn_quanv, pauli_on_each, reuploading, vqc_head
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.models import in_observables
from qiskit_hqnn.simulation import compile_ansatz, gate_by_gate


def awkward():
    """Controlled and two-qubit rotations, angles that are products of an input and a weight, a sine, an idle qubit."""
    x, y, a, b = (Parameter(name) for name in "xyab")
    circuit = QuantumCircuit(4)
    circuit.ry(2 * x + 0.3, 0)
    circuit.h(1)
    circuit.crx(a, 0, 1)
    circuit.rzz(x * b, 1, 2)
    circuit.ryy(y + a, 0, 2)
    circuit.cu(b / 2, 0.2, a, 0.1, 1, 2)
    circuit.cry(b.sin(), 2, 0)
    circuit.ccx(0, 1, 2)
    circuit.rx(a, 3)
    return Ansatz(circuit, (x, y), (a, b), (*pauli_on_each("Z", 4)[:2], *pauli_on_each("Y", 4)[2:3]))


ANSATZE = [hqnn_parallel(3, 1), vqc_head(), hqnn_quanv(), reuploading(depth=1), awkward()]


def layer_of(ansatz, kind=QuantumLayer, copies=2, **options):
    torch.manual_seed(0)
    return kind(ansatz, copies=copies, **options).double()


def inputs_for(layer, batch=3):
    width = layer.neural_network.num_inputs
    return torch.linspace(-1, 1, batch * width, dtype=torch.float64).reshape(batch, width).requires_grad_()


@pytest.mark.parametrize("ansatz", ANSATZE, ids=lambda ansatz: ansatz.name)
def test_gate_by_gate_is_the_planned_program(ansatz):
    inputs = torch.linspace(-1, 1, 3 * 2 * ansatz.num_inputs, dtype=torch.float64).reshape(3, 2, -1)
    weights = torch.linspace(-3, 3, 2 * ansatz.num_weights, dtype=torch.float64).reshape(2, -1)
    program = compile_ansatz(ansatz)
    for keep_state, method in ((False, "expectation_values"), (True, "probabilities")):
        found = getattr(program.gate_by_gate(keep_state), method)(inputs, weights)
        torch.testing.assert_close(found, getattr(program, method)(inputs, weights), atol=1e-12, rtol=0)


def test_derivatives_of_a_cosine():
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.ry(2 * x, 0)
    layer = layer_of(Ansatz(circuit, (x,), (), pauli_on_each("Z", 1)), copies=1)
    values = torch.tensor([[0.3], [-1.2]], dtype=torch.float64, requires_grad=True)
    derivative = layer(values)
    for expected in (-2 * (2 * values).sin(), -4 * (2 * values).cos(), 8 * (2 * values).sin()):
        (derivative,) = torch.autograd.grad(derivative.sum(), values, create_graph=True)
        torch.testing.assert_close(derivative, expected, atol=1e-12, rtol=0)


def test_second_derivatives_are_those_of_finite_differences():
    layer = layer_of(awkward())
    inputs = inputs_for(layer, batch=2)
    assert torch.autograd.gradgradcheck(
        lambda x, w: functional_call(layer, {"weight": w}, (x,)),
        (inputs, layer.weight.detach().requires_grad_()),
    )


def test_a_loss_of_derivatives_trains_the_weights():
    """∂/∂w of Σ (∂f/∂x)², as physics-informed training needs it, behind a classical layer."""
    torch.manual_seed(1)
    encoder, layer = torch.nn.Linear(1, 2).double(), layer_of(hqnn_parallel(2, 1), copies=1)
    points = torch.linspace(-1, 1, 4, dtype=torch.float64)[:, None].requires_grad_()

    def loss(weight):
        outputs = functional_call(layer, {"weight": weight}, (encoder(points),))
        (slopes,) = torch.autograd.grad(outputs[:, 0].sum(), points, create_graph=True)
        return slopes.square().sum()

    assert torch.autograd.gradcheck(loss, layer.weight.detach().requires_grad_())
    loss(layer.weight).backward()
    assert encoder.weight.grad.abs().max() > 0


def test_torch_func_agrees_with_autograd_and_with_qiskits_interface():
    layer = layer_of(awkward())
    inputs, weight = inputs_for(layer).detach(), layer.weight.detach()

    def outputs(w, x):
        return functional_call(layer, {"weight": w}, (x,))

    by_inputs, by_weights = layer.neural_network.backward(inputs.numpy(), weight.numpy())
    for jacobian in (jacrev, jacfwd):
        np.testing.assert_allclose(jacobian(outputs)(weight, inputs), by_weights, rtol=0, atol=1e-10)
        each = vmap(jacobian(outputs, argnums=1), (None, 0))(weight, inputs)
        np.testing.assert_allclose(each, by_inputs, rtol=0, atol=1e-10)
    ensemble = torch.stack([weight, weight + 1])
    torch.testing.assert_close(
        vmap(outputs, (0, None))(ensemble, inputs), torch.stack([outputs(w, inputs) for w in ensemble])
    )
    curvature = hessian(lambda w: outputs(w, inputs).square().sum())(weight)
    expected = torch.autograd.functional.hessian(lambda w: outputs(w, inputs).square().sum(), weight)
    torch.testing.assert_close(curvature, expected, atol=1e-10, rtol=0)
    assert curvature.abs().max() > 0.1


def test_torch_func_takes_sampler_layers_too():
    layer = layer_of(hqnn_parallel(2, 1), SamplerLayer)
    inputs = inputs_for(layer, batch=2).detach()
    jacobian = vmap(jacrev(layer))(inputs)
    by_inputs, _ = layer.neural_network.backward(inputs.numpy(), layer.weight.detach().numpy())
    np.testing.assert_allclose(jacobian.detach(), by_inputs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("ansatz", [hqnn_parallel(2, 1), awkward()], ids=lambda ansatz: ansatz.name)
def test_probabilities_have_derivatives_of_any_order(ansatz):
    """Against the same probabilities as expectation values of projectors, and against finite differences."""
    layer = layer_of(ansatz, SamplerLayer, copies=2)
    observed = in_observables(layer).double()
    inputs = inputs_for(layer, batch=2)
    derived = []
    for one in (layer, observed):
        one.weight.grad = None
        (slope,) = torch.autograd.grad(one(inputs).pow(2).sum(), inputs, create_graph=True)
        (second,) = torch.autograd.grad(slope.pow(2).sum(), inputs, create_graph=True)
        second.pow(2).sum().backward(inputs=[one.weight])
        derived.append((slope.detach(), second.detach(), one.weight.grad))
    for ours, theirs in zip(*derived, strict=True):
        assert theirs.abs().max() > 1e-3
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=1e-7)
    if ansatz.num_qubits == 2:
        small = inputs[:1].detach().requires_grad_()
        assert torch.autograd.gradgradcheck(layer, (small,), atol=1e-6)


def test_without_a_weight_or_an_input_there_are_second_derivatives_too():
    w = Parameter("w")
    circuit = QuantumCircuit(1)
    circuit.ry(w, 0)
    layer = layer_of(Ansatz(circuit, (), (w,), pauli_on_each("Z", 1)), copies=1, initial_weights=[0.4])
    (slope,) = torch.autograd.grad(layer(torch.empty(3, 0)).sum(), layer.weight, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, layer.weight)
    assert curvature.item() == pytest.approx(-3 * np.cos(0.4), abs=1e-6)


def test_where_there_are_none_it_is_one_sentence():
    noisy = layer_of(hqnn_parallel(2, 1), copies=1, estimator="noisy:fake_manila")
    with pytest.raises(HQNNError, match="At noisy:fake_manila a quantum layer does not support torch.func"):
        vmap(noisy)(torch.zeros(2, 2))
    noisy_sampler = layer_of(hqnn_parallel(2, 1), SamplerLayer, copies=1, sampler="noisy:fake_manila")
    for layer in (noisy, noisy_sampler):
        inputs = inputs_for(layer)
        (first,) = torch.autograd.grad(layer(inputs)[:, 0].sum(), inputs, create_graph=True)
        with pytest.raises(HQNNError, match="first derivatives only"):
            torch.autograd.grad(first.sum(), inputs)


def test_what_does_not_fit_is_said_before(monkeypatch):
    layer = layer_of(hqnn_parallel(2, 1))
    monkeypatch.setattr(gate_by_gate, "memory_of", lambda device: 1000)
    with pytest.raises(
        HQNNError, match=r"gates on 2 qubits and 6 samples take about .*, of which cpu has 1,000"
    ):
        torch.autograd.grad(layer(inputs_for(layer)).sum(), layer.weight, create_graph=True)
