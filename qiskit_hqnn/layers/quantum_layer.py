"""The quantum layer of the hybrid networks: expectation values of an ansatz as a torch module."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from qiskit.primitives import BaseEstimatorV2
from qiskit.transpiler import PassManager

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.layers.connector import PackedConnector
from qiskit_hqnn.layers.estimator_qnn import PackedEstimatorQNN
from qiskit_hqnn.layers.gradient_rules import SPSA
from qiskit_hqnn.layers.places import estimator_for
from qiskit_hqnn.simulation import compile_ansatz


class QuantumLayer(PackedConnector):
    """Expectation values of `copies` circuits side by side: (..., copies · inputs) → (..., copies · outputs).

    A TorchConnector around an EstimatorQNN. Without an estimator it computes exactly, with autograd through the
    batched simulator, at about the cost of a dense layer. With one, a training step goes out as a single PUB.
    Gradients flow to the inputs and to the weights, always.

    Args:
        ansatz: circuit, parameters and observables of one copy.
        copies: circuits side by side, each with its own inputs and weights (Senokosov et al. 2024, section 2.2).
        estimator: None or "exact" for exact values, "noisy:fake_fez" for those under the noise of a device; a
            BaseEstimatorV2; or a word for samples ("aer", "fake_fez", "ibm_fez").
        gradient: "autograd" (exact values only), "parameter-shift", "spsa" or `SPSA(step, repeats)`; None takes the
            first that fits.
        shots: samples an expectation value; None leaves the estimator's default. At "exact" and "noisy:fake_fez" they
            are drawn from the exact distribution, without Aer.
        initial_weights: copies · weights angles in radians; None draws them uniformly from [0, 2π).
        pass_manager: transpiles the circuit once, for an estimator that takes only ISA circuits (a JobManager's
            does that by itself).
        compile: exact training steps compiled by torch's compiler: about twice as fast, after up to half a minute in
            the first step of each batch size (at most four; further ones run as usual), which is kept on disk.

    Raises:
        HQNNError: if an argument is out of range, the gradient rule does not fit the estimator, or, in the first
            training step, what `compile` asks for fails.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        estimator: BaseEstimatorV2 | str | None = None,
        gradient: str | SPSA | None = None,
        shots: int | None = None,
        initial_weights: Any = None,
        pass_manager: PassManager | None = None,
        compile: bool = False,
    ) -> None:
        place = estimator_for(estimator, shots)
        qnn = PackedEstimatorQNN(ansatz, copies, place, gradient, shots, pass_manager, compile)
        super().__init__(qnn, initial_weights)

    @property
    def compiles(self) -> bool:
        """Whether exact training steps are compiled; may be set at any time."""
        return self._neural_network.compiles

    @compiles.setter
    def compiles(self, compile: bool) -> None:
        self._neural_network.compiles = compile

    def check_room(self, batch: int) -> None:
        """Raises HQNNError, which says what they would take, if exact values of a batch do not fit into memory."""
        compile_ansatz(self.ansatz).check_room(batch * self.copies)

    def running_on(
        self,
        estimator: BaseEstimatorV2 | str | None,
        gradient: str | SPSA | None = None,
        shots: int | None = None,
    ) -> AbstractContextManager[None]:
        """Within `with layer.running_on(estimator):` the same weights are evaluated elsewhere.

        Args as in the constructor; None or "exact" is the exact simulator.
        """
        return self._running_on(estimator_for(estimator, shots), gradient, shots)
