"""Layers on a CUDA device: the values and gradients of the CPU. Skipped where there is no such device."""

import copy
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, hqnn_quanv, reuploading, vqc_head
from qiskit_hqnn.layers import (
    SPSA,
    AmplitudeAngles,
    QuantumLayer,
    QuantumNaturalGradient,
    RandomShift,
    SamplerLayer,
    fubini_study,
)
from tests.layers.test_second_derivatives import awkward
from tests.simulation.test_against_qiskit import ansaetze

GPU = "cuda"

if not torch.cuda.is_available():
    pytest.skip("there is no CUDA device here", allow_module_level=True)

ANSATZE = [hqnn_parallel(3, 1), vqc_head(), hqnn_quanv(), reuploading(depth=2), awkward()]
PLACES = [
    ("exact", {}),
    ("exact", {"gradient": "parameter-shift"}),
    ("noisy:fake_manila", {}),
    ("noisy:fake_manila", {"gradient": "parameter-shift"}),
]


def on_both(kind, ansatz, dtype=torch.float64, **options):
    """A layer on the CPU in float64 and the same on the GPU."""
    torch.manual_seed(0)
    truth = kind(ansatz, copies=2, **options).double()
    return truth, copy.deepcopy(truth).to(GPU, dtype)


def inputs_for(layer, batch=5):
    width = layer.neural_network.num_inputs
    values = torch.linspace(-1, 1, batch * width, dtype=torch.float64).reshape(batch, width)
    return values.to(layer.weight).requires_grad_()


def outcome(layer):
    """Outputs, and the derivatives by inputs and weights of one combination of them."""
    inputs = inputs_for(layer)
    outputs = layer(inputs)
    cotangent = torch.arange(outputs.numel()).reshape(outputs.shape).double().cos().to(outputs)
    wanted = [inputs, layer.weight] if layer.weight.numel() else [inputs]
    return outputs.detach(), *torch.autograd.grad(outputs, wanted, cotangent)


def assert_equal(on_gpu, on_cpu, atol):
    for found, expected in zip(on_gpu, on_cpu, strict=True):
        assert found.device.type == GPU
        torch.testing.assert_close(found.cpu().double(), expected, atol=atol, rtol=0)


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-11), (torch.float32, 1e-4)])
@pytest.mark.parametrize("kind", [QuantumLayer, SamplerLayer])
@pytest.mark.parametrize("ansatz", ANSATZE, ids=lambda ansatz: ansatz.name)
def test_values_and_gradients_are_those_of_the_cpu(ansatz, kind, dtype, atol):
    truth, layer = on_both(kind, ansatz, dtype)
    assert_equal(outcome(layer), outcome(truth), atol)


@pytest.mark.parametrize(("place", "options"), PLACES, ids=str)
@pytest.mark.parametrize("kind", [QuantumLayer, SamplerLayer])
def test_places_without_shots_are_those_of_the_cpu(kind, place, options):
    truth, layer = on_both(kind, hqnn_parallel(3, 1))
    with truth.running_on(place, **options), layer.running_on(place, **options):
        assert_equal(outcome(layer), outcome(truth), 1e-9)


@pytest.mark.parametrize("gradient", ["parameter-shift", RandomShift(2), SPSA(0.2, 2)])
@pytest.mark.parametrize("place", ["exact", "noisy:fake_manila", "aer", "fake_manila"])
@pytest.mark.parametrize("kind", [QuantumLayer, SamplerLayer])
def test_shots_scatter_about_the_cpus_values(kind, place, gradient):
    shots = 10_000
    truth, layer = on_both(kind, hqnn_parallel(2, 1))
    with truth.running_on("noisy:fake_manila" if "manila" in place else "exact"):
        expected = outcome(truth)
    with layer.running_on(place, shots=shots, gradient=gradient):
        found = outcome(layer)
    assert all(part.device.type == GPU for part in found)
    assert (found[0].cpu() - expected[0]).abs().max() < 5.5 / shots**0.5
    assert all(part.abs().max() > 0 for part in found[1:])


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(ansaetze())
def test_random_circuits_are_those_of_the_cpu(ansatz):
    truth, layer = on_both(QuantumLayer, ansatz)
    assert_equal(outcome(layer), outcome(truth), 1e-9)


