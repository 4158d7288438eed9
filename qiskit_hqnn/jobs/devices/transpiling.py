"""One ISA template for each circuit and device: the best of several layouts by what the calibration predicts."""

from __future__ import annotations

import io
import json
import re
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import qiskit
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Gate
from qiskit.exceptions import QiskitError
from qiskit.transpiler import Target

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices.delays import with_device_delays
from qiskit_hqnn.jobs.devices.device import Device
from qiskit_hqnn.jobs.devices.fractional import angle_is_allowed, folded, with_folded_numbers
from qiskit_hqnn.jobs.devices.identity import circuit_bytes
from qiskit_hqnn.jobs.devices.pass_managers import transpiled
from qiskit_hqnn.jobs.devices.true_names import compiled

LEVELS = (1, 2, 3)
SEEDS = 8
_KEPT = 64
_templates: OrderedDict[Hashable, ISATemplate] = OrderedDict()


@dataclass(frozen=True, eq=False)
class ISATemplate:
    """A circuit in a device's own gates, its parameters kept.

    Attributes:
        circuit: the ISA circuit, on all qubits of the device; open rzz angles are folded when it is sent.
        logical: where each qubit of the given circuit is at the end.
        expected_success: predicted probability that no gate and no readout of the logical qubits fails.
        duration: seconds of one execution with readout, scheduled as late as possible; without the delay between shots.
        seed, level: the transpiler's, of this template.
        fingerprint: of the circuit, device, calibration and options.
    """

    circuit: QuantumCircuit
    logical: tuple[int, ...]
    expected_success: float
    duration: float
    seed: int
    level: int
    fingerprint: str


def transpile_template(
    circuit: QuantumCircuit,
    device: Device,
    seeds: Sequence[int] = tuple(range(SEEDS)),
    levels: Sequence[int] = LEVELS,
    cache: Path | None = None,
) -> ISATemplate:
    """The ISA template with the largest expected success over transpiler seeds and levels.

    Args:
        circuit: unmeasured; its parameters stay.
        device: with a target.
        seeds: transpiler seeds to try.
        levels: optimisation levels to try.
        cache: folder that keeps templates between processes; None keeps them in memory only.

    Raises:
        DeviceError: if the device has too few connected qubits, or the result breaks one of its rules.
    """
    target = device.target
    if target is None:
        raise DeviceError(f"{device.name!r} has no target to transpile for.")
    _check_size(circuit, device, target)
    key = fingerprint(circuit, device, seeds, levels)
    template = _templates.get(key) or _from_disk(cache, key)
    if template is None:
        template = _best(circuit, device, target, seeds, levels, key)
    if cache is not None and not (cache / f"{key}.qpy").exists():
        _to_disk(cache, template)
    _templates[key] = template
    while len(_templates) > _KEPT:
        _templates.popitem(last=False)
    return template


def kept_template(
    circuit: QuantumCircuit,
    device: Device,
    cache: Path | None,
    seeds: Sequence[int] = tuple(range(SEEDS)),
    levels: Sequence[int] = LEVELS,
) -> ISATemplate | None:
    """The template of an earlier calibration, which `device.calibration` names; None if it is gone.

    Args:
        circuit, cache, seeds, levels: as `transpile_template` was given them.
        device: today's, with the id of the earlier calibration.

    Raises:
        DeviceError: if today's device does not accept it any more.
    """
    key = fingerprint(circuit, device, seeds, levels)
    template = _templates.get(key) or _from_disk(cache, key)
    if template is not None:
        assert device.target is not None
        check_isa(template.circuit, device.target, device.name)
    return template


def candidates(
    circuit: QuantumCircuit, device: Device, seeds: Sequence[int], levels: Sequence[int]
) -> list[ISATemplate]:
    """A template for each seed and level, best first.

    Raises:
        DeviceError: if the circuit does not fit the device.
    """
    target = device.target
    assert target is not None
    _check_size(circuit, device, target)
    key = fingerprint(circuit, device, seeds, levels)
    given = with_device_delays(circuit, target, device.name)

    def each(circuit: QuantumCircuit) -> list[ISATemplate]:
        return [_one(circuit, device, target, seed, level, key) for level in levels for seed in seeds]

    try:
        templates = compiled(given, target.operation_names, each)
    except QiskitError as error:
        raise DeviceError(_refusal(error, circuit, target, device.name)) from error
    return sorted(templates, key=lambda template: -template.expected_success)


def _best(
    circuit: QuantumCircuit,
    device: Device,
    target: Target,
    seeds: Sequence[int],
    levels: Sequence[int],
    key: str,
) -> ISATemplate:
    best = candidates(circuit, device, seeds, levels)[0]
    check_isa(best.circuit, target, device.name)
    if set(best.circuit.parameters) != set(circuit.parameters):
        raise DeviceError(f"Transpiling for {device.name} lost parameters of circuit {circuit.name!r}.")
    return best


def _refusal(error: QiskitError, circuit: QuantumCircuit, target: Target, name: str) -> str:
    """The transpiler's error, and what to do about it."""
    words = str(error.message).strip().partition("\n")[0].rstrip(".")
    unknown = re.search(r'unable to synthesize "(.+)"', words)
    if unknown:
        words = f"its gate {unknown[1]!r} has neither a definition nor a matrix"
    gates = [gate for gate in target.operation_names if isinstance(target.operation_from_name(gate), Gate)]
    return (
        f"Circuit {circuit.name!r} cannot be transpiled for {name}: {words}. The device has the gates "
        f"{', '.join(sorted(gates))}; define each gate by Qiskit's standard gates, or decompose it first."
    )


