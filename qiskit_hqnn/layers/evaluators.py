"""How a layer's outputs are computed, behind one interface: exactly with autograd, or by shifts of sampled circuits."""

from __future__ import annotations

import math
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.errors import ShapeError
from qiskit_hqnn.layers.gradient_rules import (
    Gradient,
    ParameterShift,
    Rule,
    Shifts,
    check_gradient,
    own_shots,
    shifts_for,
)
from qiskit_hqnn.layers.packed import Evaluate, PackedEvaluation, evaluate_packed
from qiskit_hqnn.layers.quantities import Exact, Quantity
from qiskit_hqnn.layers.runs_on import NoisyPlace, Place, is_noise_free

_SETS_AT_ONCE = 512


class Evaluator(Protocol):
    """Outputs of a layer and their derivatives, at one place by one gradient rule; immutable.

    Attributes:
        quantity: what the outputs are.
        place: what it runs on: None (exactly), a `NoisyPlace` (exactly under its noise), or a primitive.
        shots: samples per output; None leaves the primitive's default. Exact values have None.
    """

    quantity: Quantity
    place: Place
    shots: int | None

    @property
    def rule(self) -> Gradient:
        """The gradient rule."""

    def evaluate(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Outputs (..., copies · O) of inputs (..., copies · I) and weights (copies · W,), differentiable in both."""

    def jacobians(
        self, inputs: Tensor, weights: Tensor, of_inputs: bool
    ) -> tuple[np.ndarray | None, np.ndarray]:
        """Derivatives (batch, *outputs, P) with respect to copies · I inputs, if needed, and copies · W weights."""


class ExactEvaluator:
    """Exact values, with or without a device's noise, differentiated by autograd: an `Evaluator`."""

    rule: Gradient = "autograd"
    shots: int | None = None

    def __init__(self, quantity: Quantity, noise: NoisyPlace | None, compile: bool) -> None:
        self.quantity, self.place, self._compile = quantity, noise, compile
        self._program: Exact | None = None

    def evaluate(self, inputs: Tensor, weights: Tensor) -> Tensor:
        if self._program is None:
            self._program = self.quantity.exact(self.place, self._compile)
        try:
            return self._program(inputs, weights)
        except RuntimeError as error:
            if not within_transform(error):
                raise
        return self.quantity.in_operators(self.place)(inputs, weights)

    def jacobians(
        self, inputs: Tensor, weights: Tensor, of_inputs: bool
    ) -> tuple[np.ndarray | None, np.ndarray]:
        shifted = SampledEvaluator(self.quantity, self.place, ParameterShift(), None)
        return shifted.jacobians(inputs, weights, of_inputs)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_program": None}


class SampledEvaluator:
    """Values of whole sets of angles, differentiated by shifts that are sent with them: an `Evaluator`.

    With a primitive, a training step is one PUB. Without one, the sets are evaluated exactly, the limit of many shots.
    """

    def __init__(self, quantity: Quantity, place: Place, rule: Rule, shots: int | None) -> None:
        self.quantity, self.place, self.rule, self.shots = quantity, place, rule, shots
        exact = place is None or isinstance(place, NoisyPlace)
        self.exact = exact
        self.measure: Evaluate = (
            ExactSets(quantity, place) if exact else partial(quantity.sample, place, shots)
        )
        """Outputs (N, S, O) of sets of angles (N, S, K), all with the shots of the plain one."""

    def evaluate(self, inputs: Tensor, weights: Tensor) -> Tensor:
        leading = inputs.shape[:-1]
        if not math.prod(leading):
            # Nothing to send; the graph is kept, so that an empty last batch has zero gradients.
            return (inputs.sum() + weights.sum()) * inputs.new_zeros(*leading, *self.quantity.output_shape)
        angles = self.quantity.circuits.angles(inputs, weights)
        shifts = self.shifts(angles, inputs.requires_grad, weights.requires_grad)
        shifts, measure = self.sending(shifts)
        outputs: Tensor = PackedEvaluation.apply(angles, measure, shifts)
        return outputs.to(inputs).reshape(*leading, *self.quantity.output_shape)

    def shifts(self, angles: Tensor, of_inputs: bool, of_weights: bool) -> Shifts:
        """The shifted sets that are sent with these angles (N, K): none if no graph is recorded.

        Raises:
            ShapeError: if an angle is NaN or infinite.
        """
        _check_finite(angles)
        circuits = self.quantity.circuits
        wanted = self._wanted(of_inputs, of_weights) & angles.requires_grad
        return shifts_for(self.rule, circuits.template, wanted, len(angles), circuits.dependent(True, False))

    def sending(self, shifts: Shifts) -> tuple[Shifts, Evaluate]:
        """How often each set of a step is sent, and the function from sets of angles (N, S, K) to outputs (N, S, O).

        Raises:
            HQNNError: if the rule's shots do not fit those of the plain circuits.
        """
        if self.exact:
            return shifts, self.measure
        shifts, shots = own_shots(self.rule, shifts, self.shots)
        if shots == self.shots:
            return shifts, self.measure
        return shifts, partial(self.quantity.sample, self.place, shots)

    def jacobians(
        self, inputs: Tensor, weights: Tensor, of_inputs: bool
    ) -> tuple[np.ndarray | None, np.ndarray]:
        circuits, batch = self.quantity.circuits, len(inputs)
        angles = circuits.angles(inputs, weights).numpy()
        wanted, inputs_of = self._wanted(of_inputs, True), circuits.dependent(True, False)
        shifts = shifts_for(self.rule, circuits.template, wanted, len(angles), inputs_of)
        shifts, measure = self.sending(shifts)
        _, jacobian = evaluate_packed(measure, angles, shifts)
        full = np.matmul(jacobian, circuits.slopes(inputs, weights))
        full = full.reshape(batch, circuits.copies, jacobian.shape[1], -1)
        inputs_of, weights_of = np.split(full, [circuits.ansatz.num_inputs], axis=-1)
        shape = (batch, *self.quantity.output_shape)
        return (
            _one_block_per_copy(inputs_of).reshape(*shape, circuits.num_inputs) if of_inputs else None,
            _one_block_per_copy(weights_of).reshape(*shape, circuits.num_weights),
        )

    def _wanted(self, of_inputs: bool, of_weights: bool) -> np.ndarray:
        circuits = self.quantity.circuits
        # Durations of delays are among the angles, and have no rule.
        shiftable = circuits.template.terms > 0
        # With noise, an output may depend on angles that it does not depend on without.
        if is_noise_free(self.place):
            shiftable = shiftable & self.quantity.reaching()
        wanted: np.ndarray = circuits.dependent(of_inputs, of_weights) & shiftable
        return wanted


class ExactSets:
    """Outputs (N, S, O) of sets of angles (N, S, K), exactly."""

    def __init__(self, quantity: Quantity, noise: NoisyPlace | None) -> None:
        self._quantity, self._noise = quantity, noise
        self._program: Exact | None = None

    def __call__(self, angles: np.ndarray) -> np.ndarray:
        if self._program is None:
            self._program = self._quantity.exact_of_angles(self._noise)
        samples, shifts, count = angles.shape
        flat = torch.from_numpy(angles.reshape(samples * shifts, 1, count))
        # Under noise every set of angles needs 4^n numbers: a step of many shifts would not fit at once.
        parts = (flat,) if self._noise is None else flat.split(_SETS_AT_ONCE)
        with torch.no_grad():
            outputs = [self._program(part, flat.new_empty(1, 0)) for part in parts]
        return torch.cat(outputs).numpy().reshape(samples, shifts, -1)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_program": None}


def within_transform(error: RuntimeError) -> bool:
    """Whether an error of torch says that an autograd Function was called within torch.func."""
    return "functorch transforms" in str(error) or str(error).startswith("vmap:")


def evaluator_for(
    quantity: Quantity, place: Place, gradient: Gradient | None, shots: int | None, compile: bool = False
) -> Evaluator:
    """The evaluator of a place.

    Args:
        quantity: what the outputs are.
        place: None (exactly), a `NoisyPlace` (exactly under its noise), or a primitive.
        gradient: word or settings; None is the default rule.
        shots: samples per output.
        compile: whether exact training steps are compiled.

    Raises:
        HQNNError: if the primitive is of the wrong kind, shots are not positive, or the gradient rule does not fit.
    """
    if shots is not None:
        check_integer("shots", shots, 1)
    exact = place is None or isinstance(place, NoisyPlace)
    if not exact:
        quantity.check_primitive(place)
    rule = check_gradient(gradient, exact)
    if isinstance(rule, str):
        return ExactEvaluator(quantity, place, compile)
    return SampledEvaluator(quantity, place, rule, shots)


def _check_finite(angles: Tensor) -> None:
    if not bool(torch.isfinite(angles.detach()).all()):
        bad = int((~torch.isfinite(angles.detach())).any(dim=-1).sum())
        raise ShapeError(
            f"Every input and weight of a quantum layer must be finite, but {bad} of {len(angles)} evaluations have "
            "NaN or infinite angles."
        )


def _one_block_per_copy(jacobian: np.ndarray) -> np.ndarray:
    """(batch, copies, O, P) to (batch, copies, O, copies, P): a copy's outputs depend on its own parameters only."""
    batch, copies, outputs, parameters = jacobian.shape
    blocks = np.zeros((batch, copies, outputs, copies, parameters))
    for index in range(copies):
        blocks[:, index, :, index] = jacobian[:, index]
    return blocks
