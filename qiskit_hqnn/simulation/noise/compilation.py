"""Circuits and devices to noisy programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.providers import BackendV2
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.circuits import Ansatz, Template, make_template
from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.aer import noise_of, on_qubits, used_qubits
from qiskit_hqnn.jobs.devices.device import Device, resolve_device
from qiskit_hqnn.jobs.devices.templates import Templates
from qiskit_hqnn.simulation.noise.plan import make_noisy_plan
from qiskit_hqnn.simulation.noise.program import NoisyProgram


def compile_noisy(
    ansatz: Ansatz, place: str | BackendV2 | Device | NoiseModel, cache: str | Path | None = None
) -> NoisyProgram:
    """Expectation values of an ansatz under noise, exactly: what the job manager's samples at that place tend to.

    Args:
        ansatz: circuit, parameters and observables.
        place: "fake_<device>", or a backend with a target: the circuit as the job manager transpiles it there, with the
            noise of the qubits that it uses. An AerSimulator or a NoiseModel: with the noise of that; a model's errors
            belong to the gates of the circuit as it is.
        cache: folder that keeps transpiled templates between processes.

    Raises:
        DeviceError: if there is no such place.
        CircuitError: if the circuit has what no channel describes.
        HQNNError: if a state is too large to hold.
    """
    if isinstance(place, NoiseModel):
        where: Sequence[int] = range(ansatz.num_qubits)
        return _program(ansatz, ansatz.circuit, where, place)
    device = place if isinstance(place, Device) else resolve_device(place)
    template = make_template(ansatz)
    folder = None if cache is None else Path(cache)
    circuit, where = Templates(device, device.calibration, folder).of(template.circuit)
    circuit = _over_parameters(circuit, template, ansatz)
    if device.target is None:
        return _program(ansatz, circuit, where, noise_in(device))
    # A qubit that is measured has its readout error, even if no gate touches it.
    used = sorted({*used_qubits(circuit), *where})
    place_of = {qubit: index for index, qubit in enumerate(used)}
    moved = [place_of[qubit] for qubit in where]
    return _program(ansatz, on_qubits(circuit, used), moved, noise_of(device, tuple(used)))


def noise_in(device: Device) -> NoiseModel | None:
    """The noise model of a simulator that is run as it is; None for Aer itself."""
    if device.simulator is None:
        return None
    noise = device.simulator.options.noise_model
    if noise is not None and not isinstance(noise, NoiseModel):
        raise DeviceError(f"{device.name!r} must have a NoiseModel, but has a {type(noise).__name__}.")
    return noise


def _program(
    ansatz: Ansatz, circuit: QuantumCircuit, where: Sequence[int], noise: NoiseModel | None
) -> NoisyProgram:
    parts = (ansatz.observables, where, noise, ansatz.input_params, ansatz.weight_params)
    return NoisyProgram(make_noisy_plan(circuit, *parts))


def _over_parameters(circuit: QuantumCircuit, template: Template, ansatz: Ansatz) -> QuantumCircuit:
    """A circuit over a template's angles as one over inputs and weights."""
    by_name = {parameter.name: parameter for parameter in circuit.parameters}
    # An ansatz may be a template itself, with the same names.
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
