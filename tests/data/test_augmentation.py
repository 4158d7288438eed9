"""Random changes of training images: each image's own, and the same as torchvision's one by one."""

import pytest
import torch
from torchvision.transforms.functional import rotate

from qiskit_hqnn.data import Augmentation, ImageSet
from qiskit_hqnn.errors import HQNNError


def test_a_rotation_is_torchvisions():
    images = torch.rand(12, 2, 9, 14)
    torch.manual_seed(5)
    turned = Augmentation(["rotation"])(images)
    torch.manual_seed(5)
    degrees = (2 * torch.rand(12) - 1) * 10
    for image, angle, got in zip(images, degrees.tolist(), turned, strict=True):
        torch.testing.assert_close(got, rotate(image, angle))


def test_each_image_is_mirrored_or_not():
    images = torch.rand(400, 1, 3, 4)
    flipped = Augmentation(["flip"])(images)
    mirrored = (flipped == images.flip(-1)).all(dim=(1, 2, 3))
    same = (flipped == images).all(dim=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 150 < int(mirrored.sum()) < 250  # five standard deviations of 400 fair draws


def test_a_crop_is_a_shift_by_up_to_an_eighth():
    image = torch.arange(1.0, 1 + 16 * 24).reshape(1, 16, 24)
    padded = torch.zeros(1, 16 + 2 * 2, 24 + 2 * 3)
    padded[:, 2:-2, 3:-3] = image
    shifted = torch.stack(
        [padded[:, down : down + 16, across : across + 24] for down in range(5) for across in range(7)]
    )
    got = Augmentation(["crop"])(image.expand(600, 1, 16, 24))
    matches = (got[:, None] == shifted).flatten(2).all(dim=2)
    assert (matches.sum(dim=1) == 1).all()
    assert matches.any(dim=0).all()


def test_words_follow_each_other_and_one_image_is_a_batch_of_one():
    data = ImageSet(torch.rand(8, 3, 8, 8), torch.arange(8), Augmentation(["rotation", "flip", "crop"]))
    torch.manual_seed(1)
    images, _ = data.batch(range(1))
    torch.manual_seed(1)
    torch.testing.assert_close(images[0], data[0][0])
    assert images.shape == (1, 3, 8, 8)
    assert repr(data) == "ImageSet(8 of 3×8×8, 8 classes)"


def test_an_unknown_word_is_one_sentence():
    with pytest.raises(HQNNError, match="must be one of 'rotation', 'flip', 'crop', but is 'flop'"):
        Augmentation(["flop"])
