"""Sampling on Aer: ideal, or with the noise of the device qubits that a circuit uses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.jobs.adapters.sampling import HISTOGRAM_BITS, Outcomes, SamplingRequest
from qiskit_hqnn.jobs.devices.device import CutDevice, Device, cut_target

_DENSITY_MATRIX_QUBITS = 8
"""Up to so many qubits a density matrix costs less than a trajectory for every shot."""


def sample(request: SamplingRequest, device: Device) -> Outcomes:
    """Run one request in this process.

    A device's circuit is cut down to its used qubits first: the noise of the others cannot reach it, and a state of
    all 156 could not be held.
    """
    circuit = request.circuit
    if device.simulator is not None:
        simulator = device.simulator
    elif device.target is None:
        simulator = _ideal()
    else:
        used = used_qubits(circuit)
        circuit = on_qubits(circuit, used)
        simulator = _noisy(device, tuple(used))
    binds = [_binds(circuit, request)] if request.parameters else None
    repeats = 1 if request.parameters else request.sets
    result = simulator.run(
        [circuit] * repeats,
        parameter_binds=binds,
        shots=request.shots,
        seed_simulator=request.seed,
        runtime_parameter_bind_enable=bool(binds),
    ).result()
    if not result.success:
        raise RuntimeError(f"Aer failed: {result.status}")
    return _outcomes(result, circuit.num_clbits, request.shots)


def used_qubits(circuit: QuantumCircuit) -> list[int]:
    """Indices of the qubits that carry an instruction, in increasing order."""
    used = {
        circuit.find_bit(qubit).index
        for step in circuit.data
        if step.operation.name != "barrier"
        for qubit in step.qubits
    }
    return sorted(used)


def on_qubits(circuit: QuantumCircuit, used: list[int]) -> QuantumCircuit:
    """The circuit on these qubits only, renumbered from 0."""
    place = {qubit: index for index, qubit in enumerate(used)}
    small = QuantumCircuit(len(used), circuit.num_clbits)
    for step in circuit.data:
        qubits = [place.get(circuit.find_bit(qubit).index) for qubit in step.qubits]
        if None in qubits:
            continue  # a barrier across idle qubits
        small.append(step.operation, qubits, [circuit.find_bit(bit).index for bit in step.clbits])
    return small


def _binds(circuit: QuantumCircuit, request: SamplingRequest) -> dict[Parameter, list[float]]:
    by_name = {parameter.name: parameter for parameter in circuit.parameters}
    return {by_name[name]: request.values[:, index].tolist() for index, name in enumerate(request.parameters)}


@lru_cache(maxsize=4)
def _ideal() -> AerSimulator:
    return AerSimulator(method="statevector", max_parallel_threads=0)


_simulators: dict[tuple[str, str, tuple[int, ...]], AerSimulator] = {}


def noise_of(device: Device, used: tuple[int, ...]) -> NoiseModel:
    """The noise of some qubits of a device with a target, renumbered from 0."""
    assert device.target is not None
    return NoiseModel.from_backend(CutDevice(device.name, cut_target(device.target, used)))


def _noisy(device: Device, used: tuple[int, ...]) -> AerSimulator:
    key = (device.name, device.calibration, used)
    if key not in _simulators:
        noise = noise_of(device, used)
        method = "density_matrix" if len(used) <= _DENSITY_MATRIX_QUBITS else "statevector"
        _simulators[key] = AerSimulator(method=method, noise_model=noise)
    return _simulators[key]


def _outcomes(result: Any, bits: int, shots: int) -> Outcomes:
    experiments = result.results
    if bits <= HISTOGRAM_BITS:
        counts = np.zeros((len(experiments), 1 << bits), dtype=np.int32)
        for row, experiment in zip(counts, experiments, strict=True):
            for outcome, count in experiment.data.counts.items():
                row[int(outcome, 16)] = count
        return Outcomes(bits, counts)
    width = -(-bits // 8)
    packed = np.empty((len(experiments), shots, width), dtype=np.uint8)
    for index, experiment in enumerate(experiments):
        start = 0
        for outcome, count in experiment.data.counts.items():
            packed[index, start : start + count] = np.frombuffer(
                int(outcome, 16).to_bytes(width, "big"), dtype=np.uint8
            )
            start += count
    return Outcomes(bits, None, packed)
