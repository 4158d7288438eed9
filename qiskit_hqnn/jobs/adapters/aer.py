"""Sampling on Aer: ideal, or with the noise of the device qubits that a circuit uses."""

from __future__ import annotations

import warnings
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.jobs.adapters.checking import checked
from qiskit_hqnn.jobs.adapters.components import is_tiled, sampled_apart
from qiskit_hqnn.jobs.adapters.sampling import HISTOGRAM_BITS, Outcomes, SamplingRequest
from qiskit_hqnn.jobs.devices import CutDevice, Device, cut_target, for_aer

if TYPE_CHECKING:
    from qiskit.result import Result

_DENSITY_MATRIX_QUBITS = 8
"""Up to this many qubits a density matrix costs less than a trajectory for every shot."""


def sample(request: SamplingRequest, device: Device) -> Outcomes:
    """Run one request in this process.

    A device's circuit is reduced to its used qubits first: the noise of the others cannot affect it, and a state of all
    156 would not fit. A tiled circuit is sampled region by region for the same reason.
    """
    if is_tiled(request.circuit):
        return checked([sampled_apart(request, partial(_sample, device=device))], [request])[0]
    return _sample(request, device)


def _sample(request: SamplingRequest, device: Device) -> Outcomes:
    circuit = request.circuit
    if device.simulator is not None:
        simulator = device.simulator
    elif device.target is None:
        simulator = _ideal()
    else:
        used = used_qubits(circuit)
        circuit = on_qubits(circuit, used)
        simulator = _noisy(device, tuple(used))
    circuits, binds = for_aer(circuit, request.parameters, request.values, simulator)
    result = simulator.run(
        circuits,
        parameter_binds=binds,
        shots=request.shots,
        seed_simulator=request.seed,
        runtime_parameter_bind_enable=bool(binds),
    ).result()
    if not result.success:
        raise RuntimeError(f"Aer failed: {result.status}")
    return checked([_outcomes(result, circuit.num_clbits)], [request])[0]


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


@lru_cache(maxsize=4)
def _ideal() -> AerSimulator:
    return AerSimulator(method="statevector", max_parallel_threads=0)


_simulators: dict[tuple[str, str, tuple[int, ...]], AerSimulator] = {}


@lru_cache(maxsize=64)  # each twirled or calibrating circuit on the same qubits asks for it
def noise_of(device: Device, used: tuple[int, ...]) -> NoiseModel:
    """The noise of some qubits of a device with a target, renumbered from 0."""
    assert device.target is not None
    target = cut_target(device.target, used)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Qiskit backend .* has no QubitProperties")
        # Aer would look for T1 and T2 even if there are none.
        return NoiseModel.from_backend(
            CutDevice(device.name, target), thermal_relaxation=bool(target.qubit_properties)
        )


def _noisy(device: Device, used: tuple[int, ...]) -> AerSimulator:
    key = (device.name, device.calibration, used)
    if key not in _simulators:
        noise = noise_of(device, used)
        method = "density_matrix" if len(used) <= _DENSITY_MATRIX_QUBITS else "statevector"
        _simulators[key] = AerSimulator(method=method, noise_model=noise)
    return _simulators[key]


def _outcomes(result: Result, bits: int) -> Outcomes:
    rows = [getattr(experiment.data, "counts", {}) for experiment in result.results]
    if bits <= HISTOGRAM_BITS:
        counts = np.zeros((len(rows), 1 << bits), dtype=np.int32)
        for row, found in zip(counts, rows, strict=True):
            for outcome, count in found.items():
                row[int(outcome, 16)] = count
        return Outcomes(bits, counts)
    width = -(-bits // 8)
    shots = min((sum(found.values()) for found in rows), default=0)
    packed = np.empty((len(rows), shots, width), dtype=np.uint8)
    for index, found in enumerate(rows):
        start = 0
        for outcome, count in found.items():
            packed[index, start : start + count] = np.frombuffer(
                int(outcome, 16).to_bytes(width, "big"), dtype=np.uint8
            )
            start += count
    return Outcomes(bits, None, packed)
