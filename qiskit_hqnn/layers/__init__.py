"""EstimatorQNN and SamplerQNN in TorchConnector layers, and their gradient rules."""

from qiskit_hqnn.layers.amplitude import AmplitudeAngles
from qiskit_hqnn.layers.estimator_qnn import PackedEstimatorQNN
from qiskit_hqnn.layers.gradient_rules import GRADIENTS, SPSA
from qiskit_hqnn.layers.quantum_layer import QuantumLayer
from qiskit_hqnn.layers.sampler_layer import SamplerLayer
from qiskit_hqnn.layers.sampler_qnn import PackedSamplerQNN

__all__ = [
    "GRADIENTS",
    "SPSA",
    "AmplitudeAngles",
    "PackedEstimatorQNN",
    "PackedSamplerQNN",
    "QuantumLayer",
    "SamplerLayer",
]
