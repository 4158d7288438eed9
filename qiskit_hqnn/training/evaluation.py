"""A trained network on a set of images: predictions and their metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torchmetrics.functional.classification import multiclass_confusion_matrix, multiclass_f1_score

from qiskit_hqnn.data import ImageSet, as_float
from qiskit_hqnn.training.losses import Loss, loss_of
from qiskit_hqnn.training.regression import Regression, judge_numbers

TEST_BATCH = 512
"""Images that are evaluated at once; off the simulator they are sent as one PUB."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Outputs of a network on N labelled images.

    Attributes:
        outputs: logits or probabilities, (N, classes).
        labels: (N,).
        loss: mean loss; None if outputs are not samples of it, as for images that were decided in rounds.
        accuracy: share of images whose largest output is the label's.
        macro_f1: mean of the classes' F1 scores.
        confusion: counts (classes, classes), rows by true label.
    """

    outputs: Tensor
    labels: Tensor
    loss: float | None
    accuracy: float
    macro_f1: float
    confusion: Tensor

    def summary(self) -> dict[str, object]:
        """The content of metrics.json; the interval is Wilson's at 95 %."""
        low, high = wilson_interval(round(self.accuracy * len(self.labels)), len(self.labels))
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": [low, high],
            "loss": self.loss,
            "macro_f1": self.macro_f1,
            "images": len(self.labels),
            "confusion": self.confusion.tolist(),
        }


Judged: TypeAlias = Evaluation | Regression
"""The result of a test set: of classes, or of numbers."""


def evaluate(model: nn.Module, images: ImageSet, batch_size: int = TEST_BATCH) -> Judged:
    """Run a model over images, in evaluation mode and without gradients, wherever its quantum layer runs."""
    outputs = outputs_of(model, images.images, batch_size)
    return judge(outputs, images.labels, loss_of(model))


def outputs_of(model: nn.Module, images: Tensor, batch_size: int = TEST_BATCH) -> Tensor:
    """A model's outputs (N, classes) on images (N, …), bytes or floats; in evaluation mode and without gradients."""
    was_training = model.training
    device = next(model.parameters()).device
    model.eval()
    try:
        with torch.no_grad():
            outputs = [model(as_float(batch).to(device)).cpu() for batch in images.split(batch_size)]
    finally:
        model.train(was_training)
    return torch.cat(outputs)


def judge(outputs: Tensor, labels: Tensor, loss: Loss) -> Judged:
    """The metrics of outputs (N, classes) for labels (N,), or (N, K) for numbers (N, K)."""
    if loss.targets is not None:
        return judge_numbers(outputs, labels, loss)
    classes = outputs.shape[1]
    predicted = outputs.argmax(dim=1)
    return Evaluation(
        outputs,
        labels,
        loss=loss(outputs, labels).item(),
        accuracy=(predicted == labels).double().mean().item(),
        macro_f1=multiclass_f1_score(predicted, labels, classes, average="macro").item(),
        confusion=multiclass_confusion_matrix(predicted, labels, classes),
    )


def wilson_interval(successes: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, eq. (1)), which stays in [0, 1] for shares near its ends."""
    share, scale = successes / total, 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z / scale * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
