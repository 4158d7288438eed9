"""Circuits and devices to noisy programs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.providers import BackendV2
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.circuits import Ansatz, Template, make_template
from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters import noise_of, on_qubits, used_qubits
from qiskit_hqnn.jobs.devices import Device, Templates, circuit_bytes, folded, resolve_device
from qiskit_hqnn.simulation.noise.attaching import attach
from qiskit_hqnn.simulation.noise.measuring import parity_effects
from qiskit_hqnn.simulation.noise.plan import make_noisy_plan, plan_of
from qiskit_hqnn.simulation.noise.program import NoisyOutcomes, NoisyProgram

_KEPT = 32
_programs: OrderedDict[Hashable, NoisyProgram] = OrderedDict()
"""The most recently used programs; planning a long circuit takes a second."""

Place: TypeAlias = str | BackendV2 | Device | NoiseModel


def compile_noisy(ansatz: Ansatz, place: Place, cache: str | Path | None = None) -> NoisyProgram:
    """Exact expectation values of an ansatz under noise: the limit of the job manager's samples at that place.

    Args:
        ansatz: circuit, parameters and observables.
        place: "fake_<device>", or a backend with a target: the circuit as the job manager transpiles it there, with the
            noise of its qubits. An AerSimulator or a NoiseModel: with its noise; a model's errors belong to the gates
            of the circuit as given.
        cache: folder that caches transpiled templates between processes.

    Raises:
        DeviceError: if there is no such place, or it takes rzz gates of open angles (fractional gates).
        CircuitError: if no channel describes a part of the circuit.
        HQNNError: if a state does not fit into memory.
    """
    device = _device_of(place)

    def make() -> NoisyProgram:
        circuit, where, noise = _placed(ansatz, place, device, cache)
        parts = (ansatz.observables, where, noise, ansatz.input_params, ansatz.weight_params)
        return NoisyProgram(make_noisy_plan(circuit, *parts))

    observables = tuple((tuple(o.paulis.to_labels()), o.coeffs.tobytes()) for o in ansatz.observables)
    return _kept(ansatz, device, ("values", observables), make)


def compile_noisy_outcomes(ansatz: Ansatz, place: Place, cache: str | Path | None = None) -> NoisyOutcomes:
    """Exact probabilities of all outcomes, under noise, of an ansatz whose qubits are all measured.

    Args and errors as `compile_noisy`; the observables are ignored.
    """
    device = _device_of(place)

    def make() -> NoisyProgram:
        circuit, _, noise = _placed(ansatz, place, device, cache, measure=True)
        noisy = attach(circuit, noise)
        effects = parity_effects(noisy)
        parts = (len(effects), ansatz.input_params, ansatz.weight_params)
        return NoisyProgram(plan_of(noisy, effects, *parts))

    return NoisyOutcomes(_kept(ansatz, device, ("outcomes",), make))


def _device_of(place: Place) -> Device | None:
    """The device to compile for; None for a noise model, which has none."""
    if isinstance(place, NoiseModel):
        return None
    return place if isinstance(place, Device) else resolve_device(place)


def _kept(
    ansatz: Ansatz, device: Device | None, what: tuple[Hashable, ...], make: Callable[[], NoisyProgram]
) -> NoisyProgram:
    """A cached program, or a new one."""
    if device is None:
        return make()  # its owner can change a noise model
    names = tuple(parameter.name for parameter in (*ansatz.input_params, *ansatz.weight_params))
    key = (device.name, device.calibration, circuit_bytes(ansatz.circuit), names, ansatz.num_inputs, what)
    if key not in _programs:
        _programs[key] = make()
    _programs.move_to_end(key)
    while len(_programs) > _KEPT:
        _programs.popitem(last=False)
    return _programs[key]


def circuit_at(
    ansatz: Ansatz, place: Place, cache: str | Path | None = None
) -> tuple[QuantumCircuit, Sequence[int], NoiseModel | None]:
    """An ansatz as it runs at a place: the circuit over its parameters, its physical qubits, and their noise.

    Args and errors as `compile_noisy`.
    """
    return _placed(ansatz, place, _device_of(place), cache)


def _placed(
    ansatz: Ansatz, place: Place, device: Device | None, cache: str | Path | None, measure: bool = False
) -> tuple[QuantumCircuit, Sequence[int], NoiseModel | None]:
    """The circuit as it runs at a place, its physical qubits, and their noise."""
    if device is None:
        assert isinstance(place, NoiseModel)
        circuit = ansatz.circuit.measure_all(inplace=False) if measure else ansatz.circuit
        return circuit, range(circuit.num_qubits), place
    template = make_template(ansatz)
    circuit = template.circuit.measure_all(inplace=False) if measure else template.circuit
    folder = None if cache is None else Path(cache)
    circuit, where = Templates(device, device.calibration, folder).for_circuit(circuit)
    if folded(circuit, device.target).folds:
        raise DeviceError(
            f"Exact noise does not support rzz gates with open angles: {device.name} takes angles from 0 to π/2 only, "
            "so other gates come with them; use it without fractional gates, or sample it at 'fake_<device>'."
        )
    circuit = _over_parameters(circuit, template, ansatz)
    if device.target is None:
        return circuit, where, noise_in(device)
    # A measured qubit has a readout error, even without gates on it.
    used = sorted({*used_qubits(circuit), *where})
    places = {qubit: index for index, qubit in enumerate(used)}
    return on_qubits(circuit, used), [places[qubit] for qubit in where], noise_of(device, tuple(used))


def noise_in(device: Device) -> NoiseModel | None:
    """The noise model of a simulator; None for plain Aer."""
    if device.simulator is None:
        return None
    noise = device.simulator.options.noise_model
    if noise is not None and not isinstance(noise, NoiseModel):
        raise DeviceError(f"{device.name!r} must have a NoiseModel, but has a {type(noise).__name__}.")
    return noise


def _over_parameters(circuit: QuantumCircuit, template: Template, ansatz: Ansatz) -> QuantumCircuit:
    """A circuit over a template's angles as one over inputs and weights."""
    by_name = {parameter.name: parameter for parameter in circuit.parameters}
    # An ansatz may itself be a template, with the same names.
    fresh = [Parameter(f"{uuid4().hex}_{index}") for index in range(template.num_angles)]
    expressions = _expressions(template, [*ansatz.input_params, *ansatz.weight_params])
    names = [(angle.name, index) for index, angle in enumerate(template.angles) if angle.name in by_name]
    renamed = circuit.assign_parameters({by_name[name]: fresh[index] for name, index in names})
    return renamed.assign_parameters({fresh[index]: expressions[index] for _, index in names})


def _expressions(template: Template, parameters: Sequence[Parameter]) -> list[ParameterExpression]:
    found = []
    for index, (row, offset) in enumerate(zip(template.coefficients, template.offsets, strict=True)):
        total: ParameterExpression | float = template.nonlinear.get(index, float(offset))
        for column in row.nonzero()[0]:
            slope, parameter = float(row[column]), parameters[column]
            total = total + (parameter if slope == 1 else slope * parameter)
        found.append(total)
    return found
