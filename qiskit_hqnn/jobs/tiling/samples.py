"""A sampler PUB with its sets of values divided among regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.jobs.adapters import Outcomes, SamplingRequest, sampling_requests, seed_of, values_for
from qiskit_hqnn.jobs.devices import Device, folded, scheduled_duration
from qiskit_hqnn.jobs.tiling.choosing import Region
from qiskit_hqnn.jobs.tiling.dividing import divided
from qiskit_hqnn.jobs.tiling.joining import Seat, apart, joined


@dataclass(frozen=True, eq=False)
class SamplePlan:
    """What a sampler PUB is sent as.

    Attributes:
        requests: in the order in which `outcomes` wants theirs.
        durations: scheduled seconds of one execution of each.
        read: puts the outcomes of all requests together, set by set.
    """

    requests: tuple[SamplingRequest, ...]
    durations: tuple[float, ...]
    read: Callable[[Sequence[Outcomes]], Outcomes]


def plan_samples(
    circuit: QuantumCircuit, given: QuantumCircuit, values: np.ndarray, shots: int, seed: int, device: Device
) -> SamplePlan:
    """One circuit alone on a place.

    Args:
        circuit: the place's.
        given: it was made of.
        values: (sets, parameters of the given circuit), radians.
        shots: of each set.
        seed: of the requests.
        device: the place's.
    """
    names, values = values_for(circuit, given, values)
    folding = folded(circuit, device.target)
    names, values = folding.values(names, values)
    requests = sampling_requests(folding.circuit, names, values, shots, seed)
    duration = 0.0 if device.target is None else scheduled_duration(folding.circuit, device.target)
    return SamplePlan(
        tuple(requests), (duration,) * len(requests), lambda found: Outcomes.joined(list(found))
    )


def plan_tiled_samples(
    regions: Sequence[Region],
    given: QuantumCircuit,
    values: np.ndarray,
    shape: Sequence[int],
    shots: int,
    seed: int,
    device: Device,
) -> SamplePlan:
    """The same circuit on regions side by side, the sets divided among them; `shape` is that of the sets."""
    parts = [
        plan_samples(
            regions[number].circuit,
            given,
            values[sets.start : sets.stop],
            shots,
            seed_of(seed, number),
            device,
        )
        for number, sets in enumerate(divided(shape, len(regions)))
    ]
    # Without parameters each set is a request, and the last region may have fewer of them: it runs one idly.
    number = max(len(part.requests) for part in parts)
    requests, seats = [], []
    for index in range(number):
        request, seated = joined([part.requests[min(index, len(part.requests) - 1)] for part in parts])
        requests.append(request)
        seats.append(seated)
    durations = tuple(
        max(part.durations[min(index, len(part.durations) - 1)] for part in parts) for index in range(number)
    )
    counts = [len(part.requests) for part in parts]
    return SamplePlan(tuple(requests), durations, lambda found: _in_order(found, seats, counts))


def _in_order(found: Sequence[Outcomes], seats: Sequence[Sequence[Seat]], counts: Sequence[int]) -> Outcomes:
    """The outcomes of all sets in their order: region after region."""
    by_request = [apart(outcomes, seated) for outcomes, seated in zip(found, seats, strict=True)]
    return Outcomes.joined(
        [by_request[index][region] for region, requests in enumerate(counts) for index in range(requests)]
    )
