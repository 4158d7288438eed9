"""Amplitude angles prepare the features, are differentiable, and survive zeros."""

import numpy as np
import pytest
import torch

from qiskit_hqnn.circuits import mottonen_angles
from qiskit_hqnn.errors import ShapeError
from qiskit_hqnn.layers import AmplitudeAngles


def test_angles_are_those_of_the_circuits_floor():
    features = torch.rand(5, 16, dtype=torch.float64) - 0.3
    np.testing.assert_allclose(
        AmplitudeAngles(4)(features).numpy(), mottonen_angles(features.numpy()), atol=1e-12
    )


def test_features_are_padded_and_the_norm_drops_out():
    features = torch.rand(5, 11, dtype=torch.float64)
    padded = torch.cat([features * 7, torch.zeros(5, 5, dtype=torch.float64)], dim=1)
    layer = AmplitudeAngles(4)
    torch.testing.assert_close(layer(features), layer(padded))


def test_gradients_are_right():
    features = torch.rand(2, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(AmplitudeAngles(3), features)


def test_zeros_have_finite_angles_and_gradients():
    features = torch.zeros(2, 8, dtype=torch.float64)
    features[1, 5] = 1.0
    features.requires_grad_()
    angles = AmplitudeAngles(3)(features)
    assert (angles[0] == 0).all()
    angles.sum().backward()
    assert torch.isfinite(features.grad).all()


def test_too_many_features_are_one_sentence():
    with pytest.raises(ShapeError, match=r"F ≤ 2\^3 = 8, but has shape \(2, 9\)"):
        AmplitudeAngles(3)(torch.rand(2, 9))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool])
def test_angles_of_few_digits_and_of_whole_numbers_are_float32(dtype):
    features = (torch.rand(4, 8) * 3).to(dtype)
    angles = AmplitudeAngles(3)(features)
    assert angles.dtype == torch.float32
    torch.testing.assert_close(angles, AmplitudeAngles(3)(features.double()).float())


def test_autocast_leaves_the_angles_alone():
    features = torch.rand(4, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        angles = AmplitudeAngles(3)(features)
    torch.testing.assert_close(angles, AmplitudeAngles(3)(features), rtol=0, atol=0)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_tiny_and_huge_features_are_embedded_like_others(scale):
    features = torch.rand(4, 8)
    torch.testing.assert_close(AmplitudeAngles(3)(features * scale), AmplitudeAngles(3)(features))


def test_complex_features_are_one_sentence():
    with pytest.raises(ShapeError, match="must be real, but is torch.complex64"):
        AmplitudeAngles(1)(torch.zeros(2, dtype=torch.complex64))
