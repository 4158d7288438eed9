"""What devices will do to an ansatz: every level and seed, their costs, and the one that the job manager uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_hqnn.circuits import Selection
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.inspection.both_ways import fractional_note
from qiskit_hqnn.inspection.candidates import Row, row_of
from qiskit_hqnn.inspection.equivalence import largest_difference
from qiskit_hqnn.inspection.error_budget import error_budget
from qiskit_hqnn.inspection.result import DeviceInspection, Inspection
from qiskit_hqnn.inspection.subjects import Subject, subject_of
from qiskit_hqnn.inspection.tiling import tiles_on
from qiskit_hqnn.jobs.adapters import open_place
from qiskit_hqnn.jobs.devices import (
    LEVELS,
    SEEDS,
    Device,
    ISATemplate,
    candidates,
    check_snapshot,
    transpile_template,
)

if TYPE_CHECKING:
    from qiskit_hqnn.circuits import Ansatz, Observables, Parameters, Template
    from qiskit_hqnn.jobs import Tiles


@dataclass(frozen=True)
class _Asked:
    """The devices, the levels and seeds tried on each, and what is priced."""

    devices: list[str]
    levels: list[int]
    seeds: int
    samples: int
    shots: int
    fractional: bool
    tiles: int | str | Tiles | None
    progress: Callable[[str], None]


def _asked(
    devices: str | Sequence[str],
    levels: Sequence[int],
    seeds: int,
    samples: int,
    shots: int,
    fractional: bool,
    tiles: int | str | Tiles | None,
    progress: Callable[[str], None] | None,
) -> _Asked:
    """The request, with each device and level once.

    Raises:
        DeviceError: if there is no such device.
        HQNNError: if there is no device, or a level or a count is out of range.
    """
    words = list(dict.fromkeys([devices] if isinstance(devices, str) else devices))
    if not words:
        raise HQNNError("At least one device is needed, such as 'fake_fez'.")
    numbers = list(dict.fromkeys(levels))
    if not numbers or any(level not in (0, 1, 2, 3) for level in numbers):
        raise HQNNError(f"Optimisation levels must be from 0 to 3, but are {numbers}.")
    if min(seeds, samples, shots) < 1:
        raise HQNNError(
            f"Seeds, samples and shots must be at least 1, but are {seeds}, {samples} and {shots}."
        )
    # A snapshot takes seconds to load: its existence is checked first, and a wrong circuit is reported before.
    for word in words:
        check_snapshot(word) if word.startswith("fake_") else _open(word, fractional)
    return _Asked(words, numbers, seeds, samples, shots, fractional, tiles, progress or (lambda _: None))


def inspect(
    what: str | Path | Ansatz | Template | QuantumCircuit,
    devices: str | Sequence[str] = "fake_fez",
    *,
    seeds: int = SEEDS,
    levels: Sequence[int] = (0, 1, 2, 3),
    samples: int = 100,
    shots: int = 1000,
    copies: int | None = None,
    copy: int | None = None,
    images: int = 8,
    standard_error: float = 0.1,
    data_root: str | Path = "data",
    inputs: Parameters | None = None,
    weights: Parameters | None = None,
    observables: Observables | None = None,
    fractional: bool = False,
    tiles: int | str | Tiles | None = None,
    progress: Callable[[str], None] | None = None,
    **sizes: object,
) -> Inspection:
    """Transpile a circuit for devices at every level and seed, and compare.

    Args:
        what: an ansatz by name, a run folder, a QPY, OpenQASM 2 or OpenQASM 3 file, or "mine.py:factory", which is run;
            or an Ansatz, a Template or a QuantumCircuit. Parameters stay open, except for a run's weights.
        devices: words such as "fake_fez".
        seeds: transpiler seeds for each level.
        levels: optimisation levels, 0 to 3.
        samples, shots: of the price; for a run, also the shots of its predictions.
        copies: circuits side by side per sample; a run has its own number.
        copy: of a run: the copy whose weights are in the circuit; the first by default.
        images: of a run: test images that are predicted on each device.
        standard_error: of a run: wanted of every logit.
        data_root: of a run: folder of the data sets.
        inputs, weights, observables: of a file, a QuantumCircuit or a factory that makes one, as
            `Ansatz.from_circuit` takes them.
        fractional: whether the devices' fractional gates are used; `fractional` of each part says what the alternative
            would give and cost.
        tiles: regions of each device on which the circuit is to run side by side; `tiles` of each part has them.
        progress: called with each device and step.
        sizes: of an ansatz by name or a factory, such as num_qubits and depth.

    Raises:
        DeviceError: if a device is unknown or too small, or has no fractional gates although they are requested.
        CircuitError: if there is no such ansatz or file, or it cannot be read.
        HQNNError: if a level, a count or an option is out of range.
    """
    asked = _asked(devices, levels, seeds, samples, shots, fractional, tiles, progress)
    selection = Selection(inputs, weights, observables)
    subject = subject_of(what, copies, copy, data_root, sizes, selection)
    return _inspected(subject, asked, images, standard_error)


def _inspected(subject: Subject, asked: _Asked, images: int, standard_error: float) -> Inspection:
    places = [_open(word, asked.fractional) for word in asked.devices]
    if subject.run is not None:
        from qiskit_hqnn.inspection.trained import check_images, predictions

        check_images(subject.run, images, standard_error)
    parts: list[DeviceInspection] = []
    rows: list[Row] = []
    for device, target in places:
        part, of_device = _on_device(subject, device, target, asked)
        parts.append(part)
        rows += of_device
    rows.sort(key=lambda row: (-row["expected_success"], not row["used"]))
    result = Inspection(subject.shown, tuple(parts), rows, asked.samples, asked.shots, subject.circuits)
    if subject.run is not None:
        asked.progress(f"{images} test images on {', '.join(asked.devices)}")
        result.predictions.extend(
            predictions(subject.run, asked.devices, images, asked.shots, standard_error, asked.fractional)
        )
    return result


def _open(word: str, fractional: bool) -> tuple[Device, Target]:
    # Under the word of its exact noise a device is transpiled for like under its own.
    device, _ = open_place(word.removeprefix("noisy:"), fractional)
    if device.target is None:
        raise HQNNError(f"{device.name!r} takes any gate and makes no error: there is nothing to inspect.")
    return device, device.target


def _on_device(
    subject: Subject, device: Device, target: Target, asked: _Asked
) -> tuple[DeviceInspection, list[Row]]:
    """One device's part, and its rows of the table."""
    asked.progress(f"transpiling for {device.name}")
    found = candidates(subject.sent, device, range(asked.seeds), asked.levels)
    used = _used(subject.sent, device, found)
    best = used if used.expected_success >= found[0].expected_success else found[0]
    by_level = {level: [template for template in found if template.level == level] for level in asked.levels}
    listed = [templates[0] for templates in by_level.values()]
    if all((used.seed, used.level) != (template.seed, template.level) for template in listed):
        listed.append(used)
    rows = [
        row_of(
            subject,
            device,
            target,
            template,
            by_level.get(template.level, [template]),
            used,
            asked.samples,
            asked.shots,
        )
        for template in listed
    ]
    asked.progress(f"proving the circuits for {device.name}")
    # Both are proven: the best one is exported, the other one is sent by the job manager.
    in_own = [
        _in_own_parameters(subject, template) for template in ([best] if best is used else [best, used])
    ]
    # If one of them is unknown, so is the result.
    difference = float(np.max([largest_difference(subject.ansatz, template) for template in in_own]))
    shown = [replace(template, circuit=subject.trained(template.circuit)) for template in in_own]
    part = DeviceInspection(
        device,
        shown[0],
        shown[-1],
        difference,
        error_budget(best, target),
        error_budget(used, target),
        {
            level: [template.expected_success for template in templates]
            for level, templates in by_level.items()
        },
        fractional_note(subject, device, used, asked.samples, asked.shots),
    )
    if asked.tiles is None:
        return part, rows
    asked.progress(f"looking for regions on {device.name}")
    alone = next(row["qpu_seconds"] for row in rows if row["used"])
    regions = tiles_on(subject, device, asked.tiles, asked.samples, asked.shots, alone)
    return replace(part, tiles=regions), rows


def _in_own_parameters(subject: Subject, template: ISATemplate) -> ISATemplate:
    return replace(template, circuit=subject.in_own_parameters(template.circuit))


def _used(circuit: QuantumCircuit, device: Device, found: Sequence[ISATemplate]) -> ISATemplate:
    """The job manager's template; found among these if they include all that it tries."""
    tried = {(level, seed) for level in LEVELS for seed in range(SEEDS)}
    ours = [template for template in found if (template.level, template.seed) in tried]
    return ours[0] if len(ours) == len(tried) else transpile_template(circuit, device)
