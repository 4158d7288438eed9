"""Probabilities of interpreted outcomes of an ansatz as a torch module."""

from __future__ import annotations

from contextlib import AbstractContextManager

from qiskit.primitives import BaseSamplerV2
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import SamplerQNN

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.layers.connector import PackedConnector, Weights
from qiskit_hqnn.layers.gradient_rules import Gradient
from qiskit_hqnn.layers.runs_on import sampler_for
from qiskit_hqnn.layers.sampler_qnn import Interpret, PackedSamplerQNN
from qiskit_hqnn.layers.stock import read_sampler_qnn


class SamplerLayer(PackedConnector):
    """Probabilities of `copies` circuits side by side: (..., copies · inputs) → (..., copies · outputs).

    A TorchConnector around a SamplerQNN; exact without a sampler, one PUB per training step with one.

    Args:
        ansatz: circuit and parameters of one copy; all qubits are measured.
        interpret: measured integer (qubit 0 least significant) → output index, or a tuple of indices; None keeps all
            2^n outcomes.
        output_shape: number of indices that `interpret` returns; for tuples the size of each axis. Outputs
            then have the shape (..., copies · output_shape[0], output_shape[1], …).
        copies: circuits side by side, each with its own inputs and weights.
        sampler: None or "exact"; "noisy:fake_fez" for exact probabilities under the noise of a device; a
            BaseSamplerV2; or a word for samples ("aer", "fake_fez", "ibm_fez").
        gradient, shots, initial_weights, pass_manager: as in `QuantumLayer`.

    Raises:
        HQNNError: if an argument is out of range, or the gradient rule does not fit the sampler.

    Example:
        >>> import torch
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> layer = SamplerLayer(hqnn_parallel(2, 1), copies=3)
        >>> layer(torch.rand(5, 6)).shape  # four outcomes of each copy
        torch.Size([5, 12])
    """

    _neural_network: PackedSamplerQNN

    def __init__(
        self,
        ansatz: Ansatz,
        interpret: Interpret | None = None,
        output_shape: int | tuple[int, ...] | None = None,
        copies: int = 1,
        sampler: BaseSamplerV2 | str | None = None,
        gradient: Gradient | None = None,
        shots: int | None = None,
        initial_weights: Weights | None = None,
        pass_manager: PassManager | None = None,
    ) -> None:
        qnn = PackedSamplerQNN(
            ansatz,
            copies,
            sampler_for(sampler, shots),
            interpret,
            output_shape,
            gradient,
            shots,
            pass_manager,
        )
        super().__init__(qnn, initial_weights)

    @classmethod
    def from_qnn(cls, qnn: SamplerQNN, initial_weights: Weights | None = None) -> SamplerLayer:
        """The layer of one of qiskit-machine-learning's SamplerQNNs; as `QuantumLayer.from_qnn`.

        Raises:
            HQNNError: as there, or if its outputs are sparse or its circuit has classical bits.
        """
        ansatz, interpret, place = read_sampler_qnn(qnn)
        layer = cls(ansatz, interpret, qnn.output_shape, sampler=place, initial_weights=initial_weights)
        layer.neural_network.input_gradients, layer.in_double = qnn.input_gradients, True
        return layer

    @property
    def neural_network(self) -> PackedSamplerQNN:
        """The SamplerQNN; its `sampler` is the one in use, None if probabilities are exact."""
        return self._neural_network

    def running_on(
        self,
        sampler: BaseSamplerV2 | str | None,
        gradient: Gradient | None = None,
        shots: int | None = None,
    ) -> AbstractContextManager[None]:
        """Within `with layer.running_on(sampler):` the same weights are evaluated elsewhere."""
        return self._running_on(sampler_for(sampler, shots), gradient, shots)
