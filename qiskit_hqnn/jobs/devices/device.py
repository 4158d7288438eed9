"""Devices by one word: Aer, snapshots of real devices, or any backend object."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import NoReturn
from uuid import uuid4

from qiskit.providers import BackendV2, Options
from qiskit.transpiler import InstructionProperties, Target
from qiskit_aer import AerSimulator

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices.fractional import fractional_gates, without_fractional
from qiskit_hqnn.jobs.devices.identity import untold_bytes
from qiskit_hqnn.where import Where, check_devices

REP_DELAY = 250e-6
"""Seconds between two shots, if a device does not specify it (the default of IBM's Heron devices)."""


@dataclass(frozen=True, eq=False)
class Device:
    """The target of transpilation.

    Attributes:
        name: the word.
        target: gates, coupling, errors and durations; None for simulators, which have no fixed qubits.
        rep_delay: seconds between two shots.
        calibration: identifies the calibration data, which affect results.
        backend: the backend object, if there is one.
        simulator: the caller's AerSimulator, which is run unchanged.
        fractional: whether its fractional gates are used.
        left_out: fractional gates that it has but that are not used.
    """

    name: str
    target: Target | None
    rep_delay: float
    calibration: str
    backend: BackendV2 | None = None
    simulator: AerSimulator | None = None
    fractional: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """How the device's fractional gates are used, in a sentence; empty if it has none."""
        if self.left_out:
            return f"The fractional gates {' and '.join(self.left_out)} of {self.name} are left out."
        used = () if self.target is None else fractional_gates(self.target)
        if not used:
            return ""
        folds = "; every rzz angle is folded into [0, π/2]" if "rzz" in used else ""
        return f"The fractional gates {' and '.join(used)} of {self.name} are used{folds}."

    @property
    def num_qubits(self) -> int | None:
        """Qubits of the device; None for Aer."""
        return None if self.target is None else int(self.target.num_qubits)

    @property
    def is_ideal(self) -> bool:
        """Whether it is known to have no noise: Aer itself, and an AerSimulator without a noise model."""
        if self.simulator is not None:
            return self.simulator.options.noise_model is None
        return self.target is None and self.backend is None

    @property
    def runs_itself(self) -> bool:
        """Whether it is a simulator of any number of qubits whose backend object runs circuits."""
        return self.target is None and self.simulator is None and self.backend is not None


def resolve_device(where: str | BackendV2, fractional: bool = False) -> Device:
    """The device that a word names.

    Args:
        where: "aer", "fake_<device>", or any BackendV2.
        fractional: whether its fractional gates (rx and rzz of any angle) are used; otherwise they are left out, unless
            it needs them.

    Raises:
        DeviceError: if there is no such device; the nearest names are in the sentence. If it has no fractional gates.

    Example:
        >>> resolve_device("fake_manila").num_qubits
        5
    """
    if isinstance(where, BackendV2):
        name = where.name or type(where).__name__
        # A later change makes it a different device.
        if isinstance(where, AerSimulator):
            return device_of(copy.deepcopy(where), name, fractional)
        device = device_of(where, name, fractional)
        return replace(device, target=copy.deepcopy(device.target))
    if where == "aer":
        return _checked(Device("aer", None, REP_DELAY, "ideal"), fractional)
    if isinstance(where, str) and where.startswith("fake_"):
        return _snapshot(where, fractional)
    raise DeviceError(
        f"A device must be 'aer', 'fake_<device>', 'ibm_<device>' or a BackendV2, but is {where!r}."
    )


def device_of(backend: BackendV2, name: str, fractional: bool = False) -> Device:
    """A device around a backend object; an AerSimulator keeps its own noise and settings.

    Raises:
        DeviceError: if fractional gates are requested, but it has none.
    """
    if isinstance(backend, AerSimulator):
        return _checked(Device(name, None, REP_DELAY, _simulator_id(backend), backend, backend), fractional)
    if backend.target.num_qubits is None:
        # What decides its results is not known: another one's are never handed out as its own.
        return _checked(Device(name, None, REP_DELAY, f"simulator-{uuid4().hex}", backend), fractional)
    rep_delay, target = _rep_delay(backend), backend.target
    target, left_out = (target, ()) if fractional else without_fractional(target)
    # Gates that are left out are not part of the calibration, which distinguishes the results of both ways.
    device = Device(name, target, rep_delay, calibration_id(target), backend, None, fractional, left_out)
    return _checked(device, fractional)


def _checked(device: Device, fractional: bool) -> Device:
    if fractional and (device.target is None or not fractional_gates(device.target)):
        takes = "takes any gate" if device.target is None else "has none"
        raise DeviceError(f"Fractional gates are requested, but {device.name} {takes}.")
    return device


def _simulator_id(simulator: AerSimulator) -> str:
    """Hash of a simulator's noise, coupling and options."""
    options = {key: value for key, value in vars(simulator.options).items() if value is not None}
    noise = options.pop("noise_model", None)
    words = [
        simulator.configuration().to_dict(),
        options,
        None if noise is None else _without_ids(noise.to_dict(serializable=True)),
    ]
    text = json.dumps(words, sort_keys=True, default=repr)
    return "simulator-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_ids(value: object) -> object:
    """A noise model's description without the number that Aer draws for each error when it is made."""
    if isinstance(value, dict):
        return {key: _without_ids(item) for key, item in value.items() if key != "id"}
    return [_without_ids(item) for item in value] if isinstance(value, list | tuple) else value


def snapshot_names() -> tuple[str, ...]:
    """The words of all snapshots in qiskit-ibm-runtime.

    Example:
        >>> "fake_fez" in snapshot_names()
        True
    """
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
    check_devices([Where.parse(word)])


@cache
def _snapshot(word: str, fractional: bool) -> Device:
    check_snapshot(word)
    from qiskit_ibm_runtime import fake_provider

    return device_of(getattr(fake_provider, _snapshot_classes()[word])(), word, fractional)


def _rep_delay(backend: BackendV2) -> float:
    configuration = getattr(backend, "configuration", None)
    try:
        return float(configuration().default_rep_delay)  # type: ignore[misc]
    except (AttributeError, TypeError):
        return REP_DELAY


def calibration_id(target: Target) -> str:
    """Hash of everything in a target that results depend on: what its gates do, their errors and durations."""
    digest = hashlib.sha256()
    for name in sorted(target.operation_names):
        digest.update(untold_bytes(name, target.operation_from_name(name)))
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
    """A few connected qubits of a device as a separate device, with their real errors and durations."""

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
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: object, **options: object) -> NoReturn:
        """Raises DeviceError: a cut device describes qubits, and runs nothing."""
        raise DeviceError(f"{self.name} only describes a device: it cannot run circuits.")


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
