"""The simulator as a citizen of torch: autocast, in-place changes, retained graphs, and what is kept in memory."""

from collections import OrderedDict

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits import hqnn_parallel, hqnn_quanv, pauli_on_each
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.simulation import compilation, compile_ansatz, compile_circuit
from qiskit_hqnn.simulation.passes import constants
from qiskit_hqnn.simulation.passes.evolve import Evolution


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


@pytest.mark.parametrize("ansatz", [hqnn_parallel(4, 2), hqnn_parallel(7, 2)], ids=str)
def test_without_gradients_no_states_are_kept(monkeypatch, ansatz):
    purposes, make = [], Evolution.__init__

    def watched(self, constants, steps, angles, gates, for_gradient):
        purposes.append(for_gradient)
        make(self, constants, steps, angles, gates, for_gradient)

    monkeypatch.setattr(Evolution, "__init__", watched)
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


@pytest.mark.parametrize("whole", [14, 0], ids=["whole", "two-tables"])
def test_maps_of_basis_states_are_qiskits_cnots(monkeypatch, whole):
    monkeypatch.setattr(constants, "_WHOLE_MAP", whole)
    circuit = QuantumCircuit(5)
    for control, target in ((0, 3), (4, 1), (3, 2), (1, 0), (2, 4)):
        circuit.cx(control, target)
    rows = [1 << qubit for qubit in range(5)]
    for step in circuit.data:
        control, target = (circuit.find_bit(qubit).index for qubit in step.qubits)
        rows[target] ^= rows[control]
    gather, scatter = (m.indices() for m in constants.permutation(tuple(rows), torch.device("cpu")))
    states = torch.rand(32, dtype=torch.float64)
    expected = Operator(circuit).data.real @ states.numpy()
    assert (gather.numel(), (constants.permutation(tuple(rows), "cpu")[0].high is None)) == (32, whole == 14)
    torch.testing.assert_close(states[gather], torch.from_numpy(expected), atol=0, rtol=0)
    torch.testing.assert_close(states[gather][scatter], states, atol=0, rtol=0)


def test_equal_maps_are_kept_once():
    circuit, weights = QuantumCircuit(4), ParameterVector("w", 12)
    for layer in range(3):
        for qubit in range(4):
            circuit.rx(weights[4 * layer + qubit], qubit)
        for qubit in range(3):
            circuit.cx(qubit, qubit + 1)
    program = compile_circuit(circuit, pauli_on_each("X", 4), (), tuple(weights))
    program.expectation_values(torch.empty(1, 1, 0), torch.rand(1, 12))
    (runner,) = program._runners.values()
    maps = [step.gather for step in runner.constants.steps.values() if step.gather is not None]
    assert len(maps) >= 2
    assert len({id(index_map) for index_map in maps}) == 1


def test_plans_are_let_go_by_their_size(monkeypatch):
    monkeypatch.setattr(compilation, "_programs", OrderedDict())
    first, second = hqnn_parallel(4, 1), hqnn_parallel(4, 2)
    values = values_for(first)
    program = compile_ansatz(first)
    assert program.num_bytes == 0
    program.expectation_values(*values)
    assert program.num_bytes > 0
    compile_ansatz(second)
    assert compile_ansatz(first) is program
    monkeypatch.setattr(compilation, "_KEPT_BYTES", program.num_bytes - 1)
    compile_ansatz(hqnn_parallel(4, 3))
    assert compile_ansatz(first) is not program
    assert len(compilation._programs) <= 2


def test_states_have_first_derivatives_only():
    inputs, weights = values_for(hqnn_parallel(2, 1))
    outputs = compile_ansatz(hqnn_parallel(2, 1)).statevectors(inputs, weights).abs().square()
    plain = torch.autograd.grad(outputs[..., 0].sum(), (inputs, weights), retain_graph=True)
    first = torch.autograd.grad(outputs[..., 0].sum(), (inputs, weights), create_graph=True)
    for one, other in zip(first, plain, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)
    with pytest.raises(HQNNError, match="first derivatives only"):
        torch.autograd.grad(first[0].sum(), inputs)


@pytest.mark.parametrize("num_inputs", [0, 2])
def test_gradients_are_no_part_of_a_graph(num_inputs):
    x, w = ParameterVector("x", num_inputs), ParameterVector("w", 2)
    circuit = QuantumCircuit(2)
    for qubit, parameter in enumerate([*w, *x]):
        circuit.ry(parameter, qubit % 2)
    circuit.cx(0, 1)
    program = compile_circuit(circuit, pauli_on_each("Z", 2), tuple(x), tuple(w))
    inputs = torch.rand(3, 2, num_inputs, requires_grad=True)
    weights = torch.rand(2, 2, requires_grad=True)
    outputs = program.expectation_values(inputs, weights)
    for gradient, tensor in zip(
        torch.autograd.grad(outputs.sum(), (inputs, weights)), (inputs, weights), strict=True
    ):
        assert gradient.shape == tensor.shape
        assert not gradient.requires_grad
