"""Losses by their words, and what a network's outputs mean for each: logits, probabilities or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from qiskit_hqnn._checks import check_choice
from qiskit_hqnn.data import Targets
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.training.scores import ACCURACY, R2, Score

LossWord: TypeAlias = Literal["cross-entropy", "nll", "negative-probability", "bce", "mse"]


@dataclass(frozen=True)
class Loss:
    """A loss: from outputs (batch, classes) and labels (batch,) to their mean loss.

    Args:
        word: "cross-entropy" (of logits); "nll" (−log p of log-probabilities, as torch's NLLLoss);
            "negative-probability" (−p of probabilities); "bce" (binary cross-entropy of logits, each class against all
            others); "mse" (squared distance from 1 for the label and 0 for all others; of targets from their values).
        class_weights: one for each class, for "cross-entropy", "nll" and "bce"; means are weighted, as torch's are.
        label_smoothing: share of a label that goes to all classes alike, for "cross-entropy" and "bce".
        targets: the numbers (batch, K) that labels are, for "mse"; None where they are classes. Outputs (batch, K) are
            standardised ones, and so is the loss.

    Example:
        >>> import torch
        >>> Loss("negative-probability")(torch.tensor([[0.25, 0.75]]), torch.tensor([1])).item()
        -0.75

    Raises:
        HQNNError: if the word is unknown, or does not take the others.
    """

    word: str = "cross-entropy"
    class_weights: tuple[float, ...] | None = None
    label_smoothing: float = 0.0
    targets: Targets | None = None

    def __post_init__(self) -> None:
        check_choice("loss", self.word, get_args(LossWord))
        check_fits(self.word, self.class_weights is not None, bool(self.label_smoothing))
        if self.targets is not None and self.word != "mse":
            raise HQNNError(
                f"Numbers are learned with the loss 'mse', but the loss is {self.word!r}, of classes."
            )

    @property
    def score(self) -> Score:
        """The score of a network with this loss."""
        return ACCURACY if self.targets is None else R2

    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
        if self.targets is not None:
            return functional.mse_loss(outputs, self.targets.standardised(labels))
        weights = None if self.class_weights is None else outputs.new_tensor(self.class_weights)
        if self.word == "cross-entropy":
            return functional.cross_entropy(outputs, labels, weights, label_smoothing=self.label_smoothing)
        if self.word == "nll":
            return functional.nll_loss(outputs, labels, weights)
        if self.word == "negative-probability":
            return -outputs.gather(1, labels[:, None]).mean()
        targets = functional.one_hot(labels, outputs.shape[1]).to(outputs)
        if self.word == "mse":
            return functional.mse_loss(outputs, targets)
        targets = targets * (1 - self.label_smoothing) + self.label_smoothing / outputs.shape[1]
        return functional.binary_cross_entropy_with_logits(outputs, targets, weights)

    def size(self, labels: Tensor) -> Tensor:
        """The divisor of the mean over images with these labels: their number, or the sum of their weights."""
        if self.class_weights is None or self.word == "bce":
            return torch.tensor(float(len(labels)), device=labels.device)
        return torch.tensor(self.class_weights, device=labels.device)[labels].sum()

    def answers(self, outputs: Tensor) -> Tensor:
        """The meaning of outputs (batch, …): probabilities of classes, or numbers in their own units."""
        return self.probabilities(outputs) if self.targets is None else self.targets.in_units(outputs)

    def tally(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The sums over batches for the score: the number of right ones; for numbers three sums each."""
        if self.targets is None:
            return (outputs.detach().argmax(dim=1) == labels).sum()
        wanted = self.targets.standardised(labels).double()
        squares = (outputs.detach().double() - wanted).square()
        return torch.stack([squares.sum(0), wanted.sum(0), wanted.square().sum(0)])

    def nothing(self) -> Tensor:
        """The tally of no image."""
        return torch.zeros(()) if self.targets is None else torch.zeros(3, len(self.targets.names)).double()

    def score_of(self, tally: Tensor, images: float) -> float:
        """The score by a tally of this many images: accuracy, or the mean R² of the numbers; NaN if it has none."""
        if self.targets is None:
            return float(tally) / images
        squares, total, total_of_squares = tally
        return float((1 - squares / (total_of_squares - total.square() / images)).mean())

    def rank(self, loss: float, score: float) -> float:
        """The rank of an epoch: the highest one is best."""
        return rank(loss, score if self.targets is None else None)

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Probabilities of classes from outputs (…, classes); they add up to 1, except for "bce"."""
        if self.word == "negative-probability":
            return outputs
        if self.word == "mse":
            positive = outputs.clamp_min(0) + torch.finfo(outputs.dtype).tiny
            return positive / positive.sum(dim=-1, keepdim=True)
        return {"nll": torch.exp, "bce": torch.sigmoid}.get(self.word, _softmax)(outputs)


def _softmax(outputs: Tensor) -> Tensor:
    return outputs.softmax(dim=-1)


def rank(loss: float, accuracy: float | None) -> float:
    """The rank of an epoch by its figures on validation images.

    Among equally accurate epochs the one of lowest loss is best, not the first: on few images many reach 100 % long
    before training is done. The loss is weighted by 1e-5, so it decides no other pair. For numbers only the loss
    decides.
    """
    return -loss if accuracy is None else accuracy - 1e-5 * min(loss, 5.0)


def check_fits(word: str, has_weights: bool, smooths: bool) -> None:
    """Raises HQNNError if a loss takes no class weights, or no label smoothing."""
    for given, name, takers in (
        (has_weights, "class_weights", ("cross-entropy", "nll", "bce")),
        (smooths, "label_smoothing", ("cross-entropy", "bce")),
    ):
        if given and word not in takers:
            raise HQNNError(
                f"{name} goes with loss = {', '.join(map(repr, takers))}, but the loss is {word!r}."
            )


def loss_of(model: nn.Module) -> Loss:
    """The loss that a model is trained with: its attribute `loss`, a word or a `Loss`."""
    loss = getattr(model, "loss", "cross-entropy")
    return loss if isinstance(loss, Loss) else Loss(loss)


def check_classes(model: nn.Module, what: str) -> None:
    """Raises HQNNError if a model answers numbers, where `what` ("A confidence is of a class") needs classes."""
    targets = loss_of(model).targets
    if targets is not None:
        raise HQNNError(f"{what}, but this network answers numbers ({', '.join(targets.names)}).")


def balanced_weights(counts: Sequence[int]) -> tuple[float, ...]:
    """Weights that give each class the same influence: images / (classes · images of the class).

    Raises:
        HQNNError: if a class has no image.
    """
    if min(counts) < 1:
        raise HQNNError(
            f"Balanced class weights need an image of each class, but class {counts.index(0)} has none."
        )
    return tuple(sum(counts) / (len(counts) * count) for count in counts)
