"""Aer and snapshots of devices behind the same seam as hardware: a submission returns with its result computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import qiskit_aer
from qiskit.primitives import BackendSamplerV2, BaseSamplerV2
from qiskit.providers import BackendV2
from qiskit_aer import AerError

from qiskit_hqnn.jobs.adapters.aer import sample
from qiskit_hqnn.jobs.adapters.checking import checked
from qiskit_hqnn.jobs.adapters.sampling import (
    Outcomes,
    SamplingRequest,
    seed_of,
)
from qiskit_hqnn.jobs.adapters.seam import (
    JobState,
    LostResultError,
    OddResultError,
    PermanentError,
    SamplingOptions,
)
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.registers import measured_last


class LocalAdapter:
    """Computes in this process. A job lives as long as the process: what is lost with it is computed again."""

    deadline: float | None = None
    finishes_on_submit = True
    poll_seconds = 0.0
    lookup_seconds = 0.0

    def __init__(self, device: Device) -> None:
        self.device = device
        self.where = device.name
        # A different version of Aer draws different samples from the same seed.
        self.calibration = f"{device.calibration}/aer-{qiskit_aer.__version__}"
        self._finished: dict[str, tuple[str, list[Outcomes]]] = {}

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        try:
            outcomes = [sample(request, self.device) for request in requests]
        except (RuntimeError, AerError) as error:
            raise PermanentError(str(error)) from error
        job_id = f"local-{uuid4().hex}"
        self._finished[job_id] = (tag, outcomes)
        return job_id

    def find(self, tag: str) -> list[str]:
        return [job_id for job_id, (known, _) in self._finished.items() if known == tag]

    def status(self, job_id: str) -> JobState:
        if job_id not in self._finished:
            raise LostResultError("the process that computed it has ended")
        return JobState("done")

    def result(self, job_id: str) -> list[Outcomes]:
        # Read once: the store has it from now on.
        return self._finished.pop(job_id)[1]

    def cancel(self, job_id: str) -> None:
        self._finished.pop(job_id, None)


class SamplerAdapter(LocalAdapter):
    """Any BaseSamplerV2 as a place; its own seed determines the samples, not a request's."""

    def __init__(self, sampler: BaseSamplerV2, device: Device) -> None:
        super().__init__(device)
        self._sampler = sampler

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        try:
            outcomes = self._sample(requests)
        except OddResultError as error:
            raise PermanentError(str(error)) from error
        job_id = f"local-{uuid4().hex}"
        self._finished[job_id] = (tag, outcomes)
        return job_id

    def _sample(self, requests: Sequence[SamplingRequest]) -> list[Outcomes]:
        return checked(list(self._sampler.run([request.pub() for request in requests]).result()), requests)


class SimulatorAdapter(SamplerAdapter):
    """A BackendV2 without a fixed number of qubits: a simulator, whose own `run` samples.

    Each set of values is a run with a separate seed if the simulator takes one: some draw the same random numbers for
    all circuits of a run.
    """

    def __init__(self, backend: BackendV2, device: Device) -> None:
        super().__init__(BackendSamplerV2(backend=backend), device)
        self._backend = backend

    def _sample(self, requests: Sequence[SamplingRequest]) -> list[Outcomes]:
        ordered = [replace(request, circuit=measured_last(request.circuit)) for request in requests]
        if not hasattr(self._backend.options, "seed_simulator"):
            return super()._sample(ordered)
        return [self._seeded(request) for request in ordered]

    def _seeded(self, request: SamplingRequest) -> Outcomes:
        parts = []
        for index, row in enumerate(request.values):
            seed = seed_of(request.seed, index)
            sampler = BackendSamplerV2(backend=self._backend, options={"seed_simulator": seed})
            one = replace(request, values=row[None], seed=seed)
            parts += checked(list(sampler.run([one.pub()]).result()), [one])
        return Outcomes.joined(parts)
