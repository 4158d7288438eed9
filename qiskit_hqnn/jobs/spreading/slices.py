"""A request in slices of its sets, whose outcomes are bit for bit those of the whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qiskit_hqnn.jobs.adapters import SamplingRequest, is_tiled, sample
from qiskit_hqnn.jobs.devices import resolve_device

SETS = 16
"""A slice has as many sets at least: below that, sending it costs as much as computing it."""

_BYTES = 4 << 20
"""Values of a slice at most: larger messages hold up everything else on the scheduler."""

_SEED_STEP = 2113
"""Aer's seeds for the circuits of one run: the first one's, and so much more for each later one."""


def sliced(request: SamplingRequest, parts: int) -> list[SamplingRequest]:
    """A request in up to this many parts, along its sets; itself if it cannot be split without changing samples.

    A tiled circuit's shots are shuffled over all its sets, so it stays whole.
    """
    row = 8 * max(1, request.values.shape[1])
    wanted = max(min(parts, request.sets // SETS), -(-request.sets * row // _BYTES))
    if wanted < 2 or is_tiled(request.circuit) or not seeds_are_known():
        return [request]
    bounds = [request.sets * part // wanted for part in range(wanted + 1)]
    return [
        replace(request, values=request.values[start:stop], seed=request.seed + _SEED_STEP * start)
        for start, stop in pairwise(bounds)
        if stop > start
    ]


@cache
def seeds_are_known() -> bool:
    """Whether this version of Aer seeds a run's circuits as we know it, compared once in each process."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    circuit.measure_all()
    device, values = resolve_device("aer"), np.array([[1.0], [1.2], [1.4], [1.6]])
    whole = SamplingRequest(circuit, ("a",), values, 64, 5)
    rest = replace(whole, values=values[2:], seed=5 + 2 * _SEED_STEP)
    return sample(whole, device).to_bit_array()[2:] == sample(rest, device).to_bit_array()
