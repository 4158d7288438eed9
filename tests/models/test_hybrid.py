"""The protocol of a hybrid network, and a layer's probabilities as expectation values."""

import pytest
import torch
from torch import nn

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.data import ImageSet
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.models import MODELS, as_hybrid, build, encoded, in_observables, quantum_layer_of


@pytest.mark.parametrize("name", MODELS)
def test_the_six_networks_keep_the_protocol(name):
    assert isinstance(quantum_layer_of(build(name)), QuantumLayer)
    assert quantum_layer_of(build(name, control="twin")) is None


def test_networks_of_other_shapes_are_one_sentence():
    with pytest.raises(HQNNError, match="but Linear has no encode, quantum, decode"):
        as_hybrid(nn.Linear(2, 2))
    network = build("textbook")
    network.features.append(QuantumLayer(hqnn_parallel(1, 1)))
    with pytest.raises(HQNNError, match=r"but TextbookHybrid has another one: features\.11"):
        quantum_layer_of(network)


@pytest.mark.parametrize(
    ("interpret", "outputs"), [(None, None), (lambda b: b.bit_count() % 2, 2), (lambda _: 0, 2)]
)
def test_probabilities_are_the_expectation_values_of_their_projectors(interpret, outputs):
    torch.manual_seed(0)
    layer = SamplerLayer(hqnn_parallel(3, 2), interpret, outputs, copies=2).double()
    observed = in_observables(layer).double()
    inputs = torch.rand(5, 6, dtype=torch.float64)
    torch.testing.assert_close(observed(inputs), layer(inputs), atol=1e-12, rtol=0)


def test_too_many_outcomes_are_one_sentence():
    with pytest.raises(
        HQNNError, match="256 outcomes of 8 qubits are 65,536 Pauli strings, more than 20,000"
    ):
        in_observables(SamplerLayer(hqnn_parallel(8, 1)))


def test_what_enters_the_layer_comes_in_batches_as_at_once():
    images = ImageSet(torch.randint(0, 255, (7, 1, 14, 14), dtype=torch.uint8), torch.arange(7))
    network = build("hqnn-quanv").eval()
    features, labels = encoded(network, images.batches(3, 5))
    assert labels.tolist() == [0, 1, 2, 3, 4]
    torch.testing.assert_close(features, network.encode(images.batch(range(5))[0]))
