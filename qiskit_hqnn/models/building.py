"""Models by the names of job files, and what they count."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

from torch import nn

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.models.circuit_centric import CircuitCentricClassifier
from qiskit_hqnn.models.hqnn_parallel import HQNNParallel
from qiskit_hqnn.models.hqnn_quanv import HQNNQuanv
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


_LARGEST = 10_000
"""Of any count or size: what is larger is a slip, and would be reported only when memory has run out."""


def build(name: str, **options: Any) -> nn.Module:
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
        raise HQNNError(_unknown("Model", name, list(MODELS)))
    kind = MODELS[name]
    allowed = list(inspect.signature(kind).parameters)
    for option in options:
        if option not in allowed:
            raise HQNNError(_unknown(f"Option of model {name!r}", option, allowed))
        _check_type(name, option, options[option], get_type_hints(kind.__init__)[option])
    return kind(**options)


def options_of(name: str) -> tuple[str, ...]:
    """The options that a model takes."""
    return tuple(inspect.signature(MODELS[name]).parameters)


def defaults_of(name: str) -> dict[str, Any]:
    """The options that a model has where none is given."""
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


def _check_type(model: str, option: str, value: Any, kind: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Counts and sizes, probabilities (dropout), and words.
    fits, allowed = {
        int: (
            number and isinstance(value, int) and 1 <= value <= _LARGEST,
            f"a whole number from 1 to {_LARGEST}",
        ),
        float: (number and 0 <= value <= 1, "a number from 0 to 1"),
    }.get(kind, (value is None or isinstance(value, str), "a word"))
    if not fits:
        raise HQNNError(f"Option {option!r} of model {model!r} must be {allowed}, but is {value!r}.")


def _unknown(what: str, given: str, allowed: list[str]) -> str:
    return f"{what} must be one of {quoted(allowed)}, but is {given!r}{suggestion(given, allowed)}"