@pytest.mark.parametrize("kind", [QuantumLayer, SamplerLayer])
def test_second_derivatives_are_those_of_the_cpu(kind):
    truth, layer = on_both(kind, awkward())

    def second(layer):
        inputs = inputs_for(layer)
        (first,) = torch.autograd.grad(layer(inputs).square().sum(), inputs, create_graph=True)
        return torch.autograd.grad(first.square().sum(), (inputs, layer.weight))

    assert_equal(second(layer), second(truth), 1e-9)


def test_torch_func_works_there():
    truth, layer = on_both(QuantumLayer, awkward())
    found = torch.func.vmap(torch.func.jacrev(layer))(inputs_for(layer).detach())
    assert_equal([found], [torch.func.vmap(torch.func.jacrev(truth))(inputs_for(truth).detach())], 1e-9)


def test_a_wide_circuit_is_that_of_the_cpu():
    x, w = ParameterVector("x", 1), ParameterVector("w", 2)
    angles = [*x, *w]
    circuit = QuantumCircuit(16)
    for qubit, angle in enumerate(angles):
        circuit.ry(angle, 5 * qubit)
    for qubit in range(15):
        circuit.cx(qubit, qubit + 1)
        circuit.ry(angles[qubit % 3] * (qubit + 1), qubit + 1)
    observables = tuple(SparsePauliOp.from_sparse_list([("Z", [at], 1)], 16) for at in (0, 7, 15))
    truth, layer = on_both(QuantumLayer, Ansatz(circuit, tuple(x), tuple(w), observables))
    assert_equal(outcome(layer), outcome(truth), 1e-10)


def test_the_metric_and_a_step_of_the_natural_gradient_are_those_of_the_cpu():
    truth, layer = on_both(QuantumLayer, awkward())
    found, expected = (fubini_study(one, inputs_for(one).detach()) for one in (layer, truth))
    torch.testing.assert_close(found.cpu(), expected, atol=1e-10, rtol=0)
    for one in (truth, layer):
        optimizer = QuantumNaturalGradient(one)
        one(inputs_for(one)).square().sum().backward()
        optimizer.step()
    assert_equal([layer.weight.detach()], [truth.weight.detach()], 1e-9)


def test_angles_of_an_amplitude_embedding_are_those_of_the_cpu():
    features = torch.rand(4, 7, dtype=torch.float64)
    embedding = AmplitudeAngles(num_qubits=3)
    expected = embedding(features)
    assert_equal([embedding.to(GPU)(features.to(GPU))], [expected], 1e-12)


def test_compiled_steps_are_those_of_the_cpu():
    truth, layer = on_both(QuantumLayer, hqnn_parallel(3, 1), torch.float32, compile=True)
    truth.compiles = False
    assert_equal(outcome(layer), outcome(truth), 1e-4)
    assert_equal(outcome(layer), outcome(truth), 1e-4)


def test_a_pickled_layer_and_one_moved_back_stay_right():
    truth, layer = on_both(QuantumLayer, awkward())
    expected = outcome(layer)
    again = pickle.loads(pickle.dumps(layer))  # noqa: S301
    assert_equal(outcome(again), [part.cpu() for part in expected], 1e-12)
    for found, right in zip(outcome(layer.cpu()), outcome(truth), strict=True):
        torch.testing.assert_close(found, right, atol=1e-11, rtol=0)


def test_inputs_left_on_the_cpu_are_refused():
    _, layer = on_both(QuantumLayer, hqnn_parallel(3, 1))
    with pytest.raises((ValueError, RuntimeError), match=r"cuda|device"):
        layer(inputs_for(layer).cpu())


def test_a_pub_of_inputs_there_is_that_of_the_cpu():
    truth, layer = on_both(QuantumLayer, hqnn_parallel(3, 1))
    pubs = [one.pub(inputs_for(one).detach(), gradient="parameter-shift") for one in (truth, layer)]
    expected, found = (pub.parameter_values.data for pub in pubs)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, abs=1e-12)
