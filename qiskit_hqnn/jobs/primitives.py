"""Qiskit's primitive interfaces on a job manager."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.primitive_job import PrimitiveJob

from qiskit_hqnn.errors import HQNNError

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.manager import JobManager


class ManagedEstimator(BaseEstimatorV2):
    """A BaseEstimatorV2 that samples through a `JobManager`; fits wherever Qiskit's estimators do."""

    def __init__(self, manager: JobManager) -> None:
        self.manager = manager

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob:
        """Start PUBs; without a precision each set gets the manager's shots."""
        coerced = [EstimatorPub.coerce(pub, precision) for pub in pubs]

        def work() -> PrimitiveResult:
            results = []
            for pub in coerced:
                if not pub.size:
                    nothing = DataBin(evs=np.zeros(pub.shape), stds=np.zeros(pub.shape), shape=pub.shape)
                    results.append(PubResult(nothing))
                    continue
                estimation, outcomes = self.manager.estimate(pub, pub.precision)
                results.append(estimation.result(outcomes))
            return PrimitiveResult(results, {"where": self.manager.where})

        return _started(work)


class ManagedSampler(BaseSamplerV2):
    """A BaseSamplerV2 that samples through a `JobManager`."""

    def __init__(self, manager: JobManager) -> None:
        self.manager = manager

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> PrimitiveJob:
        """Start PUBs; without shots each set gets the manager's."""
        coerced = [SamplerPub.coerce(pub, shots) for pub in pubs]

        def work() -> PrimitiveResult:
            return PrimitiveResult([self._one(pub) for pub in coerced], {"where": self.manager.where})

        return _started(work)

    def _one(self, pub: SamplerPub) -> SamplerPubResult:
        if not pub.size:
            raise HQNNError("A sampler PUB must have at least one set of values, but has none.")
        bits = self.manager.sample(pub, pub.shots).to_bit_array()
        array = bits.array.reshape(*pub.shape, *bits.array.shape[1:])
        registers = {}
        start = 0
        for register in pub.circuit.cregs:
            registers[register.name] = _slice(BitArray(array, bits.num_bits), start, register.size)
            start += register.size
        return SamplerPubResult(DataBin(**registers, shape=pub.shape), {"shots": bits.num_shots})


def _slice(bits: BitArray, start: int, size: int) -> BitArray:
    if start == 0 and size == bits.num_bits:
        return bits
    return bits.slice_bits(np.arange(start, start + size).tolist())


def _started(work: Callable[[], PrimitiveResult]) -> PrimitiveJob:
    job: PrimitiveJob = PrimitiveJob(work)
    job._submit()
    return job
