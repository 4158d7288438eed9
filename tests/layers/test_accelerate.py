"""qiskit-machine-learning's own modules beside the layers that replace them: values, gradients, training, places."""

import copy
import warnings

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.circuit.library import real_amplitudes, zz_feature_map
from qiskit.primitives import BackendEstimatorV2, StatevectorEstimator, StatevectorSampler
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2
from qiskit_ibm_runtime.fake_provider import FakeManilaV2
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.gradients import (
    LinCombEstimatorGradient,
    ParamShiftEstimatorGradient,
    SPSAEstimatorGradient,
)
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN
from qiskit_machine_learning.primitives import QMLEstimator, QMLSampler
from torch import nn

import qiskit_hqnn
from qiskit_hqnn import QuantumLayer, SamplerLayer, accelerate
from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.errors import HQNNError

FEATURES, FORM = zz_feature_map(2, reps=1), real_amplitudes(2, reps=1)
CIRCUIT = FEATURES.compose(FORM)
PARTS = {"circuit": CIRCUIT, "input_params": FEATURES.parameters, "weight_params": FORM.parameters}


def parity(outcome):
    return outcome.bit_count() % 2


def estimator_qnn(**options):
    return EstimatorQNN(**{**PARTS, "input_gradients": True, **options})


def sampler_qnn(**options):
    return SamplerQNN(**{**PARTS, "interpret": parity, "output_shape": 2, "input_gradients": True, **options})


def network(qnn, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(3, 2), nn.Sequential(TorchConnector(qnn)), nn.Linear(int(np.prod(qnn.output_shape)), 2)
    )


