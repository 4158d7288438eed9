"""The layers as torch modules among others: what torch offers either works or says in one sentence why not."""

import copy
import io
import math
import pickle
import subprocess
import sys

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import zz_feature_map
from qiskit.primitives import StatevectorEstimator
from torch import nn

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer

ANSATZ = hqnn_parallel(2, 1)


@pytest.fixture(params=["quantum", "sampler"])
def layer(request):
    return QuantumLayer(ANSATZ, copies=2) if request.param == "quantum" else SamplerLayer(ANSATZ, copies=2)


@pytest.mark.parametrize("where", [None, "aer"])
def test_an_empty_batch_has_an_empty_answer_and_gradients_of_zero(layer, where):
    inputs = torch.zeros(0, 4, requires_grad=True)
    with layer.running_on(where):
        outputs = layer(inputs)
        assert outputs.shape == (0, layer(torch.zeros(1, 4)).shape[1])
        outputs.sum().backward()
    assert inputs.grad.shape == (0, 4)
    assert not layer.weight.grad.any()


def test_complex_inputs_are_refused_not_cut(layer):
    with pytest.raises(ShapeError, match="must be real, but is torch.complex64"):
        layer(torch.zeros(1, 4, dtype=torch.complex64))


def test_transforms_of_torch_func_are_refused_in_one_sentence_where_shots_are(layer):
    parameters = dict(layer.named_parameters())

    def total(weights, inputs):
        return torch.func.functional_call(layer, weights, (inputs,)).sum()

    with layer.running_on("aer", shots=10):
        assert total(parameters, torch.zeros(1, 4)).shape == ()  # functional_call itself is no transform
        for transform in (torch.func.vmap(layer), lambda inputs: torch.func.grad(total)(parameters, inputs)):
            with pytest.raises(HQNNError, match="does not support torch.func"):
                transform(torch.zeros(3, 4))


def test_measured_derivatives_have_no_derivatives():
    layer = QuantumLayer(ANSATZ, gradient="parameter-shift")
    inputs = torch.rand(1, 2, requires_grad=True)
    with pytest.raises(HQNNError, match="first derivatives only"):
        torch.autograd.grad(layer(inputs).pow(2).sum(), inputs, create_graph=True)


@pytest.mark.slow
def test_a_network_compiled_by_torch_goes_around_its_quantum_layer(layer):
    network = nn.Sequential(nn.Linear(3, 4), layer)
    compiled = torch.compile(copy.deepcopy(network), backend="aot_eager")
    inputs = torch.rand(5, 3)
    torch.testing.assert_close(compiled(inputs), network(inputs))
    compiled(inputs).sum().backward()
    network(inputs).sum().backward()
    torch.testing.assert_close(compiled._orig_mod[0].weight.grad, network[0].weight.grad)


def test_pickled_and_copied_layers_have_their_own_weights(layer):
    inputs = torch.rand(1, 4)
    before = layer(inputs)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):  # noqa: S301
        torch.testing.assert_close(other(inputs), before)
        nn.init.zeros_(other.weight)
        torch.testing.assert_close(layer(inputs), before)


def test_networks_of_any_ansatz_can_be_pickled_and_saved_whole():
    x, w = ParameterVector("x", 2), ParameterVector("w", 1)
    circuit = zz_feature_map(2, reps=1, parameter_prefix="x").assign_parameters(list(x))
    circuit.rx(2 ** w[0], 0)
    circuit.ry(abs(w[0].exp()) + x[0].sign(), 1)
    network = nn.Sequential(nn.Linear(3, 2), QuantumLayer(Ansatz(circuit, x, w, pauli_on_each("Z", 2))))
    images, file = torch.rand(4, 3), io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    torch.testing.assert_close(again(images), network(images))


def test_a_layer_is_that_of_the_circuit_as_it_was_everywhere():
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.ry(x, 0)
    layer = QuantumLayer(Ansatz(circuit, (x,), (), pauli_on_each("Z", 1)))
    circuit.x(0)
    layer.ansatz.circuit.x(0)
    inputs = torch.tensor([[0.5]])
    assert layer(inputs).item() == pytest.approx(math.cos(0.5), abs=1e-6)
    with layer.running_on(StatevectorEstimator()):
        assert layer(inputs).item() == pytest.approx(math.cos(0.5), abs=1e-6)


