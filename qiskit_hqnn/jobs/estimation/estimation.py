"""Estimator PUBs as sampling requests, and their expectation values with or without mitigation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs.adapters.sampling import HISTOGRAM_BITS, Outcomes, SamplingRequest
from qiskit_hqnn.jobs.devices.device import Device
from qiskit_hqnn.jobs.devices.transpiling import scheduled_duration
from qiskit_hqnn.jobs.estimation.describing import as_html, as_text
from qiskit_hqnn.jobs.estimation.expectations import Measurement, expectation_values, measured, measurement_of
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
from qiskit_hqnn.jobs.estimation.mitigation.decoupling import decoupled
from qiskit_hqnn.jobs.estimation.mitigation.extrapolation import extrapolate, fold_gates
from qiskit_hqnn.jobs.estimation.mitigation.readout import (
    ReadoutCalibration,
    calibration_circuit,
    check_m3,
    flip_patterns,
    flipped,
    m3_calibration,
    trex_calibration,
)
from qiskit_hqnn.jobs.estimation.mitigation.twirling import twirled

Template = Callable[[QuantumCircuit], tuple[QuantumCircuit, Sequence[int]]]
"""A circuit to what the device takes, with the place of each of its qubits."""


@dataclass(frozen=True, eq=False)
class Estimation:
    """One PUB taken apart: requests to sample, and all that is needed to read their outcomes.

    Attributes:
        requests: in the order in which `result` wants their outcomes.
        durations: scheduled seconds of one execution of each.
        measurement: bases and terms.
        observables_at, sets_at: for each element of the result, its observable and its set of values.
        shape: of the result.
        shots: of each set and basis.
        options: mitigation.
    """

    requests: tuple[SamplingRequest, ...]
    durations: tuple[float, ...]
    measurement: Measurement
    observables_at: np.ndarray
    sets_at: np.ndarray
    shape: tuple[int, ...]
    shots: int
    options: MitigationOptions

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def result(self, outcomes: Sequence[Outcomes]) -> PubResult:
        """Expectation values and standard errors in the PUB's shape."""
        waiting = iter(outcomes)
        factors = self.options.zne or (1,)
        calibrations = self._calibrations(waiting)
        values, errors = [], []
        for _ in factors:
            draws = [self._draws(waiting) for _ in self.measurement.bases]
            mean, error = self._one_factor(draws, calibrations)
            values.append(mean)
            errors.append(error)
        if self.options.zne:
            evs, stds = extrapolate(factors, np.array(values), np.array(errors), self.options.extrapolation)
        else:
            evs, stds = values[0], errors[0]
        chosen = (self.sets_at, self.observables_at)
        if len(evs) == 1:
            chosen = (np.zeros_like(self.sets_at), self.observables_at)
        data = DataBin(
            evs=evs[chosen].reshape(self.shape), stds=stds[chosen].reshape(self.shape), shape=self.shape
        )
        return PubResult(data, {"shots": self.shots, "target_precision": self.shots**-0.5})

    def _draws(self, waiting: Iterator[Outcomes]) -> list[Outcomes]:
        """One basis's outcomes at one noise factor, draw by draw."""
        if self.options.flips:
            return [next(waiting) for _ in range(self.options.draws)]
        return _parted(next(waiting), self.options.draws)

    def _calibrations(self, waiting: Iterator[Outcomes]) -> list[ReadoutCalibration] | None:
        if self.options.readout is None:
            return None
        found = []
        for basis in self.measurement.bases:
            if self.options.readout == "m3":
                zeros, ones = next(waiting).counts, next(waiting).counts
                assert zeros is not None
                assert ones is not None
                found.append(m3_calibration(zeros[0], ones[0], symmetric=self.options.flips))
                continue
            ground = _pooled(self._unflipped([next(waiting) for _ in range(self.options.draws)]))
            assert ground.counts is not None
            means = ground.parity_means([mask for *_, mask in basis.terms])[0]
            found.append(trex_calibration(basis, means, int(ground.counts.sum())))
        return found

    def _one_factor(
        self, draws: list[list[Outcomes]], calibrations: list[ReadoutCalibration] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values at one noise factor from the draws of each basis."""
        unflipped = [self._unflipped(parts) for parts in draws]
        pooled = [_pooled(parts) for parts in unflipped]
        mean, error = expectation_values(self.measurement, pooled, calibrations)
        if not self.options.twirl_gates or self.options.draws < _DRAWS_TO_COMPARE:
            return mean, error
        # Shots of one draw share its Paulis: what the draws differ by among themselves is the error of their mean.
        each = [
            expectation_values(self.measurement, [parts[draw] for parts in unflipped], calibrations)[0]
            for draw in range(self.options.draws)
        ]
        spread = np.std(each, axis=0, ddof=1) / np.sqrt(self.options.draws)
        return mean, np.maximum(error, spread)

    def _unflipped(self, parts: list[Outcomes]) -> list[Outcomes]:
        """The outcomes of all draws of one basis, with their random flips undone."""
        if not self.options.flips:
            return parts
        bits = parts[0].bits
        patterns = flip_patterns(bits, self.options.randomizations, _FLIP_SEED)
        index = np.arange(1 << bits)
        undone = []
        for part, pattern in zip(parts, patterns, strict=True):
            assert part.counts is not None
            undone.append(Outcomes(bits, part.counts[:, index ^ pattern]))
        return undone


def _pooled(parts: list[Outcomes]) -> Outcomes:
    """All shots of the same sets together."""
    if len(parts) == 1:
        return parts[0]
    counts = [part.counts for part in parts if part.counts is not None]
    if counts:
        return Outcomes(parts[0].bits, np.stack(counts).sum(axis=0))
    packed = [part.packed for part in parts if part.packed is not None]
    return Outcomes(parts[0].bits, None, np.concatenate(packed, axis=1))


def _parted(outcomes: Outcomes, draws: int) -> list[Outcomes]:
    """Draws that were sampled as one request, its rows in the order (draws, sets)."""
    if draws == 1:
        return [outcomes]
    if outcomes.counts is not None:
        return [Outcomes(outcomes.bits, part) for part in np.split(outcomes.counts, draws)]
    assert outcomes.packed is not None
    return [Outcomes(outcomes.bits, None, part) for part in np.split(outcomes.packed, draws)]


_DRAWS_TO_COMPARE = 4
_CALIBRATION_SHOTS = 16_384
_FLIP_SEED = 20221


def prepare(
    pub: EstimatorPub, shots: int, device: Device, template: Template, options: MitigationOptions, seed: int
) -> Estimation:
    """Take a PUB apart: one request for each measured basis (× noise factor × random flip).

    Commuting observables share a basis, every distinct set of values is sampled once, and only the qubits that an
    observable reads are measured.

    Raises:
        MitigationError: if the options do not fit the circuit or the device.
    """
    observables, at = _distinct_observables(pub)
    shape = pub.shape
    values = pub.parameter_values.as_array(pub.circuit.parameters)
    sets = values.reshape(-1, values.shape[-1]) if values.shape[-1] else np.zeros((1, 0))
    set_index = np.arange(int(np.prod(pub.parameter_values.shape))).reshape(pub.parameter_values.shape)
    if not values.shape[-1]:
        set_index = np.zeros_like(set_index)
    sets_at = np.broadcast_to(set_index, shape).ravel()
    observables_at = np.broadcast_to(at, shape).ravel()
    measurement = measurement_of(observables)
    circuit, where = template(pub.circuit)
    # The device's order of parameters may differ from the given circuit's; the names say which is which.
    names = tuple(parameter.name for parameter in pub.circuit.parameters)
    _check_bits(measurement, options)
    part = ceil(shots / options.draws)
    requests = _calibration_requests(circuit, measurement, where, options, part, seed)
    requests += _value_requests(circuit, names, sets, measurement, where, options, part, seed, device)
    requests = [_with_own_seed(request, index) for index, request in enumerate(requests)]
    durations = tuple(
        0.0 if device.target is None else scheduled_duration(request.circuit, device.target)
        for request in requests
    )
    total = part * options.draws
    return Estimation(tuple(requests), durations, measurement, observables_at, sets_at, shape, total, options)


def _calibration_requests(
    circuit: QuantumCircuit,
    measurement: Measurement,
    where: Sequence[int],
    options: MitigationOptions,
    part: int,
    seed: int,
) -> list[SamplingRequest]:
    """What readout mitigation samples once for all sets: |0…0⟩ under the flips of TREX; |0…0⟩ and |1…1⟩ for M3."""
    requests: list[SamplingRequest] = []
    if options.readout is None:
        return requests
    for basis in measurement.bases:
        bits = len(basis.letters)
        ground = calibration_circuit(measured(circuit, basis, where))
        if options.readout == "m3":
            check_m3()
            patterns, shots = [0, (1 << bits) - 1], max(part, _CALIBRATION_SHOTS)
        else:
            patterns = flip_patterns(bits, options.randomizations, _FLIP_SEED)
            shots = max(part, ceil(_CALIBRATION_SHOTS / options.randomizations))
        requests += [
            SamplingRequest(flipped(ground, pattern), (), np.zeros((1, 0)), shots, seed)
            for pattern in patterns
        ]
    return requests


def _value_requests(
    circuit: QuantumCircuit,
    names: tuple[str, ...],
    sets: np.ndarray,
    measurement: Measurement,
    where: Sequence[int],
    options: MitigationOptions,
    part: int,
    seed: int,
    device: Device,
) -> list[SamplingRequest]:
    """For each noise factor and basis one request; with flips, one for each draw of these."""
    twirl = twirled(circuit, names) if options.twirl_gates else None
    if twirl is not None:
        circuit, names = twirl.circuit, twirl.parameters
    requests: list[SamplingRequest] = []
    for factor in options.zne or (1,):
        folded = fold_gates(circuit, factor) if factor > 1 else circuit
        for basis in measurement.bases:
            full = measured(folded, basis, where)
            patterns, drawn = [0], [sets]
            if options.flips:
                patterns = flip_patterns(len(basis.letters), options.randomizations, _FLIP_SEED)
                drawn = [sets] * options.draws
            if twirl is not None:
                each = twirl.values(sets, options.draws, seed + len(requests))
                # Without flips all draws are one circuit with more sets of values.
                drawn = list(each) if options.flips else [each.reshape(-1, each.shape[-1])]
            circuits = {pattern: flipped(full, pattern) if pattern else full for pattern in set(patterns)}
            if options.dynamical_decoupling is not None:
                circuits = {
                    pattern: decoupled(flat, device.target, options.dynamical_decoupling)
                    for pattern, flat in circuits.items()
                }
            requests += [
                SamplingRequest(circuits[pattern], names, values, part, seed)
                for pattern, values in zip(patterns, drawn, strict=True)
            ]
    return requests


def _with_own_seed(request: SamplingRequest, index: int) -> SamplingRequest:
    """Requests of one PUB must not share their random numbers: equal circuits would give equal errors."""
    seed = int.from_bytes(sha256(f"{request.seed}/{index}".encode()).digest()[:4], "big") >> 1
    return SamplingRequest(request.circuit, request.parameters, request.values, request.shots, seed)


def _check_bits(measurement: Measurement, options: MitigationOptions) -> None:
    bits = max((len(basis.letters) for basis in measurement.bases), default=0)
    if bits > HISTOGRAM_BITS and (options.flips or options.readout is not None):
        raise MitigationError(
            f"Readout mitigation takes at most {HISTOGRAM_BITS} measured qubits, but {bits} are measured."
        )


def _distinct_observables(pub: EstimatorPub) -> tuple[list[SparsePauliOp], np.ndarray]:
    """The PUB's observables without repetition, and for each element of their array its position in that list."""
    found: dict[tuple[tuple[str, float], ...], int] = {}
    operators: list[SparsePauliOp] = []
    array = pub.observables.sparse_observables_array(copy=False)
    at = np.empty(array.shape, dtype=int)
    for index in np.ndindex(*array.shape):
        operator = SparsePauliOp.from_sparse_observable(array[index]).simplify()
        key = tuple(sorted((label, float(np.real(value))) for label, value in operator.to_list()))
        if key not in found:
            found[key] = len(operators)
            operators.append(operator)
        at[index] = found[key]
    return operators, at
