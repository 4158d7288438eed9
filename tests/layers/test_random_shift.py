"""random-shift, and shots that belong to a gradient rule: unbiased, at the price that is promised."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, make_template
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import SPSA, ParameterShift, QuantumLayer, RandomShift, SamplerLayer
from qiskit_hqnn.layers.gradient_rules import parameter_shift, random_shift


def controlled():
    """Three controlled rotations, whose rule has four terms with two coefficients, and two plain ones."""
    angles = [Parameter(name) for name in "abcde"]
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.cry(angles[0], 0, 1)
    circuit.rx(angles[1], 0)
    circuit.crx(angles[2], 1, 0)
    circuit.ry(angles[3], 1)
    circuit.crz(angles[4], 0, 1)
    circuit.ry(0.4, 1)
    observables = (SparsePauliOp("ZI"), SparsePauliOp("XZ"))
    return Ansatz(circuit, (angles[0],), tuple(angles[1:]), observables, reference="", name="controlled")


@pytest.mark.parametrize("pairs", [1, 2, 5, 7])
def test_it_asks_for_whole_pairs_whose_mean_is_parameter_shift(pairs):
    template, rows = make_template(controlled()), 20_000
    wanted = np.array([True, True, False, True, True])
    torch.manual_seed(1)
    drawn = random_shift(template, wanted, rows, RandomShift(pairs))
    whole = parameter_shift(template, wanted)
    sets = min(2 * pairs, whole.offsets.shape[1])
    assert drawn.offsets.shape[1] == drawn.combine.shape[1] == sets
    assert np.array_equal(drawn.offsets[:, ::2], -drawn.offsets[:, 1::2])
    # As measures on shifted points: the mean coefficient of every shift is that of the whole rule.
    samples = len(drawn.offsets)
    for offset, coefficient in zip(whole.offsets[0], whole.combine[0], strict=True):
        hits = (drawn.offsets == offset).all(axis=2)
        given = (drawn.combine * hits[..., None]).sum(axis=1)
        error = given.std(axis=0) / samples**0.5
        assert (np.abs(given.mean(axis=0) - coefficient) <= 5 * error + 1e-12).all()
        assert hits.sum(axis=1).max() <= 1  # without replacement
    assert not drawn.combine[..., 2].any()


def test_equal_shifts_are_equally_likely_and_large_ones_more():
    template = make_template(hqnn_parallel(2, 1))
    torch.manual_seed(2)
    drawn = random_shift(template, np.ones(template.num_angles, dtype=bool), 40_000, RandomShift(2))
    asked = (drawn.offsets != 0).any(axis=1).mean(axis=0)
    np.testing.assert_allclose(asked, 2 / template.num_angles, atol=0.02)
    torch.manual_seed(3)
    mixed = random_shift(make_template(controlled()), np.ones(5, dtype=bool), 40_000, RandomShift(1))
    pair = np.abs(mixed.offsets[:, 0]).max(axis=1)
    # c+ = 0.427 of ±π/2 for three controlled rotations, 1/2 for two plain ones, c- = 0.073 of ±3π/2.
    assert (pair > 4).mean() == pytest.approx(3 * 0.0732 / (3 * 0.5 + 2 * 0.5), abs=0.01)


def test_with_all_inputs_their_shifts_are_those_of_the_whole_rule():
    template = make_template(controlled())
    inputs, wanted = np.arange(5) == 0, np.ones(5, dtype=bool)
    torch.manual_seed(6)
    drawn = random_shift(template, wanted, 5000, RandomShift(1, all_inputs=True), inputs)
    whole = parameter_shift(template, wanted)
    of_inputs = whole.offsets[0][whole.combine[0, :, 0] != 0]
    assert np.array_equal(drawn.offsets[:, :4], np.broadcast_to(of_inputs, (5000, 4, 5)))
    assert np.array_equal(drawn.combine[:, :4], np.broadcast_to(whole.combine[0, :4], (5000, 4, 5)))
    mean = np.abs(drawn.combine[:, 4:]).sum(axis=1).mean(axis=0)
    np.testing.assert_allclose(mean[1:], np.abs(whole.combine[0]).sum(axis=0)[1:], rtol=0.1)


@pytest.mark.parametrize("layer", [QuantumLayer, SamplerLayer])
def test_its_gradients_are_right_on_average_for_weights_and_inputs(layer):
    torch.manual_seed(4)
    made = layer(hqnn_parallel(2, 1), copies=2, gradient="random-shift")
    inputs = torch.rand(1, 4)
    reference = inputs.clone().requires_grad_()
    with made.running_on(None, "parameter-shift"):
        made(reference)[:, 0].sum().backward()
    weights, made.weight.grad = made.weight.grad, None
    many = inputs.expand(4000, -1).clone().requires_grad_()
    with made.running_on(None, RandomShift(1)):
        made(many)[:, 0].sum().backward()
    error = many.grad.std(dim=0) / 4000**0.5
    assert ((many.grad.mean(dim=0) - reference.grad[0]).abs() < 5 * error + 1e-6).all()
    scale = weights.abs().max() * (made.ansatz.num_weights * 2 / 4000) ** 0.5
    assert ((made.weight.grad / 4000 - weights).abs() < 8 * scale).all()


class Counting:
    """What an EstimatorV2 is asked: shapes and shots of its PUBs."""

    def __new__(cls):
        from qiskit.primitives import StatevectorEstimator

        class Estimator(StatevectorEstimator):
            def __init__(self):
                super().__init__()
                self.asked = []

            def run(self, pubs, *, precision=None):
                pubs = list(pubs)
                self.asked.append((pubs[0][2].shape, None if precision is None else round(precision**-2)))
                return super().run(pubs, precision=0.0)

        return Estimator()


@pytest.mark.parametrize(
    ("gradient", "shots", "sets", "sent"),
    [
        ("random-shift", 100, 1 + 2 * RandomShift().pairs, 100),
        (RandomShift(2), 100, 5, 100),
        (RandomShift(2, all_inputs=True), 100, 1 + 2 * (2 + 2), 100),
        (RandomShift(2, shots=20), 100, 5 + 4, 20),  # the plain circuit five times
        (RandomShift(2, shots=300), 100, 1 + 3 * 4, 100),  # each shifted one three times
        (ParameterShift(shots=50), 100, 2 + 2 * 8, 50),
        (SPSA(0.1, 1, shots=50), 100, 2 + 2, 50),
        (ParameterShift(), None, 1 + 2 * 8, None),
    ],
)
def test_a_step_costs_what_the_rule_says_and_a_test_has_the_plain_shots(gradient, shots, sets, sent):
    layer, estimator = QuantumLayer(hqnn_parallel(2, 1)), Counting()
    inputs = torch.rand(3, 2, requires_grad=True)
    with layer.running_on(estimator, gradient, shots):
        layer(inputs).sum().backward()
        with torch.no_grad():
            layer(inputs)
    assert estimator.asked == [((3, sets), sent), ((3, 1), shots)]


def test_sets_that_are_sent_several_times_are_averaged_to_the_same_gradient():
    layer, inputs = QuantumLayer(hqnn_parallel(2, 1)), torch.rand(1, 2)
    gradients = []
    for rule in (ParameterShift(), ParameterShift(shots=25), ParameterShift(shots=200)):
        given = inputs.clone().requires_grad_()
        with layer.running_on(Counting(), rule, 100):
            outputs = layer(given)
            outputs.pow(2).sum().backward()
        gradients.append(torch.cat([outputs.detach().ravel(), given.grad.ravel()]))
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(gradients[2], gradients[0], atol=1e-6, rtol=0)


def test_the_shots_of_a_set_are_where_the_noise_is():
    angle = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.rx(angle, 0)
    flat = Ansatz(circuit, (angle,), (), (SparsePauliOp("Z"),), reference="", name="flat")
    layer = QuantumLayer(flat, estimator="exact", shots=400)
    inputs = torch.zeros(800, 1, requires_grad=True)
    with layer.running_on("exact", ParameterShift(shots=4), 400):
        outputs = layer(inputs)
        outputs.sum().backward()
    assert float(outputs.detach().var()) == pytest.approx(1 / 400, rel=0.2)
    assert float(inputs.grad.var()) == pytest.approx(1 / 8, rel=0.2)  # half the difference of two means of 4


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: RandomShift(0), r"RandomShift's `pairs` must be a whole number of at least 1, but is 0"),
        (lambda: RandomShift(1.5), "`pairs` must be a whole number"),
        (lambda: RandomShift(2, shots=0), "RandomShift's `shots` must be a whole number of at least 1"),
        (lambda: ParameterShift(shots=True), "ParameterShift's `shots`"),
        (
            lambda: QuantumLayer(hqnn_parallel(2, 1), gradient="random-shfit"),
            "'random-shift', 'spsa', or Param",
        ),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(make, sentence):
    with pytest.raises(HQNNError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("shots", "sentence"), [(30, "multiples of each other, but are 20"), (None, "give it")]
)
def test_shots_of_a_rule_go_with_the_plain_ones(shots, sentence):
    layer = QuantumLayer(hqnn_parallel(2, 1))
    with (
        layer.running_on(Counting(), RandomShift(1, shots=20), shots),
        pytest.raises(HQNNError, match=sentence),
    ):
        layer(torch.rand(2, 2))