def test_parameters_that_alter_nothing_have_gradient_zero():
    x, t, phase = (Parameter(name) for name in ("x", "t", "phase"))
    circuit = QuantumCircuit(1, global_phase=phase)
    circuit.ry(x, 0)
    circuit.delay(t, 0, unit="us")
    ansatz = Ansatz(circuit, (x,), (phase, t), pauli_on_each("Z", 1))
    for gradient in ("autograd", "parameter-shift", "spsa"):
        layer = QuantumLayer(ansatz, initial_weights=[0.3, 0.4], gradient=gradient)
        outputs = layer(torch.tensor([[0.5]]))
        assert outputs.item() == pytest.approx(math.cos(0.5), abs=1e-6)
        outputs.sum().backward()
        assert layer.weight.grad.tolist() == [0, 0]


@pytest.mark.parametrize("where", [None, StatevectorEstimator()], ids=["exact", "sampled"])
@pytest.mark.parametrize("inputs", [(4, 2), (2,), (2, 3, 2), (0, 2)], ids=str)
def test_activations_behind_a_layer_may_work_in_place(where, inputs):
    def network(inplace):
        return nn.Sequential(
            QuantumLayer(ANSATZ, estimator=where, initial_weights=torch.ones(6)), nn.ReLU(inplace)
        )

    gradients = []
    for inplace in (False, True):
        values = torch.full(inputs, 0.3, requires_grad=True)
        network(inplace)(values).sum().backward()
        gradients.append(values.grad)
    torch.testing.assert_close(*gradients)


def test_probabilities_may_be_altered_in_place():
    layer = SamplerLayer(ANSATZ, copies=2)
    layer(torch.rand(3, 4)).mul_(2).sum().backward()
    assert layer.weight.grad is not None


def test_weights_of_other_circuits_do_not_load_though_they_are_as_many():
    file = io.BytesIO()
    torch.save(nn.Sequential(QuantumLayer(hqnn_parallel(2, 3))).state_dict(), file)
    for other in (QuantumLayer(hqnn_parallel(3, 2)), QuantumLayer(hqnn_parallel(2, 1), copies=3)):
        file.seek(0)
        state = torch.load(file, weights_only=True)
        before = other.weight.clone()
        with pytest.raises(
            RuntimeError, match="0.weight must be of .*, but is of 1 × 18 weights on 2 qubits"
        ):
            nn.Sequential(other).load_state_dict(state)
        torch.testing.assert_close(other.weight, before)
    same = QuantumLayer(hqnn_parallel(2, 3))
    nn.Sequential(same).load_state_dict(state)
    torch.testing.assert_close(same.weight, state["0.weight"])
    plain = {"weight": torch.zeros(18)}  # as a file without metadata has it
    other.load_state_dict(plain)
    with pytest.raises(RuntimeError, match="size mismatch"):
        other.load_state_dict({"weight": torch.zeros(3, 6)})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"copies": 1.5}, "`copies` must be a whole number of at least 1, but is 1.5"),
        ({"copies": True}, "`copies` must be a whole number of at least 1, but is True"),
        ({"copies": "2"}, "`copies` must be a whole number of at least 1, but is '2'"),
        ({"shots": 1.5}, "`shots` must be a whole number of at least 1, but is 1.5"),
        ({"shots": float("nan")}, "`shots` must be a whole number of at least 1, but is nan"),
        ({"initial_weights": "abc"}, "`initial_weights` must be numbers, but is 'abc'"),
        ({"initial_weights": [float("nan")] * 6}, "`initial_weights` must be finite"),
    ],
)
@pytest.mark.parametrize("kind", [QuantumLayer, SamplerLayer])
def test_arguments_of_a_wrong_kind_are_refused(kind, arguments, sentence):
    place = {"estimator" if kind is QuantumLayer else "sampler": "aer" if "shots" in arguments else None}
    with pytest.raises(HQNNError, match=sentence):
        kind(ANSATZ, **place, **arguments)


@pytest.mark.slow
def test_a_step_of_a_layer_loads_no_compiler():
    program = (
        "import sys, torch\n"
        "from qiskit_hqnn.circuits import hqnn_parallel\n"
        "from qiskit_hqnn.layers import QuantumLayer\n"
        "QuantumLayer(hqnn_parallel(2, 1))(torch.rand(1, 2)).sum().backward()\n"
        "print('LOADED', 'torch._dynamo' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.strip() == "LOADED False", answer.stderr
