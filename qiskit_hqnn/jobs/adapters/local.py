"""Aer and snapshots of devices behind the same seam as hardware: a submission returns when it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import qiskit_aer
from qiskit.primitives import BaseSamplerV2

from qiskit_hqnn.jobs.adapters.aer import sample
from qiskit_hqnn.jobs.adapters.sampling import Outcomes, SamplingRequest
from qiskit_hqnn.jobs.adapters.seam import JobState, LostResultError, PermanentError, SamplingOptions
from qiskit_hqnn.jobs.devices.device import Device


class LocalAdapter:
    """Computes in this process. A job lives as long as the process: what died with it is computed again."""

    deadline: float | None = None
    poll_seconds = 0.0
    lookup_seconds = 0.0

    def __init__(self, device: Device) -> None:
        self.device = device
        self.where = device.name
        # Another version of Aer draws other samples from the same seed.
        self.calibration = f"{device.calibration}/aer-{qiskit_aer.__version__}"
        self._finished: dict[str, tuple[str, list[Outcomes]]] = {}

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        try:
            outcomes = [sample(request, self.device) for request in requests]
        except RuntimeError as error:
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
        # Taken once: the store has it from now on.
        return self._finished.pop(job_id)[1]

    def cancel(self, job_id: str) -> None:
        self._finished.pop(job_id, None)


class SamplerAdapter(LocalAdapter):
    """Any BaseSamplerV2 as a place; its own seed decides the samples, not a request's."""

    def __init__(self, sampler: BaseSamplerV2, device: Device) -> None:
        super().__init__(device)
        self._sampler = sampler

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        results: Any = self._sampler.run([request.pub() for request in requests]).result()
        job_id = f"local-{uuid4().hex}"
        outcomes = [Outcomes.of(result, request) for result, request in zip(results, requests, strict=True)]
        self._finished[job_id] = (tag, outcomes)
        return job_id
