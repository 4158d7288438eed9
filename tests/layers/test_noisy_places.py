"""Layers at the words "noisy:fake_<device>" and, with shots, "exact": no Aer, no primitive of Qiskit's."""

import copy
import math
import pickle

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import BackendEstimatorV2, StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, amplitude_damping_error, pauli_error
from qiskit_aer.primitives import EstimatorV2 as AerEstimator

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, textbook
from qiskit_hqnn.errors import DeviceError, HQNNError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.layers import SPSA, QuantumLayer, SamplerLayer
from qiskit_hqnn.layers.runs_on import NoisyPlace, is_noise_free, manager_at
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


def only_noise_sees():
    """Two CX that cancel; damping between them leaves the target flipped: ⟨Z⟩ = 1 − γ (1 − cos θ)."""
    theta = Parameter("θ")
    circuit = QuantumCircuit(2)
    circuit.ry(theta, 0)
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.cx(0, 1)
    return Ansatz(circuit, (), (theta,), (SparsePauliOp("ZI"),))


def damped(gamma=0.3):
    model = NoiseModel()
    model.add_quantum_error(amplitude_damping_error(gamma).expand(pauli_error([("I", 1)])), "cx", [0, 1])
    return model


@pytest.mark.parametrize("by", ["aers primitive", "manager"])
def test_an_angle_that_only_noise_makes_visible_has_its_gradient(by):
    simulator = AerSimulator(noise_model=damped())
    if by == "manager":
        estimator, exact = JobManager(simulator, shots=100_000, seed=1).estimator(), 0.02
    else:
        estimator, exact = AerEstimator.from_backend(simulator), 1e-6
    layer = QuantumLayer(only_noise_sees(), estimator=estimator).double()
    with torch.no_grad():
        layer.weight.fill_(0.9)
    value = layer(torch.zeros(1, 0).double())
    value.sum().backward()
    assert value.item() == pytest.approx(1 - 0.3 * (1 - math.cos(0.9)), abs=exact)
    assert layer.weight.grad.item() == pytest.approx(-0.3 * math.sin(0.9), abs=exact)


def test_shots_for_angles_that_nothing_sees_are_saved_where_there_is_no_noise():
    noisy = AerSimulator(noise_model=damped())
    free = [
        None,
        StatevectorEstimator(),
        AerEstimator(),
        BackendEstimatorV2(backend=AerSimulator()),
        JobManager("aer").estimator(),
        JobManager(AerSimulator()).estimator(),
        manager_at("exact").sampler(),
    ]
    others = [
        NoisyPlace(Where.parse(PLACE)),
        AerEstimator.from_backend(noisy),
        BackendEstimatorV2(backend=noisy),
        JobManager("fake_manila").estimator(),
        JobManager(noisy).estimator(),
        manager_at(PLACE).estimator(),
        object(),
    ]
    assert [is_noise_free(place) for place in free] == [True] * len(free)
    assert [is_noise_free(place) for place in others] == [False] * len(others)
