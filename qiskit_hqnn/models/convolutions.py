"""Convolutions in the memory format that a processor is fastest with."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Convolutions(nn.Sequential):
    """Modules in sequence, the first of which convolve images (batch, channels, height, width).

    On a processor the images' channels lie side by side in memory (torch's channels_last), and so do those of all that
    convolutions, batch norms and pools make of them: a training step of the published networks takes two thirds to four
    fifths of its time, an evaluation half to three quarters (`python -m benchmarks.memory_format`). A GPU, and torch
    without oneDNN, whose convolutions these are, get the images as they are.

    Values, shapes and names of weights are those of `nn.Sequential`; a module that calls `view` on feature maps must
    call `flatten` or `reshape` here.
    """

    def forward(self, images: Tensor) -> Tensor:
        """What the last module gives."""
        if images.device.type == "cpu" and images.dim() == 4 and torch.backends.mkldnn.is_available():
            # `to(memory_format=…)` is not for torch.func.vmap; `contiguous` takes one channel for both formats already.
            side_by_side = images.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format)
            images = side_by_side.permute(0, 3, 1, 2)
        return super().forward(images)
