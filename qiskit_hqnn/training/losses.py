"""Losses by their words, and what a network's outputs are under each: logits or probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from qiskit_hqnn._checks import check_choice
from qiskit_hqnn.errors import HQNNError

LossWord: TypeAlias = Literal["cross-entropy", "nll", "negative-probability", "bce", "mse"]


@dataclass(frozen=True)
class Loss:
    """A loss: outputs (batch, classes) and labels (batch,) to their mean.

    Args:
        word: "cross-entropy" (of logits); "nll" (−log p of log-probabilities, as torch's NLLLoss);
            "negative-probability" (−p of probabilities); "bce" (binary cross-entropy of logits, each class against all
            others); "mse" (squared distance from 1 for the label and 0 for all others).
        class_weights: one for each class, for "cross-entropy", "nll" and "bce"; means are weighted, as torch's are.
        label_smoothing: share of a label that goes to all classes alike, for "cross-entropy" and "bce".

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

    def __post_init__(self) -> None:
        check_choice("loss", self.word, get_args(LossWord))
        check_fits(self.word, self.class_weights is not None, bool(self.label_smoothing))

    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
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
        """What the mean over images with these labels is divided by: their number, or the sum of their weights."""
        if self.class_weights is None or self.word == "bce":
            return torch.tensor(float(len(labels)), device=labels.device)
        return torch.tensor(self.class_weights, device=labels.device)[labels].sum()

    def probabilities(self, outputs: Tensor) -> Tensor:
        """What outputs (…, classes) say of each class; they add up to 1, but for "bce", where each is by itself."""
        if self.word == "negative-probability":
            return outputs
        if self.word == "mse":
            positive = outputs.clamp_min(0) + torch.finfo(outputs.dtype).tiny
            return positive / positive.sum(dim=-1, keepdim=True)
        return {"nll": torch.exp, "bce": torch.sigmoid}.get(self.word, _softmax)(outputs)


def _softmax(outputs: Tensor) -> Tensor:
    return outputs.softmax(dim=-1)


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


def balanced_weights(counts: Sequence[int]) -> tuple[float, ...]:
    """Weights of classes that make each count alike: images / (classes · images of the class).

    Raises:
        HQNNError: if a class has no image.
    """
    if min(counts) < 1:
        raise HQNNError(
            f"Balanced class weights take an image of each class, but class {counts.index(0)} has none."
        )
    return tuple(sum(counts) / (len(counts) * count) for count in counts)
