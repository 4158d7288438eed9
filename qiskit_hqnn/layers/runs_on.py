"""What a layer runs on: from a place's word to a primitive, or to a device's noise without shots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.where import Where

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager
    from qiskit_hqnn.simulation.noise import NoisyOutcomes, NoisyProgram


@dataclass(frozen=True)
class NoisyPlace:
    """A device's noise without shots: exact values, without a primitive.

    Raises:
        DeviceError: if there is no snapshot of the device.
    """

    where: Where

    def __post_init__(self) -> None:
        from qiskit_hqnn.jobs.devices import check_snapshot

        check_snapshot(self._device)

    @property
    def _device(self) -> str:
        assert self.where.device is not None
        return self.where.device

    def values(self, ansatz: Ansatz) -> NoisyProgram:
        """Expectation values of an ansatz there."""
        from qiskit_hqnn.simulation.noise import compile_noisy

        return compile_noisy(ansatz, self._device)

    def outcomes(self, ansatz: Ansatz) -> NoisyOutcomes:
        """Probabilities of an ansatz' outcomes there."""
        from qiskit_hqnn.simulation.noise import compile_noisy_outcomes

        return compile_noisy_outcomes(ansatz, self._device)


Primitive: TypeAlias = BaseEstimatorV2 | BaseSamplerV2
Place: TypeAlias = NoisyPlace | Primitive | None
"""What a layer runs on; None is the exact simulator."""


def is_noise_free(place: Place) -> bool:
    """Whether a place is known to be noiseless; devices, and primitives with unknown noise, are not.

    Args:
        place: None, a `NoisyPlace`, or a primitive.
    """
    from qiskit.primitives import StatevectorEstimator, StatevectorSampler

    if place is None or isinstance(place, StatevectorEstimator | StatevectorSampler):
        return True
    manager = getattr(place, "manager", None)
    if manager is not None:
        return bool(manager.device.is_ideal)
    # Qiskit's primitives on a backend and Aer's primitives have it in different attributes.
    backend: Any = getattr(place, "backend", None) or getattr(place, "_backend", None)
    return type(backend).__name__ == "AerSimulator" and backend.options.noise_model is None


def manager_at(where: str, **options: Any) -> JobManager:
    """A job manager for any word: the distributions of "exact" and "noisy:fake_<device>" are sampled without Aer.

    Args:
        where: the word.
        options: of `JobManager`.

    Raises:
        DeviceError: if there is no such place.
    """
    from qiskit_hqnn.jobs import JobManager

    place = Where.parse(where)
    if place.sampled:
        return JobManager(place, **options)
    from qiskit_hqnn.simulation.noise import exact_manager

    return exact_manager(place, **options)


def estimator_for(where: str | Place, shots: int | None = None) -> Place:
    """What a layer of expectation values runs on.

    Args:
        where: None or a word; anything else is returned as it is.
        shots: samples per value; without them "exact" and "noisy:fake_<device>" need no primitive.

    Returns:
        None for exact values, a `NoisyPlace` for those under noise, otherwise the estimator of a JobManager.
    """
    if where is not None and not isinstance(where, str):
        return where
    word = Where.parse("exact" if where is None else where)
    return _without_shots(word) if shots is None and not word.sampled else manager_at(word).estimator()


def sampler_for(where: str | Place, shots: int | None = None) -> Place:
    """As `estimator_for`, with the JobManager's sampler."""
    if where is not None and not isinstance(where, str):
        return where
    word = Where.parse("exact" if where is None else where)
    return _without_shots(word) if shots is None and not word.sampled else manager_at(word).sampler()


def _without_shots(word: Where) -> NoisyPlace | None:
    return NoisyPlace(word) if word.noisy else None
