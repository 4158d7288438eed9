"""The price of a request on hardware, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit_hqnn.jobs.adapters import SamplingOptions, SamplingRequest
from qiskit_hqnn.jobs.chunks import ChunkLimits, Piece, chunked
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.plans import qpu_time

SECONDS_A_JOB = 2.0
"""IBM's overhead of each job, in QPU seconds."""


@dataclass(frozen=True)
class Price:
    """A request's cost by IBM's formula: 2 s per job + (delay between shots + circuit duration) × executions.

    Prices add up, and a price times n is that of n such requests.

    Attributes:
        executions: shots of all circuits and sets.
        qpu_seconds: what an account is charged for.
        jobs: jobs it takes within the service's limits, of which the time of one job is one.
        payload_bytes: values that are sent, uncompressed.
        result_bytes: outcomes that come back, uncompressed.
    """

    executions: int = 0
    qpu_seconds: float = 0.0
    jobs: int = 0
    payload_bytes: int = 0
    result_bytes: int = 0

    def __add__(self, other: Price) -> Price:
        return Price(
            self.executions + other.executions,
            self.qpu_seconds + other.qpu_seconds,
            self.jobs + other.jobs,
            self.payload_bytes + other.payload_bytes,
            self.result_bytes + other.result_bytes,
        )

    def __mul__(self, times: int) -> Price:
        return Price(
            self.executions * times,
            self.qpu_seconds * times,
            self.jobs * times,
            self.payload_bytes * times,
            self.result_bytes * times,
        )

    def __str__(self) -> str:
        return (
            f"{self.executions:,} executions in {self.jobs} job{'s' if self.jobs != 1 else ''}, "
            f"{qpu_time(self.qpu_seconds)}, {self.payload_bytes / 1e6:.1f} MB to send, "
            f"{self.result_bytes / 1e6:.1f} MB back"
        )


def seconds_each(
    requests: Sequence[SamplingRequest],
    durations: Sequence[float],
    device: Device,
    options: SamplingOptions | None = None,
) -> list[float]:
    """QPU seconds of each shot of each request: delay, circuit, and the share of what twirling rounds up."""
    options = options or SamplingOptions()
    delay = device.rep_delay if options.rep_delay is None else options.rep_delay
    return [
        (delay + duration) * options.shots_run(request.shots) / request.shots
        for request, duration in zip(requests, durations, strict=True)
    ]


def price_requests(
    requests: Sequence[SamplingRequest],
    durations: Sequence[float],
    device: Device,
    options: SamplingOptions | None = None,
) -> Price:
    """The price of requests with the given scheduled durations (seconds each execution, with readout).

    `options` count where they alter it: another delay between shots, and shots that twirling rounds up.
    """
    options = options or SamplingOptions()
    each = seconds_each(requests, durations, device, options)
    jobs = len(chunked(requests, each, ChunkLimits()))
    seconds = [request.executions * seconds for request, seconds in zip(requests, each, strict=True)]
    return Price(
        executions=sum(request.sets * options.shots_run(request.shots) for request in requests),
        qpu_seconds=SECONDS_A_JOB * jobs + sum(seconds),
        jobs=jobs,
        payload_bytes=sum(request.values.nbytes for request in requests),
        result_bytes=sum(request.executions * -(-request.circuit.num_clbits // 8) for request in requests),
    )


def price_chunks(
    chunks: Sequence[Sequence[Piece]], seconds_each: Sequence[float], price: Price
) -> list[tuple[float, float]]:
    """Executions and QPU seconds of each chunk of requests that cost `price` in all."""
    counts = [sum(piece.content.executions for piece in chunk) for chunk in chunks]
    seconds = [
        SECONDS_A_JOB + sum(piece.content.executions * seconds_each[piece.request] for piece in chunk)
        for chunk in chunks
    ]
    # Chunks of a simulation are not those that hardware takes: they share what it would charge.
    return [
        (price.executions * count / sum(counts), price.qpu_seconds * part / sum(seconds))
        for count, part in zip(counts, seconds, strict=True)
    ]
