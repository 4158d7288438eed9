"""The quantum layer by several routes: exact, Qiskit's reference, sampled, stock EstimatorQNN."""

import copy
from itertools import product

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import BackendEstimatorV2, StatevectorEstimator
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.neural_networks import EstimatorQNN
from torch import nn

from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel, pauli_on_each, vqc_head
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.layers import SPSA, QuantumLayer
from qiskit_hqnn.layers.gradient_rules import parameter_shift, spsa
from qiskit_hqnn.layers.packed import evaluate_packed


class Counting(StatevectorEstimator):
    """Qiskit's reference estimator, with a record of the PUBs it was sent."""

    def __init__(self):
        super().__init__()
        self.pubs = []

    def run(self, pubs, *, precision=None):
        self.pubs += list(pubs)
        return super().run(pubs, precision=0.0)


@pytest.fixture
def awkward():
    """An ansatz with a four-term gate, a nonlinear angle, a repeated input and a scaled weight."""
    x, y, a, b = (Parameter(name) for name in "xyab")
    circuit = QuantumCircuit(3)
    circuit.ry(2 * x + 0.3, 0)
    circuit.h(1)
    circuit.crx(a, 0, 1)
    circuit.rzz(x * y, 1, 2)
    circuit.ry(y, 2)
    circuit.cu(b / 2, 0.2, a, 0.1, 1, 2)
    circuit.cry(b.sin(), 2, 0)
    return Ansatz(circuit, (x, y), (a, b), pauli_on_each("Z", 3))


def doubled(layer):
    return layer.double()


def inputs_for(layer, batch=3, seed=2):
    generator = torch.manual_seed(seed)
    width = layer.copies * layer.ansatz.num_inputs
    return torch.rand(batch, width, dtype=torch.float64, generator=generator) * 2 - 1


def reference(layer, inputs):
    """The outputs by Qiskit's StatevectorEstimator, one circuit at a time."""
    ansatz, estimator = layer.ansatz, StatevectorEstimator()
    weights = layer.weight.detach().numpy().reshape(layer.copies, ansatz.num_weights)
    rows = []
    for row in inputs.detach().numpy().reshape(len(inputs), layer.copies, ansatz.num_inputs):
        outputs = []
        for features, own in zip(row, weights, strict=True):
            names = [*ansatz.input_params, *ansatz.weight_params]
            bound = ansatz.circuit.assign_parameters(dict(zip(names, [*features, *own], strict=True)))
            outputs += list(estimator.run([(bound, list(ansatz.observables))]).result()[0].data.evs)
        rows.append(outputs)
    return np.array(rows)


@pytest.mark.parametrize("name", ANSATZE)
def test_exact_outputs_are_qiskits(name):
    layer = doubled(QuantumLayer(ANSATZE[name](), copies=2))
    inputs = inputs_for(layer, batch=2)
    np.testing.assert_allclose(layer(inputs).detach().numpy(), reference(layer, inputs), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "name", [*(n for n in ANSATZE if n not in {"reuploading", "circuit-centric"}), "awkward"]
)
def test_parameter_shift_is_autograd(name, awkward):
    ansatz = awkward if name == "awkward" else ANSATZE[name]()
    layer = doubled(QuantumLayer(ansatz, copies=2))
    shifted = doubled(QuantumLayer(ansatz, copies=2, gradient="parameter-shift"))
    shifted.load_state_dict(layer.state_dict())
    gradients = []
    for each in (layer, shifted):
        inputs = inputs_for(each).requires_grad_()
        outputs = each(inputs)
        (outputs * torch.linspace(0.5, 1.5, outputs.shape[1])).sum().backward()
        gradients.append((inputs.grad, each.weight.grad))
    torch.testing.assert_close(gradients[0][0], gradients[1][0], atol=1e-10, rtol=0)
    if ansatz.num_weights:
        torch.testing.assert_close(gradients[0][1], gradients[1][1], atol=1e-10, rtol=0)


def test_a_training_step_is_one_pub():
    estimator = Counting()
    layer = doubled(QuantumLayer(hqnn_parallel(2, 1), copies=3, estimator=estimator))
    inputs = inputs_for(layer, batch=4).requires_grad_()
    layer(inputs).sum().backward()
    assert len(estimator.pubs) == 1
    _, observables, values = estimator.pubs[0]
    assert values.shape == (4 * 3, 1 + 2 * (2 + 6))
    assert len(observables) == 2
    with torch.no_grad():
        layer(inputs)
    assert estimator.pubs[1][2].shape == (4 * 3, 1)


