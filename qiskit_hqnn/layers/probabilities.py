"""Probabilities of interpreted outcomes of copies of an ansatz, exact and as one PUB of a sampler."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from operator import index
from typing import TypeAlias

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.bindings_array import BindingsArray
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.circuit_copies import CircuitCopies
from qiskit_hqnn.layers.quantities import Exact, apart, refuse_noise
from qiskit_hqnn.layers.runs_on import NoisyPlace
from qiskit_hqnn.simulation import by_copy, compile_ansatz, compile_circuit

_MAX_QUBITS = 20

Interpret: TypeAlias = Callable[[int], int | tuple[int, ...]]
"""From a measured integer to an output."""


class Probabilities:
    """The outputs of a `SamplerLayer`: a `Quantity`.

    Args:
        circuits: the circuits.
        interpret, output_shape: as in `PackedSamplerQNN`.

    Attributes:
        interpret: the interpretation as a table.

    Raises:
        HQNNError: if there are too many qubits, or `interpret` and `output_shape` do not fit.
    """

    def __init__(
        self, circuits: CircuitCopies, interpret: Interpret | None, output_shape: int | tuple[int, ...] | None
    ) -> None:
        num_qubits = circuits.ansatz.num_qubits
        shape = _shape_of(num_qubits, interpret, output_shape)
        self.circuits = circuits
        self.num_outputs = math.prod(shape)
        self.output_shape = (circuits.copies * shape[0], *shape[1:])
        self._indices = _index_map(num_qubits, interpret, shape)
        self.interpret = _Lookup(self._indices, shape)

    def check_primitive(self, primitive: object) -> None:
        if not isinstance(primitive, BaseSamplerV2):
            raise HQNNError(
                "Argument `sampler` must be a BaseSamplerV2, a word such as 'aer' or 'fake_fez', or None for exact "
                f"probabilities, but is a {type(primitive).__name__}."
            )

    def exact(self, noise: NoisyPlace | None, compile: bool) -> Exact:
        ansatz, copies = self.circuits.ansatz, self.circuits.copies
        program = compile_ansatz(ansatz) if noise is None else noise.outcomes(ansatz)
        outcomes = self._interpreted(program.probabilities)

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            shape = (*inputs.shape[:-1], *self.output_shape)
            return outcomes(*by_copy(inputs, weights, copies)).reshape(shape)

        return evaluate

    def in_operators(self, noise: NoisyPlace | None) -> Exact:
        refuse_noise(noise)
        gates = compile_ansatz(self.circuits.ansatz).gate_by_gate(keep_state=True)
        outcomes, copies = self._interpreted(gates.probabilities), self.circuits.copies

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            shape = (*inputs.shape[:-1], *self.output_shape)
            return outcomes(*apart(inputs, weights, copies)).reshape(shape)

        return evaluate

    def exact_of_angles(self, noise: NoisyPlace | None) -> Exact:
        template, observables = self.circuits.template, self.circuits.ansatz.observables
        if noise is not None:
            over_angles = Ansatz(template.circuit, template.angles, (), observables)
            return self._interpreted(noise.outcomes(over_angles).probabilities)
        program = compile_circuit(template.circuit, observables, template.angles, ())
        return self._interpreted(program.probabilities)

    def reaching(self) -> np.ndarray:
        return np.ones(self.circuits.template.num_angles, dtype=bool)

    def sample(self, primitive: BaseSamplerV2, shots: int | None, values: np.ndarray) -> np.ndarray:
        names = tuple(angle.name for angle in self.circuits.template.angles)
        pub: tuple[QuantumCircuit | BindingsArray, ...] = (self.circuits.sent(primitive, measured=True),)
        if names:
            pub += (BindingsArray({names: values}),)
        bits = primitive.run([pub], shots=shots).result()[0].data.meas
        outcomes = np.zeros(bits.array.shape[:-1], dtype=np.int64)
        for byte in np.moveaxis(bits.array, -1, 0):
            outcomes = outcomes << 8 | byte
        indices = self._indices[outcomes].reshape(-1, outcomes.shape[-1])
        rows = np.arange(len(indices))[:, None] * self.num_outputs
        counts = np.bincount((indices + rows).ravel(), minlength=len(indices) * self.num_outputs)
        frequencies = counts.reshape(len(indices), self.num_outputs) / outcomes.shape[-1]
        return np.broadcast_to(
            frequencies.reshape(*outcomes.shape[:-1], -1), (*values.shape[:2], self.num_outputs)
        ).astype(float)

    def _interpreted(self, probabilities: Exact) -> Exact:
        indices = torch.from_numpy(self._indices)

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            outcomes = probabilities(inputs, weights)
            empty = outcomes.new_zeros(*outcomes.shape[:-1], self.num_outputs)
            return empty.index_add(-1, indices.to(outcomes.device), outcomes)

        return evaluate


class _Lookup:
    """`interpret` as a table: unlike a lambda, it can be pickled."""

    def __init__(self, indices: np.ndarray, shape: tuple[int, ...]) -> None:
        self.indices, self.shape = indices, shape

    def __call__(self, outcome: int) -> int | tuple[int, ...]:
        index = int(self.indices[outcome])
        if len(self.shape) == 1:
            return index
        return tuple(int(part) for part in np.unravel_index(index, self.shape))


def _shape_of(
    num_qubits: int, interpret: Interpret | None, given: int | tuple[int, ...] | None
) -> tuple[int, ...]:
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
        shape = tuple(0 if axis is None or isinstance(axis, bool) else index(axis) for axis in axes)
    except TypeError:
        shape = ()
    if not shape or min(shape) < 1:
        raise HQNNError(
            "Argument `output_shape` must be a positive number, or a tuple of them, with `interpret`, but is "
            f"{given!r}."
        )
    return shape


def _index_map(num_qubits: int, interpret: Interpret | None, shape: tuple[int, ...]) -> np.ndarray:
    """The output of each measured integer, counted row by row.

    Raises:
        HQNNError: if `interpret` returns anything but indices within the shape.
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
