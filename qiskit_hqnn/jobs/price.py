"""What a request costs on hardware, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.sampling import SamplingRequest

SECONDS_A_JOB = 2.0
"""IBM's overhead of each job, in QPU seconds."""
MAX_EXECUTIONS = 10_000_000
MAX_PAYLOAD = 20 << 20
MAX_RESULT = 150 << 20


@dataclass(frozen=True)
class Price:
    """A request's cost by IBM's formula: 2 s a job + (delay between shots + circuit duration) × executions.

    Attributes:
        executions: shots of all circuits and sets.
        qpu_seconds: what an account is charged for.
        jobs: jobs it takes within the service's limits.
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


def price_requests(requests: Sequence[SamplingRequest], durations: Sequence[float], device: Device) -> Price:
    """The price of requests with the given scheduled durations (seconds each execution)."""
    executions = sum(request.executions for request in requests)
    payload = sum(request.values.nbytes for request in requests)
    result = sum(request.executions * -(-request.circuit.num_clbits // 8) for request in requests)
    limits = (-(-executions // MAX_EXECUTIONS), -(-payload // MAX_PAYLOAD), -(-result // MAX_RESULT))
    jobs = max(1, *limits)
    seconds = SECONDS_A_JOB * jobs + sum(
        request.executions * (device.rep_delay + duration)
        for request, duration in zip(requests, durations, strict=True)
    )
    return Price(executions, seconds, jobs, payload, result)


def check_budget(price: Price, budget: float | None, where: str) -> None:
    """Raises BudgetError if the price is over the budget (QPU seconds)."""
    if budget is not None and price.qpu_seconds > budget:
        raise BudgetError(
            f"This request would cost {price.qpu_seconds:,.1f} QPU seconds on {where} ({price}), but the budget is "
            f"{budget:g}; nothing was sent."
        )