def test_angles_without_a_wanted_gradient_are_not_shifted():
    estimator = Counting()
    layer = doubled(QuantumLayer(hqnn_parallel(2, 1), estimator=estimator))
    layer(inputs_for(layer)).sum().backward()
    layer.weight.requires_grad_(False)
    layer(inputs_for(layer).requires_grad_()).sum().backward()
    assert [pub[2].shape for pub in estimator.pubs] == [(3, 1 + 2 * 6), (3, 1 + 2 * 2)]


def test_no_shots_are_spent_on_angles_that_no_output_sees():
    estimator = Counting()
    layer = doubled(QuantumLayer(vqc_head(), estimator=estimator))
    inputs = inputs_for(layer).requires_grad_()
    layer(inputs).sum().backward()
    sampled = torch.cat([inputs.grad.flatten(), *(p.grad.flatten() for p in layer.parameters())])
    # The published head computes (1 + cos φ₁)/2: of its four angles one is shifted.
    assert estimator.pubs[0][2].shape == (3, 1 + 2)
    exact = doubled(QuantumLayer(vqc_head()))
    exact.load_state_dict(layer.state_dict())
    again = inputs.detach().requires_grad_()
    exact(again).sum().backward()
    other = torch.cat([again.grad.flatten(), *(p.grad.flatten() for p in exact.parameters())])
    assert torch.allclose(sampled, other, atol=1e-10)


def test_sampling_on_aer_agrees_within_five_standard_errors():
    estimator = BackendEstimatorV2(backend=AerSimulator(seed_simulator=7))
    layer = doubled(QuantumLayer(hqnn_parallel(3, 2)))
    inputs = inputs_for(layer, batch=4)
    exact = layer(inputs)
    gradient = torch.autograd.grad(exact.sum(), layer.weight)[0]
    shots = 10_000
    with layer.running_on(estimator, shots=shots):
        sampled = layer(inputs)
        sampled_gradient = torch.autograd.grad(sampled.sum(), layer.weight)[0]
    assert (sampled - exact).abs().max() < 5 / shots**0.5
    # 4 samples × 3 outputs × 2 shifts at half weight: the sum of 24 independent means.
    assert (sampled_gradient - gradient).abs().max() < 5 * (24 / 4 / shots) ** 0.5
    assert (sampled - exact).abs().max() > 0


def test_spsa_is_right_on_average():
    qnn = QuantumLayer(hqnn_parallel(2, 1), gradient="spsa").neural_network
    measure = qnn.evaluator.measure
    template, rows = qnn.template, 4000
    angles = np.tile(np.random.default_rng(3).uniform(-3, 3, template.num_angles), (rows, 1))
    wanted = np.arange(template.num_angles) != 2
    torch.manual_seed(5)
    _, estimates = evaluate_packed(measure, angles, spsa(template, wanted, rows, SPSA(step=0.01, repeats=1)))
    _, exact = evaluate_packed(measure, angles[:1], parameter_shift(template, wanted))
    # Each estimate is the gradient plus the other angles' gradients with random signs.
    spread = np.linalg.norm(exact[0], axis=1, keepdims=True) / rows**0.5
    error = np.abs(estimates.mean(axis=0) - exact[0])
    assert (error < 5 * spread + 1e-3).all()
    assert error.max() > 0
    assert not estimates[:, :, 2].any()


def _spsa_errors(step, repeats, rows=4000):
    """SPSA's exact expectation less the gradient, and its estimates' variance, at one point of a nonlinear circuit."""
    qnn = QuantumLayer(hqnn_parallel(2, 1), gradient="parameter-shift").neural_network
    template, measure = qnn.template, qnn.evaluator.measure
    wanted = np.ones(template.num_angles, dtype=bool)
    point = np.random.default_rng(3).uniform(-3, 3, (1, template.num_angles))
    _, exact = evaluate_packed(measure, point, parameter_shift(template, wanted))
    directions = np.array(list(product((-1.0, 1.0), repeat=template.num_angles)))
    values = measure(np.concatenate([point + step * directions, point - step * directions])[None])[0]
    ahead, behind = np.split(values, 2)
    mean = np.einsum("do,dk->ok", ahead - behind, directions) / (2 * step * len(directions))
    torch.manual_seed(5)
    settings = SPSA(step, repeats)
    _, drawn = evaluate_packed(measure, np.tile(point, (rows, 1)), spsa(template, wanted, rows, settings))
    spread = drawn.std(axis=0) / rows**0.5
    assert (np.abs(drawn.mean(axis=0) - mean) < 5 * spread + 1e-9).all()
    return np.abs(mean - exact[0]).max(), drawn.var(axis=0).sum()


