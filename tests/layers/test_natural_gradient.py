"""The Fubini–Study metric against Qiskit's quantum geometric tensor, and what an optimiser does with it."""

import copy
import io

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_machine_learning.gradients import DerivativeType, LinCombQGT
from qiskit_machine_learning.primitives import QMLEstimator
from torch import nn

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.layers import QuantumLayer, QuantumNaturalGradient, SamplerLayer, fubini_study


def coupled():
    x, a, b, c = (Parameter(name) for name in "xcab")
    circuit = QuantumCircuit(2)
    circuit.ry(x, 0)
    circuit.rx(a, 1)
    circuit.rzz(b, 0, 1)
    circuit.ry(c, 0)
    return Ansatz(circuit, (x,), (a, b, c), pauli_on_each("Z", 2))


@pytest.mark.parametrize("ansatz", [hqnn_parallel(2, 1), coupled()], ids=lambda ansatz: ansatz.name)
def test_the_metric_is_qiskits(ansatz):
    torch.manual_seed(3)
    layer = QuantumLayer(ansatz, copies=2).double()
    inputs = torch.rand(2, 2 * ansatz.num_inputs, dtype=torch.float64)
    tensor = LinCombQGT(QMLEstimator(), derivative_type=DerivativeType.REAL)
    names = [*ansatz.input_params, *ansatz.weight_params]
    expected = np.zeros((2, ansatz.num_weights, ansatz.num_weights))
    for row in inputs.numpy().reshape(2, 2, -1):
        for index, own in enumerate(layer.weight.detach().numpy().reshape(2, -1)):
            values = dict(zip(names, [*row[index], *own], strict=True))
            ordered = [values[parameter] for parameter in ansatz.circuit.parameters]
            result = tensor.run([ansatz.circuit], [ordered], [list(ansatz.weight_params)]).result()
            expected[index] += np.asarray(result.qgts[0]).real / 2
    np.testing.assert_allclose(fubini_study(layer, inputs), expected, rtol=0, atol=1e-9)
    outcomes = SamplerLayer(ansatz, copies=2, initial_weights=layer.weight.detach()).double()
    torch.testing.assert_close(fubini_study(outcomes, inputs), fubini_study(layer, inputs), atol=1e-6, rtol=0)


def rotation(scale=1.0):
    """⟨Z⟩ = cos(scale · w); its metric is scale²/4."""
    w = Parameter("w")
    circuit = QuantumCircuit(1)
    circuit.ry(scale * w, 0)
    return Ansatz(circuit, (), (w,), pauli_on_each("Z", 1))


def test_a_step_is_the_gradient_over_the_metric():
    layer = QuantumLayer(rotation(3.0), initial_weights=[0.4]).double()
    optimizer = QuantumNaturalGradient(layer, lr=0.1, damping=1e-9)
    assert fubini_study(layer, torch.empty(1, 0)).item() == pytest.approx(9 / 4)
    layer(torch.empty(1, 0)).sum().backward()
    before = layer.weight.item()
    optimizer.step()
    assert layer.weight.item() - before == pytest.approx(0.1 * 3 * np.sin(3 * before) / (9 / 4), abs=1e-6)


def test_a_rescaled_weight_takes_the_same_path():
    """What plain gradient descent is not: independent of how fast an angle runs."""
    outputs = []
    for scale in (1.0, 5.0):
        layer = QuantumLayer(rotation(scale), initial_weights=[0.4 / scale]).double()
        optimizer = QuantumNaturalGradient(layer, lr=0.05, damping=1e-9)
        for _ in range(5):
            optimizer.zero_grad()
            loss = layer(torch.empty(1, 0)).sum()
            loss.backward()
            optimizer.step()
        outputs.append(loss.item())
    assert outputs[0] == pytest.approx(outputs[1], abs=1e-6)
    assert outputs[0] < 0.9


def test_a_hybrid_network_trains_beside_a_classical_optimizer():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), QuantumLayer(hqnn_parallel(2, 1), copies=2), nn.Linear(4, 2))
    quantum = QuantumNaturalGradient(network, lr=0.1, samples=4)
    classical = torch.optim.Adam([*network[0].parameters(), *network[2].parameters()], 0.02)
    data, labels = torch.rand(12, 3), torch.arange(12) % 2
    losses = []
    for _ in range(10):
        loss = nn.functional.cross_entropy(network(data), labels)
        losses.append(loss.item())
        for optimizer in (quantum, classical):
            optimizer.zero_grad()
        loss.backward()
        quantum.step()
        classical.step()
    assert losses[-1] < losses[0]
    file = io.BytesIO()
    torch.save(network, file)  # the hook holds no optimiser
    file.seek(0)
    for other in (copy.deepcopy(network), torch.load(file, weights_only=False)):
        torch.testing.assert_close(other(data), network(data))


def test_bad_arguments_are_one_sentence():
    layer = QuantumLayer(hqnn_parallel(2, 1))
    with pytest.raises(HQNNError, match="must have a quantum layer with weights, but has none"):
        QuantumNaturalGradient(nn.Linear(1, 1))
    with pytest.raises(HQNNError, match=r"`model` must be a torch\.nn\.Module, but is a list"):
        QuantumNaturalGradient([layer])
    for name in ("lr", "damping"):
        for value in (0, -1, float("nan"), "0.1", True):
            with pytest.raises(HQNNError, match=f"`{name}` must be a finite number above 0, but is"):
                QuantumNaturalGradient(layer, **{name: value})
    with pytest.raises(HQNNError, match="`samples` must be a whole number of at least 1, but is 0"):
        QuantumNaturalGradient(layer, samples=0)
    optimizer = QuantumNaturalGradient(layer)
    with torch.no_grad():
        layer(torch.rand(2, 2))
    layer.weight.grad = torch.ones(6)
    with pytest.raises(HQNNError, match="must follow a forward pass in training mode"):
        optimizer.step()
    with pytest.raises(ShapeError, match=r"shape \(\.\.\., 2\)"):
        fubini_study(layer, torch.rand(2, 3))
    with pytest.raises(HQNNError, match="a mean over inputs, but there are none"):
        fubini_study(layer, torch.rand(0, 2))
