"""The simulator as a citizen of torch: autocast, in-place changes, retained graphs, and what is kept in memory."""

import pytest
import torch

from qiskit_hqnn.circuits import hqnn_parallel, hqnn_quanv
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.evolve import Evolution


def values_for(ansatz, batch=3, copies=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    inputs = torch.rand(batch, copies, ansatz.num_inputs, generator=generator, dtype=dtype)
    weights = torch.rand(copies, ansatz.num_weights, generator=generator, dtype=dtype)
    return inputs.requires_grad_(), weights.requires_grad_()


def pass_of(method, ansatz):
    inputs, weights = values_for(ansatz, dtype=torch.float32)
    outputs = getattr(compile_ansatz(ansatz), method)(inputs, weights)
    outputs.square().sum().backward()
    return outputs.detach(), inputs.grad, weights.grad


@pytest.mark.parametrize("method", ["expectation_values", "probabilities"])
def test_autocast_leaves_the_simulator_in_full_precision(method):
    plain = pass_of(method, hqnn_parallel(3, 2))
    with torch.autocast("cpu", torch.bfloat16):
        within = pass_of(method, hqnn_parallel(3, 2))
    for one, other in zip(plain, within, strict=True):
        assert one.dtype == other.dtype == torch.float32
        torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_a_network_around_the_layer_trains_under_autocast():
    torch.manual_seed(0)
    layer = QuantumLayer(hqnn_quanv())
    network = torch.nn.Sequential(torch.nn.Linear(6, 4), layer)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(torch.rand(5, 6))
        outputs.sum().backward()
    assert outputs.dtype == torch.float32
    expected = layer(network[0](torch.rand(5, 6)))
    assert expected.shape == outputs.shape
    assert torch.isfinite(layer.weight.grad).all()
    assert torch.isfinite(network[0].weight.grad).all()


@pytest.mark.parametrize("which", ["inputs", "weights"])
@pytest.mark.parametrize("method", ["expectation_values", "statevectors"])
def test_altered_values_before_the_backward_pass_are_torchs_error(method, which):
    ansatz = hqnn_parallel(2, 1)
    inputs, weights = values_for(ansatz)
    outputs = getattr(compile_ansatz(ansatz), method)(inputs, weights)
    with torch.no_grad():
        (inputs if which == "inputs" else weights).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.abs().sum().backward()


@pytest.mark.parametrize("ansatz", [hqnn_parallel(3, 2), hqnn_parallel(7, 2), hqnn_quanv()], ids=str)
def test_a_retained_graph_gives_the_same_gradients_twice(ansatz):
    inputs, weights = values_for(ansatz)
    loss = compile_ansatz(ansatz).expectation_values(inputs, weights).sum()
    first = torch.autograd.grad(loss, (inputs, weights), retain_graph=True)
    second = torch.autograd.grad(loss, (inputs, weights))
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_without_gradients_no_states_are_kept(monkeypatch):
    ansatz, purposes = hqnn_parallel(4, 2), []
    forth = Evolution.forth

    def watched(constants, angles, for_gradient):
        purposes.append(for_gradient)
        return forth(constants, angles, for_gradient)

    monkeypatch.setattr(Evolution, "forth", watched)
    inputs, weights = values_for(ansatz)
    program = compile_ansatz(ansatz)
    with torch.no_grad():
        alone = program.expectation_values(inputs, weights)
    torch.testing.assert_close(alone, program.expectation_values(inputs, weights), atol=0, rtol=0)
    assert purposes == [False, True]


def test_a_graph_that_was_walked_keeps_no_states():
    ansatz = hqnn_parallel(4, 2)
    inputs, weights = values_for(ansatz, batch=50)
    kept = []

    def pack(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = compile_ansatz(ansatz).expectation_values(inputs, weights).sum()
    assert max(kept) >= 2 * 50 * 2**4  # the states are among what torch holds, and what it frees
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
