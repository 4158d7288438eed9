"""Some test images as the network gets them, right and wrong, with the predicted probabilities."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Annotated

import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from qiskit_hqnn._files import write_text
from qiskit_hqnn.data import as_float

EACH = 6
"""Number of each kind."""

_SIDE = 192
"""Larger images are reduced: a page has a dozen of them."""


class Example(BaseModel):
    """One test image.

    Attributes:
        index: in the test set.
        label, predicted: classes by number.
        probability: of the predicted class.
        of_label: probability of the true class.
        png: the image as the network gets it, base64.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: int
    label: int
    predicted: int
    probability: float
    of_label: float
    png: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=]*$")]


class Examples(BaseModel):
    """The content of examples.json.

    Attributes:
        name: of the test result that they belong to.
        right: the first right ones, from as many classes as possible.
        wrong: the mistakes of the highest predicted probability.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    right: list[Example]
    wrong: list[Example]


def write_examples(path: Path, name: str, images: Tensor, labels: Tensor, probabilities: Tensor) -> None:
    """Keep examples of a test set; nothing if its samples are not pictures.

    Args:
        path: of examples.json.
        name: of the result.
        images: (N, 1 or 3, height, width); features (N, F) are not pictures.
        labels: (N,).
        probabilities: (N, classes).
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        return
    sure, predicted = probabilities.max(dim=1)
    right, wrong = (
        torch.nonzero(mask).flatten().tolist() for mask in (predicted == labels, predicted != labels)
    )
    wrong.sort(key=lambda index: -float(sure[index]))

    def example(index: int) -> Example:
        label = int(labels[index])
        return Example(
            index=index,
            label=label,
            predicted=int(predicted[index]),
            probability=float(sure[index]),
            of_label=float(probabilities[index, label]),
            png=_png(images[index]),
        )

    chosen = Examples(
        name=name,
        right=[example(index) for index in _of_many_classes(right, labels)[:EACH]],
        wrong=[example(index) for index in wrong[:EACH]],
    )
    write_text(path, chosen.model_dump_json(indent=1) + "\n")


def _of_many_classes(indices: list[int], labels: Tensor) -> list[int]:
    """In rounds over the classes, each image once."""
    seen: dict[int, int] = {}
    rounds = []
    for index in indices:
        label = int(labels[index])
        rounds.append((seen.get(label, 0), index))
        seen[label] = seen.get(label, 0) + 1
    return [index for _, index in sorted(rounds)]


def _png(image: Tensor) -> str:
    pixels = (as_float(image).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((_SIDE, _SIDE))
    file = BytesIO()
    picture.save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()
