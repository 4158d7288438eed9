"""HQNN-Parallel (Senokosov et al. 2024, arXiv:2304.09224, section 2.2) and its classical twins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models.controls import MatchedDense, freeze
from qiskit_hqnn.models.convolutions import Convolutions
from qiskit_hqnn.models.options import check_control

FILTERS = (16, 32, 64, 64)
"""Output channels of the first, second, … convolution."""


class HQNNParallel(nn.Module):
    """Convolutions, a dense layer of c · q neurons, c parallel circuits of q qubits, and a dense layer of classes.

    Exactly 45,194 trainable parameters at the paper's setting (28×28 images, q = 5, depth 3, c = 4).

    Args:
        num_qubits: q of each circuit.
        depth: strongly entangling layers of each circuit.
        copies: c; 0 leaves no quantum layer to run, use control="left-out" instead.
        classes: outputs.
        channels: of the images.
        image_size: pixels per side.
        convolutions: blocks of convolution, batch norm, ReLU, max pool 2.
        filters: output channels of the convolutions, in their order; 16 and 32 are the paper's.
        kernel: pixels per side of each convolution's kernel, an odd number; 5 is the paper's.
        squash: None feeds the ReLU's output into the rotations, as published; "tanh" feeds tanh(x) · π/2.
        control: None, or what replaces the quantum layer: "twin" (dense c·q → c·q), "left-out", "frozen",
            "no-entanglement", "matched-dense".

    Raises:
        HQNNError: if an argument is out of range, or nothing is left of an image.

    Example:
        >>> import torch
        >>> model = HQNNParallel(image_size=8, num_qubits=2, depth=1, copies=2)
        >>> model(torch.rand(3, 1, 8, 8)).shape
        torch.Size([3, 10])
    """

    loss = "cross-entropy"

    def __init__(
        self,
        num_qubits: int = 5,
        depth: int = 3,
        copies: int = 4,
        classes: int = 10,
        channels: int = 1,
        image_size: int = 28,
        convolutions: int = 2,
        squash: str | None = None,
        control: str | None = None,
        filters: Sequence[int] = FILTERS,
        kernel: int = 5,
    ) -> None:
        super().__init__()
        check_control(control, "hqnn-parallel")
        if not 1 <= convolutions <= len(filters) or image_size >> convolutions < 1:
            raise HQNNError(
                f"Argument `convolutions` must be from 1 to {len(filters)}, for which `filters` has numbers, and "
                f"leave a pixel of {image_size}, but is {convolutions}."
            )
        if kernel % 2 == 0:
            raise HQNNError(f"Argument `kernel` must be an odd number, but is {kernel}.")
        if squash not in (None, "tanh"):
            raise HQNNError(f"Argument `squash` must be None or 'tanh', but is {squash!r}.")
        width = num_qubits * copies
        blocks: list[nn.Module] = []
        for before, after in zip((channels, *filters), filters[:convolutions], strict=False):
            blocks += [
                nn.Conv2d(before, after, kernel, padding=kernel // 2),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        flat = filters[convolutions - 1] * (image_size >> convolutions) ** 2
        self.features = Convolutions(
            *blocks, nn.Flatten(), nn.Linear(flat, width), nn.BatchNorm1d(width), nn.ReLU()
        )
        self.squash = squash
        self.quantum: nn.Module | None = _middle(control, num_qubits, depth, copies)
        self.head = nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, classes))

    def encode(self, images: Tensor) -> Tensor:
        """Inputs of the quantum layer, (batch, c · q), from images (batch, channels, side, side)."""
        features = self.features(images)
        return features.tanh() * (math.pi / 2) if self.squash else features

    def decode(self, outputs: Tensor) -> Tensor:
        """Logits (batch, classes) from the quantum layer's outputs (batch, c · q)."""
        return self.head(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        encoded = self.encode(images)
        return self.decode(encoded if self.quantum is None else self.quantum(encoded))


def _middle(control: str | None, num_qubits: int, depth: int, copies: int) -> nn.Module | None:
    width = num_qubits * copies
    if control == "left-out":
        return None
    if control == "twin":
        return nn.Linear(width, width)
    if control == "matched-dense":
        return MatchedDense(width, width, 3 * width * depth)
    layer = QuantumLayer(
        hqnn_parallel(num_qubits, depth, entangle=control != "no-entanglement"), copies=copies
    )
    return freeze(layer) if control == "frozen" else layer
