"""An EstimatorQNN whose forward and backward passes are one PUB each, for any number of copies of an ansatz."""

from __future__ import annotations

from qiskit.primitives import BaseEstimatorV2
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import EstimatorQNN

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.layers.circuit_copies import CircuitCopies
from qiskit_hqnn.layers.evaluated_qnn import EvaluatedQNN
from qiskit_hqnn.layers.expectation_values import ExpectationValues
from qiskit_hqnn.layers.gradient_rules import Gradient


class PackedEstimatorQNN(EvaluatedQNN, EstimatorQNN):  # type: ignore[misc]
    """Expectation values of `copies` circuits side by side, each with its own inputs and weights.

    The plain EstimatorQNN sends one PUB for each observable, sample and shift. Here a single PUB has the
    samples, shifts and copies as its values, and the observables as its other axis. Without an estimator,
    values are exact.

    Args:
        ansatz: the circuit, its parameters and its observables.
        copies: number of circuits side by side.
        estimator: any BaseEstimatorV2; None computes exact expectation values.
        gradient: the rule of `backward`, as in `QuantumLayer`; None is the default rule.
        shots: samples per expectation value, given to the estimator as precision 1/√shots; None leaves the
            estimator's own default.
        pass_manager: transpiles the template once, for estimators that accept ISA circuits only.
        compile: whether exact training steps are compiled; see `QuantumLayer`.

    Raises:
        HQNNError: if an argument has the wrong type or is out of range, or the gradient rule does not fit the
            estimator.
    """

    quantity: ExpectationValues

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        estimator: BaseEstimatorV2 | None = None,
        gradient: Gradient | None = None,
        shots: int | None = None,
        pass_manager: PassManager | None = None,
        compile: bool = False,
    ) -> None:
        self.quantity = ExpectationValues(CircuitCopies(ansatz, copies, pass_manager))
        EstimatorQNN.__init__(
            self,
            circuit=ansatz.circuit,
            observables=list(ansatz.observables),
            input_params=ansatz.input_params,
            weight_params=ansatz.weight_params,
            input_gradients=True,
        )
        self._take_sizes()
        self._compiles = compile
        self.run_on(estimator, gradient, shots)

    @property
    def estimator(self) -> BaseEstimatorV2 | None:
        """The estimator in use; None if values are computed exactly. It may be set, as in Qiskit's class."""
        return self.primitive

    @estimator.setter
    def estimator(self, estimator: BaseEstimatorV2 | None) -> None:
        self.run_on(estimator)

    @property  # type: ignore[override]
    def default_precision(self) -> float | None:
        """The precision passed to the estimator: 1/√shots, or the one that was set; None leaves its default.

        A set precision applies wherever no shots are given.
        """
        return self.quantity.precision_of(self.shots)

    @default_precision.setter
    def default_precision(self, precision: float | None) -> None:
        self.quantity = ExpectationValues(self.quantity.circuits, precision)
        self.run_on(self.place, self.rule, self.shots)
