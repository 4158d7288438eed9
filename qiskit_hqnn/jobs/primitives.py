"""Qiskit's primitive interfaces on a job manager."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers import (
    BitArray,
    DataBin,
    EstimatorPubLike,
    PrimitiveResult,
    PubResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.primitives.primitive_job import PrimitiveJob

from qiskit_hqnn.circuits import snapshot
from qiskit_hqnn.jobs.registers import by_register

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.adapters import Outcomes
    from qiskit_hqnn.jobs.tiling import Planned


_METADATA = {"version": 2}
"""What Qiskit's own primitives say of theirs: the version of the interface."""


class Sampling(Protocol):
    """What the primitives need of a job manager."""

    shots: int

    def estimate(
        self, pub: EstimatorPub, precision: float | None = None
    ) -> tuple[Planned, list[Outcomes]]: ...

    def sample(self, pub: SamplerPub, shots: int | None) -> Outcomes: ...


class ManagedEstimator(BaseEstimatorV2):
    """A BaseEstimatorV2 that samples through a `JobManager`; fits wherever Qiskit's estimators do."""

    def __init__(self, manager: Sampling) -> None:
        self.manager = manager

    def run(self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None) -> PrimitiveJob:
        """Start PUBs; without a precision each set gets the manager's shots."""
        coerced = [_own(EstimatorPub.coerce(pub, precision)) for pub in pubs]

        def work() -> PrimitiveResult:
            return PrimitiveResult([self._one(pub) for pub in coerced], dict(_METADATA))

        return _started(work)

    def _one(self, pub: EstimatorPub) -> PubResult:
        metadata = {"circuit_metadata": pub.circuit.metadata}
        if not pub.size:
            nothing = DataBin(evs=np.zeros(pub.shape), stds=np.zeros(pub.shape), shape=pub.shape)
            return PubResult(nothing, metadata)
        estimation, outcomes = self.manager.estimate(pub, pub.precision)
        result = estimation.result(outcomes)
        if pub.precision is not None:
            metadata["target_precision"] = pub.precision
        return PubResult(result.data, {**result.metadata, **metadata})


class ManagedSampler(BaseSamplerV2):
    """A BaseSamplerV2 that samples through a `JobManager`."""

    def __init__(self, manager: Sampling) -> None:
        self.manager = manager

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> PrimitiveJob:
        """Start PUBs; without shots each set gets the manager's."""
        coerced = [_own(SamplerPub.coerce(pub, shots)) for pub in pubs]
        for pub in coerced:
            if not pub.circuit.cregs:
                warnings.warn(
                    f"Circuit {pub.circuit.name!r} has no classical register, so its result is empty: call its "
                    "measure_all().",
                    stacklevel=2,
                )

        def work() -> PrimitiveResult:
            return PrimitiveResult([self._one(pub) for pub in coerced], dict(_METADATA))

        return _started(work)

    def _one(self, pub: SamplerPub) -> SamplerPubResult:
        shots = pub.shots or self.manager.shots
        metadata = {"shots": shots, "circuit_metadata": pub.circuit.metadata}
        if not pub.circuit.cregs:
            return SamplerPubResult(DataBin(shape=pub.shape), metadata)
        bits = self.manager.sample(pub, shots).to_bit_array()
        array = bits.array.reshape(*pub.shape, *bits.array.shape[1:])
        registers = by_register(pub.circuit, BitArray(array, bits.num_bits))
        return SamplerPubResult(DataBin(**registers, shape=pub.shape), {**metadata, "shots": bits.num_shots})


_Pub = TypeVar("_Pub", EstimatorPub, SamplerPub)


def _own(pub: _Pub) -> _Pub:
    """A PUB that stays as it was handed over, whatever becomes of its circuit and its values while the job waits."""
    given = pub.parameter_values
    values = BindingsArray({names: array.copy() for names, array in given.data.items()}, given.shape)
    circuit = snapshot(pub.circuit)
    if isinstance(pub, SamplerPub):
        return SamplerPub(circuit, values, pub.shots, validate=False)
    return EstimatorPub(circuit, pub.observables, values, pub.precision, validate=False)


def _started(work: Callable[[], PrimitiveResult]) -> PrimitiveJob:
    job: PrimitiveJob = PrimitiveJob(work)
    job._submit()
    return job
