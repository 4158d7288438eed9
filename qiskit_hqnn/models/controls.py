"""Replacements of the quantum layer in control experiments."""

from __future__ import annotations

from torch import Tensor, nn

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer


def check_side(left: int, image_size: int, smallest: int, model: str) -> None:
    """Raises HQNNError if convolutions and poolings leave nothing of an image."""
    if left < 1:
        raise HQNNError(
            f"Argument `image_size` of {model!r} must be at least {smallest}, so that something is left of an image, "
            f"but is {image_size}."
        )


def freeze(layer: QuantumLayer) -> QuantumLayer:
    """The layer with frozen weights; its inputs still get gradients."""
    layer.weight.requires_grad_(False)
    return layer


class MatchedDense(nn.Module):
    """A dense layer of low rank with as many parameters as a quantum layer, as nearly as its rank allows.

    x → U V x + b with r = round((parameters − outputs) / (inputs + outputs)), at least 1.
    """

    def __init__(self, inputs: int, outputs: int, parameters: int) -> None:
        super().__init__()
        rank = max(1, round((parameters - outputs) / (inputs + outputs)))
        self.reduce = nn.Linear(inputs, rank, bias=False)
        self.expand = nn.Linear(rank, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """(…, inputs) → (…, outputs)."""
        return self.expand(self.reduce(features))
