"""Expectation values of copies of an ansatz, exact and as one PUB of an estimator."""

from __future__ import annotations

from functools import partial

import numpy as np
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers import EstimatorPubLike
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.layers.circuit_copies import CircuitCopies
from qiskit_hqnn.layers.quantities import Exact, apart, refuse_noise
from qiskit_hqnn.layers.runs_on import NoisyPlace
from qiskit_hqnn.simulation import Program, compile_ansatz, compile_circuit

_TINY = 1e-4


class ExpectationValues:
    """The outputs of a `QuantumLayer`: a `Quantity`.

    In a PUB the sets of angles are the values, of shape (N, S), and the observables the other axis. Primitives refuse
    an observable that is zero, and drop the terms of a tiny one: the former are left out, the latter sent scaled up.

    Args:
        circuits: the circuits.
        precision: passed to an estimator if no shots are given; None leaves its default.
    """

    def __init__(self, circuits: CircuitCopies, precision: float | None = None) -> None:
        self.circuits, self.precision = circuits, precision
        self.num_outputs = circuits.ansatz.num_outputs
        self.output_shape: tuple[int, ...] = (circuits.copies * self.num_outputs,)
        observables = circuits.ansatz.observables
        sizes = np.array([_size(observable) for observable in observables])
        self._reaching: np.ndarray | None = None
        self._sent = np.flatnonzero(sizes)
        self._scales = np.where(sizes < _TINY, sizes, 1.0)[self._sent]
        self._observables = [
            observables[number] / scale if scale != 1 else observables[number]
            for number, scale in zip(self._sent, self._scales, strict=True)
        ]

    def check_primitive(self, primitive: object) -> None:
        if not isinstance(primitive, BaseEstimatorV2):
            raise HQNNError(
                "Argument `estimator` must be a BaseEstimatorV2, a word such as 'aer' or 'fake_fez', or None for "
                f"exact expectation values, but is a {type(primitive).__name__}."
            )

    def exact(self, noise: NoisyPlace | None, compile: bool) -> Exact:
        ansatz, copies = self.circuits.ansatz, self.circuits.copies
        if noise is not None:
            return partial(noise.values(ansatz).layer, copies=copies)
        return partial(compile_ansatz(ansatz, compile=compile).layer, copies=copies)

    def in_operators(self, noise: NoisyPlace | None) -> Exact:
        refuse_noise(noise)
        gates, copies = compile_ansatz(self.circuits.ansatz).gate_by_gate(), self.circuits.copies

        def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
            return gates.expectation_values(*apart(inputs, weights, copies)).flatten(-2)

        return evaluate

    def exact_of_angles(self, noise: NoisyPlace | None) -> Exact:
        if noise is None:
            return self._template_program().expectation_values
        template = self.circuits.template
        over_angles = Ansatz(template.circuit, template.angles, (), self.circuits.ansatz.observables)
        return noise.values(over_angles).expectation_values

    def reaching(self) -> np.ndarray:
        if self._reaching is None:
            self._reaching = self._template_program().plan.seen
        return self._reaching

    def sample(self, primitive: BaseEstimatorV2, shots: int | None, values: np.ndarray) -> np.ndarray:
        sets = (values.shape[0], values.shape[1])
        if not len(self._sent):
            return np.zeros((*sets, self.num_outputs))
        job = primitive.run([self.pub(primitive, values)], precision=self.precision_of(shots))
        result = job.result()
        return self.read(np.asarray(result[0].data.evs), sets)

    def precision_of(self, shots: int | None) -> float | None:
        """The observables that are sent to an estimator."""
        return self.precision if shots is None else shots**-0.5

    def pub(self, primitive: object, values: np.ndarray) -> EstimatorPubLike:
        """One estimator PUB, of shape (observables, N, S), for sets of angles (N, S, K).

        Raises:
            HQNNError: if every observable is zero.
        """
        if not len(self._sent):
            raise HQNNError("There is nothing to measure: every observable of the ansatz is zero.")
        circuit, observables = self.circuits.sent(primitive, measured=False), self._observables
        if self.circuits.pass_manager is not None:
            observables = [
                observable.apply_layout(circuit.layout, circuit.num_qubits) for observable in observables
            ]
        names = tuple(angle.name for angle in self.circuits.template.angles)
        on_their_axis = [[[observable]] for observable in observables]
        if not names:
            return circuit, on_their_axis
        return circuit, on_their_axis, BindingsArray({names: values})

    def read(self, evs: np.ndarray, sets: tuple[int, int]) -> np.ndarray:
        """Outputs (N, S, O) from the expectation values of such a PUB.

        Raises:
            ShapeError: if their shape does not fit.
        """
        try:
            measured = np.broadcast_to(evs, (len(self._sent), *sets))
        except ValueError:
            raise ShapeError(
                f"Expectation values of this layer's PUB must have shape {(len(self._sent), *sets)}, but have shape "
                f"{evs.shape}."
            ) from None
        outputs = np.zeros((*sets, self.num_outputs))
        outputs[..., self._sent] = np.moveaxis(measured, 0, -1) * self._scales
        return outputs

    def _template_program(self) -> Program:
        template = self.circuits.template
        return compile_circuit(template.circuit, self.circuits.ansatz.observables, template.angles, ())


def _size(observable: SparsePauliOp) -> float:
    """The largest coefficient after equal strings are added up."""
    return float(np.abs(observable.simplify(atol=0, rtol=0).coeffs).max())
