"""Models by the names of job files, and their numbers of parameters."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.models.circuit_centric import CircuitCentricClassifier
from qiskit_hqnn.models.hqnn_parallel import HQNNParallel
from qiskit_hqnn.models.hqnn_quanv import HQNNQuanv
from qiskit_hqnn.models.options import check_option
from qiskit_hqnn.models.reuploading import ReuploadingClassifier
from qiskit_hqnn.models.textbook import TextbookHybrid
from qiskit_hqnn.models.vqc_head import VQCHead

MODELS: dict[str, type[nn.Module]] = {
    "hqnn-parallel": HQNNParallel,
    "hqnn-quanv": HQNNQuanv,
    "vqc-head": VQCHead,
    "textbook": TextbookHybrid,
    "circuit-centric": CircuitCentricClassifier,
    "reuploading": ReuploadingClassifier,
}
"""The six published networks by the words of job files."""


def build(name: str, **options: object) -> nn.Module:
    """A model by its name.

    Args:
        name: a key of `MODELS`.
        options: arguments of its class.

    Raises:
        HQNNError: if the name or an option is unknown, or an option is out of range.

    Example:
        >>> model = build("hqnn-parallel", num_qubits=2, depth=1, copies=2)
        >>> count_parameters(model)["quantum"]
        12
    """
    if name not in MODELS:
        raise HQNNError(f"Model must be one of {quoted(MODELS)}, but is {name!r}{suggestion(name, MODELS)}")
    for option, value in options.items():
        check_option(name, option, value)
    return MODELS[name](**options)


def options_of(name: str) -> tuple[str, ...]:
    """The options that a model takes."""
    return tuple(inspect.signature(MODELS[name]).parameters)


def defaults_of(name: str) -> dict[str, Any]:
    """The default options of a model."""
    return {option: given.default for option, given in inspect.signature(MODELS[name]).parameters.items()}


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Trainable parameters: {"classical": …, "quantum": …}."""
    quantum = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, QuantumLayer | SamplerLayer)
        for parameter in module.parameters()
    }
    counts = {"classical": 0, "quantum": 0}
    for parameter in model.parameters():
        if parameter.requires_grad:
            counts["quantum" if id(parameter) in quantum else "classical"] += parameter.numel()
    return counts
