"""A SamplerQNN whose forward and backward passes are one PUB each, for any number of copies of an ansatz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import SamplerQNN
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.gradient_rules import SPSA
from qiskit_hqnn.layers.packed_qnn import PackedQNN
from qiskit_hqnn.simulation import compile_ansatz, compile_circuit
from qiskit_hqnn.simulation.functions import by_copy

_MAX_QUBITS = 20


class PackedSamplerQNN(PackedQNN, SamplerQNN):
    """Probabilities of interpreted outcomes of `copies` circuits side by side.

    Args:
        ansatz: the circuit and its parameters; its observables play no part.
        copies: how many circuits stand side by side.
        sampler: any BaseSamplerV2; None computes exact probabilities.
        interpret: maps the measured integer (Qiskit's order: qubit 0 is the least significant bit) to an output
            index; None keeps all 2^n outcomes.
        output_shape: number of outputs of `interpret`.
        gradient: "parameter-shift" (default), "spsa" or `SPSA(step, repeats)`.
        shots: samples a circuit; None leaves the sampler's own default.
        pass_manager: transpiles the measured template once, for samplers that take ISA circuits only.

    Raises:
        HQNNError: if `interpret` comes without `output_shape` or returns an index outside it, or there are more than
            20 qubits.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        sampler: BaseSamplerV2 | None = None,
        interpret: Callable[[int], int] | None = None,
        output_shape: int | None = None,
        gradient: str | SPSA | None = None,
        shots: int | None = None,
        pass_manager: PassManager | None = None,
    ) -> None:
        index_map = _index_map(ansatz.num_qubits, interpret, output_shape)
        outputs = output_shape if interpret is not None and output_shape else 2**ansatz.num_qubits
        SamplerQNN.__init__(
            self,
            circuit=ansatz.circuit,
            input_params=ansatz.input_params,
            weight_params=ansatz.weight_params,
            interpret=_Lookup(index_map),
            output_shape=outputs,
            input_gradients=True,
            sampler=sampler,
        )
        self._indices, self._outputs = index_map, outputs
        self._set_up(ansatz, copies, (copies * outputs,), pass_manager)
        self.run_on(sampler, gradient, shots)

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
        outcomes = self._interpreted(compile_ansatz(self.ansatz).probabilities)

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            flat = (*inputs.shape[:-1], self.copies * self._outputs)
            return outcomes(*by_copy(inputs, weights, self.copies)).reshape(flat)

        return evaluate

    def _compile_template(self) -> Any:
        template = self.template
        program = compile_circuit(template.circuit, self.ansatz.observables, template.angles, ())
        return self._interpreted(program.probabilities)

    def _interpreted(self, probabilities: Any) -> Any:
        indices = torch.from_numpy(self._indices)

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            outcomes = probabilities(inputs, weights)
            empty = outcomes.new_zeros(*outcomes.shape[:-1], self._outputs)
            return empty.index_add(-1, indices.to(outcomes.device), outcomes)

        return evaluate

    def _sampled_circuit(self) -> QuantumCircuit:
        return self.template.circuit.measure_all(inplace=False)

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

    def __init__(self, indices: np.ndarray) -> None:
        self.indices = indices

    def __call__(self, outcome: int) -> int:
        return int(self.indices[outcome])


def _index_map(num_qubits: int, interpret: Callable[[int], int] | None, outputs: int | None) -> np.ndarray:
    if num_qubits > _MAX_QUBITS:
        raise HQNNError(
            f"A SamplerLayer takes at most {_MAX_QUBITS} qubits, but the ansatz has {num_qubits}; for wider circuits "
            "use a QuantumLayer with observables."
        )
    if interpret is None:
        return np.arange(2**num_qubits)
    if outputs is None or outputs < 1:
        raise HQNNError(
            f"Argument `output_shape` must be a positive number with `interpret`, but is {outputs}."
        )
    indices = np.array([int(interpret(outcome)) for outcome in range(2**num_qubits)])
    if indices.min() < 0 or indices.max() >= outputs:
        raise HQNNError(
            f"Argument `interpret` must return indices from 0 to {outputs - 1}, but returns "
            f"{sorted(set(indices[(indices < 0) | (indices >= outputs)].tolist()))[:5]}."
        )
    return indices
