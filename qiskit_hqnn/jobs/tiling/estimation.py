"""An estimator PUB with its sets of values divided among regions: each region is estimated as a PUB of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.adapters import Outcomes, SamplingRequest, seed_of
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.estimation import Asked, Estimation, prepare_asked
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
from qiskit_hqnn.jobs.tiling.choosing import Region
from qiskit_hqnn.jobs.tiling.dividing import divided
from qiskit_hqnn.jobs.tiling.joining import Seat, apart, joined


@dataclass(frozen=True, eq=False)
class TiledEstimation:
    """One PUB on regions side by side: requests to sample, and all that is needed to read their outcomes.

    A region's readout is calibrated on its own qubits, its noise factors and twirls are its own, and a set of values
    stays in its region throughout: so mitigation is what it is for one circuit alone.

    Attributes:
        requests: in the order in which `result` wants their outcomes; each runs one request of every region.
        durations: scheduled seconds of one execution of each, that of the longest region.
        parts: of each region; only the joined requests are sent.
        elements: for each region, which elements of the flattened result are its.
        seats: for each request, where the regions' outcomes are.
        shape: of the result.
        success: expected success of each region.
    """

    requests: tuple[SamplingRequest, ...]
    durations: tuple[float, ...]
    parts: tuple[Estimation, ...]
    elements: tuple[np.ndarray, ...]
    seats: tuple[tuple[Seat, ...], ...]
    shape: tuple[int, ...]
    success: tuple[float, ...]

    @property
    def shots(self) -> int:
        """Of each set and basis."""
        return self.parts[0].shots

    @property
    def options(self) -> MitigationOptions:
        """Mitigation."""
        return self.parts[0].options

    def __str__(self) -> str:
        return f"{self.words}\nin one region:\n{self.parts[0]}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.words)} In one region:</p>{self.parts[0]._repr_html_()}"

    @property
    def words(self) -> str:
        """How many regions, and how good they are, in a sentence."""
        sets = max((request.sets for request in self.requests), default=0)
        regions = "1 region" if len(self.parts) == 1 else f"{len(self.parts)} regions side by side"
        return (
            f"{regions}, expected success {min(self.success):.3f} to {max(self.success):.3f}; at most {sets:,} sets of "
            "values in each."
        )

    def result(self, outcomes: Sequence[Outcomes]) -> PubResult:
        """Expectation values and standard errors in the PUB's shape, as `Estimation.result` gives them."""
        by_request = [apart(found, seats) for found, seats in zip(outcomes, self.seats, strict=True)]
        evs, stds = np.full((2, int(np.prod(self.shape))), np.nan)
        results = []
        for region, (part, elements) in enumerate(zip(self.parts, self.elements, strict=True)):
            result = part.result([found[region] for found in by_request])
            evs[elements], stds[elements] = result.data.evs.ravel(), result.data.stds.ravel()
            results.append(result)
        data = DataBin(evs=evs.reshape(self.shape), stds=stds.reshape(self.shape), shape=self.shape)
        return PubResult(data, {**results[0].metadata, "tiles": len(self.parts)})


Planned = Estimation | TiledEstimation
"""An estimator PUB as it is sent."""


def prepare_tiled(
    pub: EstimatorPub,
    shots: int,
    device: Device,
    regions: Sequence[Region],
    options: MitigationOptions,
    seed: int,
) -> TiledEstimation:
    """Take a PUB apart, its sets of values divided among regions of a device.

    Raises:
        MitigationError: if the options do not fit the circuit or the device.
    """
    asked = Asked.by(pub)
    shape = asked.shape_of_sets if pub.circuit.parameters else ()
    parts, elements, used = [], [], []
    for number, sets in enumerate(divided(shape, len(regions))):
        part, of_part = (
            asked.of_sets(sets) if pub.circuit.parameters else (asked, np.arange(len(asked.sets_at)))
        )
        region = regions[number]
        template = partial(_template, region)
        parts.append(prepare_asked(part, shots, device, template, options, seed_of(seed, number)))
        elements.append(of_part)
        used.append(region.expected_success)
    return tiled(parts, elements, asked.shape, used)


def tiled(
    parts: Sequence[Estimation],
    elements: Sequence[np.ndarray],
    shape: tuple[int, ...],
    success: Sequence[float],
) -> TiledEstimation:
    """The estimations of several regions as one."""
    if len({len(part.requests) for part in parts}) > 1:
        raise HQNNError("The regions of a tiled circuit must be sampled alike, but need different requests.")
    found = [joined(requests) for requests in zip(*(part.requests for part in parts), strict=True)]
    durations = tuple(max(lengths) for lengths in zip(*(part.durations for part in parts), strict=True))
    return TiledEstimation(
        tuple(request for request, _ in found),
        durations,
        tuple(parts),
        tuple(elements),
        tuple(seats for _, seats in found),
        shape,
        tuple(success),
    )


def _template(region: Region, _: QuantumCircuit) -> tuple[QuantumCircuit, Sequence[int]]:
    return region.circuit, region.logical
