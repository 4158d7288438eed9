"""Layers behind an amplitude embedding as quadratic forms: against the layer, and against a matrix known by hand."""

import pytest
import torch
from qiskit import QuantumCircuit

from qiskit_hqnn.circuits import Ansatz, circuit_centric, mottonen_embedding, pauli_on_each
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import AmplitudeAngles, QuantumLayer
from qiskit_hqnn.models import CircuitCentricClassifier, ReuploadingClassifier
from qiskit_hqnn.training.export.onnx_file import PlainNetwork
from qiskit_hqnn.training.export.quadratic_form import Amplitudes, quadratic_form


def test_the_embedding_alone_is_the_observables_own_matrix():
    circuit = QuantumCircuit(2)
    inputs = circuit_centric(2, 1).input_params
    mottonen_embedding(circuit, inputs)
    layer = QuantumLayer(Ansatz(circuit, inputs, (), pauli_on_each("Z", 2)))
    # Qubit 0 is the most significant bit of an amplitude's position.
    signs = torch.tensor([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    torch.testing.assert_close(quadratic_form(layer, AmplitudeAngles(2)).matrix, torch.diag_embed(signs))


@pytest.mark.parametrize("features", [8, 5])
def test_a_network_with_amplitudes_is_plain_torch(features):
    torch.manual_seed(0)
    network = CircuitCentricClassifier(num_qubits=3, depth=2, features=features).eval()
    plain = PlainNetwork(network)
    samples = torch.cat([torch.randn(6, features), torch.zeros(1, features), 1e-25 * torch.ones(1, features)])
    with torch.no_grad():
        expected = network(samples).softmax(dim=1)
        torch.testing.assert_close(plain(samples), expected, atol=1e-5, rtol=0)
        exported = torch.export.export(plain, (samples,)).module()
        torch.testing.assert_close(exported(samples), expected, atol=1e-5, rtol=0)


def test_amplitudes_of_any_size_have_length_one():
    amplitudes = Amplitudes(2)(torch.tensor([[3e30, 4e30], [3e-30, -4e-30], [0.0, 0.0]]))
    expected = torch.tensor([[0.6, 0.8, 0.0, 0.0], [0.6, -0.8, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(amplitudes, expected)


def test_what_is_no_quadratic_form_is_refused():
    with pytest.raises(HQNNError, match="are no quadratic forms of its amplitudes"):
        PlainNetwork(ReuploadingClassifier(num_qubits=2, depth=2, upload_every=1, features=4))
    with pytest.raises(
        HQNNError, match="quadratic forms of 262,144 numbers each, above the limit of 8 qubits"
    ):
        PlainNetwork(CircuitCentricClassifier(num_qubits=9, depth=1, features=512))
