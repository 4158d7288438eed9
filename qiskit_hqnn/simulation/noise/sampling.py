"""Shots without Aer: outcomes drawn from their exact distribution, behind the same seam as every other place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.adapters import (
    HISTOGRAM_BITS,
    LocalAdapter,
    Outcomes,
    SamplingOptions,
    SamplingRequest,
    is_tiled,
    noise_of,
    on_qubits,
    sampled_apart,
    used_qubits,
)
from qiskit_hqnn.jobs.devices import Device, circuit_bytes, resolve_device
from qiskit_hqnn.simulation import compile_circuit
from qiskit_hqnn.simulation.noise.attaching import attach
from qiskit_hqnn.simulation.noise.compilation import noise_in
from qiskit_hqnn.simulation.noise.outcomes import OutcomeProgram, spread
from qiskit_hqnn.where import Where

_KEPT = 128
_SETS_AT_ONCE = 1 << 20
"""All sets of a request are computed together: related sets must not be separated."""
_CHUNK_BYTES = 16 << 20
"""Bytes of states in double precision at once: they stay in a processor's cache."""
_LARGE_ANGLE = 32.0
_RULES = "2"
"""A different way of drawing gives different samples of the same seed: part of every identity."""


class Distribution(Protocol):
    """A measured circuit's outcomes."""

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Shape (sets, 2^bits), from values (sets, parameters) in radians."""
        ...


class ExactAdapter(LocalAdapter):
    """Samples of the exact distribution of outcomes, with or without a device's noise.

    Args:
        device: whose noise it is; Aer itself has none.
        where: the place's word.
    """

    def __init__(self, device: Device, where: str) -> None:
        super().__init__(device)
        self.where = where
        self.calibration = f"{device.calibration}/exact-{_RULES}"
        self._known: OrderedDict[bytes, Distribution] = OrderedDict()

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        """Compute a job.

        Raises:
            CircuitError: if a circuit measures before its end, branches, or has a part that no channel describes.
            HQNNError: if its states do not fit into memory.
        """
        outcomes = [self.sample(request) for request in requests]
        job_id = f"exact-{uuid4().hex}"
        self._finished[job_id] = (tag, outcomes)
        return job_id

    def sample(self, request: SamplingRequest) -> Outcomes:
        """Outcomes of one request, a tiled circuit region by region; errors as `submit`."""
        return sampled_apart(request, self._drawn) if is_tiled(request.circuit) else self._drawn(request)

    def _drawn(self, request: SamplingRequest) -> Outcomes:
        return _drawn(self._of(request), request)

    def _of(self, request: SamplingRequest) -> Distribution:
        key = sha256(circuit_bytes(request.circuit) + repr(request.parameters).encode()).digest()
        if key not in self._known:
            self._known[key] = _distribution(request, self.device)
        self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return self._known[key]


def exact_manager(where: str, **options: Any) -> JobManager:
    """A job manager that samples at "exact" or "noisy:fake_<device>" in this process.

    Args:
        where: the word.
        options: of `JobManager`.

    Raises:
        DeviceError: if there is no such place.

    Example:
        >>> exact_manager("noisy:fake_manila", shots=100).where
        'noisy:fake_manila'
    """
    device = resolve_device(Where.parse(where).device or "aer")
    adapter = ExactAdapter(device, where)
    return JobManager(device.name, adapter=adapter, sets_at_once=_SETS_AT_ONCE, **options)


def _distribution(request: SamplingRequest, device: Device) -> Distribution:
    circuit = request.circuit
    used = used_qubits(circuit)
    small = on_qubits(circuit, used)
    noise = noise_in(device) if device.target is None else noise_of(device, tuple(used))
    if device.target is None and noise is not None:
        return OutcomeProgram(circuit, request.parameters, noise)
    if noise is None:
        try:
            return _Amplitudes(small, request.parameters)
        except CircuitError:
            pass  # with resets the state is not pure; what cannot be sampled at all is refused below
    return OutcomeProgram(small, request.parameters, noise)


class _Amplitudes:
    """Outcomes of a circuit without noise, from the states of the exact simulator.

    Raises:
        CircuitError: if it is not unitary up to the measurements at its end.
    """

    def __init__(self, circuit: QuantumCircuit, names: Sequence[str]) -> None:
        bits = attach(circuit, None).readouts  # refuses what is not measured at its end
        bare = QuantumCircuit(circuit.num_qubits)
        for step in circuit.data:
            if step.operation.name != "measure":
                bare.append(step.operation, [circuit.find_bit(qubit).index for qubit in step.qubits])
        by_name = {parameter.name: parameter for parameter in bare.parameters}
        observable = [SparsePauliOp("I" * circuit.num_qubits)]
        self._program = compile_circuit(
            bare, observable, [by_name.get(name, Parameter(name)) for name in names], ()
        )
        self._qubits = circuit.num_qubits
        # The first axis of a state, as a tensor of axes of length two, is the last qubit.
        self._axes = [circuit.num_qubits - bits[bit][0] for bit in sorted(bits, reverse=True)]
        self._bits, self._width = tuple(bits), circuit.num_clbits

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        chunk = max(1, _CHUNK_BYTES // (16 << self._qubits))
        # Single precision has errors of 1e-6, far below what shots resolve, except for large angles.
        small = np.abs(values).max(initial=0.0) < _LARGE_ANGLE
        dtype = torch.float32 if small else torch.float64
        nothing = torch.zeros(1, 0, dtype=dtype)
        with torch.no_grad():
            parts = torch.from_numpy(np.ascontiguousarray(values)).to(dtype).split(chunk)
            found = [self._read(self._program.probabilities(part[:, None], nothing)[:, 0]) for part in parts]
        return torch.cat(found).double().numpy()

    def _read(self, whole: Tensor) -> Tensor:
        """Probabilities (sets, 2^width) of the classical bits from those of all qubits."""
        tensor = whole.reshape(len(whole), *(2 for _ in range(self._qubits)))
        others = [axis for axis in range(1, self._qubits + 1) if axis not in self._axes]
        tensor = tensor.permute(0, *self._axes, *others).reshape(len(whole), 1 << len(self._axes), -1)
        return spread(tensor.sum(-1), self._bits, self._width)


def _drawn(distribution: Distribution, request: SamplingRequest) -> Outcomes:
    """Outcomes of a request; the same seed gives the same ones."""
    rng = np.random.default_rng(request.seed)
    shares = distribution.probabilities(request.values)
    shares = shares / shares.sum(axis=1, keepdims=True)
    bits = request.circuit.num_clbits
    if bits <= HISTOGRAM_BITS:
        return Outcomes(bits, rng.multinomial(request.shots, shares).astype(np.int32))
    width = -(-bits // 8)
    packed = np.empty((len(shares), request.shots, width), dtype=np.uint8)
    for row, limits in zip(packed, shares.cumsum(axis=1), strict=True):
        drawn = np.searchsorted(limits, rng.random(request.shots) * limits[-1], side="right")
        for byte in range(width):
            row[:, width - 1 - byte] = drawn >> 8 * byte & 255
    return Outcomes(bits, None, packed)
