"""The torch side that both layers share: a TorchConnector with one trainable parameter and a place to run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import torch
from numpy.typing import ArrayLike
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.exceptions import QiskitMachineLearningError
from torch import Tensor, nn

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.layers.estimator_qnn import PackedEstimatorQNN
from qiskit_hqnn.layers.evaluated_qnn import EvaluatedQNN
from qiskit_hqnn.layers.evaluators import Evaluator, within_transform
from qiskit_hqnn.layers.gradient_rules import Gradient, in_words
from qiskit_hqnn.layers.runs_on import NoisyPlace, Place
from qiskit_hqnn.layers.sampler_qnn import PackedSamplerQNN

Weights: TypeAlias = ArrayLike | Tensor
"""Numbers in any form that torch can read."""


class InputError(ShapeError, QiskitMachineLearningError):
    """An input that a layer refuses; also a subclass of the error that Qiskit's connector raises."""

    def __str__(self) -> str:
        return str(self.args[0])  # QiskitError puts its sentence in quotes


class PackedConnector(TorchConnector):
    """A TorchConnector around one of this package's two neural networks, whose evaluator computes the outputs.

    Its only parameter is `weight`, of shape (copies · weights,), radians, drawn uniformly from [0, 2π).

    Attributes:
        in_double: whether exact values of float32 weights are computed in float64, as in Qiskit's networks, and then
            rounded to float32. It may be set at any time; `from_qnn` sets it.
    """

    in_double: bool = False
    _neural_network: PackedEstimatorQNN | PackedSamplerQNN

    def __init__(
        self, neural_network: PackedEstimatorQNN | PackedSamplerQNN, initial_weights: Weights | None = None
    ) -> None:
        # TorchConnector's own __init__ would register the weights under two names, and store them twice.
        nn.Module.__init__(self)
        self._neural_network = neural_network
        self._sparse = False
        self.register_parameter("weight", nn.Parameter(torch.empty(neural_network.num_weights)))
        self.reset_parameters()
        if initial_weights is not None:
            try:
                given = torch.as_tensor(initial_weights, dtype=torch.get_default_dtype()).flatten()
            except (TypeError, ValueError, RuntimeError):
                raise ShapeError(
                    f"Argument `initial_weights` must be numbers, but is {initial_weights!r}."
                ) from None
            if not torch.isfinite(given).all():
                raise ShapeError("Argument `initial_weights` must be finite, but contains NaN or infinity.")
            if len(given) != neural_network.num_weights:
                raise ShapeError(
                    f"Argument `initial_weights` must hold {neural_network.num_weights} values, but has "
                    f"{len(given)}."
                )
            self.weight.data = given.clone()

    # TorchConnector reads `_weights`, which would be a second name in state dicts: here both are one parameter.

    @property
    def weight(self) -> nn.Parameter:
        return nn.Module.__getattr__(self, "weight")  # type: ignore[return-value]

    @property
    def _weights(self) -> nn.Parameter:  # type: ignore[override]
        return self.weight

    def reset_parameters(self) -> None:
        """Draw new weights, uniformly from [0, 2π), from torch's global generator."""
        nn.init.uniform_(self.weight, 0, 2 * math.pi)

    @property
    def qnn(self) -> EvaluatedQNN:
        """`neural_network`, with its precise type."""
        return self._neural_network

    @property
    def evaluator(self) -> Evaluator:
        """What computes the outputs where the layer currently runs."""
        return self.qnn.evaluator

    @property
    def copies(self) -> int:
        return self.qnn.copies

    @property
    def ansatz(self) -> Ansatz:
        """The `Ansatz` of one copy."""
        return self.qnn.ansatz

    def forward(self, input_data: Tensor | None = None) -> Tensor:
        """Outputs (..., copies · O) of inputs (..., copies · I); the first I inputs belong to the first copy.

        Raises:
            ShapeError: if the last axis of the inputs is not copies · I long, or a value is complex, NaN or infinite.
            HQNNError: within a transform of torch.func.
        """
        if torch.compiler.is_compiling():
            # torch.compile of a network skips its quantum layer, which has a separate option for that (`compile`).
            # Created here and not at import, since it needs the compiler, which takes longer to import than torch.
            return torch.compiler.disable(self._outputs)(input_data)
        return self._outputs(input_data)

    def _outputs(self, input_data: Tensor | None) -> Tensor:
        try:
            inputs, weight = self._checked(input_data), self.weight
            if self.in_double:
                return self.evaluator.evaluate(inputs.double(), weight.double()).to(weight.dtype)
            return self.evaluator.evaluate(inputs, weight)
        except RuntimeError as error:
            if within_transform(error):
                raise HQNNError(
                    "A quantum layer with gradients by shifts does not support torch.func (vmap, grad, jacrev, "
                    "hessian): it is batched already, and torch.autograd gives its gradients; with exact values and "
                    "gradient 'autograd' it supports torch.func."
                ) from error
            raise

    def _checked(self, input_data: Tensor | None) -> Tensor:
        """Inputs of the weights' dtype.

        Raises:
            ShapeError: if they are not a real tensor with copies · I numbers along the last axis.
        """
        weight, circuits = self.weight, self.evaluator.quantity.circuits
        inputs = weight.new_empty(0) if input_data is None else input_data
        if not isinstance(inputs, Tensor):
            raise InputError(
                f"Input of a quantum layer must be a torch.Tensor, but is a {type(inputs).__name__}."
            )
        if inputs.ndim == 0 or inputs.shape[-1] != circuits.num_inputs:
            raise InputError(
                f"Input of a quantum layer must have shape (..., {circuits.num_inputs}) for {circuits.copies} × "
                f"{circuits.ansatz.num_inputs} inputs, but has shape {tuple(inputs.shape)}."
            )
        if inputs.dtype != weight.dtype:
            if inputs.is_complex():
                raise InputError(f"Input of a quantum layer must be real, but is {inputs.dtype}.")
            inputs = inputs.to(weight.dtype)
        return inputs if self.qnn.input_gradients else inputs.detach()

    def _circuits(self) -> str:
        """The circuits that a state dict's weights belong to: their flat tensor could fit many layers."""
        ansatz = self.ansatz
        return f"{self.copies} × {ansatz.num_weights} weights on {ansatz.num_qubits} qubits"

    # The words are in the metadata of a state dict, where torch keeps versions: its tensors do not change, and a file
    # without metadata, such as safetensors, still loads by its length.

    def _save_to_state_dict(self, destination: dict[str, Tensor], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        metadata = getattr(destination, "_metadata", {}).get(prefix[:-1])
        if metadata is not None:
            metadata["circuits"] = self._circuits()

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Tensor],
        prefix: str,
        local_metadata: Mapping[str, object],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        given = local_metadata.get("circuits")
        if given not in {None, self._circuits()}:
            error_msgs.append(f"{prefix}weight must be of {self._circuits()}, but is of {given}.")
            return
        state_dict = self._with_one_name(state_dict, prefix, error_msgs)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def _with_one_name(
        self, state_dict: Mapping[str, Tensor], prefix: str, error_msgs: list[str]
    ) -> Mapping[str, Tensor]:
        """The state dict without the second name that Qiskit's connector has for its weights.

        A file format that keeps shared tensors once may contain only that name.
        """
        second = state_dict.get(f"{prefix}_weights")
        if second is None:
            return state_dict
        first = state_dict.get(f"{prefix}weight", second)
        if first.shape != second.shape or not torch.equal(first, second):
            error_msgs.append(f"{prefix}weight and {prefix}_weights must be one tensor, but differ.")
        others = {name: tensor for name, tensor in state_dict.items() if name != f"{prefix}_weights"}
        return {**others, f"{prefix}weight": first}

    @contextmanager
    def _running_on(self, primitive: Place, gradient: Gradient | None, shots: int | None) -> Iterator[None]:
        qnn, before = self.qnn, self.evaluator
        qnn.run_on(primitive, gradient, shots)
        try:
            yield
        finally:
            qnn.evaluator = before

    def extra_repr(self) -> str:
        qnn = self.qnn
        where = qnn.place.where if isinstance(qnn.place, NoisyPlace) else type(qnn.place).__name__
        where = "exact" if qnn.place is None else where
        return f"{self.ansatz.name}, copies={self.copies}, on {where}, gradient={in_words(qnn.rule)}"
