"""What exact values would take is said before memory is touched; what no output sees costs nothing."""

import re

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.primitives import StatevectorEstimator

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.simulation import compile_ansatz, memory


def ring(qubits, entangle=True):
    """A rotation of each qubit, and CNOTs around."""
    x = ParameterVector("x", qubits)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(x[qubit], qubit)
        circuit.rx(0.3, qubit)
    for qubit in range(qubits if entangle else 0):
        circuit.cz(qubit, (qubit + 1) % qubits)
        circuit.ry(0.2, qubit)
    return Ansatz(circuit, x, (), pauli_on_each("Z", qubits))


@pytest.mark.parametrize(
    ("qubits", "state", "whole"), [(27, "1.0 GiB", "[0-9.]+ GiB"), (64, "128.0 EiB", "[0-9.]+ ZiB")]
)
def test_a_layer_of_many_qubits_is_refused_with_its_bytes(qubits, state, whole):
    layer = QuantumLayer(ring(qubits))  # made it can be, for devices
    sentence = f"^Exact values of {qubits} qubits .* 2\\^{qubits} amplitudes per sample .{state}., about {whole} in all"
    with pytest.raises(HQNNError, match=sentence) as caught:
        layer(torch.rand(2, qubits))
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))
    with pytest.raises(HQNNError, match=sentence):
        layer.check_room(64)


def test_states_of_many_qubits_are_refused_too():
    with pytest.raises(HQNNError, match=r"^Exact values of 40 qubits"):
        compile_ansatz(ring(40, entangle=False)).probabilities(torch.rand(1, 1, 40), torch.zeros(1, 0))


def test_qubits_that_are_not_entangled_are_few():
    x = ring(64, entangle=False)
    first = Ansatz(x.circuit, x.input_params, (), x.observables[:1])
    layer = QuantumLayer(first)
    layer.check_room(1000)
    assert layer(torch.rand(2, 64)).shape == (2, 1)


def test_a_batch_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "memory_of", lambda device: 1 << 30)
    layer, inputs = QuantumLayer(hqnn_parallel(12, 1), copies=2), torch.zeros(1, 24)
    layer(inputs)
    with pytest.raises(HQNNError, match=r"about .* GiB in all for 20,000 at once, of which cpu has 1.0 GiB"):
        layer(inputs.expand(10_000, 24))
    layer(inputs.expand(100, 24))


def test_the_limit_is_the_smallest_of_machine_group_and_process(monkeypatch, tmp_path):
    device = torch.device("cpu")
    assert memory.memory_of(device) > 1 << 28
    group = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CONTROL_GROUP", group)
    group.write_text("max\n")
    whole = memory.memory_of(device)
    group.write_text("123456\n")
    assert memory.memory_of(device) == 123456 < whole
    monkeypatch.setattr(memory, "_of_process", lambda: 99)
    assert memory.memory_of(device) == 99
    assert memory.memory_of(torch.device("meta")) is None


def test_layers_that_are_sampled_may_be_wide():
    layer = QuantumLayer(ring(30), estimator=StatevectorEstimator())
    assert layer.neural_network.quantity.reaching().shape == (30,)


@pytest.mark.parametrize(("size", "words"), [(3 << 29, "1.5 GiB"), (1 << 70, "1.0 ZiB"), (12, "12.0 bytes")])
def test_bytes_in_words(size, words):
    assert memory.in_words(size) == words