def test_spsas_bias_grows_with_the_square_of_the_step():
    biases = np.array([_spsa_errors(step, 1)[0] for step in (0.05, 0.1, 0.2)])
    assert biases[0] > 1e-4
    np.testing.assert_allclose(biases[1:] / biases[:-1], 4, rtol=0.1)


def test_spsas_variance_falls_with_the_repeats():
    variances = np.array([_spsa_errors(0.1, repeats)[1] for repeats in (1, 4, 16)])
    np.testing.assert_allclose(variances[:-1] / variances[1:], 4, rtol=0.1)


@pytest.mark.slow
def test_spsas_shot_noise_falls_with_the_step_and_the_repeats():
    # Where the outputs do not depend on the angles, shot noise is all there is: 2 R values of variance 1/shots, each
    # divided by 2 step R.
    layer, shots = QuantumLayer(_flat(), estimator="aer", shots=200), 200
    for step, repeats in ((0.1, 1), (0.4, 1), (0.1, 4)):
        layer.qnn.run_on(layer.qnn.primitive, SPSA(step, repeats), shots)
        inputs = torch.zeros(500, 1, requires_grad=True)
        layer(inputs).sum().backward()
        expected = 1 / (2 * shots * step**2 * repeats)
        assert float(inputs.grad.var()) == pytest.approx(expected, rel=0.3)


def _flat():
    """One input and no weight; the measured qubit is in |+⟩ whatever the input, though the light cone reaches it."""
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.rx(x, 0)
    return Ansatz(circuit, (x,), (), (SparsePauliOp("Z"),), reference="", name="flat")


@pytest.mark.parametrize(("gradient", "points"), [("spsa", 1 + 2 * SPSA().repeats), (SPSA(0.2, 3), 7)])
def test_spsa_sends_two_points_a_repeat(gradient, points):
    layer, estimator = QuantumLayer(hqnn_parallel(2, 1)), Counting()
    with layer.running_on(estimator, gradient):
        layer(torch.rand(5, 2)).sum().backward()
    assert estimator.pubs[0][2].shape == (5, points)


def test_a_place_for_a_while_gives_back_spsas_settings():
    layer = QuantumLayer(hqnn_parallel(2, 1), gradient=SPSA(0.2, 3))
    with layer.running_on(Counting()):
        assert layer.qnn.gradient_rule == "parameter-shift"
    assert (layer.qnn.gradient_rule, layer.qnn.rule) == ("spsa", SPSA(0.2, 3))


@pytest.mark.parametrize("step", [0, -0.1, 2, float("nan"), "0.1", True])
def test_a_step_of_spsa_out_of_range_is_one_sentence(step):
    with pytest.raises(
        HQNNError, match=r"`step` must be a number above 0 and at most π/2 \(radians\), but is"
    ):
        SPSA(step=step)


@pytest.mark.parametrize("repeats", [0, -1, 1.5, True])
def test_repeats_of_spsa_out_of_range_are_one_sentence(repeats):
    with pytest.raises(HQNNError, match="`repeats` must be a whole number of at least 1, but is"):
        SPSA(repeats=repeats)


def test_is_a_torch_connector_around_an_estimator_qnn():
    layer = QuantumLayer(hqnn_parallel(3, 1), copies=2)
    assert isinstance(layer, TorchConnector)
    assert isinstance(layer.neural_network, EstimatorQNN)
    assert list(layer.state_dict()) == ["weight"]
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer.weight.shape == (2 * 9,)
    assert layer.weight is layer._weights


