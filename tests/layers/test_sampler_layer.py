"""Sampled probabilities by several routes: exact, Qiskit's Statevector, Qiskit's sampler, stock SamplerQNN."""

import numpy as np
import pytest
import torch
from qiskit.primitives import StatevectorSampler
from qiskit.quantum_info import Statevector
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.neural_networks import SamplerQNN

from qiskit_hqnn.circuits import hqnn_parallel, vqc_head
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import SamplerLayer


def parity(outcome):
    return outcome.bit_count() % 2


def reference(ansatz, inputs, weights):
    names = [*ansatz.input_params, *ansatz.weight_params]
    return np.array(
        [
            Statevector(
                ansatz.circuit.assign_parameters(dict(zip(names, [*row, *weights], strict=True)))
            ).probabilities()
            for row in inputs
        ]
    )


def test_exact_probabilities_are_qiskits_in_qiskits_order():
    ansatz = hqnn_parallel(3, 2)
    layer = SamplerLayer(ansatz).double()
    inputs = torch.rand(4, 3, dtype=torch.float64)
    expected = reference(ansatz, inputs.numpy(), layer.weight.detach().numpy())
    np.testing.assert_allclose(layer(inputs).detach().numpy(), expected, rtol=0, atol=1e-10)


def test_interpret_sums_outcomes_and_gradients_follow():
    ansatz = hqnn_parallel(3, 1)
    layer = SamplerLayer(ansatz, parity, 2, copies=2).double()
    shifted = SamplerLayer(ansatz, parity, 2, copies=2, gradient="parameter-shift").double()
    shifted.load_state_dict(layer.state_dict())
    inputs = torch.rand(4, 6, dtype=torch.float64, requires_grad=True)
    outputs = layer(inputs)
    assert outputs.shape == (4, 4)
    full = reference(ansatz, inputs[:, :3].detach().numpy(), layer.weight[:9].detach().numpy())
    odd = full[:, [parity(i) == 1 for i in range(8)]].sum(axis=1)
    np.testing.assert_allclose(outputs[:, 1].detach().numpy(), odd, rtol=0, atol=1e-10)
    exact = torch.autograd.grad(outputs[:, ::2].sum(), [inputs, layer.weight])
    rule = torch.autograd.grad(shifted(inputs)[:, ::2].sum(), [inputs, shifted.weight])
    for one, other in zip(exact, rule, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_sampling_agrees_within_five_standard_errors():
    layer = SamplerLayer(vqc_head(), lambda outcome: outcome & 1, 2).double()
    inputs = torch.rand(8, 4, dtype=torch.float64)
    exact = layer(inputs)
    with layer.running_on(StatevectorSampler(seed=3), shots=4096):
        sampled = layer(inputs)
    assert (sampled - exact).abs().max() < 5 * 0.5 / 64
    assert torch.equal(sampled.sum(dim=1), torch.ones(8, dtype=torch.float64))
    assert (sampled - exact).abs().max() > 0


@pytest.mark.slow
def test_more_than_eight_qubits_are_read_from_several_bytes():
    layer = SamplerLayer(hqnn_parallel(10, 1), lambda outcome: outcome >> 9, 2).double()
    inputs = torch.rand(2, 10, dtype=torch.float64) * 3
    exact = layer(inputs)
    with torch.no_grad(), layer.running_on(StatevectorSampler(seed=3), shots=4096):  # no gradient is sampled
        assert (layer(inputs) - exact).abs().max() < 5 * 0.5 / 64


@pytest.mark.slow
def test_the_plain_qnn_interface_agrees_with_qiskits():
    ansatz = hqnn_parallel(2, 1)
    shots = 5_000
    stock = SamplerQNN(
        circuit=ansatz.circuit,
        sampler=StatevectorSampler(seed=1, default_shots=shots),
        input_params=ansatz.input_params,
        weight_params=ansatz.weight_params,
        interpret=parity,
        output_shape=2,
        input_gradients=True,
    )
    ours = SamplerLayer(ansatz, parity, 2)
    assert isinstance(ours, TorchConnector)
    assert isinstance(ours.neural_network, SamplerQNN)
    rng = np.random.default_rng(1)
    inputs, weights = rng.uniform(-1, 1, (2, 2)), rng.uniform(-3, 3, 6)
    tolerance = 5 * 0.5 / shots**0.5
    np.testing.assert_allclose(
        ours.neural_network.forward(inputs, weights), stock.forward(inputs, weights), atol=tolerance
    )
    for mine, theirs in zip(
        ours.neural_network.backward(inputs, weights), stock.backward(inputs, weights), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, atol=tolerance)


def by_halves(outcome):
    return outcome % 3, outcome >> 2, outcome.bit_count() % 2


SHAPE = (3, 2, 2)
SHOTS = 4_000


@pytest.fixture(scope="module")
def of_several_axes():
    """An ansatz, inputs and weights; Qiskit's outputs of several axes, and their gradients."""
    ansatz = hqnn_parallel(3, 1)
    stock = SamplerQNN(
        circuit=ansatz.circuit,
        sampler=StatevectorSampler(seed=2, default_shots=SHOTS),
        input_params=ansatz.input_params,
        weight_params=ansatz.weight_params,
        interpret=by_halves,
        output_shape=SHAPE,
        input_gradients=True,
    )
    rng = np.random.default_rng(4)
    inputs, weights = rng.uniform(-1, 1, (2, 3)), rng.uniform(-3, 3, 9)
    return ansatz, inputs, weights, stock.forward(inputs, weights), stock.backward(inputs, weights)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler", [None, StatevectorSampler(seed=5, default_shots=SHOTS)], ids=["exact", "sampled"]
)
def test_outputs_of_several_axes_are_where_qiskit_has_them(sampler, of_several_axes):
    ansatz, inputs, weights, wanted, gradients = of_several_axes
    layer = SamplerLayer(ansatz, by_halves, SHAPE, sampler=sampler).double()
    layer.weight.data = torch.from_numpy(weights)
    tolerance = 5 * 0.5 / SHOTS**0.5
    assert wanted.shape == layer.neural_network.forward(inputs, weights).shape == (2, *SHAPE)
    np.testing.assert_allclose(layer(torch.from_numpy(inputs)).detach(), wanted, atol=2 * tolerance)
    for mine, theirs in zip(layer.neural_network.backward(inputs, weights), gradients, strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, atol=2 * tolerance)


