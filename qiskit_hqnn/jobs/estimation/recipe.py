"""How outcomes become expectation values, kept beside a job: whoever fetches it needs neither circuit nor device.

Dataclasses of the estimation are written field by field as JSON and arrays; circuits are left out. Reading makes those
classes only, by name.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.arrays import arrays_from_bytes, arrays_to_bytes
from qiskit_hqnn.jobs.estimation.estimation import Estimation


def _classes() -> dict[str, type]:
    """The dataclasses of which an estimation is made."""
    return {
        name: kind
        for place, module in list(sys.modules.items())
        if place.startswith("qiskit_hqnn.jobs.") and "estimation" in place
        for name, kind in vars(module).items()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind is not SamplingRequest
    }


def to_bytes(estimated: Estimation) -> bytes:
    """Everything of an estimation but its requests."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_encoded(estimated, arrays))
    named = {f"array{index}": array for index, array in enumerate(arrays)}
    return arrays_to_bytes(named | {"recipe": np.frombuffer(text.encode(), dtype=np.uint8)})


def from_bytes(content: bytes) -> Estimation:
    """An estimation that can read outcomes; its `requests` are empty.

    Raises:
        StoreError: if another version of qiskit_hqnn wrote it.
    """
    file = arrays_from_bytes(content)
    arrays = [file[f"array{index}"] for index in range(len(file) - 1)]
    described = json.loads(file["recipe"].tobytes())
    try:
        return _decoded(described, arrays, _classes())
    except (KeyError, TypeError):
        raise StoreError(
            "This job was recorded by another version of qiskit_hqnn; fetch it with that one."
        ) from None


def _encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, SamplingRequest | QuantumCircuit):
        return None
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if isinstance(value, Estimation):
            fields["requests"] = ()
        return {
            "class": type(value).__name__,
            "fields": {name: _encoded(item, arrays) for name, item in fields.items()},
        }
    if isinstance(value, dict):
        return {"dict": [[_encoded(key, arrays), _encoded(item, arrays)] for key, item in value.items()]}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_encoded(item, arrays) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be part of a stored estimation")


def _decoded(value: Any, arrays: list[np.ndarray], classes: dict[str, type]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "class" in value:
        fields = {name: _decoded(item, arrays, classes) for name, item in value["fields"].items()}
        return classes[value["class"]](**fields)
    if "dict" in value:
        return {
            _decoded(key, arrays, classes): _decoded(item, arrays, classes) for key, item in value["dict"]
        }
    kind, items = next(iter(value.items()))
    return {"tuple": tuple, "list": list}[kind](_decoded(item, arrays, classes) for item in items)
