"""A SamplerQNN whose forward and backward passes are one PUB each, for any number of copies of an ansatz."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from operator import index
from typing import Any, TypeAlias

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import SamplerQNN
from torch import Tensor

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.gradient_rules import SPSA
from qiskit_hqnn.layers.packed_qnn import PackedQNN
from qiskit_hqnn.simulation import by_copy, compile_ansatz, compile_circuit

_MAX_QUBITS = 20

Interpret: TypeAlias = Callable[[int], int | tuple[int, ...]]
"""From a measured integer to an output."""


class PackedSamplerQNN(PackedQNN, SamplerQNN):
    """Probabilities of interpreted outcomes of `copies` circuits side by side.

    Args:
        ansatz: the circuit and its parameters; its observables play no part.
        copies: how many circuits stand side by side.
        sampler: any BaseSamplerV2; None computes exact probabilities.
        interpret: maps the measured integer (Qiskit's order: qubit 0 is the least significant bit) to an output
            index, or to a tuple of them, one for each axis of `output_shape`; None keeps all 2^n outcomes.
        output_shape: number of outputs of `interpret`, or of several axes a tuple of numbers; copies stand along the
            first of them.
        gradient: "parameter-shift" (default), "spsa" or `SPSA(step, repeats)`.
        shots: samples a circuit; None leaves the sampler's own default.
        pass_manager: transpiles the measured template once, for samplers that take ISA circuits only.

    Raises:
        HQNNError: if only one of `interpret` and `output_shape` is given, an index is outside of the shape or has not
            as many parts, or there are more than 20 qubits.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        sampler: BaseSamplerV2 | None = None,
        interpret: Interpret | None = None,
        output_shape: int | tuple[int, ...] | None = None,
        gradient: str | SPSA | None = None,
        shots: int | None = None,
        pass_manager: PassManager | None = None,
    ) -> None:
        copies = check_integer("copies", copies, 1)
        self.ansatz, self.copies = ansatz, copies  # what an interpretation depends on, too
        SamplerQNN.__init__(
            self,
            circuit=ansatz.circuit,
            input_params=ansatz.input_params,
            weight_params=ansatz.weight_params,
            interpret=interpret,
            output_shape=output_shape,
            input_gradients=True,
            sampler=sampler,
        )
        self._set_up(ansatz, copies, self._output_shape, pass_manager)
        self.run_on(sampler, gradient, shots)

    def set_interpret(
        self, interpret: Interpret | None = None, output_shape: int | tuple[int, ...] | None = None
    ) -> None:
        """Other outputs from now on; arguments and errors as in the constructor."""
        shape = _shape_of(self.ansatz.num_qubits, interpret, output_shape)
        self._indices = _index_map(self.ansatz.num_qubits, interpret, shape)
        self._outputs = math.prod(shape)
        self._interpret = _Lookup(self._indices, shape)
        self._output_shape = (self.copies * shape[0], *shape[1:])
        self._clear_caches()

    @property
    def primitive(self) -> BaseSamplerV2 | None:
        """The sampler, or None where probabilities are computed exactly."""
        return self._primitive

    def _place(self, primitive: Any) -> None:
        if primitive is not None and not isinstance(primitive, BaseSamplerV2):
            raise HQNNError(
                "Argument `sampler` must be a BaseSamplerV2, a word such as 'aer' or 'fake_fez', or None for exact "
                f"probabilities, but is a {type(primitive).__name__}."
            )
        self._primitive = primitive
        if primitive is not None:
            self.sampler = primitive

    def _compile(self) -> Any:
        program = compile_ansatz(self.ansatz) if self._noise is None else self._noise.outcomes(self.ansatz)
        outcomes = self._interpreted(program.probabilities)

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            shape = (*inputs.shape[:-1], *self._output_shape)
            return outcomes(*by_copy(inputs, weights, self.copies)).reshape(shape)

        return evaluate

    def _compile_template(self) -> Any:
        template, observables = self.template, self.ansatz.observables
        if self._noise is not None:
            over_angles = Ansatz(template.circuit, template.angles, (), observables)
            return self._interpreted(self._noise.outcomes(over_angles).probabilities)
        program = compile_circuit(template.circuit, observables, template.angles, ())
        return self._interpreted(program.probabilities)

    def _interpreted(self, probabilities: Any) -> Any:
        indices = torch.from_numpy(self._indices)

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            outcomes = probabilities(inputs, weights)
            empty = outcomes.new_zeros(*outcomes.shape[:-1], self._outputs)
            return empty.index_add(-1, indices.to(outcomes.device), outcomes)

        return evaluate

    def _sampled_circuit(self) -> QuantumCircuit:
        return self._template_circuit().measure_all(inplace=False)

    def _sample(self, values: np.ndarray) -> np.ndarray:
        names = tuple(angle.name for angle in self.template.angles)
        pub: tuple[Any, ...] = (self._device_template(),)
        if names:
            pub += (BindingsArray({names: values}),)
        result = self._primitive.run([pub], shots=self.shots).result()
        bits = result[0].data.meas
        outcomes = np.zeros(bits.array.shape[:-1], dtype=np.int64)
        for byte in np.moveaxis(bits.array, -1, 0):
            outcomes = outcomes << 8 | byte
        indices = self._indices[outcomes].reshape(-1, outcomes.shape[-1])
        rows = np.arange(len(indices))[:, None] * self._outputs
        counts = np.bincount((indices + rows).ravel(), minlength=len(indices) * self._outputs)
        frequencies = counts.reshape(len(indices), self._outputs) / outcomes.shape[-1]
        return np.broadcast_to(
            frequencies.reshape(*outcomes.shape[:-1], -1), (*values.shape[:2], self._outputs)
        ).astype(float)