@pytest.mark.parametrize("gradient", ["autograd", "parameter-shift"])
def test_copies_stand_along_the_first_axis_of_the_outputs(gradient):
    one = SamplerLayer(hqnn_parallel(3, 1), by_halves, SHAPE).double()
    both = SamplerLayer(hqnn_parallel(3, 1), by_halves, SHAPE, copies=2, gradient=gradient).double()
    inputs = torch.rand(2, 4, 6, dtype=torch.float64)
    found = both(inputs)
    assert found.shape == (2, 4, 6, 2, 2)
    for copy in (0, 1):
        one.weight.data = both.weight.detach()[9 * copy : 9 * copy + 9]
        torch.testing.assert_close(
            found[..., 3 * copy : 3 * copy + 3, :, :],
            one(inputs[..., 3 * copy : 3 * copy + 3]),
            atol=1e-12,
            rtol=0,
        )
    found.square().sum().backward()
    assert both.weight.grad.abs().max() > 0
    assert both(torch.rand(0, 6, dtype=torch.float64)).shape == (0, 6, 2, 2)


def test_another_interpretation_holds_from_then_on():
    layer = SamplerLayer(hqnn_parallel(3, 1)).double()
    inputs = torch.rand(4, 3, dtype=torch.float64)
    every = layer(inputs)
    layer.neural_network.set_interpret(by_halves, SHAPE)
    again = layer(inputs)
    assert again.shape == (4, *SHAPE)
    torch.testing.assert_close(again[:, 1, 1, 1], every[:, 4] + every[:, 7], atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("interpret", "shape", "sentence"),
    [
        (parity, None, "`output_shape` must be a positive number, or a tuple of them"),
        (parity, 0, "`output_shape` must be a positive number"),
        (parity, (), "`output_shape` must be a positive number"),
        (parity, (2, 1.5), "`output_shape` must be a positive number"),
        (parity, True, "`output_shape` must be a positive number"),
        (None, 3, "`output_shape` belongs to `interpret`: without it there are 4 outputs, but it is 3"),
        (lambda outcome: outcome, 2, "an index from 0 to 1, but returns 2 for outcome 2"),
        (lambda outcome: -1, 2, "an index from 0 to 1, but returns -1 for outcome 0"),
        (lambda outcome: outcome / 2, 2, "an index from 0 to 1, but returns 0.0 for outcome 0"),
        (lambda outcome: None, 2, "an index from 0 to 1, but returns None"),
        (lambda outcome: (0, outcome), (2, 2), r"tuples of 2 indices within \(2, 2\), but returns \(0, 2\)"),
        (lambda outcome: (0, 1, 1), (2, 2), r"tuples of 2 indices within \(2, 2\), but returns \(0, 1, 1\)"),
        (lambda outcome: 1, (2, 2), r"tuples of 2 indices within \(2, 2\), but returns 1 for outcome 0"),
    ],
)
def test_an_interpretation_that_does_not_fit_its_shape_is_one_sentence(interpret, shape, sentence):
    with pytest.raises(HQNNError, match=sentence):
        SamplerLayer(hqnn_parallel(2, 1), interpret, shape)


def test_a_sampler_of_another_kind_is_one_sentence():
    with pytest.raises(HQNNError, match="must be a BaseSamplerV2"):
        SamplerLayer(hqnn_parallel(2, 1), sampler=3)