@pytest.mark.parametrize("estimator", [None, StatevectorEstimator()], ids=["exact", "estimator"])
def test_the_plain_qnn_interface_agrees_with_qiskits(estimator):
    ansatz = hqnn_parallel(2, 1)
    stock = EstimatorQNN(
        circuit=ansatz.circuit,
        observables=list(ansatz.observables),
        input_params=ansatz.input_params,
        weight_params=ansatz.weight_params,
        input_gradients=True,
        estimator=StatevectorEstimator(),
        default_precision=0.0,
    )
    ours = QuantumLayer(ansatz, estimator=estimator).neural_network
    rng = np.random.default_rng(1)
    inputs, weights = rng.uniform(-1, 1, (3, 2)), rng.uniform(-3, 3, 6)
    np.testing.assert_allclose(
        ours.forward(inputs, weights), stock.forward(inputs, weights), rtol=0, atol=1e-10
    )
    for mine, theirs in zip(ours.backward(inputs, weights), stock.backward(inputs, weights), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10)


def test_the_plain_interface_keeps_copies_apart(awkward):
    layer = doubled(QuantumLayer(awkward, copies=2))
    inputs = inputs_for(layer)
    jacobian = torch.autograd.functional.jacobian(lambda row: layer(row), inputs[0])
    by_inputs, by_weights = layer.neural_network.backward(inputs.numpy(), layer.weight.detach().numpy())
    np.testing.assert_allclose(by_inputs[0], jacobian.numpy(), rtol=0, atol=1e-10)
    assert by_weights.shape == (3, 6, 4)
    assert not by_weights[:, :3, 2:].any()


def test_state_dict_round_trips_and_copies_are_independent():
    layer = QuantumLayer(hqnn_parallel(2, 1))
    other = QuantumLayer(hqnn_parallel(2, 1))
    other.load_state_dict(layer.state_dict())
    inputs = torch.rand(2, 2)
    torch.testing.assert_close(layer(inputs), other(inputs))
    twin = copy.deepcopy(layer)
    torch.testing.assert_close(layer(inputs), twin(inputs))
    with torch.no_grad():
        twin.weight += 1
    assert not torch.allclose(layer(inputs), twin(inputs))
    with twin.running_on(StatevectorEstimator()):
        assert layer.qnn.primitive is None


def test_works_in_a_sequential_with_an_optimizer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), QuantumLayer(hqnn_parallel(3, 1), copies=2), nn.Linear(6, 2))
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    data, labels = torch.rand(16, 4), torch.arange(16) % 2
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(data), labels)
        loss.backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_dtype_follows_the_weights_and_leading_axes_are_kept():
    layer = QuantumLayer(hqnn_parallel(2, 1), copies=2)
    assert layer(torch.rand(3, 5, 4)).shape == (3, 5, 4)
    assert layer(torch.rand(4)).shape == (4,)
    assert layer(torch.rand(0, 4)).shape == (0, 4)
    assert layer(torch.rand(2, 4, dtype=torch.float64)).dtype == torch.float32
    assert layer.double()(torch.rand(2, 4)).dtype == torch.float64


def test_running_on_restores_what_was_before():
    layer = QuantumLayer(hqnn_parallel(2, 1))
    inputs = torch.rand(2, 2)
    before = layer(inputs)
    estimator = Counting()
    with layer.running_on(estimator, gradient="spsa"):
        torch.testing.assert_close(layer(inputs), before)
        assert layer.qnn.gradient_rule == "spsa"
    assert layer.qnn.primitive is None
    with pytest.raises(ShapeError), layer.running_on(estimator):
        layer(inputs[:, :1])
    assert (layer.qnn.primitive, layer.qnn.gradient_rule) == (None, "autograd")
    assert len(estimator.pubs) == 1


@pytest.mark.parametrize("estimator", [None, StatevectorEstimator()], ids=["exact", "estimator"])
def test_nan_is_one_sentence(estimator):
    layer = QuantumLayer(hqnn_parallel(2, 1), estimator=estimator)
    with pytest.raises(ShapeError, match="finite"):
        layer(torch.tensor([[0.1, float("nan")]]))


ZERO = SparsePauliOp("ZZ", 0.0)
CANCELLED = SparsePauliOp(["XZ", "ZI", "XZ"], [1.0, 0.0, -1.0])
TINY = SparsePauliOp(["ZI", "XX"], [1e-10, 2e-10])


def measuring(*observables):
    ansatz = hqnn_parallel(2, 2)
    return Ansatz(ansatz.circuit, ansatz.input_params, ansatz.weight_params, observables)


