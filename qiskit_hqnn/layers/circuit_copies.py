"""Copies of an ansatz side by side, for evaluators: over the angles of a template that is transpiled once."""

from __future__ import annotations

import math

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.transpiler import PassManager
from torch import Tensor

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits import Ansatz, make_template, without_controlled_angles
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.angle_map import AngleMap


class CircuitCopies:
    """`copies` circuits of one ansatz, each with its own inputs and weights.

    Attributes:
        ansatz: of one copy.
        copies: their number.
        num_inputs, num_weights: of all copies.
        template: the circuit over its angles.

    Raises:
        HQNNError: if the ansatz is not an `Ansatz`, or there is no copy.
    """

    def __init__(self, ansatz: Ansatz, copies: int, pass_manager: PassManager | None = None) -> None:
        if not isinstance(ansatz, Ansatz):
            raise HQNNError(f"Argument `ansatz` must be an Ansatz, but is a {type(ansatz).__name__}.")
        self.ansatz, self.copies = ansatz, check_integer("copies", copies, 1)
        self.num_inputs, self.num_weights = copies * ansatz.num_inputs, copies * ansatz.num_weights
        self.template = make_template(ansatz)
        self.pass_manager = pass_manager
        self._angle_map = AngleMap(self.template, [*ansatz.input_params, *ansatz.weight_params])
        self._sent: dict[tuple[bool, bool], QuantumCircuit] = {}

    def angles(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Angles (N, K) of each sample's copies, N = batch · copies, from inputs (…, copies · I) and weights."""
        return self._angle_map(*self._flatten(inputs, weights))

    def slopes(self, inputs: Tensor, weights: Tensor) -> np.ndarray:
        """Derivatives (N, K, I + W) of these angles with respect to a copy's own inputs and weights."""
        slopes: np.ndarray = self._angle_map.slopes(*self._flatten(inputs, weights)).numpy()
        return slopes

    def dependent(self, of_inputs: bool, of_weights: bool) -> np.ndarray:
        """Mask of the angles that depend on an input, or on a weight."""
        split, end = self.ansatz.num_inputs, self.ansatz.num_inputs + self.ansatz.num_weights
        found = np.zeros(self.template.num_angles, dtype=bool)
        if of_inputs:
            found |= self.template.depends_on(range(split))
        if of_weights:
            found |= self.template.depends_on(range(split, end))
        return found

    def sent(self, primitive: object, measured: bool) -> QuantumCircuit:
        """The template that is sent to a primitive: transpiled once if a pass manager was given."""
        for_aers_own = type(primitive).__module__.startswith("qiskit_aer.")
        if (for_aers_own, measured) not in self._sent:
            circuit = self.template.circuit
            if for_aers_own:
                circuit = without_controlled_angles(circuit)
            if measured:
                circuit = circuit.measure_all(inplace=False)
            if self.pass_manager is not None:
                circuit = self.pass_manager.run(circuit)
            self._sent[for_aers_own, measured] = circuit
        return self._sent[for_aers_own, measured]

    def _flatten(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Samples and copies as one axis N, on the CPU in float64: inputs (N, I), weights (N, W)."""
        inputs, weights = (tensor.to("cpu", dtype=torch.float64) for tensor in (inputs, weights))
        batch, ansatz = math.prod(inputs.shape[:-1]), self.ansatz
        spread = weights.expand(batch, self.num_weights)
        return (
            inputs.reshape(batch * self.copies, ansatz.num_inputs),
            spread.reshape(batch * self.copies, ansatz.num_weights),
        )

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_sent": {}}
