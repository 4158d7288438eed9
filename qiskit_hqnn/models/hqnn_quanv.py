"""HQNN-Quanv (Senokosov et al. 2024, arXiv:2304.09224, section 2.3) and its classical twins."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import unfold

from qiskit_hqnn.circuits import hqnn_quanv
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models.controls import MatchedDense, check_side, freeze
from qiskit_hqnn.models.options import check_control


class HQNNQuanv(nn.Module):
    """A 2×2 quantum kernel with stride 4 over the image, four output channels, then one dense layer.

    The same kernel reads each channel of a colour image separately, which gives four output channels for each.

    Args:
        image_size: pixels per side; 14 as published, which gives 4×4 patches.
        classes: outputs.
        stride: pixels between patches; 4 as the published feature maps of 4×4 imply.
        depth: trainable layers of the circuit.
        channels: of the images; 1 as published.
        reading: the reading of the circuit, as in `hqnn_quanv`.
        control: None; "twin" (a convolution with 4 channels, the paper's CNN4), "twin-1" (CNN1), "frozen",
            "no-entanglement", "matched-dense" (a dense layer per patch with about as many weights as the circuit).

    Example:
        >>> import torch
        >>> HQNNQuanv(image_size=8)(torch.rand(3, 1, 8, 8)).shape
        torch.Size([3, 10])
    """

    loss = "cross-entropy"

    def __init__(
        self,
        image_size: int = 14,
        classes: int = 10,
        stride: int = 4,
        depth: int = 1,
        channels: int = 1,
        reading: str = "chain",
        control: str | None = None,
    ) -> None:
        super().__init__()
        check_control(control, "hqnn-quanv")
        self.stride = stride
        check_side(image_size - 1, image_size, 2, "hqnn-quanv")
        outputs = 1 if control == "twin-1" else 4
        side = (image_size - 2) // stride + 1
        self.quantum: nn.Module | None = _kernel(control, depth, outputs, reading)
        self.head = nn.Linear(channels * outputs * side * side, classes)

    def encode(self, images: Tensor) -> Tensor:
        """Patches (batch, channels · patches, 4) of images (batch, channels, side, side) with pixels in [0, 1]."""
        # One image of one channel after the other; (batch · channels, 4, patches) as unfold gives them.
        patches = unfold(images.flatten(0, 1)[:, None], 2, stride=self.stride).transpose(1, 2)
        return patches.reshape(len(images), -1, 4)

    def decode(self, outputs: Tensor) -> Tensor:
        """Logits (batch, classes) from kernel outputs (batch, channels · patches, outputs)."""
        return self.head(outputs.transpose(1, 2).flatten(1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        assert self.quantum is not None
        return self.decode(self.quantum(self.encode(images)))


def _kernel(control: str | None, depth: int, outputs: int, reading: str) -> nn.Module:
    if control in ("twin", "twin-1"):
        return nn.Linear(
            4, outputs, bias=False
        )  # a convolution of 2×2 pixels, patch by patch: 4 · outputs weights
    if control == "matched-dense":
        return MatchedDense(4, 4, 4 * depth)
    layer = QuantumLayer(hqnn_quanv(depth=depth, reading=reading, entangle=control != "no-entanglement"))
    return freeze(layer) if control == "frozen" else layer
