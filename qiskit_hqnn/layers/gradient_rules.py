"""Gradient rules for circuits that can only be sampled: which shifts to evaluate, and how to combine them."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch

from qiskit_hqnn.circuits import Template
from qiskit_hqnn.errors import HQNNError

GRADIENTS = ("autograd", "parameter-shift", "spsa")
"""The words for a gradient rule; autograd needs the exact simulator."""

_C_PLUS, _C_MINUS = (sqrt(2) + 1) / (4 * sqrt(2)), (sqrt(2) - 1) / (4 * sqrt(2))


@dataclass(frozen=True)
class SPSA:
    """Simultaneous perturbation with settings of one's own, where the word "spsa" takes these defaults.

    Attributes:
        step: perturbation of every angle in radians, from above 0 to π/2. The bias grows with its square, the shot
            noise with its inverse.
        repeats: random directions a sample, two evaluations each; the variance falls with their number.

    Raises:
        HQNNError: if one of them is out of range.
    """

    step: float = 0.15
    repeats: int = 4

    def __post_init__(self) -> None:
        number = isinstance(self.step, int | float) and not isinstance(self.step, bool)
        if not number or not 0 < self.step <= pi / 2:
            raise HQNNError(
                f"SPSA's `step` must be a number above 0 and at most π/2 (radians), but is {self.step!r}."
            )
        if not isinstance(self.repeats, int) or isinstance(self.repeats, bool) or self.repeats < 1:
            raise HQNNError(
                f"SPSA's `repeats` must be a whole number of at least 1, but is {self.repeats!r}."
            )


@dataclass(frozen=True)
class Shifts:
    """A batch's shifted evaluations and their combination to derivatives.

    Attributes:
        offsets: array of shape (N or 1, S, K): what is added to each sample's K angles; S = 0 means no gradient.
        combine: array of shape (N or 1, S, K): dE/dθ_k = Σ_s combine[s, k] E(θ + offsets[s]).
    """

    offsets: np.ndarray
    combine: np.ndarray

    def sets(self, angles: np.ndarray) -> np.ndarray:
        """All sets (N, 1 + S, K) that are evaluated for the angles (N, K): as they are, then shifted."""
        return np.concatenate([angles[:, None, :], angles[:, None, :] + self.offsets], axis=1)

    def jacobian(self, values: np.ndarray) -> np.ndarray:
        """Derivatives (N, O, K) from the values (N, S, O) of the shifted evaluations."""
        combine = np.broadcast_to(self.combine, (len(values), *self.combine.shape[1:]))
        return np.matmul(values.transpose(0, 2, 1), combine)


def parameter_shift(template: Template, wanted: np.ndarray) -> Shifts:
    """The exact rule of every gate: two terms for one frequency, four for a controlled rotation.

    dE/dθ = [E(θ + π/2) − E(θ − π/2)] / 2 (Schuld et al. 2019, arXiv:1811.11184, eq. (9)); for frequencies 1/2 and 1,
    c₊[E(θ + π/2) − E(θ − π/2)] − c₋[E(θ + 3π/2) − E(θ − 3π/2)], c± = (√2 ± 1)/(4√2) (Anselmetti et al. 2021,
    arXiv:2104.05695, eq. (10)).

    Args:
        template: the circuit over its angles.
        wanted: mask of shape (K,): the angles whose derivative is needed; the others cost nothing.
    """
    rows: list[tuple[int, float, float]] = []
    for angle in np.flatnonzero(wanted).tolist():
        if template.terms[angle] == 2:
            rows += [(angle, pi / 2, 0.5), (angle, -pi / 2, -0.5)]
        else:
            rows += [(angle, pi / 2, _C_PLUS), (angle, -pi / 2, -_C_PLUS)]
            rows += [(angle, 3 * pi / 2, -_C_MINUS), (angle, -3 * pi / 2, _C_MINUS)]
    offsets = np.zeros((1, len(rows), template.num_angles))
    combine = np.zeros_like(offsets)
    for index, (angle, shift, coefficient) in enumerate(rows):
        offsets[0, index, angle] = shift
        combine[0, index, angle] = coefficient
    return Shifts(offsets, combine)


def spsa(template: Template, wanted: np.ndarray, samples: int, settings: SPSA) -> Shifts:
    """Simultaneous perturbation: 2 · repeats evaluations whatever the number of angles (Spall 1992, eq. (2.2)).

    Every sample gets its own random direction Δ ∈ {−1, +1}^K, so that a batch averages over many of them; the
    directions come from torch's global generator and follow its seed.

    Args:
        template: the circuit over its angles.
        wanted: mask of shape (K,): the angles that are perturbed.
        samples: N.
        settings: step and repeats.
    """
    step, repeats = settings.step, settings.repeats
    directions = torch.randint(0, 2, (samples, repeats, template.num_angles)).numpy() * 2.0 - 1.0
    directions *= wanted
    offsets = step * np.concatenate([directions, -directions], axis=1)
    combine = np.concatenate([directions, -directions], axis=1) / (2 * step * repeats)
    return Shifts(offsets, combine)


def shifts_for(rule: str | SPSA, template: Template, wanted: np.ndarray, samples: int) -> Shifts:
    """The shifts of a rule; none where no derivative is wanted."""
    if not wanted.any():
        nothing = np.zeros((1, 0, template.num_angles))
        return Shifts(nothing, nothing)
    if isinstance(rule, SPSA):
        return spsa(template, wanted, samples, rule)
    return parameter_shift(template, wanted)


def check_gradient(rule: str | SPSA | None, exact: bool) -> str | SPSA:
    """The rule that a layer uses: what was asked for, or the natural one for where it runs; "spsa" with its settings.

    Raises:
        HQNNError: if the word is unknown, or autograd is asked for off the exact simulator.
    """
    if rule is None:
        return "autograd" if exact else "parameter-shift"
    if isinstance(rule, SPSA):
        return rule
    if rule not in GRADIENTS:
        raise HQNNError(
            f"Argument `gradient` must be one of {', '.join(map(repr, GRADIENTS))} or SPSA(step, repeats), but is "
            f"{rule!r}."
        )
    if rule == "spsa":
        return SPSA()
    if rule == "autograd" and not exact:
        raise HQNNError(
            "Argument `gradient` is 'autograd', which needs the exact simulator; with an estimator or sampler it must "
            "be 'parameter-shift' or 'spsa'."
        )
    return rule
