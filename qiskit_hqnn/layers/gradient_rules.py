"""Gradient rules for circuits that can only be sampled: which shifts to evaluate, and how to combine them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lcm, pi, sqrt
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import torch

from qiskit_hqnn.circuits import Template
from qiskit_hqnn.errors import HQNNError

GRADIENTS = ("autograd", "parameter-shift", "random-shift", "spsa")
"""The words for a gradient rule; autograd needs the exact simulator."""

_C_PLUS, _C_MINUS = (sqrt(2) + 1) / (4 * sqrt(2)), (sqrt(2) - 1) / (4 * sqrt(2))


@dataclass(frozen=True)
class ParameterShift:
    """The exact rule of every gate with separate shots; the word "parameter-shift" uses the layer's.

    Attributes:
        shots: samples per shifted circuit; None is the number for the plain one. One must divide the other.

    Raises:
        HQNNError: if shots are not a whole number of at least 1.
    """

    shots: int | None = None
    word: ClassVar[str] = "parameter-shift"

    def __post_init__(self) -> None:
        _check_count("ParameterShift's `shots`", self.shots, or_none=True)


@dataclass(frozen=True)
class RandomShift:
    """An unbiased random part of the parameter shifts; the word "random-shift" uses these defaults.

    A step costs 1 + 2 · pairs evaluations per sample and copy, whatever the number of angles; `all_inputs`
    adds those of the inputs' angles.

    Attributes:
        pairs: pairs of shifted evaluations (θ ± s), drawn separately for each sample.
        all_inputs: whether all angles that depend on inputs are shifted, and only the others at random. The preceding
            layers learn from these alone, and a sample has fewer inputs than weights.
        shots: as in `ParameterShift`.

    Raises:
        HQNNError: if one of them is not a whole number of at least 1.
    """

    pairs: int = 4
    all_inputs: bool = False
    shots: int | None = None
    word: ClassVar[str] = "random-shift"

    def __post_init__(self) -> None:
        _check_count("RandomShift's `pairs`", self.pairs)
        if not isinstance(self.all_inputs, bool):
            raise HQNNError(f"RandomShift's `all_inputs` must be True or False, but is {self.all_inputs!r}.")
        _check_count("RandomShift's `shots`", self.shots, or_none=True)


@dataclass(frozen=True)
class SPSA:
    """Simultaneous perturbation with custom settings; the word "spsa" uses these defaults.

    Attributes:
        step: perturbation of every angle in radians, from above 0 to π/2. The bias grows with its square, the shot
            noise with its inverse.
        repeats: random directions per sample, two evaluations each; the variance falls with their number.
        shots: as in `ParameterShift`.

    Raises:
        HQNNError: if one of them is out of range.

    Example:
        >>> SPSA(step=0.1, repeats=2)
        SPSA(step=0.1, repeats=2, shots=None)
    """

    step: float = 0.15
    repeats: int = 4
    shots: int | None = None
    word: ClassVar[str] = "spsa"

    def __post_init__(self) -> None:
        number = isinstance(self.step, int | float) and not isinstance(self.step, bool)
        if not number or not 0 < self.step <= pi / 2:
            raise HQNNError(
                f"SPSA's `step` must be a number above 0 and at most π/2 (radians), but is {self.step!r}."
            )
        _check_count("SPSA's `repeats`", self.repeats)
        _check_count("SPSA's `shots`", self.shots, or_none=True)


Rule: TypeAlias = ParameterShift | RandomShift | SPSA
"""A gradient rule that shifts angles, with its settings."""

Gradient: TypeAlias = str | Rule
"""A word of `GRADIENTS`, or a rule with settings."""

_RULES: dict[str, type[Rule]] = {rule.word: rule for rule in (ParameterShift, RandomShift, SPSA)}


def _check_count(name: str, value: object, or_none: bool = False) -> None:
    if (value is None and or_none) or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return
    raise HQNNError(f"{name} must be a whole number of at least 1, but is {value!r}.")


@dataclass(frozen=True)
class Shifts:
    """A batch's shifted evaluations and their combination to derivatives.

    Attributes:
        offsets: array of shape (N or 1, S, K), added to each sample's K angles; S = 0 means no gradient.
        combine: array of shape (N or 1, S, K): dE/dθ_k = Σ_s combine[s, k] E(θ + offsets[s]).
        plain, each: how often the unshifted set and every shifted one are sent, if their shots differ: their means have
            this many times the shots of a set.
    """

    offsets: np.ndarray
    combine: np.ndarray
    plain: int = 1
    each: int = 1

    @property
    def num_sets(self) -> int:
        """Sets that are sent per sample."""
        return self.plain + self.each * self.offsets.shape[1]

    def sets(self, angles: np.ndarray) -> np.ndarray:
        """All sets (N, 1 + S, K) that are evaluated for the angles (N, K): unshifted, then shifted."""
        plain = angles[:, None, :]
        shifted = plain + self.offsets
        if self.plain > 1 or self.each > 1:
            plain, shifted = plain.repeat(self.plain, axis=1), shifted.repeat(self.each, axis=1)
        return np.concatenate([plain, shifted], axis=1)

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (N, O) of the unshifted sets and (N, S, O) of the shifted ones, from those of all `sets`."""
        plain, shifted = values[:, : self.plain], values[:, self.plain :]
        if self.each > 1:
            samples, sets, outputs = shifted.shape
            shifted = shifted.reshape(samples, sets // self.each, self.each, outputs).mean(axis=2)
        return plain[:, 0] if self.plain == 1 else plain.mean(axis=1), shifted

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
        wanted: mask of shape (K,) of the angles whose derivative is needed; the others cost nothing.
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

    Every sample gets a separate random direction Δ ∈ {−1, +1}^K, so a batch averages over many of them; the directions
    come from torch's global generator and follow its seed.

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


def random_shift(
    template: Template,
    wanted: np.ndarray,
    samples: int,
    settings: RandomShift,
    inputs: np.ndarray | None = None,
) -> Shifts:
    """A random part of the parameter shifts of every sample, each divided by the probability that it is drawn.

    A pair of shifts ±s is drawn with a probability in proportion to its coefficient, `pairs` of them in all, by
    systematic sampling in a random order (Madow 1949): of equal coefficients every subset is equally likely. The
    expectation is parameter shift's derivative exactly (Horvitz and Thompson 1952). Randomness as in `spsa`.

    Args:
        template: the circuit over its angles.
        wanted: mask of shape (K,): the angles whose derivative is needed.
        samples: N.
        settings: number of pairs; if there are no more, all are evaluated.
        inputs: mask of shape (K,): the angles that depend on inputs, for `all_inputs`.
    """
    whole = parameter_shift(template, wanted)
    # Rows come in pairs of +s and -s of one angle.
    offsets, combine = whole.offsets[0].reshape(-1, 2, template.num_angles), whole.combine[0]
    combine = combine.reshape(offsets.shape)
    certain = np.zeros(len(offsets), dtype=bool)
    if settings.all_inputs and inputs is not None:
        certain = (offsets[:, 0, inputs] != 0).any(axis=1)
    if settings.pairs >= (~certain).sum():
        return whole
    likely, drawn = np.ones(len(offsets)), np.flatnonzero(~certain)
    likely[drawn] = _inclusion(np.abs(combine[drawn, 0]).sum(axis=1), settings.pairs)
    chosen = np.concatenate(
        [
            np.broadcast_to(np.flatnonzero(certain), (samples, certain.sum())),
            drawn[_systematic(likely[drawn], settings.pairs, samples)],
        ],
        axis=1,
    )
    shape = (samples, 2 * chosen.shape[1], template.num_angles)
    weighted = combine[chosen] / likely[chosen][..., None, None]
    return Shifts(offsets[chosen].reshape(shape), weighted.reshape(shape))


def _systematic(likely: np.ndarray, number: int, samples: int) -> np.ndarray:
    """Indices (samples, number), drawn without replacement, each with its probability."""
    order = torch.rand(samples, len(likely), dtype=torch.float64).argsort(dim=1).numpy()
    ends = likely[order].cumsum(axis=1) + torch.rand(samples, 1, dtype=torch.float64).numpy()
    # The last end is a whole number above the first: rounding must not add or drop a pair.
    first = np.floor(ends[:, :1] - likely[order[:, :1]] + 1e-12)
    ends = np.minimum(np.floor(ends + 1e-12), first + number)
    ends[:, -1:] = first + number
    return order[np.diff(ends, axis=1, prepend=first) > 0].reshape(samples, number)


def _inclusion(sizes: np.ndarray, number: int) -> np.ndarray:
    """Probabilities in proportion to sizes, at most 1, that add up to a number of draws."""
    certain = np.zeros(len(sizes), dtype=bool)
    while True:
        open_ = ~certain
        likely = np.where(certain, 1.0, sizes * (number - certain.sum()) / sizes[open_].sum())
        over = open_ & (likely > 1.0)
        if not over.any():
            return likely
        certain |= over


def shifts_for(
    rule: Rule, template: Template, wanted: np.ndarray, samples: int, inputs: np.ndarray
) -> Shifts:
    """The shifts of a rule; none if no derivative is needed. `inputs` masks the angles that depend on inputs."""
    if not wanted.any():
        nothing = np.zeros((1, 0, template.num_angles))
        return Shifts(nothing, nothing)
    if isinstance(rule, SPSA):
        return spsa(template, wanted, samples, rule)
    if isinstance(rule, RandomShift):
        return random_shift(template, wanted, samples, rule, inputs)
    return parameter_shift(template, wanted)


def own_shots(rule: Rule, shifts: Shifts, shots: int | None) -> tuple[Shifts, int | None]:
    """Shots per set of a PUB if a rule has separate shots, and how often each set is then sent.

    Args:
        rule: the rule.
        shifts: of a step.
        shots: of the plain circuit.

    Raises:
        HQNNError: if the plain circuit's shots are not known, or neither number is a multiple of the other.
    """
    if rule.shots is None or not shifts.offsets.shape[1] or rule.shots == shots:
        return shifts, shots
    if shots is None:
        raise HQNNError(
            f"A gradient rule with separate shots ({rule.shots}) needs the layer's as well: give it `shots`."
        )
    fewer = min(shots, rule.shots)
    if lcm(shots, rule.shots) != max(shots, rule.shots):
        raise HQNNError(
            f"Shots of a gradient rule and of the plain circuit must be multiples of each other, but are {rule.shots} "
            f"and {shots}."
        )
    return replace(shifts, plain=shots // fewer, each=rule.shots // fewer), fewer


def in_words(rule: Gradient) -> str:
    """A rule as shown to users: its word, unless it has custom settings."""
    return "parameter-shift" if rule == ParameterShift() else str(rule)


def check_gradient(rule: Gradient | None, exact: bool) -> Literal["autograd"] | Rule:
    """The rule that a layer uses: the requested one, or the default for where it runs; words with their settings.

    Raises:
        HQNNError: if the word is unknown, or autograd is requested off the exact simulator.
    """
    if rule is None:
        return "autograd" if exact else ParameterShift()
    if isinstance(rule, Rule):
        return rule
    if rule not in GRADIENTS:
        raise HQNNError(
            f"Argument `gradient` must be one of {', '.join(map(repr, GRADIENTS))}, or ParameterShift(shots), "
            f"RandomShift(pairs, shots) or SPSA(step, repeats, shots), but is {rule!r}."
        )
    if rule in _RULES:
        made: Rule = _RULES[rule]()
        return made
    if not exact:
        raise HQNNError(
            "Argument `gradient` is 'autograd', which needs the exact simulator; with an estimator or sampler it must "
            "be 'parameter-shift', 'random-shift' or 'spsa'."
        )
    return "autograd"
