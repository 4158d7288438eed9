"""The quantum layer of the hybrid networks: expectation values of an ansatz as a torch module."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import EstimatorQNN
from torch import Tensor

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import ShapeError
from qiskit_hqnn.layers.connector import PackedConnector, Weights
from qiskit_hqnn.layers.estimator_qnn import PackedEstimatorQNN
from qiskit_hqnn.layers.evaluators import SampledEvaluator
from qiskit_hqnn.layers.gradient_rules import Gradient, check_gradient, own_shots
from qiskit_hqnn.layers.runs_on import NoisyPlace, estimator_for
from qiskit_hqnn.layers.stock import read_estimator_qnn
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.where import Where


class QuantumLayer(PackedConnector):
    """Expectation values of `copies` circuits side by side: (..., copies · inputs) → (..., copies · outputs).

    A TorchConnector around an EstimatorQNN. Without an estimator, values are exact, with autograd through the batched
    simulator, at about the cost of a dense layer. With one, a training step is sent as a single PUB. Gradients always
    flow to the inputs and to the weights.

    Args:
        ansatz: circuit, parameters and observables of one copy.
        copies: circuits side by side, each with its own inputs and weights (Senokosov et al. 2024, section 2.2).
        estimator: None or "exact" for exact values, "noisy:fake_fez" for exact values under a device's noise; a
            BaseEstimatorV2; or a word for samples ("aer", "fake_fez", "ibm_fez").
        gradient: "autograd" (exact values only), "parameter-shift", "random-shift" or "spsa"; or one of the last three
            with settings: `ParameterShift(shots)`, `RandomShift(pairs, shots)`, `SPSA(step, repeats, shots)`. None
            uses the first that fits.
        shots: samples per expectation value; None leaves the estimator's default. At "exact" and "noisy:fake_fez" they
            are drawn from the exact distribution, without Aer.
        initial_weights: copies · weights angles in radians; None draws them uniformly from [0, 2π).
        pass_manager: transpiles the circuit once, for an estimator that accepts only ISA circuits (a JobManager's
            estimator transpiles by itself).
        compile: exact training steps compiled by torch's compiler: about twice as fast, after up to half a minute in
            the first step of each batch size (at most four; further ones run as usual); the result is cached on disk.

    Raises:
        HQNNError: if an argument is out of range, the gradient rule does not fit the estimator, or, in the first
            training step, compilation fails.
    """

    _neural_network: PackedEstimatorQNN

    def __init__(
        self,
        ansatz: Ansatz,
        copies: int = 1,
        estimator: BaseEstimatorV2 | str | None = None,
        gradient: Gradient | None = None,
        shots: int | None = None,
        initial_weights: Weights | None = None,
        pass_manager: PassManager | None = None,
        compile: bool = False,
    ) -> None:
        place = estimator_for(estimator, shots)
        qnn = PackedEstimatorQNN(ansatz, copies, place, gradient, shots, pass_manager, compile)
        super().__init__(qnn, initial_weights)

    @classmethod
    def from_qnn(cls, qnn: EstimatorQNN, initial_weights: Weights | None = None) -> QuantumLayer:
        """The layer of one of qiskit-machine-learning's EstimatorQNNs: the same outputs, gradients and place.

        One without an estimator, or with Qiskit's exact reference, is computed exactly. One with a different estimator
        stays there, and a training step is one PUB with the network's `default_precision`. `input_gradients` keeps its
        value, and values are computed in float64 as in Qiskit (`layer.in_double = False` is about twice as fast).

        Args:
            qnn: the network; it is not altered.
            initial_weights: as in the constructor.

        Raises:
            HQNNError: if it is a different kind of network, or its gradient uses a different method or estimator.
        """
        ansatz, place = read_estimator_qnn(qnn)
        layer = cls(ansatz, estimator=place, initial_weights=initial_weights)
        layer.neural_network.default_precision = qnn.default_precision
        layer.neural_network.input_gradients, layer.in_double = qnn.input_gradients, True
        return layer

    @property
    def compiles(self) -> bool:
        """Whether exact training steps are compiled; may be set at any time."""
        return self._neural_network.compiles

    @compiles.setter
    def compiles(self, compile: bool) -> None:
        self._neural_network.compiles = compile

    @property
    def neural_network(self) -> PackedEstimatorQNN:
        """The EstimatorQNN; its `estimator` is the one in use, None if values are exact."""
        return self._neural_network

    def pub(self, inputs: Tensor, gradient: Gradient | None = None, shots: int | None = None) -> EstimatorPub:
        """The single PUB of a batch, which can be priced, inspected, or submitted by itself.

        >>> import torch
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> layer = QuantumLayer(hqnn_parallel(2, 1), copies=3)
        >>> layer.pub(torch.rand(5, 6)).shape  # observables, samples × copies, sets of angles per copy
        (2, 15, 1)

        Args:
            inputs: of shape (..., copies · I), as for the layer.
            gradient: a rule that shifts angles, as for the layer, for the PUB of a training step: with the shifted sets
                for the derivatives by the weights, and by the inputs if these require a gradient.
            shots: samples per expectation value; None is the layer's number or, without one, the estimator's.

        Returns:
            Shape (observables that are not zero, samples · copies, 1 + shifted sets), or (observables, 1, 1) for a
            circuit without parameters.

        Raises:
            HQNNError: if the gradient rule is "autograd", its shots do not fit the plain ones, these are not
                positive, or all observables are zero.
            ShapeError: if the inputs' shape does not fit, or a value is NaN or infinite.
        """
        inputs, weight, place = self._checked(inputs), self.weight, self.neural_network.primitive
        rule = check_gradient(gradient, exact=False)
        assert not isinstance(rule, str)  # off the exact simulator no rule is "autograd"
        sampled = SampledEvaluator(self.neural_network.quantity, place, rule, None)
        with torch.set_grad_enabled(gradient is not None):
            angles = sampled.quantity.circuits.angles(inputs, weight)
            shifts = sampled.shifts(angles, inputs.requires_grad, weight.requires_grad)
        shots = self.neural_network.shots if shots is None else check_integer("shots", shots, 1)
        shifts, shots = own_shots(rule, shifts, shots)
        quantity = self.neural_network.quantity
        pub = quantity.pub(place, shifts.sets(angles.detach().numpy()))
        return EstimatorPub.coerce(pub, quantity.precision_of(shots))

    def outputs(self, evs: np.ndarray, batch: int | None = None) -> Tensor:
        """The layer's outputs for a batch, from the expectation values of its PUB.

        >>> from qiskit.primitives import StatevectorEstimator
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> layer, inputs = QuantumLayer(hqnn_parallel(2, 1), copies=3), torch.rand(5, 6)
        >>> result = StatevectorEstimator().run([layer.pub(inputs)]).result()[0]
        >>> torch.allclose(layer.outputs(result.data.evs), layer(inputs), atol=1e-5)
        True

        Args:
            evs: expectation values in the PUB's shape; shifted sets are ignored.
            batch: samples in the PUB; needed only for a circuit without parameters.

        Returns:
            Shape (batch, copies · O), of the weights' dtype and device, without a graph.

        Raises:
            ShapeError: if the values do not belong to a PUB of this layer, or the batch does not fit.
        """
        evs, copies = np.asarray(evs, dtype=float), self.copies
        rows = evs.shape[1] if evs.ndim == 3 else 0
        alike = not self.neural_network.template.num_angles
        samples = (batch or 1) if alike else rows // copies
        if evs.ndim != 3 or (not alike and rows != copies * (samples if batch is None else batch)):
            wanted = "batch" if batch is None else str(batch)
            raise ShapeError(
                f"Expectation values of this layer's PUB must have shape (observables, {wanted} · {copies} copies, "
                f"sets), but have shape {evs.shape}."
            )
        values = self.neural_network.quantity.read(evs[..., :1], (samples * copies, 1))
        return torch.from_numpy(values).to(self.weight).reshape(samples, copies * self.ansatz.num_outputs)

    def check_room(self, batch: int, where: str = "exact") -> None:
        """Raises HQNNError, which gives the memory needed, if exact values of a batch do not fit into memory.

        Args:
            batch: samples of a step.
            where: "exact" or "noisy:fake_<device>".
        """
        program, place = compile_ansatz(self.ansatz), Where.parse(where)
        if not place.noisy:
            program.check_room(batch * self.copies)
            return
        from qiskit_hqnn.simulation.noise import check_plan

        # Under noise an output depends on no fewer qubits: this is known before a wide circuit is transpiled.
        check_plan(program.plan.num_qubits, self.ansatz.num_outputs)
        NoisyPlace(place).values(self.ansatz).check_room(batch, self.copies)

    def running_on(
        self,
        estimator: BaseEstimatorV2 | str | None,
        gradient: Gradient | None = None,
        shots: int | None = None,
    ) -> AbstractContextManager[None]:
        """Within `with layer.running_on(estimator):` the same weights are evaluated elsewhere.

        Args as in the constructor; None or "exact" is the exact simulator.
        """
        return self._running_on(estimator_for(estimator, shots), gradient, shots)