def losses_of(model, steps=2):
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    data = torch.linspace(-1, 1, 12).reshape(4, 3)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(data), torch.tensor([0, 1, 1, 0]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


MIXED = [SparsePauliOp("ZI"), SparsePauliOp(["XX", "IZ"], [0.5, -0.3])]
QNNS = {
    "default": estimator_qnn,
    "observables": lambda: estimator_qnn(observables=MIXED),
    "reference": lambda: estimator_qnn(estimator=StatevectorEstimator(), default_precision=0.0),
    "linear combinations": lambda: estimator_qnn(gradient=LinCombEstimatorGradient(QMLEstimator())),
    "frozen encoder": lambda: estimator_qnn(input_gradients=False),
    "sampler": sampler_qnn,
    "all outcomes": lambda: sampler_qnn(interpret=None, output_shape=None),
    "explicit sampler": lambda: sampler_qnn(sampler=QMLSampler(), circuit=measured()),
}


@pytest.mark.parametrize("kind", QNNS)
def test_training_goes_as_it_did(kind):
    stock = network(QNNS[kind]())
    fast = copy.deepcopy(stock)
    assert accelerate(fast) is fast
    assert isinstance(fast[1][0], SamplerLayer if isinstance(QNNS[kind](), SamplerQNN) else QuantumLayer)
    assert fast[1][0].neural_network.place is None
    np.testing.assert_allclose(losses_of(fast), losses_of(stock), rtol=0, atol=1e-6)
    for mine, theirs in zip(fast.parameters(), stock.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)
        assert (mine.grad is None) == (theirs.grad is None)


def test_inputs_of_any_shape_give_outputs_of_the_same():
    for qnn in (
        estimator_qnn(observables=MIXED),
        sampler_qnn(interpret=lambda n: (n & 1, n >> 1), output_shape=(2, 2)),
    ):
        stock = TorchConnector(qnn)
        fast = accelerate(copy.deepcopy(stock))
        for shape in ((2,), (3, 2), (2, 3, 2)):
            inputs = torch.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
            torch.testing.assert_close(fast(inputs), stock(inputs), atol=1e-6, rtol=0)


def test_weights_stay_the_parameters_that_an_optimizer_holds():
    connector = TorchConnector(estimator_qnn())
    model = nn.ModuleDict({"one": connector, "again": connector, "other": nn.Linear(1, 1)})
    weight, before = connector.weight, torch.get_rng_state()
    model.eval()
    accelerate(model)
    assert model["one"] is model["again"]
    assert model["one"].weight is weight
    assert not model["one"].training
    assert torch.equal(before, torch.get_rng_state())
    assert accelerate(model)["one"] is model["one"]  # a second time there is nothing to do


def test_stock_state_dicts_load():
    stock = network(estimator_qnn())
    fast = accelerate(network(estimator_qnn(), seed=1))
    state = stock.state_dict()
    assert {"1.0.weight", "1.0._weights"} <= set(state)
    fast.load_state_dict(state)
    data = torch.rand(2, 3)
    torch.testing.assert_close(fast(data), stock(data), atol=1e-6, rtol=0)
    # A format that keeps a shared tensor once may have kept the second name.
    alone = {name: tensor + 1 for name, tensor in state.items() if name != "1.0.weight"}
    fast.load_state_dict(alone)
    torch.testing.assert_close(fast[1][0].weight, stock[1][0].weight + 1)
    with pytest.raises(RuntimeError, match=r"1\.0\.weight and 1\.0\._weights must be one tensor, but differ"):
        fast.load_state_dict({**state, "1.0._weights": state["1.0._weights"] + 1})


class Counting(StatevectorEstimator):
    """A reference that is none of the exact ones: a place of its own."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def run(self, pubs, *, precision=None):
        self.calls.append((len(pubs), precision))
        return super().run(pubs, precision=0.0)


def test_an_estimator_of_another_kind_keeps_running_packed():
    estimator = Counting()
    stock = network(estimator_qnn(estimator=estimator, observables=MIXED))
    fast = accelerate(copy.deepcopy(stock))
    fast[1][0].neural_network.estimator = estimator  # deepcopy has copied the stock network's
    theirs = losses_of(stock, steps=1)
    estimator.calls.clear()
    assert losses_of(fast, steps=1) == pytest.approx(theirs, abs=1e-6)
    assert estimator.calls == [(1, 1 / 64)]
    for mine, other in zip(fast.parameters(), stock.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "estimator", [EstimatorV2(), BackendEstimatorV2(backend=AerSimulator()), StatevectorEstimator()]
)
def test_shots_stay_where_they_were_drawn(estimator):
    layer = QuantumLayer.from_qnn(estimator_qnn(estimator=estimator))
    assert layer.neural_network.estimator is estimator
    assert layer.neural_network.default_precision == 1 / 64
    with layer.running_on(None):
        exact = layer(torch.ones(2))
    assert abs(layer(torch.ones(2)) - exact) < 5 / 64


def test_a_samplers_shots_stay_where_they_were_drawn():
    sampler = StatevectorSampler(default_shots=100, seed=1)
    layer = SamplerLayer.from_qnn(sampler_qnn(sampler=sampler))
    assert layer.neural_network.sampler is sampler
    counts = layer(torch.ones(2)) * 100
    torch.testing.assert_close(counts, counts.round(), atol=1e-4, rtol=0)


def test_transpiled_circuits_are_read_on_the_qubits_that_they_use():
    passes = generate_preset_pass_manager(1, FakeManilaV2(), initial_layout=[3, 4], seed_transpiler=1)
    isa = passes.run(CIRCUIT)
    inputs, weights = np.array([[0.3, -0.8]]), np.array([0.5, 1.0, -0.4, 2.0])
    on_device = [observable.apply_layout(isa.layout) for observable in MIXED]
    estimated = QuantumLayer.from_qnn(estimator_qnn(circuit=isa, observables=on_device), weights)
    plain = QuantumLayer.from_qnn(estimator_qnn(observables=MIXED), weights)
    torch.testing.assert_close(estimated(torch.tensor(inputs)), plain(torch.tensor(inputs)))
    stock = sampler_qnn(circuit=isa, interpret=None, output_shape=None)
    sampled = SamplerLayer.from_qnn(stock, weights)
    np.testing.assert_allclose(
        sampled(torch.tensor(inputs)).detach(), stock.forward(inputs, weights), rtol=0, atol=1e-6
    )


class Own(EstimatorQNN):
    """A user's own kind of network."""


def hooked():
    connector = TorchConnector(estimator_qnn())
    connector.register_forward_hook(lambda *_: None)
    return connector


def measured():
    circuit = CIRCUIT.copy()
    circuit.measure_all()
    return circuit


def measured_otherwise():
    circuit = QuantumCircuit(2, 2).compose(CIRCUIT)
    circuit.measure([0, 1], [1, 0])
    return circuit


def resetting():
    circuit = QuantumCircuit(2).compose(CIRCUIT)
    circuit.reset(0)
    circuit.h(0)
    return circuit


LEFT = {
    "an? SPSAEstimatorGradient has no layer": lambda: TorchConnector(
        estimator_qnn(gradient=SPSAEstimatorGradient(QMLEstimator(), 0.1))
    ),
    r"a different primitive \(EstimatorV2\) than its values \(QMLEstimator\)": lambda: TorchConnector(
        estimator_qnn(gradient=ParamShiftEstimatorGradient(EstimatorV2()))
    ),
    "but is an Own": lambda: TorchConnector(Own(**PARTS)),
    "with hooks": hooked,
    "classical bits": lambda: TorchConnector(sampler_qnn(circuit=measured_otherwise())),
    "reset": lambda: TorchConnector(estimator_qnn(circuit=resetting())),
}


@pytest.mark.parametrize("reason", LEFT)
def test_what_cannot_be_replaced_is_named_with_its_reason(reason):
    connector, other = LEFT[reason](), TorchConnector(estimator_qnn())
    model = nn.Sequential(nn.Sequential(connector), other)
    with pytest.warns(UserWarning, match=rf"Not replaced: 0\.0 \(.*{reason}"):
        accelerate(model)
    assert model[0][0] is connector
    assert isinstance(model[1], QuantumLayer)


def test_nothing_to_warn_of_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        accelerate(nn.Linear(1, 1))
        accelerate(network(estimator_qnn()))


def test_bad_arguments_are_one_sentence():
    assert "accelerate" in dir(qiskit_hqnn)
    with pytest.raises(HQNNError, match=r"`model` must be a torch\.nn\.Module, but is a EstimatorQNN"):
        accelerate(estimator_qnn())
    with pytest.raises(
        HQNNError, match="own EstimatorQNN, but is a SamplerQNN; SamplerLayer.from_qnn takes it"
    ):
        QuantumLayer.from_qnn(sampler_qnn())
    with pytest.raises(
        HQNNError, match="own SamplerQNN, but is an EstimatorQNN; QuantumLayer.from_qnn takes it"
    ):
        SamplerLayer.from_qnn(estimator_qnn())
    with pytest.raises(HQNNError, match="own EstimatorQNN, but is a PackedEstimatorQNN"):
        QuantumLayer.from_qnn(QuantumLayer(hqnn_parallel(2, 1)).neural_network)
