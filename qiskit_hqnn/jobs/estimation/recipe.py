"""How outcomes become expectation values, kept beside a job: whoever fetches it needs neither circuit nor device.

The format is "estimation/1": arrays, and a JSON text whose every key is written out below. No key depends on the name
of a class or of one of its fields, so those can be renamed. Whatever changes what is written is a new format with a
reader of its own in `_READERS`, and the old readers stay. What 0.1.0 wrote has no format: it names its classes, and
`_CLASSES_0_1` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from zipfile import BadZipFile

import numpy as np

from qiskit_hqnn.errors import HQNNError, StoreError
from qiskit_hqnn.jobs.arrays import arrays_from_bytes, arrays_to_bytes
from qiskit_hqnn.jobs.estimation.estimation import Estimation
from qiskit_hqnn.jobs.estimation.measurement import MeasuredBasis, Measurement
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions

FORMAT = "estimation/1"

_Arrays = Mapping[str, np.ndarray]
_Described = dict[str, Any]


def to_bytes(estimated: Estimation) -> bytes:
    """Everything of an estimation but its requests."""
    measurement = estimated.measurement
    described = {
        "format": FORMAT,
        "shape": [int(length) for length in estimated.shape],
        "shots": int(estimated.shots),
        "durations": [float(seconds) for seconds in estimated.durations],
        "bases": [_basis_to_json(basis) for basis in measurement.bases],
        "mitigation": _options_to_json(estimated.options),
    }
    arrays = {
        "constants": measurement.constants,
        "observables_at": estimated.observables_at,
        "sets_at": estimated.sets_at,
        "recipe": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8),
    }
    return arrays_to_bytes(arrays)


def from_bytes(content: bytes) -> Estimation:
    """An estimation that can read outcomes; its `requests` are empty.

    Raises:
        StoreError: if a newer version of qiskit_hqnn wrote it, or it is damaged.
    """
    try:
        arrays = arrays_from_bytes(content)
        described = json.loads(arrays["recipe"].tobytes())
        version = described.get("format")
        if version is None or version in _READERS:
            return _READERS[version](described, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, EOFError, BadZipFile, HQNNError):
        raise StoreError(
            "What this job's outcomes mean is damaged in the store and cannot be read."
        ) from None
    raise StoreError(
        f"This job was recorded by a newer version of qiskit_hqnn, in the format {version!r}; this version reads "
        f"{', '.join(repr(known) for known in _READERS if known)}: fetch it with the newer one."
    )


def _basis_to_json(basis: MeasuredBasis) -> _Described:
    return {
        "letters": [[int(qubit), letter] for qubit, letter in basis.letters.items()],
        "terms": [[int(index), float(coefficient), int(mask)] for index, coefficient, mask in basis.terms],
    }


def _basis_from_json(described: _Described) -> MeasuredBasis:
    return MeasuredBasis(
        {int(qubit): str(letter) for qubit, letter in described["letters"]},
        tuple((int(index), float(coefficient), int(mask)) for index, coefficient, mask in described["terms"]),
    )


def _options_to_json(options: MitigationOptions) -> _Described:
    return {
        "readout": options.readout,
        "zne": None if options.zne is None else list(options.zne),
        "extrapolation": options.extrapolation,
        "randomizations": options.randomizations,
        "dynamical_decoupling": options.dynamical_decoupling,
        "twirl_gates": options.twirl_gates,
        "twirl_measure": options.twirl_measure,
    }


def _options_from_json(described: _Described) -> MitigationOptions:
    return MitigationOptions(
        readout=described["readout"],
        zne=None if described["zne"] is None else tuple(described["zne"]),
        extrapolation=described["extrapolation"],
        randomizations=described["randomizations"],
        dynamical_decoupling=described["dynamical_decoupling"],
        twirl_gates=described["twirl_gates"],
        twirl_measure=described["twirl_measure"],
    )


def _read_1(described: _Described, arrays: _Arrays) -> Estimation:
    bases = tuple(_basis_from_json(basis) for basis in described["bases"])
    return Estimation(
        requests=(),
        durations=tuple(float(seconds) for seconds in described["durations"]),
        measurement=Measurement(bases, arrays["constants"]),
        observables_at=arrays["observables_at"],
        sets_at=arrays["sets_at"],
        shape=tuple(int(length) for length in described["shape"]),
        shots=int(described["shots"]),
        options=_options_from_json(described["mitigation"]),
    )


def _read_0_1(described: _Described, arrays: _Arrays) -> Estimation:
    """A tree of {"class": name, "fields": …}, {"array": number}, {"dict": pairs} and {"tuple": items}."""
    found = _value_0_1(described, arrays)
    if not isinstance(found, Estimation):
        raise TypeError("the outermost class is no estimation")
    return found


def _value_0_1(value: Any, arrays: _Arrays) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[f"array{int(value['array'])}"]
    if "class" in value:
        fields = {name: _value_0_1(item, arrays) for name, item in value["fields"].items()}
        return _CLASSES_0_1[value["class"]](fields)
    if "dict" in value:
        return {_value_0_1(key, arrays): _value_0_1(item, arrays) for key, item in value["dict"]}
    items = value["tuple"] if "tuple" in value else value["list"]
    return tuple(_value_0_1(item, arrays) for item in items)


def _estimation_0_1(fields: _Described) -> Estimation:
    return Estimation(
        requests=(),
        durations=fields["durations"],
        measurement=fields["measurement"],
        observables_at=fields["observables_at"],
        sets_at=fields["sets_at"],
        shape=fields["shape"],
        shots=fields["shots"],
        options=fields["options"],
    )


_CLASSES_0_1: dict[str, Callable[[_Described], Any]] = {
    "Estimation": _estimation_0_1,
    "Measurement": lambda fields: Measurement(fields["bases"], fields["constants"]),
    "MeasuredBasis": lambda fields: MeasuredBasis(fields["letters"], fields["terms"]),
    "MitigationOptions": _options_from_json,  # the words of 0.1.0 are those of "estimation/1"
}

_READERS: dict[str | None, Callable[[_Described, _Arrays], Estimation]] = {
    None: _read_0_1,
    FORMAT: _read_1,
}
