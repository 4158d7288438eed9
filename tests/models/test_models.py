"""The six networks: published sizes, gradients that reach the quantum weights, controls that are what they say."""

import pytest
import torch
from torch import nn

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import MODELS, HQNNParallel, HQNNQuanv, VQCHead, build, count_parameters

IMAGES = {
    "hqnn-parallel": (1, 28, 28),
    "hqnn-quanv": (1, 14, 14),
    "vqc-head": (1, 28, 28),
    "textbook": (1, 28, 28),
    "circuit-centric": (1, 8, 8),
    "reuploading": (64,),
}


def test_hqnn_parallel_has_the_published_parameter_count():
    counts = count_parameters(HQNNParallel())
    assert counts == {"classical": 45_014, "quantum": 180}
    assert sum(counts.values()) == 45_194


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"image_size": 8}, (1, 8, 8)),
        ({}, (1, 28, 28)),
        ({"image_size": 32, "channels": 3, "convolutions": 3}, (3, 32, 32)),
        ({"image_size": 64, "channels": 3, "classes": 6}, (3, 64, 64)),
        ({"image_size": 12, "convolutions": 3, "filters": [5, 6, 7], "kernel": 3}, (1, 12, 12)),
        ({"num_qubits": 3, "depth": 1, "copies": 2, "convolutions": 1, "squash": "tanh"}, (1, 28, 28)),
    ],
)
def test_hqnn_parallel_takes_other_sizes(options, shape):
    model = HQNNParallel(**options)
    assert model(torch.rand(2, *shape)).shape == (2, options.get("classes", 10))


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_gets_a_gradient(name):
    torch.manual_seed(0)
    model = build(name)
    model(torch.rand(4, *IMAGES[name])).square().sum().backward()
    assert isinstance(model.quantum, QuantumLayer)
    for label, parameter in model.named_parameters():
        if parameter.numel():
            assert parameter.grad is not None, label
    if model.quantum.weight.numel():
        assert model.quantum.weight.grad.abs().max() > 0


@pytest.mark.parametrize("name", MODELS)
def test_encode_quantum_decode_is_forward(name):
    model = build(name).eval()
    images = torch.rand(3, *IMAGES[name])
    torch.testing.assert_close(model.decode(model.quantum(model.encode(images))), model(images))


def test_textbook_outputs_are_probabilities():
    outputs = build("textbook")(torch.rand(5, 1, 28, 28))
    torch.testing.assert_close(outputs.sum(dim=1), torch.ones(5))


def test_twins_of_quanv_have_the_published_kernels():
    assert sum(count_parameters(HQNNQuanv(control="twin")).values()) == 16 + 650
    assert sum(count_parameters(HQNNQuanv(control="twin-1")).values()) == 4 + 170
    convolution = nn.Conv2d(1, 4, 2, stride=4, bias=False)
    twin = HQNNQuanv(control="twin")
    twin.quantum.weight.data = convolution.weight.data.flatten(1)
    images = torch.rand(2, 1, 14, 14)
    outputs = twin.quantum(twin.encode(images)).transpose(1, 2).reshape(2, 4, 4, 4)
    torch.testing.assert_close(outputs, convolution(images))


@pytest.mark.parametrize("name", ["hqnn-parallel", "hqnn-quanv", "circuit-centric", "reuploading"])
def test_controls_are_what_they_say(name):
    images = torch.rand(2, *IMAGES[name])
    quantum = count_parameters(build(name))["quantum"]
    frozen = build(name, control="frozen")
    assert count_parameters(frozen)["quantum"] == 0
    assert frozen.quantum.weight.numel() == quantum
    separate = build(name, control="no-entanglement")
    assert count_parameters(separate)["quantum"] == quantum
    full, reduced = (m.quantum.ansatz.circuit.count_ops().get("cx", 0) for m in (frozen, separate))
    assert reduced < full
    for control in ("twin", "matched-dense"):
        model = build(name, control=control)
        assert not isinstance(model.quantum, QuantumLayer)
        assert model(images).shape == frozen(images).shape


def test_matched_dense_of_hqnn_parallel_matches_exactly():
    assert sum(count_parameters(HQNNParallel(control="matched-dense")).values()) == 45_194


