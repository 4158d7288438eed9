"""Data re-uploading for reduced Fashion-MNIST ("Hybrid Quantum Neural Network for reduced MNIST Data", 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from qiskit_hqnn.circuits import reuploading
from qiskit_hqnn.layers import AmplitudeAngles, QuantumLayer
from qiskit_hqnn.models.controls import MatchedDense, freeze
from qiskit_hqnn.models.options import check_control


class ReuploadingClassifier(nn.Module):
    """Features uploaded as amplitudes every second layer, ⟨Z⟩ on every qubit, then one dense layer.

    Args:
        num_qubits: n; up to 2^n features, 64 as published.
        depth: layers; 3 n · depth quantum weights, 144 as published.
        classes: outputs.
        upload_every: 2 as published.
        features: features of a sample, which the classical controls read directly.
        control: None; "twin" (a dense layer features → n), "frozen", "no-entanglement", "matched-dense".

    Example:
        >>> import torch
        >>> ReuploadingClassifier(num_qubits=2, depth=2, features=4, classes=2)(torch.rand(5, 4)).shape
        torch.Size([5, 2])
    """

    loss = "cross-entropy"

    def __init__(
        self,
        num_qubits: int = 6,
        depth: int = 8,
        classes: int = 4,
        upload_every: int = 2,
        features: int = 64,
        control: str | None = None,
    ) -> None:
        super().__init__()
        check_control(control, "reuploading")
        self.angles: nn.Module = nn.Identity()
        if control == "twin":
            self.quantum: nn.Module | None = nn.Linear(features, num_qubits)
        elif control == "matched-dense":
            self.quantum = MatchedDense(features, num_qubits, 3 * num_qubits * depth)
        else:
            self.angles = AmplitudeAngles(num_qubits)
            ansatz = reuploading(
                num_qubits, depth, upload_every=upload_every, entangle=control != "no-entanglement"
            )
            layer = QuantumLayer(ansatz)
            self.quantum = freeze(layer) if control == "frozen" else layer
        self.head = nn.Linear(num_qubits, classes)

    def encode(self, images: Tensor) -> Tensor:
        """Angles (batch, 2^n − 1) of one upload, from features (batch, F) or images."""
        return self.angles(images.flatten(1))

    def decode(self, outputs: Tensor) -> Tensor:
        """Logits (batch, classes) from ⟨Z⟩ of every qubit (batch, n)."""
        return self.head(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        assert self.quantum is not None
        return self.decode(self.quantum(self.encode(images)))
