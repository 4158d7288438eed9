"""Test images that are also training or validation images: identical pixel by pixel, or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from qiskit_hqnn.data.image_set import ImageSet, as_float

NEAR = 1.0
"""Grey levels of 255: the largest distance of nearly equal images (root mean square over the thumbnails)."""

_SIDE, _CHUNK = 16, 64


@dataclass(frozen=True, eq=False)
class Twins:
    """Which of N test images have a twin among the training or validation images.

    Attributes:
        exact: bool (N,), with the same pixels.
        near: bool (N,), with the same pixels, or within `NEAR` of one in a grey thumbnail of 16×16 pixels.
    """

    exact: Tensor
    near: Tensor

    def counts(self) -> dict[str, int]:
        """Number of each kind."""
        return {"exact": int(self.exact.sum()), "near": int(self.near.sum())}


def find_twins(test: ImageSet, seen: Sequence[ImageSet]) -> Twins:
    """The twins of test images in other sets; for vectors of features, exact ones only."""
    known = {digest for part in seen for digest in _digests(part.images)}
    exact = torch.tensor([digest in known for digest in _digests(test.images)], dtype=torch.bool)
    if test.images.ndim != 4 or not len(test):
        return Twins(exact, exact)
    others = torch.cat([_thumbnails(part.images) for part in seen if len(part)] or [torch.empty(0, 1)])
    return Twins(exact, exact | _within(_thumbnails(test.images), others))


def _digests(images: Tensor) -> list[bytes]:
    rows = images.cpu().contiguous().numpy()
    return [blake2b(row.tobytes(), digest_size=16).digest() for row in rows]


def _thumbnails(images: Tensor) -> Tensor:
    """Grey levels 0 … 255 of thumbnails (N, pixels), of at most 16×16."""
    sides = (min(_SIDE, images.shape[-2]), min(_SIDE, images.shape[-1]))
    small = [
        adaptive_avg_pool2d(255 * as_float(chunk).mean(1, keepdim=True), sides)
        for chunk in images.cpu().split(2048)
    ]
    return torch.cat(small).flatten(1)


def _within(test: Tensor, others: Tensor) -> Tensor:
    """Which rows have a row of the other set within `NEAR`.

    Means differ by no more than the root mean square, so each row is compared only with those of nearly equal mean.
    """
    near = torch.zeros(len(test), dtype=torch.bool)
    if not len(others):
        return near
    means, order = others.mean(1).sort()
    others = others[order]
    squares = others.square().sum(1)
    for rows in test.mean(1).argsort().split(_CHUNK):
        chunk = test[rows]
        # Thumbnails differ in their last bits by rounding.
        ends = torch.stack([chunk.mean(1).min() - NEAR, chunk.mean(1).max() + NEAR]) + torch.tensor(
            [-0.01, 0.01]
        )
        low, high = torch.searchsorted(means, ends).tolist()
        some, norms = others[low:high], squares[low:high] + chunk.square().sum(1, keepdim=True)
        # The product is quick but inexact: it only selects the pairs whose exact distance is computed.
        rough = norms - 2 * chunk @ some.T
        first, second = (rough <= NEAR**2 * chunk.shape[1] + 1e-5 * norms).nonzero(as_tuple=True)
        close = (chunk[first] - some[second]).square().mean(1) <= NEAR**2
        near[rows[first[close]]] = True
    return near