def test_matched_dense_of_the_vqc_head_has_nearly_the_parameters_of_its_angles():
    hybrid, dense = (VQCHead(control=control) for control in (None, "matched-dense"))
    # 128 → r → 10 with a bias at the end has 138 r + 10 parameters; the angles have 128 · 40 + 40.
    assert hybrid.angles.weight.numel() + hybrid.angles.bias.numel() == 5_160
    assert sum(parameter.numel() for parameter in dense.angles.parameters()) == 138 * 37 + 10
    assert dense(torch.rand(2, 1, 28, 28)).shape == (2, 10)


def test_unknown_names_are_one_sentence():
    with pytest.raises(
        HQNNError, match="Model must be one of .* but is 'hqnn-paralel'; did you mean 'hqnn-parallel'"
    ):
        build("hqnn-paralel")
    with pytest.raises(HQNNError, match="Option of model 'hqnn-parallel' .* 'qubits'"):
        build("hqnn-parallel", qubits=3)
    with pytest.raises(HQNNError, match="Control of 'textbook' must be one of 'twin', but is 'frozen'"):
        build("textbook", control="frozen")
    with pytest.raises(HQNNError, match="`convolutions` must be from 1 to 4"):
        HQNNParallel(image_size=8, convolutions=9)
    with pytest.raises(HQNNError, match="`kernel` must be an odd number, but is 4"):
        HQNNParallel(kernel=4)
    with pytest.raises(HQNNError, match=r"'filters' .* must be a list of whole numbers .* but is \[8, 0\]"):
        build("hqnn-parallel", filters=[8, 0])


def test_filters_and_kernel_are_the_convolutions():
    model = HQNNParallel(convolutions=2, filters=[7, 9], kernel=3)
    shapes = [tuple(layer.weight.shape) for layer in model.features if isinstance(layer, nn.Conv2d)]
    assert shapes == [(7, 1, 3, 3), (9, 7, 3, 3)]


def test_channels_of_the_quantum_kernel_are_products_of_scaled_pixels():
    # <Z_k> = prod_{j <= k} cos(w_j) cos(pi x_j): the trainable weights scale whole channels and no more.
    layer = HQNNQuanv().quantum.double()
    pixels = torch.rand(6, 4, dtype=torch.float64)
    expected = (layer.weight.cos() * (torch.pi * pixels).cos()).cumprod(dim=1)
    torch.testing.assert_close(layer(pixels), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("vqc-head", {"image_size": 20, "channels": 3, "classes": 4}, (3, 20, 20)),
        ("vqc-head", {"image_size": 64}, (1, 64, 64)),
        ("textbook", {"image_size": 16, "channels": 3}, (3, 16, 16)),
        ("textbook", {"image_size": 40}, (1, 40, 40)),
        ("hqnn-quanv", {"image_size": 12, "channels": 3, "classes": 5}, (3, 12, 12)),
        ("hqnn-quanv", {"image_size": 9, "channels": 3, "control": "twin-1"}, (3, 9, 9)),
    ],
)
def test_networks_take_other_sizes_and_channels(name, options, shape):
    classes = 2 if name == "textbook" else options.get("classes", 10)
    assert build(name, **options)(torch.rand(2, *shape)).shape == (2, classes)


def test_a_coloured_image_is_read_channel_by_channel_with_one_kernel():
    model = HQNNQuanv(image_size=6, channels=3)
    images = torch.rand(2, 3, 6, 6)
    together = model.encode(images)
    each = [HQNNQuanv(image_size=6).encode(images[:, [channel]]) for channel in range(3)]
    assert torch.equal(together, torch.cat(each, dim=1))


@pytest.mark.parametrize(("name", "smallest"), [("vqc-head", 20), ("textbook", 16), ("hqnn-quanv", 2)])
def test_images_that_are_too_small_are_one_sentence(name, smallest):
    build(name, image_size=smallest)
    with pytest.raises(
        HQNNError, match=f"`image_size` of '{name}' must be at least {smallest}, .* but is {smallest - 1}"
    ):
        build(name, image_size=smallest - 1)
