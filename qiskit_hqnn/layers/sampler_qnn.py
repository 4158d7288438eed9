"""A SamplerQNN whose forward and backward passes are one PUB each, for any number of copies of an ansatz."""

from __future__ import annotations

from qiskit.primitives import BaseSamplerV2
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import SamplerQNN

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.layers.circuit_copies import CircuitCopies
from qiskit_hqnn.layers.evaluated_qnn import EvaluatedQNN
from qiskit_hqnn.layers.gradient_rules import Gradient
from qiskit_hqnn.layers.probabilities import Interpret, Probabilities


class PackedSamplerQNN(EvaluatedQNN, SamplerQNN):
    """Probabilities of interpreted outcomes of `copies` circuits side by side.

    Args:
        ansatz: the circuit and its parameters; its observables are ignored.
        copies: number of circuits side by side.
        sampler: any BaseSamplerV2; None computes exact probabilities.
        interpret: maps the measured integer (Qiskit's order: qubit 0 is the least significant bit) to an output
            index, or to a tuple of them, one for each axis of `output_shape`; None keeps all 2^n outcomes.
        output_shape: number of outputs of `interpret`, or a tuple of numbers for several axes; copies lie along the
            first one.
        gradient: as in `QuantumLayer`; "parameter-shift" by default.
        shots: samples per circuit; None leaves the sampler's own default.
        pass_manager: transpiles the measured template once, for samplers that accept ISA circuits only.

    Raises:
        HQNNError: if only one of `interpret` and `output_shape` is given, an index is outside the shape or
            has a different number of parts, or there are more than 20 qubits.
    """

    quantity: Probabilities

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        sampler: BaseSamplerV2 | None = None,
        interpret: Interpret | None = None,
        output_shape: int | tuple[int, ...] | None = None,
        gradient: Gradient | None = None,
        shots: int | None = None,
        pass_manager: PassManager | None = None,
    ) -> None:
        quantity = Probabilities(CircuitCopies(ansatz, copies, pass_manager), interpret, output_shape)
        self.quantity = quantity
        SamplerQNN.__init__(
            self,
            circuit=ansatz.circuit,
            input_params=ansatz.input_params,
            weight_params=ansatz.weight_params,
            input_gradients=True,
        )
        self._use(quantity)
        self.run_on(sampler, gradient, shots)

    @property
    def sampler(self) -> BaseSamplerV2 | None:
        """The sampler in use; None if probabilities are computed exactly. It may be set."""
        return self.primitive

    @sampler.setter
    def sampler(self, sampler: BaseSamplerV2 | None) -> None:
        self.run_on(sampler)

    def set_interpret(
        self, interpret: Interpret | None = None, output_shape: int | tuple[int, ...] | None = None
    ) -> None:
        """Change the outputs from now on; arguments and errors as in the constructor."""
        self._use(Probabilities(self.quantity.circuits, interpret, output_shape))

    def _use(self, quantity: Probabilities) -> None:
        before = self.evaluator
        self.quantity = quantity
        self._interpret = quantity.interpret
        self._take_sizes()
        self.run_on(before.place, before.rule, before.shots)
