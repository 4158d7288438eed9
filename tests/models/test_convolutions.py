"""Convolutions in channels_last: the same numbers as torch's usual format, whatever is done with the network."""

import pytest
import torch
from torch import nn

from qiskit_hqnn.models import Convolutions, make_encoder


def pair(channels, dtype=torch.float64):
    """The same weights in both formats, and images."""
    torch.manual_seed(channels)
    ours = make_encoder("cnn", (channels, 12, 10), 5).to(dtype)
    assert isinstance(ours, Convolutions)
    return ours, nn.Sequential(*ours), torch.rand(7, channels, 12, 10, dtype=dtype)


def outputs_and_gradients(network, images):
    images = images.clone().requires_grad_()
    network.zero_grad()
    outputs = network(images)
    (outputs * torch.arange(5)).sum().backward()
    return [outputs.detach(), images.grad, *(weight.grad.clone() for weight in network.parameters())]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_values_gradients_and_names_are_those_of_a_sequential(channels):
    ours, usual, images = pair(channels)
    assert list(ours.state_dict()) == list(usual.state_dict())
    found, expected = outputs_and_gradients(ours, images), outputs_and_gradients(usual, images)
    for value, other in zip(found, expected, strict=True):
        torch.testing.assert_close(value, other, rtol=0, atol=1e-12)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("images", ["as they are", "a view", "channels_last"])
def test_channels_lie_side_by_side(channels, images):
    ours, _, tensor = pair(channels, torch.float32)
    given = {
        "as they are": tensor,
        "a view": tensor.transpose(2, 3).contiguous().transpose(2, 3),
        "channels_last": tensor.to(memory_format=torch.channels_last),
    }[images]
    seen = []
    ours[0].register_forward_hook(lambda _, before, after: seen.extend([before[0], after]))
    ours(given)
    # Of one channel both formats are contiguous, and only the strides tell.
    assert seen[0].stride()[1] == 1
    assert seen[1].is_contiguous(memory_format=torch.channels_last)
    assert not seen[1].is_contiguous()


def test_gradients_of_each_image_by_vmap():
    ours, _, images = pair(2)
    ours.eval()

    def loss(image):
        return ours(image[None]).square().sum()

    each = torch.func.vmap(torch.func.grad(loss))(images)
    for image, gradient in zip(images, each, strict=True):
        torch.testing.assert_close(gradient, torch.func.grad(loss)(image), rtol=0, atol=1e-12)


def test_without_onednn_images_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    ours, _, images = pair(3)
    seen = []
    ours[0].register_forward_hook(lambda _, before, after: seen.append(before[0]))
    ours(images)
    assert seen[0] is images
