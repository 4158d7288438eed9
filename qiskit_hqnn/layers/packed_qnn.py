"""What an EstimatorQNN and a SamplerQNN share here: copies of an ansatz, evaluated exactly or as one packed PUB."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.transpiler import PassManager
from torch import Tensor

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits import Ansatz, Template, make_template, without_controlled_angles
from qiskit_hqnn.errors import ShapeError
from qiskit_hqnn.layers.angle_map import AngleMap
from qiskit_hqnn.layers.gradient_rules import SPSA, check_gradient, shifts_for
from qiskit_hqnn.layers.packed import PackedEvaluation, evaluate_packed
from qiskit_hqnn.layers.places import NoisyPlace

Exact = Callable[[Tensor, Tensor], Tensor]
"""Inputs (..., copies · I) and weights (copies · W,) to outputs (..., copies · O); or, of a template, angles
(batch, 1, angles) and (1, 0) to (batch, 1, O)."""

_SETS_AT_ONCE = 512


class PackedQNN:
    """Mixin that replaces `_forward` and `_backward` of a Qiskit neural network.

    A subclass says how to compile itself (`_compile`, `_compile_template`), how to sample a PUB (`_sample`), and
    which primitives it takes (`_place`).
    """

    ansatz: Ansatz
    copies: int
    num_inputs: int
    template: Template
    rule: str | SPSA
    shots: int | None
    _primitive: Any
    _noise: NoisyPlace | None
    _exact_programs: dict[NoisyPlace | None, Exact]
    _exact_templates: dict[NoisyPlace | None, Exact]
    _device_circuit: QuantumCircuit | None
    _for_aers_own: bool = False
    _reaching: np.ndarray | None

    def _set_up(
        self, ansatz: Ansatz, copies: int, output_shape: tuple[int, ...], pass_manager: PassManager | None
    ) -> None:
        check_integer("copies", copies, 1)
        self.ansatz, self.copies = ansatz, copies
        self._num_inputs = copies * ansatz.num_inputs
        self._num_weights = copies * ansatz.num_weights
        self._output_shape = output_shape
        self._pass_manager = pass_manager
        self.template = make_template(ansatz)
        self._angle_map = AngleMap(self.template, [*ansatz.input_params, *ansatz.weight_params])
        self._clear_caches()

    def run_on(self, primitive: Any, gradient: str | SPSA | None = None, shots: int | None = None) -> None:
        """Evaluate on this primitive from now on (None: exactly; a `NoisyPlace`: exactly under its noise).

        Raises:
            HQNNError: if the primitive is of another kind, shots are not positive, or the gradient rule does not fit.
        """
        if shots is not None:
            check_integer("shots", shots, 1)
        self._noise = primitive if isinstance(primitive, NoisyPlace) else None
        self._place(None if self._noise else primitive)
        for_aers_own = type(primitive).__module__.startswith("qiskit_aer.")
        if for_aers_own != self._for_aers_own:
            self._for_aers_own, self._device_circuit = for_aers_own, None
        self.rule = check_gradient(gradient, exact=self._primitive is None)
        self.shots = shots

    @property
    def place(self) -> Any:
        """What it runs on: a primitive, a `NoisyPlace`, or None."""
        return self._noise or self._primitive

    @property
    def gradient_rule(self) -> str:
        """The word for `rule`, which has SPSA's settings too."""
        return "spsa" if isinstance(self.rule, SPSA) else self.rule

    def evaluate(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Outputs (..., copies · O) of inputs (..., copies · I) and weights (copies · W,), differentiable in both."""
        if self._primitive is None and self.rule == "autograd":
            return self._exact()(inputs, weights)
        leading = inputs.shape[:-1]
        if not math.prod(leading):
            # Nothing to send; the graph is kept, so that an empty last batch has gradients of zero.
            return (inputs.sum() + weights.sum()) * inputs.new_zeros(*leading, *self._output_shape)
        flat_inputs, flat_weights = self._flatten(inputs, weights)
        angles = self._angle_map(flat_inputs, flat_weights)
        _check_finite(angles)
        wanted = self._wanted(inputs.requires_grad, weights.requires_grad) & angles.requires_grad
        shifts = shifts_for(self.rule, self.template, wanted, len(angles))
        outputs: Any = PackedEvaluation.apply(angles, self._evaluate_angles, shifts)
        return outputs.to(inputs).reshape(*leading, *self._output_shape)

    # Qiskit's own interface, in numpy: what its classifiers and its plain TorchConnector call.

    def _forward(self, input_data: np.ndarray | None, weights: np.ndarray | None) -> np.ndarray:
        inputs, parameters = self._as_tensors(input_data, weights)
        with torch.no_grad():
            outputs = self.evaluate(inputs, parameters)
        return outputs.numpy().reshape(len(inputs), *self._output_shape)

    def _backward(
        self, input_data: np.ndarray | None, weights: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        inputs, parameters = self._as_tensors(input_data, weights)
        batch, (rows, columns) = len(inputs), (self._num_inputs, self._num_weights)
        flat_inputs, flat_weights = self._flatten(inputs, parameters)
        angles = self._angle_map(flat_inputs, flat_weights).numpy()
        rule = "parameter-shift" if self.rule == "autograd" else self.rule
        input_gradients: bool = self._input_gradients  # type: ignore[attr-defined]
        shifts = shifts_for(rule, self.template, self._wanted(input_gradients, True), len(angles))
        _, jacobian = evaluate_packed(self._evaluate_angles, angles, shifts)
        slopes = self._angle_map.slopes(flat_inputs, flat_weights).numpy()
        full = np.matmul(jacobian, slopes).reshape(batch, self.copies, jacobian.shape[1], -1)
        inputs_of, weights_of = full[..., : self.ansatz.num_inputs], full[..., self.ansatz.num_inputs :]
        shape = (batch, *self._output_shape)
        return (
            _one_block_a_copy(inputs_of).reshape(*shape, rows) if input_gradients else None,
            _one_block_a_copy(weights_of).reshape(*shape, columns),
        )

    def _as_tensors(self, input_data: np.ndarray | None, weights: np.ndarray | None) -> tuple[Tensor, Tensor]:
        inputs = np.zeros((1, 0)) if input_data is None else input_data
        parameters = np.zeros(0) if weights is None else weights
        return (
            torch.from_numpy(np.array(inputs, dtype=float)).reshape(len(inputs), self._num_inputs),
            torch.from_numpy(np.array(parameters, dtype=float)).reshape(self._num_weights),
        )

    def _flatten(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Samples and copies as one axis N, on the CPU in float64: inputs (N, I), weights (N, W)."""
        inputs, weights = (tensor.to("cpu", torch.float64) for tensor in (inputs, weights))
        batch, ansatz = math.prod(inputs.shape[:-1]), self.ansatz
        spread = weights.expand(batch, self._num_weights)
        return (
            inputs.reshape(batch * self.copies, ansatz.num_inputs),
            spread.reshape(batch * self.copies, ansatz.num_weights),
        )

    def _wanted(self, of_inputs: bool, of_weights: bool) -> np.ndarray:
        split, end = self.ansatz.num_inputs, self.ansatz.num_inputs + self.ansatz.num_weights
        wanted = np.zeros(self.template.num_angles, dtype=bool)
        if of_inputs:
            wanted |= self.template.depends_on(range(split))
        if of_weights:
            wanted |= self.template.depends_on(range(split, end))
        if self._reaching is None:
            # Durations of delays are among the angles, and have no rule.
            self._reaching = self._reaching_angles() & (self.template.terms > 0)
        return wanted & self._reaching

    def _reaching_angles(self) -> np.ndarray:
        """Mask of the angles that can alter an output at all: no shots are spent on the derivatives of the others."""
        return np.ones(self.template.num_angles, dtype=bool)

    def _evaluate_angles(self, angles: np.ndarray) -> np.ndarray:
        if self._primitive is not None:
            return self._sample(angles)
        if self._noise not in self._exact_templates:
            self._exact_templates[self._noise] = self._compile_template()
        samples, shifts, count = angles.shape
        flat = torch.from_numpy(angles.reshape(samples * shifts, 1, count))
        # Under noise every set of angles takes 4^n numbers: a step of many shifts would not fit at once.
        parts = (flat,) if self._noise is None else flat.split(_SETS_AT_ONCE)
        with torch.no_grad():
            outputs = [self._exact_templates[self._noise](part, flat.new_empty(1, 0)) for part in parts]
        return torch.cat(outputs).numpy().reshape(samples, shifts, -1)

    def _exact(self) -> Exact:
        if self._noise not in self._exact_programs:
            self._exact_programs[self._noise] = self._compile()
        return self._exact_programs[self._noise]

    def _device_template(self) -> QuantumCircuit:
        """The circuit that is sent: transpiled once where a pass manager was given."""
        if self._device_circuit is None:
            circuit = self._sampled_circuit()
            self._device_circuit = self._pass_manager.run(circuit) if self._pass_manager else circuit
        return self._device_circuit

    def _sampled_circuit(self) -> QuantumCircuit:
        return self._template_circuit()

    def _template_circuit(self) -> QuantumCircuit:
        """The template for the primitive that it runs on."""
        circuit = self.template.circuit
        return without_controlled_angles(circuit) if self._for_aers_own else circuit

    def _clear_caches(self) -> None:
        self._exact_programs = {}
        self._exact_templates = {}
        self._device_circuit = None
        self._reaching = None

    def __getstate__(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "_exact_programs": {},
            "_exact_templates": {},
            "_device_circuit": None,
        }

    def __deepcopy__(self, memo: dict[int, Any]) -> PackedQNN:
        # Circuits are never altered and a primitive is a service outside: both are shared by a copied network.
        return copy.copy(self)

    def _place(self, primitive: Any) -> None:
        raise NotImplementedError

    def _compile(self) -> Exact:
        raise NotImplementedError

    def _compile_template(self) -> Exact:
        raise NotImplementedError

    def _sample(self, values: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def _check_finite(angles: Tensor) -> None:
    if not bool(torch.isfinite(angles.detach()).all()):
        bad = int((~torch.isfinite(angles.detach())).any(dim=-1).sum())
        raise ShapeError(
            f"Every input and weight of a quantum layer must be finite, but {bad} of {len(angles)} evaluations have "
            "NaN or infinite angles."
        )


def _one_block_a_copy(jacobian: np.ndarray) -> np.ndarray:
    """(batch, copies, O, P) to (batch, copies, O, copies, P): a copy's outputs depend on its own parameters only."""
    batch, copies, outputs, parameters = jacobian.shape
    blocks = np.zeros((batch, copies, outputs, copies, parameters))
    for index in range(copies):
        blocks[:, index, :, index] = jacobian[:, index]
    return blocks
