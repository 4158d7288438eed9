"""Layers on primitives that are not ours: whatever gates an ansatz has, they give what Qiskit's reference gives."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit import library as gates
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import Statevector
from qiskit_aer.primitives import EstimatorV2, SamplerV2

from qiskit_hqnn.circuits import Ansatz, pauli_on_each
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer

W = ParameterVector("w", 2)
VALUES = [0.7, -1.1]
GATES = {
    "cp": gates.CPhaseGate(W[0]),
    "cp-open": gates.CPhaseGate(W[0], ctrl_state=0),
    "crx": gates.CRXGate(2 * W[0]),
    "cry": gates.CRYGate(W[0]),
    "crz": gates.CRZGate(W[0] * W[1]),
    "cu": gates.CUGate(W[0], W[1], 0.3, 0.4),
    "cu1": gates.CU1Gate(W[0]),
    "cu3": gates.CU3Gate(W[0], W[1], 0.3),
    "mcphase": gates.MCPhaseGate(W[0], 2),
    "annotated": gates.RYGate(W[0]).control(2, annotated=True),
    "xx_plus_yy": gates.XXPlusYYGate(W[0], W[1]),
    "r": gates.RGate(W[0], W[1]),
    "unitary": gates.UnitaryGate(gates.iSwapGate().to_matrix()),
}


def ansatz_of(name):
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.u(0.3 + 0.2 * qubit, 0.1, 0.4, qubit)
    circuit.append(GATES[name], range(GATES[name].num_qubits))
    for qubit in range(3):
        circuit.rx(W[qubit % 2], qubit)
    return Ansatz(circuit, (), W, pauli_on_each("Y", 3))


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("primitive", [EstimatorV2, StatevectorEstimator])
def test_values_and_gradients_of_any_gate(name, primitive):
    ansatz = ansatz_of(name)
    state = Statevector(ansatz.circuit.assign_parameters(dict(zip(W, VALUES, strict=True))))
    expected = [state.expectation_value(observable).real for observable in ansatz.observables]
    layer, nothing = QuantumLayer(ansatz, initial_weights=VALUES), torch.empty(0)
    layer(nothing).sum().backward()
    exact, layer.weight.grad = layer.weight.grad, None
    with layer.running_on(primitive()):
        outputs = layer(nothing)
        outputs.sum().backward()
    np.testing.assert_allclose(outputs.detach().numpy(), expected, atol=1e-5)
    torch.testing.assert_close(layer.weight.grad, exact, atol=1e-5, rtol=0)


def test_outcomes_of_aers_own_sampler():
    layer, nothing = SamplerLayer(ansatz_of("crx"), initial_weights=VALUES), torch.empty(0)
    exact = layer(nothing)
    with layer.running_on(SamplerV2(seed=1), shots=50_000):
        sampled = layer(nothing)
    torch.testing.assert_close(sampled, exact, atol=0.02, rtol=0)
