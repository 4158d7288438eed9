"""A custom network, checked against the protocol."""

from __future__ import annotations

from torch import Tensor, nn

from qiskit_hqnn.circuits import without_entanglement
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models.composed import replaced
from qiskit_hqnn.models.hybrid import AnyQuantumLayer, as_hybrid, quantum_layer_of
from qiskit_hqnn.models.options import check_control


class Chained(nn.Module):
    """An `nn.Sequential` with one quantum layer, by its three parts."""

    loss = "cross-entropy"

    def __init__(self, before: nn.Sequential, quantum: nn.Module, after: nn.Sequential) -> None:
        super().__init__()
        self.before = before
        self.quantum: nn.Module | None = quantum
        self.after = after

    def encode(self, images: Tensor) -> Tensor:
        """The part before the quantum layer."""
        return self.before(images)

    def decode(self, outputs: Tensor) -> Tensor:
        """The part after it."""
        return self.after(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        encoded = self.encode(images)
        return self.decode(encoded if self.quantum is None else self.quantum(encoded))


def adopted(network: object, what: str, control: str | None = None) -> nn.Module:
    """A custom network, as the rest of the library takes it.

    Args:
        network: a module with `encode`, `quantum` and `decode`, or an `nn.Sequential` with one quantum layer in it.
        what: its name in errors.
        control: what replaces the quantum layer, see `CONTROLS_OF`; the network is changed in place.

    Raises:
        HQNNError: if it is neither, or has no such control.
    """
    if not isinstance(network, nn.Module):
        raise HQNNError(f"{what} must return an nn.Module, but returns a {type(network).__name__}.")
    if isinstance(network, nn.Sequential):
        network = _chained(network, what)
    try:
        parts, layer = as_hybrid(network), quantum_layer_of(network)
    except HQNNError as error:
        raise HQNNError(f"{what} cannot be used: {error}") from None
    if control is not None:
        check_control(control, what)
        if layer is None:
            raise HQNNError(f"{what} has no quantum layer, so there is no control {control!r}.")
        parts.quantum = _in_its_place(layer, control)
    return network


def _in_its_place(layer: AnyQuantumLayer, control: str) -> nn.Module | None:
    if control == "no-entanglement":
        if not isinstance(layer, QuantumLayer):
            raise HQNNError(
                "Control 'no-entanglement' needs a QuantumLayer, but the network has a SamplerLayer."
            )
        ansatz = without_entanglement(layer.ansatz)
        return QuantumLayer(ansatz, layer.copies, initial_weights=layer.weight.detach())
    outputs = layer.qnn.quantity.output_shape[0]
    return replaced(layer, layer.copies * layer.ansatz.num_inputs, outputs, control)


def _chained(network: nn.Sequential, what: str) -> Chained:
    places = [index for index, part in enumerate(network) if isinstance(part, AnyQuantumLayer)]
    if len(places) != 1:
        raise HQNNError(
            f"{what} is an nn.Sequential and must have one quantum layer among its parts, but has {len(places)}."
        )
    (place,) = places
    return Chained(network[:place], network[place], network[place + 1 :])
