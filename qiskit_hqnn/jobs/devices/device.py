"""Devices by one word: Aer, snapshots of real devices, or a backend of one's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from qiskit.providers import BackendV2
from qiskit.transpiler import InstructionProperties, Target
from qiskit_aer import AerSimulator

from qiskit_hqnn.errors import DeviceError

REP_DELAY = 250e-6
"""Seconds between two shots, where a device does not say (the default of IBM's Heron devices)."""


@dataclass(frozen=True, eq=False)
class Device:
    """Where circuits are transpiled for.

    Attributes:
        name: the word.
        target: gates, coupling, errors and durations; None for Aer, which takes any gate and makes no error.
        rep_delay: seconds between two shots.
        calibration: identifies the calibration data: another one gives another result.
        backend: the backend object, where there is one.
        simulator: an AerSimulator of one's own, which is run as it is.
    """

    name: str
    target: Target | None
    rep_delay: float
    calibration: str
    backend: BackendV2 | None = None
    simulator: AerSimulator | None = None

    @property
    def num_qubits(self) -> int | None:
        """Qubits of the device; None for Aer."""
        return None if self.target is None else int(self.target.num_qubits)


def resolve_device(where: str | BackendV2) -> Device:
    """The device that a word names.

    Args:
        where: "aer", "fake_<device>", or any BackendV2.

    Raises:
        DeviceError: if there is no such device; the nearest names are in the sentence.
    """
    if isinstance(where, BackendV2):
        return device_of(where, where.name or type(where).__name__)
    if where == "aer":
        return Device("aer", None, REP_DELAY, "ideal")
    if isinstance(where, str) and where.startswith("fake_"):
        return _snapshot(where)
    raise DeviceError(
        f"A device must be 'aer', 'fake_<device>', 'ibm_<device>' or a BackendV2, but is {where!r}."
    )


def device_of(backend: BackendV2, name: str) -> Device:
    """A device around a backend object; an AerSimulator keeps its own noise and settings."""
    if isinstance(backend, AerSimulator):
        return Device(name, None, REP_DELAY, _simulator_id(backend), backend, backend)
    rep_delay = _rep_delay(backend)
    return Device(name, backend.target, rep_delay, calibration_id(backend.target), backend)


def _simulator_id(simulator: AerSimulator) -> str:
    """Hash of a simulator's noise, coupling and options."""
    options = {key: value for key, value in vars(simulator.options).items() if value is not None}
    noise = options.pop("noise_model", None)
    words = [simulator.configuration().to_dict(), options, noise.to_dict() if noise is not None else None]
    text = json.dumps(words, sort_keys=True, default=repr)
    return "simulator-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def snapshot_names() -> tuple[str, ...]:
    """The words of all snapshots in qiskit-ibm-runtime."""
    return tuple(sorted(_snapshot_classes()))


@cache
def _snapshot_classes() -> dict[str, str]:
    from qiskit_ibm_runtime import fake_provider

    names = [name for name in dir(fake_provider) if name.startswith("Fake") and "Provider" not in name]
    return {
        "fake_" + name.removeprefix("Fake").removesuffix("V2").removesuffix("Backend").lower(): name
        for name in names
    }


def check_snapshot(word: str) -> None:
    """Raises DeviceError if there is no such snapshot."""
    classes = _snapshot_classes()
    if word not in classes:
        nearest = get_close_matches(word, classes, 3, 0.4)
        hint = f"the nearest are {', '.join(nearest)}" if nearest else f"there are {', '.join(classes)}"
        raise DeviceError(f"There is no snapshot {word!r}; {hint}.")


@cache
def _snapshot(word: str) -> Device:
    check_snapshot(word)
    from qiskit_ibm_runtime import fake_provider

    return device_of(getattr(fake_provider, _snapshot_classes()[word])(), word)


def _rep_delay(backend: BackendV2) -> float:
    configuration = getattr(backend, "configuration", None)
    try:
        return float(configuration().default_rep_delay)  # type: ignore[misc]
    except (AttributeError, TypeError):
        return REP_DELAY


def calibration_id(target: Target) -> str:
    """Hash of everything in a target that errors and durations depend on."""
    digest = hashlib.sha256()
    for name in sorted(target.operation_names):
        properties = target[name]
        for qubits in sorted(properties, key=str):
            value = properties[qubits]
            digest.update(
                f"{name}{qubits}{getattr(value, 'error', None)}{getattr(value, 'duration', None)}".encode()
            )
    for qubit in target.qubit_properties or []:
        digest.update(f"{getattr(qubit, 't1', None)}{getattr(qubit, 't2', None)}".encode())
    return digest.hexdigest()[:16]


class CutDevice(BackendV2):
    """A few connected qubits of a device as a device of its own, with their real errors and durations."""

    def __init__(self, name: str, target: Target) -> None:
        super().__init__(name=name)
        self._target = target

    @property
    def target(self) -> Target:
        return self._target

    @property
    def max_circuits(self) -> None:
        return None

    @classmethod
    def _default_options(cls) -> Any:
        from qiskit.providers import Options

        return Options()

    def run(self, run_input: Any, **options: Any) -> Any:
        raise DeviceError(f"{self.name} is the description of a device: it runs nothing by itself.")


def cut_target(target: Target, qubits: Iterable[int]) -> Target:
    """The target of some qubits, renumbered from 0 in the order given."""
    kept = list(qubits)
    place = {qubit: index for index, qubit in enumerate(kept)}
    properties = target.qubit_properties
    cut = Target(
        num_qubits=len(kept),
        dt=target.dt,
        granularity=target.granularity,
        min_length=target.min_length,
        pulse_alignment=target.pulse_alignment,
        acquire_alignment=target.acquire_alignment,
        qubit_properties=[properties[qubit] for qubit in kept] if properties else None,
    )
    for name in target.operation_names:
        operation = target.operation_from_name(name)
        if isinstance(operation, type):
            continue  # control flow, which these circuits do not have
        entries: dict[tuple[int, ...], InstructionProperties | None] = {}
        for where, value in target[name].items():
            if where is not None and all(qubit in place for qubit in where):
                entries[tuple(place[qubit] for qubit in where)] = value
        if entries:
            cut.add_instruction(operation, entries, name=name)
    return cut