def _one(
    circuit: QuantumCircuit, device: Device, target: Target, seed: int, level: int, key: str
) -> ISATemplate:
    isa = transpiled(circuit, device, seed, level)
    logical = tuple(isa.layout.final_index_layout(filter_ancillas=True))
    isa = with_folded_numbers(isa, target)
    # What is sent has its open angles folded, too: its gates count.
    sent = folded(isa, target).circuit
    return ISATemplate(
        isa,
        logical,
        expected_success(sent, logical, target),
        scheduled_duration(sent, target),
        seed,
        level,
        key,
    )


def expected_success(circuit: QuantumCircuit, measured: Sequence[int], target: Target) -> float:
    """Product of (1 − error) over all gates and the readout of the measured qubits, from the calibration."""
    success = 1.0
    place = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    error = cache(partial(gate_error, target))
    for step in circuit.data:
        if step.name in {"barrier", "delay"}:
            continue
        success *= 1 - error(step.name, tuple([place[qubit] for qubit in step.qubits]))
    for qubit in measured:
        success *= 1 - error("measure", (qubit,))
    return success


def gate_error(target: Target, name: str, qubits: tuple[int, ...]) -> float:
    """The calibration's error of a gate or a readout, from 0 to 1; 0 where it gives none."""
    if name not in target.operation_names:
        return 0.0
    properties = target[name].get(qubits)
    return min(1.0, float(getattr(properties, "error", None) or 0.0))


def scheduled_duration(circuit: QuantumCircuit, target: Target) -> float:
    """Seconds from the first gate to the end of the readout, along the longest path.

    A circuit that measures nothing counts with a readout of all its qubits at the end.
    """
    free: dict[int, float] = {}
    measures = False
    place = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    length_of = cache(partial(_length, target))
    for step in circuit.data:
        qubits = tuple([place[qubit] for qubit in step.qubits])
        if step.name == "delay":
            length = float(step.operation.params[0]) * (
                1.0 if step.operation.unit == "s" else target.dt or 0.0
            )
        else:
            length = length_of(step.name, qubits)
        end = max([free.get(qubit, 0.0) for qubit in qubits], default=0.0) + length
        for qubit in qubits:
            free[qubit] = end
        measures |= step.name == "measure"
    if measures:
        return max(free.values(), default=0.0)
    readout = max((length_of("measure", (qubit,)) for qubit in free), default=0.0)
    return max(free.values(), default=0.0) + readout


def _length(target: Target, name: str, qubits: tuple[int, ...]) -> float:
    if name not in target.operation_names:
        return 0.0
    return float(getattr(target[name].get(qubits), "duration", None) or 0.0)


def check_isa(circuit: QuantumCircuit, target: Target, name: str) -> None:
    """The checks that IBM's new client omits before it sends a circuit.

    Raises:
        DeviceError: if a gate is not one of the device's on those qubits, or an rzz angle is outside [0, π/2].
    """
    for step in circuit.data:
        operation = step.operation
        if operation.name == "barrier":
            continue
        qubits = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
        if not target.instruction_supported(operation.name, qubits):
            raise DeviceError(f"Device {name} has no {operation.name!r} on qubits {qubits}.")
        if operation.name == "rzz" and not angle_is_allowed(operation.params[0]):
            raise DeviceError(
                f"Circuit {circuit.name!r} has an rzz of angle {float(operation.params[0]):.4g} on {name}, which takes "
                "angles in [0, π/2] only."
            )


def _check_size(circuit: QuantumCircuit, device: Device, target: Target) -> None:
    largest = _largest_component(target)
    if circuit.num_qubits > largest:
        raise DeviceError(
            f"Circuit {circuit.name!r} needs {circuit.num_qubits} connected qubits, but {device.name} has {largest}."
        )


def _largest_component(target: Target) -> int:
    coupling = target.build_coupling_map()
    if coupling is None:
        return int(target.num_qubits)
    return max((len(part.physical_qubits) for part in coupling.connected_components()), default=0)


def fingerprint(circuit: QuantumCircuit, device: Device, seeds: Sequence[int], levels: Sequence[int]) -> str:
    """The key of a template: its circuit, device, calibration and options."""
    digest = sha256(circuit_bytes(circuit))
    # A different version of the transpiler finds different templates.
    options = [device.name, device.calibration, list(seeds), list(levels), qiskit.__version__]
    digest.update(json.dumps(options).encode())
    return digest.hexdigest()


def _to_disk(folder: Path, template: ISATemplate) -> None:
    bytes_of_circuit = io.BytesIO()
    qpy.dump(template.circuit, bytes_of_circuit)
    record = {
        "logical": template.logical,
        "expected_success": template.expected_success,
        "duration": template.duration,
        "seed": template.seed,
        "level": template.level,
    }
    for suffix, content in ((".json", json.dumps(record).encode()), (".qpy", bytes_of_circuit.getvalue())):
        write_bytes(folder / f"{template.fingerprint}{suffix}", content)


def _from_disk(folder: Path | None, key: str) -> ISATemplate | None:
    if folder is None or not (folder / f"{key}.qpy").exists() or not (folder / f"{key}.json").exists():
        return None
    try:
        record = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        with (folder / f"{key}.qpy").open("rb") as file:
            circuit = qpy.load(file)[0]
        return ISATemplate(circuit, tuple(record.pop("logical")), fingerprint=key, **record)
    except Exception:  # QPY has no specific error for a damaged file: an unreadable cache is computed again
        return None


def coupled_pairs(target: Target) -> list[tuple[int, int]]:
    """Pairs of qubits that a gate joins, each once, the smaller number first."""
    coupling = target.build_coupling_map()
    return sorted({(min(edge), max(edge)) for edge in coupling.get_edges()}) if coupling is not None else []
