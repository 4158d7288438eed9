"""The hybrid network of the Qiskit textbook: a convolutional network that turns one qubit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qiskit_hqnn.circuits import textbook
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models.controls import check_side
from qiskit_hqnn.models.convolutions import Convolutions
from qiskit_hqnn.models.options import check_control


class TextbookHybrid(nn.Module):
    """Two convolutions, two dense layers down to one angle, one qubit; the outputs are [P(1), 1 − P(1)].

    The outputs are probabilities: the loss is −p_label (NLLLoss on the probabilities themselves), in [−1, 0].

    Args:
        channels: of the images.
        dropout: of whole feature maps.
        image_size: pixels per side; 28 as published, at least 16.
        control: None, or "twin" (a sigmoid instead of the qubit). The qubit has no weight and nothing to entangle.

    Example:
        >>> import torch
        >>> TextbookHybrid(image_size=16)(torch.rand(3, 1, 16, 16)).shape
        torch.Size([3, 2])
    """

    loss = "negative-probability"

    def __init__(
        self, channels: int = 1, dropout: float = 0.5, image_size: int = 28, control: str | None = None
    ) -> None:
        super().__init__()
        check_control(control, "textbook")
        side = ((image_size - 4) // 2 - 4) // 2
        check_side(side, image_size, 16, "textbook")
        self.features = Convolutions(
            nn.Conv2d(channels, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Dropout2d(dropout), nn.Flatten(), nn.Linear(64 * side**2, 64), nn.ReLU(), nn.Linear(64, 1),
        )  # fmt: skip
        self.quantum: nn.Module | None = nn.Sigmoid() if control else QuantumLayer(textbook())

    def encode(self, images: Tensor) -> Tensor:
        """The qubit's angle (batch, 1) in radians from images (batch, channels, side, side)."""
        return self.features(images)

    def decode(self, outputs: Tensor) -> Tensor:
        """Probabilities (batch, 2) from P(1), (batch, 1)."""
        return torch.cat([outputs, 1 - outputs], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities (batch, 2)."""
        assert self.quantum is not None
        return self.decode(self.quantum(self.encode(images)))
