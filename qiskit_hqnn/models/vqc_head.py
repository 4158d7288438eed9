"""A convolutional network with ten class circuits as its head (Rizvi et al. 2023)."""

from __future__ import annotations

from torch import Tensor, nn

from qiskit_hqnn.circuits import vqc_head
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models.controls import MatchedDense, check_side
from qiskit_hqnn.models.convolutions import Convolutions
from qiskit_hqnn.models.options import check_control


class VQCHead(nn.Module):
    """Three convolutions and two dense layers that give each class circuit its four angles; p(0) is the class's score.

    The circuits have no trainable weight, so there is nothing to freeze: what is trained for them are their angles.

    Args:
        classes: one circuit for each.
        channels: of the images.
        dropout: of whole feature maps.
        image_size: pixels per side; 28 as published, at least 20.
        control: None; "twin" (a dense layer 128 → classes instead of angles and circuits), "no-entanglement",
            "matched-dense" (two dense layers 128 → r → classes with as many parameters as the angles have).

    Example:
        >>> import torch
        >>> VQCHead(image_size=20)(torch.rand(3, 1, 20, 20)).shape
        torch.Size([3, 10])
    """

    loss = "cross-entropy"

    def __init__(
        self,
        classes: int = 10,
        channels: int = 1,
        dropout: float = 0.5,
        image_size: int = 28,
        control: str | None = None,
    ) -> None:
        super().__init__()
        check_control(control, "vqc-head")
        side = (((image_size - 4) // 2) - 6) // 2
        check_side(side, image_size, 20, "vqc-head")
        self.features = Convolutions(
            nn.Conv2d(channels, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Dropout2d(dropout), nn.Flatten(), nn.Linear(64 * side**2, 128), nn.ReLU(),
        )  # fmt: skip
        self.angles: nn.Module = nn.Linear(128, classes if control == "twin" else 4 * classes)
        self.quantum: nn.Module | None = None
        if control == "matched-dense":
            self.angles = MatchedDense(128, classes, 4 * classes * (128 + 1))
        elif control != "twin":
            self.quantum = QuantumLayer(vqc_head(entangle=control != "no-entanglement"), copies=classes)

    def encode(self, images: Tensor) -> Tensor:
        """Angles (batch, 4 · classes) in radians from images (batch, channels, side, side)."""
        return self.angles(self.features(images))

    def decode(self, outputs: Tensor) -> Tensor:
        """The scores (batch, classes), p(0) of each class circuit."""
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """Scores (batch, classes)."""
        encoded = self.encode(images)
        return self.decode(encoded if self.quantum is None else self.quantum(encoded))
