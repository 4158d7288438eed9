"""The protocol of a hybrid network: an encoder, the quantum layer (or its replacement), and a head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias, cast

import numpy as np
import torch
from qiskit.quantum_info import PauliList, SparsePauliOp
from torch import Tensor, nn

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import PackedSamplerQNN, QuantumLayer, SamplerLayer

AnyQuantumLayer: TypeAlias = QuantumLayer | SamplerLayer

_MOST_TERMS = 20_000
"""Most Pauli strings of all projectors together; seven qubits with all of their outcomes have 16,384."""


class HybridNetwork(Protocol):
    """Every network computes `decode(quantum(encode(images)))`, so the quantum part can run elsewhere by itself.

    Attributes:
        quantum: a quantum layer, a module that replaces it, or None for nothing between encoder and head.
    """

    quantum: nn.Module | None

    def encode(self, images: Tensor, /) -> Tensor:
        """Inputs of the quantum layer, (batch, …, copies · inputs), from images or features (batch, …)."""

    def decode(self, outputs: Tensor, /) -> Tensor:
        """Logits or probabilities (batch, classes) from the layer's outputs (batch, …, copies · outputs)."""


def as_hybrid(network: nn.Module) -> HybridNetwork:
    """A network by its three parts.

    Example:
        >>> from qiskit_hqnn.models import TextbookHybrid, as_hybrid
        >>> type(as_hybrid(TextbookHybrid()).quantum).__name__
        'QuantumLayer'

    Raises:
        HQNNError: if it lacks one of them, or has a quantum layer besides `quantum`, which could not run elsewhere.
    """
    lacking = [part for part in ("encode", "quantum", "decode") if not hasattr(network, part)]
    if lacking:
        raise HQNNError(
            f"A hybrid network has `encode`, `quantum` and `decode`, but {type(network).__name__} has no "
            f"{', '.join(lacking)}."
        )
    # No isinstance by the protocol: from Python 3.12 on that ignores attributes that torch's modules register.
    hybrid = cast(HybridNetwork, network)
    for name, module in network.named_modules():
        if isinstance(module, AnyQuantumLayer) and module is not hybrid.quantum:
            raise HQNNError(
                f"A hybrid network has one quantum layer, `quantum`, but {type(network).__name__} has another one: "
                f"{name}."
            )
    return hybrid


def quantum_layer_of(network: nn.Module) -> AnyQuantumLayer | None:
    """The network's quantum layer; None if a classical module, or nothing, replaces it.

    Raises:
        HQNNError: if it is not a hybrid network.
    """
    layer = as_hybrid(network).quantum
    return layer if isinstance(layer, AnyQuantumLayer) else None


def in_observables(layer: AnyQuantumLayer) -> QuantumLayer:
    """The layer as expectation values, with the same weights: probabilities are those of projectors.

    Qubit-wise commuting projectors are estimated from the same shots, so this costs the same as the probabilities.

    Raises:
        HQNNError: if they have too many Pauli strings, or outputs on several axes.
    """
    if isinstance(layer, QuantumLayer):
        return layer
    qnn = layer.qnn
    assert isinstance(qnn, PackedSamplerQNN)
    if len(qnn.quantity.output_shape) != 1:
        raise HQNNError(
            f"Outputs of shape {qnn.quantity.output_shape} cannot be written as a list of expectation values."
        )
    ansatz: Ansatz = layer.ansatz
    outputs = qnn.quantity.output_shape[0] // layer.copies
    lookup = np.array([qnn.quantity.interpret(outcome) for outcome in range(2**ansatz.num_qubits)])
    spectra = [_walsh_transform(lookup == output) for output in range(outputs)]
    terms = sum(map(np.count_nonzero, spectra))
    if terms > _MOST_TERMS:
        raise HQNNError(
            f"Probabilities of {outputs} outcomes of {ansatz.num_qubits} qubits are {terms:,} Pauli strings, more than "
            f"{_MOST_TERMS:,}: interpret the outcomes as fewer outputs, or use observables."
        )
    same = Ansatz(
        ansatz.circuit,
        ansatz.input_params,
        ansatz.weight_params,
        map(_in_strings, spectra),
        ansatz.reference,
        ansatz.name,
    )
    observed = QuantumLayer(same, layer.copies, initial_weights=layer.weight.detach())
    observed.weight.requires_grad_(layer.weight.requires_grad)
    return observed


def _walsh_transform(outcomes: np.ndarray) -> np.ndarray:
    """Coefficients (2^n,) of the Z strings whose sum is 1 for these outcomes (2^n,) and 0 for all others."""
    values = outcomes.astype(float)
    for qubit in range(len(values).bit_length() - 1):
        pairs = values.reshape(-1, 2, 2**qubit)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(-1)
    return values / len(values)


def _in_strings(spectrum: np.ndarray) -> SparsePauliOp:
    """The observable of such coefficients: bit k of an index says whether qubit k has a Z."""
    strings = np.flatnonzero(spectrum) if spectrum.any() else np.zeros(1, dtype=np.int64)
    z = strings[:, None] >> np.arange(len(spectrum).bit_length() - 1) & 1
    return SparsePauliOp(PauliList.from_symplectic(z.astype(bool), np.zeros_like(z, bool)), spectrum[strings])


def encoded(network: HybridNetwork, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Inputs of the quantum layer, (N, …), and the labels (N,), without gradients.

    Args:
        network: in evaluation mode.
        batches: of images and labels.
    """
    with torch.no_grad():
        parts = [(network.encode(images), labels) for images, labels in batches]
    return torch.cat([part for part, _ in parts]), torch.cat([labels for _, labels in parts])
