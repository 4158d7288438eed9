"""Two sources of a device's outcomes: Aer, and the noise engine, which draws from their exact distribution."""

from __future__ import annotations

from collections.abc import Callable

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.adapters import Outcomes, SamplingRequest, sample
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.simulation.noise import ExactAdapter

Engine = Callable[[SamplingRequest, Device], Outcomes]


class Drawing:
    """The noise engine; Aer for circuits that have no channel in the engine, or are too large.

    It caches what it compiled: a training sends the same circuits in every step.
    """

    def __init__(self) -> None:
        self._places: dict[str, ExactAdapter] = {}
        self.left_to_aer = 0
        """Requests that Aer sampled."""

    def __call__(self, request: SamplingRequest, device: Device) -> Outcomes:
        if device.name not in self._places:
            self._places[device.name] = ExactAdapter(device, device.name)
        try:
            return self._places[device.name].sample(request)
        except HQNNError:
            self.left_to_aer += 1
            return sample(request, device)


ENGINES: dict[str, Callable[[], Engine]] = {"aer": lambda: sample, "noise": Drawing}
"""By their words."""


def engine_of(word: str) -> Engine:
    """The engine that a word names.

    Raises:
        HQNNError: if there is no such engine.
    """
    if word not in ENGINES:
        raise HQNNError(f"Argument `engine` must be one of {', '.join(ENGINES)}, but is {word!r}.")
    return ENGINES[word]()
