"""What the two neural networks share: Qiskit's numpy interface, computed by an evaluator."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz, Template
from qiskit_hqnn.layers.evaluators import Evaluator, ExactEvaluator, evaluator_for
from qiskit_hqnn.layers.gradient_rules import Gradient
from qiskit_hqnn.layers.quantities import Quantity
from qiskit_hqnn.layers.runs_on import NoisyPlace, Place, Primitive


class EvaluatedQNN:
    """Mixin for an EstimatorQNN or a SamplerQNN: an evaluator computes `_forward` and `_backward`.

    Attributes:
        quantity: what the outputs are.
        evaluator: computes them; `run_on` replaces it.
    """

    quantity: Quantity
    evaluator: Evaluator
    input_gradients: bool
    _compiles: bool = False

    def run_on(self, place: Place, gradient: Gradient | None = None, shots: int | None = None) -> None:
        """Evaluate on this primitive from now on (None: exactly; a `NoisyPlace`: exactly under its noise).

        Raises:
            HQNNError: if the primitive is of the wrong kind, shots are not positive, or the gradient rule does not fit.
        """
        self.evaluator = evaluator_for(self.quantity, place, gradient, shots, self._compiles)

    @property
    def ansatz(self) -> Ansatz:
        """Of one copy."""
        return self.quantity.circuits.ansatz

    @property
    def copies(self) -> int:
        return self.quantity.circuits.copies

    @property
    def template(self) -> Template:
        """The circuit over its angles."""
        return self.quantity.circuits.template

    @property
    def place(self) -> Place:
        """What it runs on: a primitive, a `NoisyPlace`, or None."""
        return self.evaluator.place

    @property
    def primitive(self) -> Primitive | None:
        """The estimator or sampler in use; None if values are computed exactly."""
        return None if isinstance(self.place, NoisyPlace) else self.place

    @property
    def rule(self) -> Gradient:
        """The gradient rule."""
        return self.evaluator.rule

    @property
    def gradient_rule(self) -> str:
        """The word for `rule`, which also has the settings."""
        return self.rule if isinstance(self.rule, str) else self.rule.word

    @property
    def shots(self) -> int | None:
        return self.evaluator.shots

    @property
    def compiles(self) -> bool:
        """Whether exact training steps are compiled."""
        return self._compiles

    @compiles.setter
    def compiles(self, compile: bool) -> None:
        self._compiles = compile
        if isinstance(self.evaluator, ExactEvaluator):
            self.run_on(self.place, self.rule)

    def _forward(self, input_data: np.ndarray | None, weights: np.ndarray | None) -> np.ndarray:
        inputs, parameters = self._as_tensors(input_data, weights)
        with torch.no_grad():
            outputs = self.evaluator.evaluate(inputs, parameters)
        return outputs.numpy().reshape(len(inputs), *self.quantity.output_shape)

    def _backward(
        self, input_data: np.ndarray | None, weights: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        return self.evaluator.jacobians(*self._as_tensors(input_data, weights), self.input_gradients)

    def _as_tensors(self, input_data: np.ndarray | None, weights: np.ndarray | None) -> tuple[Tensor, Tensor]:
        circuits = self.quantity.circuits
        inputs = np.zeros((1, 0)) if input_data is None else input_data
        parameters = np.zeros(0) if weights is None else weights
        return (
            torch.from_numpy(np.array(inputs, dtype=float)).reshape(len(inputs), circuits.num_inputs),
            torch.from_numpy(np.array(parameters, dtype=float)).reshape(circuits.num_weights),
        )

    def _take_sizes(self) -> None:
        """Sizes of all copies; Qiskit's constructor has set those of one."""
        self._num_inputs, self._num_weights = (
            self.quantity.circuits.num_inputs,
            self.quantity.circuits.num_weights,
        )
        self._output_shape = self.quantity.output_shape

    def __deepcopy__(self, memo: dict[int, object]) -> EvaluatedQNN:
        # Circuits never change and a primitive is an external service: a copied network shares both.
        return copy.copy(self)