class _Lookup:
    """`interpret` as the table that it was written down in: unlike a lambda it can be pickled."""

    def __init__(self, indices: np.ndarray, shape: tuple[int, ...]) -> None:
        self.indices, self.shape = indices, shape

    def __call__(self, outcome: int) -> int | tuple[int, ...]:
        index = int(self.indices[outcome])
        if len(self.shape) == 1:
            return index
        return tuple(int(part) for part in np.unravel_index(index, self.shape))


def _shape_of(num_qubits: int, interpret: Interpret | None, given: Any) -> tuple[int, ...]:
    """The shape of one copy's outputs.

    Raises:
        HQNNError: if there are too many qubits, or the shape does not fit `interpret`.
    """
    if num_qubits > _MAX_QUBITS:
        raise HQNNError(
            f"A SamplerLayer takes at most {_MAX_QUBITS} qubits, but the ansatz has {num_qubits}; for wider circuits "
            "use a QuantumLayer with observables."
        )
    if interpret is None:
        if given not in (None, 2**num_qubits, (2**num_qubits,)):
            raise HQNNError(
                f"Argument `output_shape` belongs to `interpret`: without it there are {2**num_qubits} outputs, but "
                f"it is {given!r}."
            )
        return (2**num_qubits,)
    axes = given if isinstance(given, tuple | list) else (given,)
    try:
        shape = tuple(0 if isinstance(axis, bool) else index(axis) for axis in axes)
    except TypeError:
        shape = ()
    if not shape or min(shape) < 1:
        raise HQNNError(
            "Argument `output_shape` must be a positive number, or a tuple of them, with `interpret`, but is "
            f"{given!r}."
        )
    return shape


def _index_map(num_qubits: int, interpret: Interpret | None, shape: tuple[int, ...]) -> np.ndarray:
    """For each measured integer its output, counted row by row.

    Raises:
        HQNNError: if `interpret` returns something else than indices within the shape.
    """
    if interpret is None:
        return np.arange(2**num_qubits)
    found = np.empty(2**num_qubits, dtype=np.int64)
    for outcome in range(len(found)):
        given = interpret(outcome)
        try:
            parts = tuple(index(part) for part in given) if isinstance(given, Iterable) else (index(given),)
        except TypeError:
            parts = ()
        if len(parts) != len(shape) or any(
            not 0 <= part < size for part, size in zip(parts, shape, strict=True)
        ):
            wanted = (
                f"an index from 0 to {shape[0] - 1}"
                if len(shape) == 1
                else f"tuples of {len(shape)} indices within {shape}"
            )
            raise HQNNError(
                f"Argument `interpret` must return {wanted}, but returns {given!r} for outcome {outcome}."
            )
        found[outcome] = np.ravel_multi_index(parts, shape)
    return found
