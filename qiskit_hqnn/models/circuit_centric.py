"""The circuit-centric classifier of handwritten digits (Schuld et al. 2018, arXiv:1804.00633)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qiskit_hqnn.circuits import circuit_centric
from qiskit_hqnn.layers import AmplitudeAngles, QuantumLayer
from qiskit_hqnn.models.controls import MatchedDense, freeze
from qiskit_hqnn.models.options import check_control


class CircuitCentricClassifier(nn.Module):
    """Features in amplitudes, strongly entangling layers, ⟨Z⟩ plus a trainable bias each, and two dense layers.

    Args:
        num_qubits: n; up to 2^n features, padded with zeros. 7 as published, for 64 features.
        depth: strongly entangling layers.
        classes: outputs.
        hidden: neurons between the two dense layers.
        features: features of a sample, which the classical controls read directly.
        control: None; "twin" (a dense layer features → n), "frozen", "no-entanglement", "matched-dense".

    Example:
        >>> import torch
        >>> CircuitCentricClassifier(num_qubits=3, features=8, classes=3)(torch.rand(5, 8)).shape
        torch.Size([5, 3])
    """

    loss = "cross-entropy"

    def __init__(
        self,
        num_qubits: int = 7,
        depth: int = 2,
        classes: int = 3,
        hidden: int = 8,
        features: int = 64,
        control: str | None = None,
    ) -> None:
        super().__init__()
        check_control(control, "circuit-centric")
        self.angles: nn.Module = nn.Identity()
        if control == "twin":
            self.quantum: nn.Module | None = nn.Linear(features, num_qubits, bias=False)
        elif control == "matched-dense":
            self.quantum = MatchedDense(features, num_qubits, 3 * num_qubits * depth)
        else:
            self.angles = AmplitudeAngles(num_qubits)
            layer = QuantumLayer(circuit_centric(num_qubits, depth, entangle=control != "no-entanglement"))
            self.quantum = freeze(layer) if control == "frozen" else layer
        self.bias = nn.Parameter(torch.zeros(num_qubits))
        self.head = nn.Sequential(nn.Linear(num_qubits, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def encode(self, images: Tensor) -> Tensor:
        """Angles (batch, 2^n − 1) of the embedding, from images or features, normalised to length 1."""
        flat = images.flatten(1)
        return self.angles(flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12))

    def decode(self, outputs: Tensor) -> Tensor:
        """Logits (batch, classes) from ⟨Z⟩ of every qubit (batch, n)."""
        return self.head(outputs + self.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        assert self.quantum is not None
        return self.decode(self.quantum(self.encode(images)))
