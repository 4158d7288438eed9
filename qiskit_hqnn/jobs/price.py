"""What a request costs on hardware, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit_hqnn.jobs.adapters.sampling import SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import SamplingOptions
from qiskit_hqnn.jobs.chunks import ChunkLimits, chunked
from qiskit_hqnn.jobs.devices.device import Device

SECONDS_A_JOB = 2.0
"""IBM's overhead of each job, in QPU seconds."""


@dataclass(frozen=True)
class Price:
    """A request's cost by IBM's formula: 2 s a job + (delay between shots + circuit duration) × executions.

    Attributes:
        executions: shots of all circuits and sets.
        qpu_seconds: what an account is charged for.
        jobs: jobs it takes within the service's limits, of which the time of one job is one.
        payload_bytes: values that are sent, uncompressed.
        result_bytes: outcomes that come back, uncompressed.
    """

    executions: int
    qpu_seconds: float
    jobs: int
    payload_bytes: int
    result_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.executions:,} executions in {self.jobs} job{'s' if self.jobs != 1 else ''}, "
            f"{self.qpu_seconds:,.1f} QPU seconds, {self.payload_bytes / 1e6:.1f} MB to send, "
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
