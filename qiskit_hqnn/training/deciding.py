"""As few shots as a decision needs: images are sent to a device in rounds, until their class is certain enough.

After each round the standard errors of the layer's outputs are propagated through the classical head, to first order,
to the margins between the best class and every other one. An image is decided when the chance that the rest of the full
budget would change any of their signs is below what is left for the round; the others get more shots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from qiskit.primitives.containers import DataBin
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from torch import Tensor

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer

Ask = Callable[[EstimatorPub, int], DataBin]
"""From a round's PUB and its number, from 1, to its measured `evs` and `stds`, in the PUB's shape."""

_FIRST = 32
"""Part of the full budget in the first round; each further round doubles an image's shots."""

_LEAST = 16
"""Fewest shots of the first round: with fewer, the normal approximation does not hold."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """The results of the rounds.

    Attributes:
        outputs: of the network, (N, classes), each image's with the shots that it had.
        means: of the layer's outputs, (N, F), over these shots.
        shots: of each image, (N,).
        rounds: their number.
        open: images that the full budget does not decide either, (N,).
    """

    outputs: Tensor
    means: np.ndarray
    shots: np.ndarray
    rounds: int
    open: np.ndarray


def check_confidence(confidence: float) -> float:
    """Raises HQNNError if a confidence is not a number between 0.5 and 1."""
    number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    if not number or not 0.5 < confidence < 1:
        raise HQNNError(
            f"Argument `confidence` must be above 0.5 and below 1, such as 0.99, but is {confidence!r}."
        )
    return float(confidence)


def budgets(shots: int) -> list[int]:
    """Shots that an image has had after each round, up to the full budget.

    >>> budgets(1000)
    [32, 64, 128, 256, 512, 1000]
    """
    check_integer("shots", shots, 1)
    known = [min(shots, max(_LEAST, ceil(shots / _FIRST)))]
    while 2 * known[-1] < shots:
        known.append(2 * known[-1])
    return known if known[-1] == shots else [*known, shots]


def decide(
    layer: QuantumLayer,
    decode: Callable[[Tensor], Tensor],
    features: Tensor,
    ask: Ask,
    shots: int,
    confidence: float,
) -> Decisions:
    """Classify images in rounds.

    Estimates of stopped images are biased: they stopped because their margin looked large. Only their class is valid;
    their outputs are not samples of a loss.

    Args:
        layer: expectation values, with trained weights.
        decode: the classical head, from the layer's outputs (N, F) to logits or probabilities (N, classes).
        features: inputs of the layer, (N, I).
        ask: measures a round.
        shots: full budget of an image, in samples per expectation value.
        confidence: probability that a decision is the one of the full budget.

    Raises:
        HQNNError: if the confidence is not between 0.5 and 1, or shots are not a positive number.
    """
    plan = budgets(shots)
    # Every look is a further chance of an error.
    allowed = (1 - check_confidence(confidence)) / len(plan)
    number = len(features)
    means, variances, had = (np.zeros((0,)), np.zeros((0,)), np.zeros(number, dtype=int))
    outputs: Tensor | None = None
    open_ = np.arange(number)
    rounds = 0
    for budget in plan:
        if not len(open_):
            break
        rounds += 1
        more = budget - int(had[open_[0]])
        evs, errors = _measured(layer, features[open_], ask, more, rounds)
        if outputs is None:
            means, variances = np.zeros((number, evs.shape[1])), np.zeros((number, evs.shape[1]))
        before, share = (budget - more) / budget, more / budget
        means[open_] = before * means[open_] + share * evs
        variances[open_] = before**2 * variances[open_] + share**2 * errors**2
        had[open_] = budget
        # Measured shots count in the full budget, too: only the rest of it can change a class. After the last round the
        # question is whether any number of shots would.
        left = 1 - budget / shots if budget < shots else 1.0
        values, doubt = _doubts(decode, torch.from_numpy(means[open_]).to(features), left * variances[open_])
        if outputs is None:
            outputs = values.new_zeros(number, values.shape[1])
        outputs[open_] = values
        open_ = open_[doubt > allowed]
    assert outputs is not None
    undecided = np.zeros(number, dtype=bool)
    undecided[open_] = True
    return Decisions(outputs, means, had, rounds, undecided)


def with_full_budget(
    layer: QuantumLayer,
    decode: Callable[[Tensor], Tensor],
    features: Tensor,
    decisions: Decisions,
    ask: Ask,
    shots: int,
) -> Tensor:
    """Outputs (N, classes) of the network if no image were stopped: each gets the rest of the full budget.

    Args as in `decide`, which made the decisions.
    """
    means = decisions.means.copy()
    for had in np.unique(decisions.shots[decisions.shots < shots]):
        rows = np.flatnonzero(decisions.shots == had)
        evs, _ = _measured(layer, features[rows], ask, shots - int(had), 0)
        means[rows] = (had * means[rows] + (shots - had) * evs) / shots
    with torch.no_grad():
        return decode(torch.from_numpy(means).to(features))


def _measured(
    layer: QuantumLayer, features: Tensor, ask: Ask, shots: int, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """The layer's outputs (N, F) by one round, and their standard errors."""
    with torch.no_grad():
        data = ask(layer.pub(features, shots=shots), number)
        evs = layer.outputs(data.evs, len(features)).double().cpu().numpy()
        errors = layer.outputs(data.stds, len(features)).double().cpu().numpy()
    # A few equal outcomes have no spread, but are not certain: it is as if two different ones had been seen.
    scale = np.abs(layer.outputs(np.ones_like(data.evs), len(features)).double().cpu().numpy())
    return evs, np.maximum(np.abs(errors), scale * np.sqrt(4.0 * (shots + 1)) / (shots + 2) ** 1.5)


def _doubts(
    decode: Callable[[Tensor], Tensor], means: Tensor, variances: np.ndarray
) -> tuple[Tensor, np.ndarray]:
    """Outputs (N, classes) of the network, and for each image a bound on the probability that a different class is
    best.

    The errors of outputs count as independent; those of one circuit are not quite.
    """
    means = means.detach().requires_grad_()
    with torch.enable_grad():
        values = decode(means)
        slopes = torch.stack(
            [
                torch.autograd.grad(values[:, index].sum(), means, retain_graph=True)[0]
                for index in range(values.shape[1])
            ],
            dim=1,
        )
    values, slopes = values.detach().double(), slopes.double()
    best = values.argmax(dim=1)
    rows = torch.arange(len(values))
    margins = values[rows, best][:, None] - values
    spread = (slopes[rows, best][:, None, :] - slopes).square() @ torch.from_numpy(variances)[:, :, None]
    # Without uncertainty a positive margin is decided, and a tie is not.
    ratio = margins / spread[..., 0].sqrt().clamp_min(1e-300)
    chances = torch.special.ndtr(-ratio)
    chances[rows, best] = 0.0
    return values, chances.sum(dim=1).numpy()
