"""Checks of a job manager's arguments, before anything is planned, priced or paid."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray

from qiskit_hqnn._checks import check_integer
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.jobs.adapters import SamplingOptions
from qiskit_hqnn.jobs.budget import Meter
from qiskit_hqnn.jobs.estimation import MitigationOptions
from qiskit_hqnn.jobs.sending import Patience
from qiskit_hqnn.jobs.store import Store


def check_counts(*, shots: int, sets_at_once: int, seed: int | None) -> None:
    """Raises HQNNError if one of a manager's numbers is out of range."""
    check_integer("shots", shots, 1)
    check_integer("sets_at_once", sets_at_once, 1)
    if seed is not None:
        check_integer("seed", seed, 0)


def check_kinds(
    *, mitigation: object, options: object, patience: object, meter: object, store: object
) -> None:
    """Raises HQNNError if one of a manager's objects is neither None nor of the right type."""
    kinds = {
        "mitigation": (mitigation, MitigationOptions),
        "options": (options, SamplingOptions),
        "patience": (patience, Patience),
        "meter": (meter, Meter),
    }
    for name, (value, kind) in kinds.items():
        if value is not None and not isinstance(value, kind):
            raise HQNNError(f"Argument `{name}` must be {kind.__name__}(…) or None, but is {value!r}.")
    if store is not None and not isinstance(store, str | Path | Store):
        raise HQNNError(f"Argument `store` must be an address, a path or a Store, but is {store!r}.")


def shots_for(precision: float | None, shots: int) -> int:
    """Shots for a standard error of `precision`, ⌈1/precision²⌉; the manager's shots without a precision."""
    if precision is None:
        return shots
    if not 0 < precision <= 1:
        raise HQNNError(f"Argument `precision` must be above 0 and at most 1, but is {precision}.")
    return max(1, ceil(precision**-2 - 1e-9))


def finite_values(circuit: QuantumCircuit, bindings: BindingsArray) -> np.ndarray:
    """A PUB's parameter values, (..., parameters), in the circuit's order.

    Raises:
        ShapeError: if one is NaN or infinite: it would be sent, paid for, and mean nothing.
    """
    values = bindings.as_array(circuit.parameters)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ShapeError(
            f"Parameter values must be finite, but {bad} of {values.size} for circuit {circuit.name!r} are NaN or "
            "infinite."
        )
    return values


def check_fractional(fractional: bool, options: SamplingOptions) -> None:
    """Raises HQNNError if the service is asked to twirl gates that it cannot."""
    if fractional and options.twirl_gates:
        raise HQNNError(
            "SamplingOptions(twirl_gates=True) twirls gates of fixed angle such as cz, so it does not go with "
            "fractional=True."
        )
