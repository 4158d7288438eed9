"""The checks of what a job manager is given: told before anything is planned, priced or paid."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray

from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.jobs.adapters.seam import SamplingOptions


def check_kind(name: str, value: Any, kind: type) -> None:
    """Raises HQNNError if an argument is neither None nor of a kind."""
    if value is not None and not isinstance(value, kind):
        raise HQNNError(f"Argument `{name}` must be {kind.__name__}(…) or None, but is {value!r}.")


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
