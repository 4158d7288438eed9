"""Existing networks of qiskit-machine-learning, accelerated: their quantum modules are replaced in place."""

from __future__ import annotations

import warnings

import torch
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN
from torch import nn

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers.connector import PackedConnector
from qiskit_hqnn.layers.quantum_layer import QuantumLayer
from qiskit_hqnn.layers.sampler_layer import SamplerLayer

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def accelerate(model: nn.Module) -> nn.Module:
    """Replace every TorchConnector of qiskit-machine-learning in a module by the layer that computes the same, fast.

    Weights stay the same Parameter objects, so existing optimisers still work. A network on Qiskit's exact reference
    then runs on the batched simulator; one with a different primitive (Aer, a backend, IBM Runtime) stays there, and a
    training step is sent as one PUB. `input_gradients` keeps its value.

    >>> from qiskit_machine_learning.neural_networks import EstimatorQNN
    >>> from qiskit_hqnn.circuits import hqnn_parallel
    >>> ansatz = hqnn_parallel(2, 1)
    >>> qnn = EstimatorQNN(circuit=ansatz.circuit, observables=ansatz.observables, input_params=ansatz.input_params,
    ...                    weight_params=ansatz.weight_params, input_gradients=True)
    >>> model = nn.Sequential(nn.Linear(4, 2), TorchConnector(qnn), nn.Linear(2, 1))
    >>> accelerate(model)[1]
    QuantumLayer(hqnn_parallel, copies=1, on exact, gradient=autograd)

    Args:
        model: changed in place, unless it is itself a TorchConnector.

    Returns:
        The model; for a TorchConnector, the layer that replaces it.

    Warns:
        UserWarning: names the TorchConnectors that are not replaced, and why.

    Raises:
        HQNNError: if it is not a module.
    """
    if not isinstance(model, nn.Module):
        raise HQNNError(
            f"Argument `model` must be a torch.nn.Module, but is a {type(model).__name__}; for a network alone there "
            "is QuantumLayer.from_qnn."
        )
    replaced: dict[int, nn.Module] = {}
    left: list[str] = []
    for name, module in model.named_modules():
        if isinstance(module, TorchConnector) and not isinstance(module, PackedConnector):
            try:
                replaced[id(module)] = _layer_for(module)
            except HQNNError as error:
                left.append(f"{name or 'the model itself'} ({error})")
    # A module that occurs in several places is replaced in all of them by one layer.
    for name, module in list(model.named_modules(remove_duplicate=False)):
        if name and id(module) in replaced:
            model.set_submodule(name, replaced[id(module)])
    if left:
        warnings.warn(f"Not replaced: {'; '.join(left)}", UserWarning, stacklevel=2)
    return replaced.get(id(model), model)


def _layer_for(connector: TorchConnector) -> PackedConnector:
    """The layer that replaces a connector, with the same weight tensor.

    Raises:
        HQNNError: if there is none.
    """
    if type(connector) is not TorchConnector:
        raise HQNNError(f"A {type(connector).__name__} is a subclass of TorchConnector.")
    if any(getattr(connector, hooks, None) for hooks in _HOOKS):
        raise HQNNError("A TorchConnector with hooks would lose them.")
    if not isinstance(connector.neural_network, EstimatorQNN | SamplerQNN):
        raise HQNNError(
            f"Its network must be an EstimatorQNN or a SamplerQNN, but is a {type(connector.neural_network).__name__}."
        )
    if connector.sparse:
        raise HQNNError("A TorchConnector with sparse outputs has no layer here: its outputs must be dense.")
    network, weights = connector.neural_network, connector.weight.detach()
    with torch.random.fork_rng(devices=[]):  # weights are not drawn again
        if isinstance(network, EstimatorQNN):
            layer: QuantumLayer | SamplerLayer = QuantumLayer.from_qnn(network, weights)
        else:
            layer = SamplerLayer.from_qnn(network, weights)
    if layer.evaluator.place is None:
        # A circuit that cannot be compiled is reported now, and not in the first step.
        layer.evaluator.quantity.exact(None, compile=False)
    layer.register_parameter("weight", connector._weights)
    layer.train(connector.training)
    return layer
