"""Encoders: from images to the quantum layer's number of inputs, and from these to angles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.models.convolutions import Convolutions
from qiskit_hqnn.models.options import BACKBONES


def make_encoder(
    name: str,
    shape: Sequence[int],
    width: int,
    channels: Sequence[int] = (16, 32),
    kernel: int = 3,
    weights: str | None = None,
    freeze: bool = False,
    fetch: bool = True,
) -> nn.Module:
    """A module from samples (batch, *shape) to the quantum layer's inputs, (batch, width).

    Args:
        name: "none" (the sample itself), "flatten" (one dense layer), "cnn", or one of `BACKBONES`.
        shape: of a sample, (channels, height, width) or (features,).
        width: copies · inputs of the quantum layer.
        channels, kernel: of a cnn: blocks of convolution, batch norm, ReLU and max pool 2, then one dense layer.
        weights: of a backbone, as torchvision names them ("DEFAULT"); None starts from random weights.
        freeze: whether a backbone's weights stay fixed.
        fetch: whether the weights are downloaded; not needed if trained ones will replace them.

    Raises:
        HQNNError: if it does not fit the samples or the layer, or its weights are not available.
    """
    features = math.prod(shape)
    if name == "none":
        if features != width:
            raise HQNNError(
                f"Encoder 'none' takes the sample itself, {features} numbers of shape {tuple(shape)}, but the quantum "
                f"layer has {width} inputs{_copies_for(features, width)}."
            )
        return nn.Flatten()
    if name == "flatten":
        return nn.Sequential(nn.Flatten(), nn.Linear(features, width))
    if len(shape) != 3:
        raise HQNNError(f"Encoder {name!r} takes images, but a sample is {features} features: use 'flatten'.")
    if name == "cnn":
        return _convolutions(shape, width, channels, kernel)
    if name not in BACKBONES:
        raise HQNNError(
            f"Encoder must be 'none', 'flatten', 'cnn' or a backbone of torchvision, but is {name!r}."
        )
    backbone = Backbone(name, shape[0], weights, freeze, fetch)
    return nn.Sequential(backbone, nn.Linear(backbone.features, width))


def _copies_for(features: int, width: int) -> str:
    return "; use 'flatten', more or fewer copies, or another data.image_size" if features and width else ""


def _convolutions(shape: Sequence[int], width: int, channels: Sequence[int], kernel: int) -> nn.Module:
    sides = [side >> len(channels) for side in shape[1:]]
    if min(sides) < 1:
        raise HQNNError(
            f"Encoder 'cnn' halves an image {len(channels)} times, which leaves nothing of {shape[2]}×{shape[1]} "
            "pixels: give fewer `channels`, or larger images."
        )
    blocks: list[nn.Module] = []
    for before, after in zip((shape[0], *channels), channels, strict=False):
        blocks += [
            nn.Conv2d(before, after, kernel, padding="same"),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return Convolutions(*blocks, nn.Flatten(), nn.Linear(channels[-1] * math.prod(sides), width))


class Backbone(nn.Module):
    """A network of torchvision without its last dense layer: (batch, channels, height, width) → (batch, features).

    Grey images are repeated to three channels; with pretrained weights, images are normalised as for ImageNet.

    Raises:
        HQNNError: if images have other than 1 or 3 channels, or the weights are not available.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        channels: int,
        weights: str | None = None,
        freeze: bool = False,
        fetch: bool = True,
    ) -> None:
        super().__init__()
        if channels not in (1, 3):
            raise HQNNError(f"Encoder {name!r} takes images of 1 or 3 channels, but these have {channels}.")
        self.network = _fetched(name, weights if fetch else None)
        self.frozen = freeze
        self.normalised = weights is not None
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)
        last = [label for label, module in self.network.named_modules() if isinstance(module, nn.Linear)][-1]
        parent, _, child = last.rpartition(".")
        dense = self.network.get_submodule(last)
        assert isinstance(dense, nn.Linear)
        self.features = dense.in_features
        setattr(self.network.get_submodule(parent), child, nn.Identity())
        if freeze:
            self.network.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> Backbone:
        """A frozen backbone stays in evaluation mode: its batch norms keep their statistics too."""
        super().train(mode)
        if self.frozen:
            self.network.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """(batch, features)."""
        coloured = images.expand(-1, 3, -1, -1)
        return self.network((coloured - self.mean) / self.std if self.normalised else coloured)


def _fetched(name: str, weights: str | None) -> nn.Module:
    from torchvision.models import get_model, get_model_weights

    if weights is not None:
        known = [*get_model_weights(name).__members__, "DEFAULT"]
        if weights not in known:
            raise HQNNError(
                f"Weights of encoder {name!r} must be one of {', '.join(known)}, but are {weights!r}."
            )
    try:
        return get_model(name, weights=weights)
    except (OSError, RuntimeError) as error:  # no connection, or an incomplete file
        raise HQNNError(
            f"The weights {weights!r} of encoder {name!r} can be neither found nor downloaded: {error}."
        ) from error


class Scaling(nn.Module):
    """Numbers to angles, elementwise: "tanh" is tanh(x) · π, "arctan" is arctan(x), "pi" is π · x."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def forward(self, features: Tensor) -> Tensor:
        """Angles in radians, of the same shape."""
        if self.word == "tanh":
            return features.tanh() * math.pi
        return features.arctan() if self.word == "arctan" else features * math.pi

    def extra_repr(self) -> str:
        return self.word


def make_scaling(word: str, width: int) -> nn.Module:
    """From the encoder's output to the angles of the circuit, both (batch, width).

    Args:
        word: "none", "tanh", "arctan", "pi", or "batch-norm".
        width: copies · inputs of the quantum layer.
    """
    if word == "none":
        return nn.Identity()
    return nn.BatchNorm1d(width) if word == "batch-norm" else Scaling(word)