@pytest.mark.parametrize(
    "observables",
    [[ZERO], [ZERO, CANCELLED], [SparsePauliOp("ZI"), ZERO, SparsePauliOp("IX")]],
    ids=["zero", "zeros", "one of three"],
)
def test_observables_that_are_zero_are_zero_exactly_and_on_an_estimator(observables):
    layer = doubled(QuantumLayer(measuring(*observables), copies=2))
    inputs = inputs_for(layer).requires_grad_()
    exact = layer(inputs)
    gradients = torch.autograd.grad(exact.sum(), [inputs, layer.weight])
    with layer.running_on(StatevectorEstimator()):
        sampled = layer(inputs)
        others = torch.autograd.grad(sampled.sum(), [inputs, layer.weight])
    assert not sampled[:, 1 if len(observables) == 3 else 0].any()
    torch.testing.assert_close(sampled, exact, atol=1e-10, rtol=0)
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_tiny_observables_are_measured():
    layer = doubled(QuantumLayer(measuring(TINY, SparsePauliOp("ZZ")), estimator=StatevectorEstimator()))
    large = doubled(QuantumLayer(measuring(TINY * 1e10, SparsePauliOp("ZZ")), initial_weights=layer.weight))
    inputs = inputs_for(layer)
    found, wanted = layer(inputs), large(inputs)
    torch.testing.assert_close(found * torch.tensor([1e10, 1.0]), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("estimator", [None, StatevectorEstimator()], ids=["exact", "estimator"])
@pytest.mark.parametrize(
    "given",
    [SparsePauliOp(["ZI", "IX"], [1.0, 0.5]), Pauli("ZX"), Operator.from_label("YZ")],
    ids=["sum", "Pauli", "Operator"],
)
def test_a_single_operator_is_one_output_as_in_qiskits_estimator_qnn(given, estimator):
    template = hqnn_parallel(2, 2)
    ansatz = Ansatz(template.circuit, template.input_params, template.weight_params, given)
    stock = EstimatorQNN(
        circuit=ansatz.circuit,
        estimator=StatevectorEstimator(),
        # Its annotation promises an Operator, its estimator takes none.
        observables=SparsePauliOp.from_operator(given) if isinstance(given, Operator) else given,
        input_params=ansatz.input_params,
        weight_params=ansatz.weight_params,
        default_precision=0.0,
    )
    layer = QuantumLayer(ansatz, estimator=estimator)
    weights = layer.weight.detach().double().numpy()
    inputs = np.random.default_rng(3).uniform(-1, 1, (3, 2))
    wanted = stock.forward(inputs, weights)
    assert wanted.shape == (3, 1)
    np.testing.assert_allclose(layer.neural_network.forward(inputs, weights), wanted, atol=1e-6)


def test_bad_arguments_are_one_sentence():
    ansatz = hqnn_parallel(2, 1)
    with pytest.raises(ShapeError, match=r"shape \(\.\.\., 4\) for 2 × 2 inputs, but has shape \(3, 5\)"):
        QuantumLayer(ansatz, copies=2)(torch.rand(3, 5))
    with pytest.raises(HQNNError, match="`copies` must be a whole number of at least 1, but is 0"):
        QuantumLayer(ansatz, copies=0)
    with pytest.raises(
        HQNNError,
        match=r"one of 'autograd', 'parameter-shift', 'random-shift', 'spsa', or ParameterShift.*, but is 'adjoint'",
    ):
        QuantumLayer(ansatz, gradient="adjoint")
    with pytest.raises(HQNNError, match="needs the exact simulator"):
        QuantumLayer(ansatz, estimator=StatevectorEstimator(), gradient="autograd")
    with pytest.raises(HQNNError, match=r"must be a BaseEstimatorV2, a word .* but is a AerSimulator"):
        QuantumLayer(ansatz, estimator=AerSimulator())
    with pytest.raises(HQNNError, match="`shots` must be a whole number of at least 1, but is 0"):
        QuantumLayer(ansatz, estimator=StatevectorEstimator(), shots=0)
    with pytest.raises(ShapeError, match="must hold 6 values, but has 5"):
        QuantumLayer(ansatz, initial_weights=[0.0] * 5)


def test_an_input_that_is_no_tensor_is_one_sentence():
    with pytest.raises(ShapeError, match=r"must be a torch\.Tensor, but is a list"):
        QuantumLayer(hqnn_parallel(2, 1))([1.0, 2.0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_half_precision_are_one_sentence(dtype):
    layer = QuantumLayer(hqnn_parallel(2, 1)).to(dtype)
    with pytest.raises(HQNNError, match=f"float32 or float64, but its weights are {dtype}"):
        layer(torch.rand(3, 2))
