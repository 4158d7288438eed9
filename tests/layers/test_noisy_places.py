"""Layers at the words "noisy:fake_<device>" and, with shots, "exact": no Aer, no primitive of Qiskit's."""

import copy
import pickle

import pytest
import torch

from qiskit_hqnn.circuits import hqnn_parallel, textbook
from qiskit_hqnn.errors import DeviceError, HQNNError
from qiskit_hqnn.layers import SPSA, QuantumLayer, SamplerLayer
from qiskit_hqnn.layers.places import NoisyPlace
from qiskit_hqnn.where import Where

PLACE = "noisy:fake_manila"


@pytest.fixture(scope="module")
def ansatz():
    return hqnn_parallel(2, depth=1)


@pytest.fixture
def layer(ansatz):
    torch.manual_seed(2)
    return QuantumLayer(ansatz, copies=2).double()


def inputs(batch=3):
    return (torch.rand(batch, 4, generator=torch.Generator().manual_seed(1)).double() * 2).requires_grad_()


def gradients(layer, x):
    outputs = layer(x)
    cotangent = torch.arange(outputs.numel()).reshape(outputs.shape).double().cos()
    return outputs.detach(), *torch.autograd.grad(outputs, (x, layer.weight), cotangent)


def test_a_noisy_word_gives_exact_values_with_autograd(layer):
    ideal = layer(inputs())
    with layer.running_on(PLACE):
        assert layer.neural_network.gradient_rule == "autograd"
        assert "on noisy:fake_manila" in repr(layer)
        noisy = layer(inputs())
        assert torch.equal(noisy, layer(inputs()))
        assert torch.autograd.gradcheck(layer, inputs(2))
    assert 1e-3 < (noisy - ideal).abs().max() < 0.3
    assert torch.equal(layer(inputs()), ideal)


def test_the_parameter_shift_rule_gives_the_gradients_of_autograd_under_noise(layer):
    """Gates with angles have no error on this device: the rule stays exact under its noise."""
    with layer.running_on(PLACE):
        expected = gradients(layer, inputs())
    with layer.running_on(PLACE, gradient="parameter-shift"):
        found = gradients(layer, inputs())
    assert all(torch.allclose(a, b, atol=1e-9) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("place", ["exact", PLACE])
def test_shots_scatter_about_the_exact_values(layer, place):
    shots = 40_000
    with layer.running_on(place):
        expected = gradients(layer, inputs())
    with layer.running_on(place, shots=shots):
        assert layer.neural_network.gradient_rule == "parameter-shift"
        found = gradients(layer, inputs())
    assert not torch.equal(found[0], expected[0])
    assert (found[0] - expected[0]).abs().max() < 5 / shots**0.5
    assert (found[1] - expected[1]).abs().max() < 5 * (2 / shots) ** 0.5
    assert (found[2] - expected[2]).abs().max() < 5 * (2 * 3 / shots) ** 0.5


def test_fake_fez_and_its_noisy_word_agree_within_shots(layer):
    """Aer on the snapshot's own word, 20,000 shots."""
    with layer.running_on("fake_manila", shots=20_000), torch.no_grad():
        aers = layer(inputs())
    with layer.running_on(PLACE), torch.no_grad():
        assert (layer(inputs()) - aers).abs().max() < 5 / 20_000**0.5


def test_spsa_runs_on_drawn_samples(layer):
    with layer.running_on("exact", gradient=SPSA(0.2, 3), shots=1000):
        _, of_inputs, of_weights = gradients(layer, inputs())
    assert of_inputs.abs().max() > 0
    assert of_weights.abs().max() > 0


def test_words_at_construction(ansatz):
    assert QuantumLayer(ansatz, estimator=PLACE).neural_network.gradient_rule == "autograd"
    sampled = QuantumLayer(ansatz, estimator="exact", shots=50, gradient="parameter-shift")
    x = torch.zeros(1, 2)
    counts = (sampled(x) + 1) * 25
    assert torch.allclose(counts, counts.round(), atol=1e-4)
    assert QuantumLayer(ansatz, shots=50).neural_network.gradient_rule == "parameter-shift"


def test_a_sampler_layer_under_noise(ansatz):
    torch.manual_seed(0)
    layer = SamplerLayer(ansatz, copies=2).double()
    with layer.running_on(PLACE):
        exact = layer(inputs())
        assert torch.autograd.gradcheck(layer, inputs(2))
        assert exact.reshape(3, 2, 4).sum(-1).detach() == pytest.approx(1, abs=1e-12)
    with layer.running_on(PLACE, shots=40_000), torch.no_grad():
        drawn = layer(inputs())
    with layer.running_on("fake_manila", shots=40_000), torch.no_grad():
        aers = layer(inputs())
    assert (drawn - exact).abs().max() < 5 * 0.5 / 200
    assert (aers - exact).abs().max() < 5 * 0.5 / 200
    with layer.running_on(PLACE, gradient="parameter-shift"):
        shifted = gradients(layer, inputs())
    with layer.running_on(PLACE):
        assert all(
            torch.allclose(a, b, atol=1e-9) for a, b in zip(shifted, gradients(layer, inputs()), strict=True)
        )


def test_a_copied_or_pickled_layer_stays_where_it_was(layer):
    layer.neural_network.run_on(NoisyPlace(Where.parse(PLACE)))
    expected = layer(inputs())
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):  # noqa: S301
        assert torch.equal(other(inputs()), expected)


def test_words_that_are_none(ansatz):
    with pytest.raises(DeviceError, match="no snapshot 'fake_manilla'; the nearest are fake_manila"):
        QuantumLayer(ansatz, estimator="noisy:fake_manilla")
    with pytest.raises(DeviceError, match=r"must be 'exact', 'noisy:fake_<device>', 'aer'"):
        QuantumLayer(ansatz, estimator="noisy:aer")
    with pytest.raises(HQNNError, match="'autograd', which needs the exact simulator"):
        QuantumLayer(ansatz, estimator=PLACE, shots=100, gradient="autograd")
    with pytest.raises(HQNNError, match="`shots` must be a whole number of at least 1, but is 0"):
        QuantumLayer(ansatz, shots=0)


def test_a_circuit_of_one_input_and_no_weight():
    layer = QuantumLayer(textbook(), estimator="noisy:fake_manila").double()
    x = torch.tensor([[0.3], [1.2]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
