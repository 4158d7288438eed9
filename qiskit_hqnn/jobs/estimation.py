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

from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.expectations import Measurement, expectation_values, measured, measurement_of
from qiskit_hqnn.jobs.mitigation import (
    MitigationOptions,
    calibration_circuit,
    extrapolate,
    flip_patterns,
    flipped,
    fold_gates,
    trex_factors,
)
from qiskit_hqnn.jobs.sampling import HISTOGRAM_BITS, Outcomes, SamplingRequest
from qiskit_hqnn.jobs.transpiling import scheduled_duration

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

    def result(self, outcomes: Sequence[Outcomes]) -> PubResult:
        """Expectation values and standard errors in the PUB's shape."""
        waiting = iter(outcomes)
        factors = self.options.zne or (1,)
        scales = self._trex_scales(waiting)
        values, errors = [], []
        for _ in factors:
            merged = [self._merge_flips(waiting, len(basis.letters)) for basis in self.measurement.bases]
            mean, error = expectation_values(self._scaled(scales), merged)
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

    def _flips(self, bits: int, seed: int) -> list[int]:
        return flip_patterns(bits, self.options.randomizations, seed)

    def _trex_scales(self, waiting: Iterator[Outcomes]) -> list[np.ndarray] | None:
        if self.options.readout != "trex":
            return None
        scales = []
        for basis in self.measurement.bases:
            ground = self._merge_flips(waiting, len(basis.letters))
            scales.append(trex_factors(basis, ground.parity_means([mask for *_, mask in basis.terms])[0]))
        return scales

    def _merge_flips(self, waiting: Iterator[Outcomes], bits: int) -> Outcomes:
        """The outcomes of one basis, with the random flips of TREX undone."""
        if self.options.readout != "trex":
            return next(waiting)
        total: np.ndarray | None = None
        for pattern in self._flips(bits, _FLIP_SEED):
            part = next(waiting)
            assert part.counts is not None
            unflipped = part.counts[:, np.arange(1 << bits) ^ pattern]
            total = unflipped if total is None else total + unflipped
        return Outcomes(bits, total)

    def _scaled(self, scales: list[np.ndarray] | None) -> Measurement:
        if scales is None:
            return self.measurement
        bases = []
        for basis, factors in zip(self.measurement.bases, scales, strict=True):
            terms = tuple(
                (index, coefficient / factor, mask)
                for (index, coefficient, mask), factor in zip(basis.terms, factors, strict=True)
            )
            bases.append(type(basis)(basis.letters, terms))
        return Measurement(tuple(bases), self.measurement.constants)


_FLIP_SEED = 20221


def prepare(
    pub: EstimatorPub, shots: int, device: Device, template: Template, options: MitigationOptions, seed: int
) -> Estimation:
    """Take a PUB apart: one request for each measured basis (× noise factor × random flip).

    Commuting observables share a basis, every distinct set of values is sampled once, and only the qubits that an
    observable reads are measured.
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
    requests: list[SamplingRequest] = []
    trex = options.readout == "trex"
    part = ceil(shots / options.randomizations) if trex else shots
    if trex:
        for basis in measurement.bases:
            _check_histogram(len(basis.letters))
            ground = calibration_circuit(measured(circuit, basis, where))
            for pattern in flip_patterns(len(basis.letters), options.randomizations, _FLIP_SEED):
                calibration = max(part, ceil(16_384 / options.randomizations))
                requests.append(
                    SamplingRequest(flipped(ground, pattern), (), np.zeros((1, 0)), calibration, seed)
                )
    for factor in options.zne or (1,):
        folded = fold_gates(circuit, factor) if factor > 1 else circuit
        for basis in measurement.bases:
            full = measured(folded, basis, where)
            if not trex:
                requests.append(SamplingRequest(full, names, sets, part, seed))
                continue
            requests += [
                SamplingRequest(flipped(full, pattern), names, sets, part, seed)
                for pattern in flip_patterns(len(basis.letters), options.randomizations, _FLIP_SEED)
            ]
    requests = [_with_own_seed(request, index) for index, request in enumerate(requests)]
    durations = tuple(
        0.0 if device.target is None else scheduled_duration(request.circuit, device.target)
        for request in requests
    )
    return Estimation(
        tuple(requests),
        durations,
        measurement,
        observables_at,
        sets_at,
        shape,
        part * (options.randomizations if trex else 1),
        options,
    )


def _with_own_seed(request: SamplingRequest, index: int) -> SamplingRequest:
    """Requests of one PUB must not share their random numbers: equal circuits would give equal errors."""
    seed = int.from_bytes(sha256(f"{request.seed}/{index}".encode()).digest()[:4], "big") >> 1
    return SamplingRequest(request.circuit, request.parameters, request.values, request.shots, seed)


def _check_histogram(bits: int) -> None:
    from qiskit_hqnn.errors import MitigationError

    if bits > HISTOGRAM_BITS:
        raise MitigationError(
            f"TREX takes at most {HISTOGRAM_BITS} measured qubits, but {bits} are measured."
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
