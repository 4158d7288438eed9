"""An EstimatorQNN whose forward and backward passes are one PUB each, for any number of copies of an ansatz."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import EstimatorQNN

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.gradient_rules import SPSA
from qiskit_hqnn.layers.packed_qnn import PackedQNN
from qiskit_hqnn.simulation import Program, compile_ansatz, compile_circuit

_TINY = 1e-4


class PackedEstimatorQNN(PackedQNN, EstimatorQNN):  # type: ignore[misc]
    """Expectation values of `copies` circuits side by side, each with its own inputs and weights.

    The plain EstimatorQNN sends one PUB for each observable, sample and shift. Here the samples, shifts and copies are
    the values, and the observables the other axis, of a single PUB. Without an estimator it computes exactly.

    Args:
        ansatz: the circuit, its parameters and its observables.
        copies: how many circuits stand side by side.
        estimator: any BaseEstimatorV2; None computes exact expectation values.
        gradient: "parameter-shift" (default), "spsa" or `SPSA(step, repeats)` for `backward`; None is the natural rule.
        shots: samples an expectation value, given to the estimator as precision 1/√shots; None leaves the
            estimator's own default.
        pass_manager: transpiles the template once, for estimators that take ISA circuits only.
        compile: whether exact training steps are compiled; see `QuantumLayer`.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        estimator: BaseEstimatorV2 | None = None,
        gradient: str | SPSA | None = None,
        shots: int | None = None,
        pass_manager: PassManager | None = None,
        compile: bool = False,
    ) -> None:
        if not isinstance(ansatz, Ansatz):
            raise HQNNError(f"Argument `ansatz` must be an Ansatz, but is a {type(ansatz).__name__}.")
        EstimatorQNN.__init__(
            self,
            circuit=ansatz.circuit,
            observables=list(ansatz.observables),
            input_params=ansatz.input_params,
            weight_params=ansatz.weight_params,
            input_gradients=True,
            estimator=estimator,
        )
        self._compiles = compile
        self._set_up(ansatz, copies, (copies * ansatz.num_outputs,), pass_manager)
        self.run_on(estimator, gradient, shots)

    @property
    def primitive(self) -> BaseEstimatorV2 | None:
        """The estimator, or None where expectation values are computed exactly."""
        return self._primitive

    @property
    def compiles(self) -> bool:
        """Whether exact training steps are compiled."""
        return self._compiles

    @compiles.setter
    def compiles(self, compile: bool) -> None:
        self._compiles, self._exact_programs = compile, {}

    def _place(self, primitive: Any) -> None:
        if primitive is not None and not isinstance(primitive, BaseEstimatorV2):
            raise HQNNError(
                "Argument `estimator` must be a BaseEstimatorV2, a word such as 'aer' or 'fake_fez', or None for "
                f"exact expectation values, but is a {type(primitive).__name__}."
            )
        self._primitive = primitive
        if primitive is not None:
            self.estimator = primitive

    def _compile(self) -> Any:
        if self._noise is not None:
            return partial(self._noise.values(self.ansatz).layer, copies=self.copies)
        return partial(compile_ansatz(self.ansatz, compile=self._compiles).layer, copies=self.copies)

    def _compile_template(self) -> Any:
        if self._noise is not None:
            template = self.template
            over_angles = Ansatz(template.circuit, template.angles, (), self.ansatz.observables)
            return self._noise.values(over_angles).expectation_values
        return self._template_program().expectation_values

    def _template_program(self) -> Program:
        template = self.template
        return compile_circuit(template.circuit, self.ansatz.observables, template.angles, ())

    def _reaching_angles(self) -> np.ndarray:
        return self._template_program().plan.seen

    def _sample(self, values: np.ndarray) -> np.ndarray:
        ours = list(self._observables)  # an ansatz copies its own, which would cost in each step
        outputs = np.zeros((*values.shape[:2], len(ours)))
        # Primitives refuse an observable that is zero, and drop the terms of a tiny one.
        sizes = np.array([_size(observable) for observable in ours])
        there = np.flatnonzero(sizes)
        if len(there):
            scales = np.where(sizes[there] < _TINY, sizes[there], 1.0)
            observables = [
                ours[number] / scale if scale != 1 else ours[number]
                for number, scale in zip(there, scales, strict=True)
            ]
            outputs[..., there] = self._measured(observables, values) * scales
        return outputs

    def _measured(self, observables: list[SparsePauliOp], values: np.ndarray) -> np.ndarray:
        """Expectation values (N, S, observables) of one PUB."""
        circuit = self._device_template()
        if self._pass_manager is not None:
            observables = [
                observable.apply_layout(circuit.layout, circuit.num_qubits) for observable in observables
            ]
        names = tuple(angle.name for angle in self.template.angles)
        pub: tuple[Any, ...] = (circuit, [[[observable]] for observable in observables])
        if names:
            pub += (BindingsArray({names: values}),)
        precision = None if self.shots is None else self.shots**-0.5
        result = self._primitive.run([pub], precision=precision).result()
        evs = np.broadcast_to(result[0].data.evs, (len(observables), *values.shape[:2]))
        return np.moveaxis(evs, 0, -1).astype(float)


def _size(observable: SparsePauliOp) -> float:
    """The largest coefficient, equal strings taken together."""
    return float(np.abs(observable.simplify(atol=0, rtol=0).coeffs).max())
