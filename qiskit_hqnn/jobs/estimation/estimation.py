"""Estimator PUBs as sampling requests, and their expectation values with or without mitigation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.jobs.adapters import Outcomes, SamplingRequest, seed_of, values_for
from qiskit_hqnn.jobs.devices import Device, folded, scheduled_duration
from qiskit_hqnn.jobs.estimation.describing import as_html, as_text
from qiskit_hqnn.jobs.estimation.expectations import errors_are_bounds, expectation_values
from qiskit_hqnn.jobs.estimation.measurement import MeasuredBasis, Measurement, measured, measurement_of
from qiskit_hqnn.jobs.estimation.mitigation import (
    MitigationOptions,
    ReadoutCalibration,
    calibration_circuit,
    decoupled,
    flip_patterns,
    flipped,
    fold_gates,
    m3_calibration,
    trex_calibration,
    twirled,
    unflipped,
)
from qiskit_hqnn.jobs.registers import without_idle_bits

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
        """Expectation values and standard errors in the PUB's shape.

        `metadata["stds"]` says what the latter are: "standard errors", or "lower bounds" where random draws of a twirl
        are too few to tell what they differ by.
        """
        waiting = iter(outcomes)
        calibrations = self._calibrations(waiting)
        draws = [
            [self._draws(basis, waiting) for basis in self.measurement.bases]
            for _ in self.options.zne or (1,)
        ]
        evs, stds = expectation_values(self.measurement, draws, calibrations, self.options)
        chosen = (self.sets_at, self.observables_at)
        if len(evs) == 1:
            chosen = (np.zeros_like(self.sets_at), self.observables_at)
        data = DataBin(
            evs=evs[chosen].reshape(self.shape), stds=stds[chosen].reshape(self.shape), shape=self.shape
        )
        bounds = errors_are_bounds(self.measurement, self.options)
        metadata = {
            "shots": self.shots,
            "target_precision": self.shots**-0.5,
            "stds": "lower bounds" if bounds else "standard errors",
        }
        return PubResult(data, metadata)

    def _draws(self, basis: MeasuredBasis, waiting: Iterator[Outcomes]) -> list[Outcomes]:
        """One basis's outcomes at one noise factor, draw by draw, with their random flips undone."""
        if self.options.flips:
            return self._unflipped(basis, waiting)
        return _parted(_read(basis, waiting), self.options.draws)

    def _unflipped(self, basis: MeasuredBasis, waiting: Iterator[Outcomes]) -> list[Outcomes]:
        patterns = flip_patterns(len(basis.letters), self.options.randomizations, _FLIP_SEED)
        return [unflipped(_read(basis, waiting), pattern) for pattern in patterns]

    def _calibrations(self, waiting: Iterator[Outcomes]) -> list[ReadoutCalibration] | None:
        if self.options.readout is None:
            return None
        if self.options.readout == "m3":
            return [
                m3_calibration(_read(basis, waiting), _read(basis, waiting), symmetric=self.options.flips)
                for basis in self.measurement.bases
            ]
        return [
            trex_calibration(basis.strings, self._unflipped(basis, waiting))
            for basis in self.measurement.bases
        ]


def _read(basis: MeasuredBasis, waiting: Iterator[Outcomes]) -> Outcomes:
    """The next outcomes, without bits that the given circuit measures itself."""
    return next(waiting).lowest(len(basis.letters))


def _parted(outcomes: Outcomes, draws: int) -> list[Outcomes]:
    """Draws that were sampled as one request, its rows in the order (draws, sets)."""
    if draws == 1:
        return [outcomes]
    if outcomes.counts is not None:
        return [Outcomes(outcomes.bits, part) for part in np.split(outcomes.counts, draws)]
    assert outcomes.packed is not None
    return [Outcomes(outcomes.bits, None, part) for part in np.split(outcomes.packed, draws)]


_CALIBRATION_SHOTS = 16_384
_FLIP_SEED = 20221


@dataclass(frozen=True, eq=False)
class Asked:
    """What a PUB asks for, each observable and each set of values once.

    Attributes:
        circuit: as given.
        observables: without repetition.
        values: sets of values, (sets, parameters of the circuit), radians.
        shape: of the result.
        observables_at, sets_at: for each element of the result, its observable and its set of values.
        shape_of_sets: of the sets in the PUB.
    """

    circuit: QuantumCircuit
    observables: Sequence[SparsePauliOp]
    values: np.ndarray
    shape: tuple[int, ...]
    observables_at: np.ndarray
    sets_at: np.ndarray
    shape_of_sets: tuple[int, ...]

    @classmethod
    def by(cls, pub: EstimatorPub) -> Asked:
        """What one PUB asks for."""
        observables, at = _distinct_observables(pub)
        of_sets = pub.parameter_values.shape
        values = pub.parameter_values.as_array(pub.circuit.parameters)
        flat = values.reshape(prod(of_sets), pub.circuit.num_parameters)
        sets = np.arange(len(flat)).reshape(of_sets)
        return cls(
            pub.circuit,
            observables,
            flat,
            pub.shape,
            np.broadcast_to(at, pub.shape).ravel(),
            np.broadcast_to(sets, pub.shape).ravel(),
            of_sets,
        )

    def of_sets(self, sets: range) -> tuple[Asked, np.ndarray]:
        """The part that asks about some consecutive sets, and which elements of the result that is."""
        elements = np.flatnonzero((self.sets_at >= sets.start) & (self.sets_at < sets.stop))
        values = self.values[sets.start : sets.stop]
        part = Asked(
            self.circuit,
            self.observables,
            values,
            (len(elements),),
            self.observables_at[elements],
            self.sets_at[elements] - sets.start,
            (len(values),),
        )
        return part, elements


def prepare(
    pub: EstimatorPub, shots: int, device: Device, template: Template, options: MitigationOptions, seed: int
) -> Estimation:
    """Take a PUB apart: one request for each measured basis (× noise factor × random flip).

    Commuting observables share a basis, every distinct set of values is sampled once, and only the qubits that an
    observable reads are measured.

    Raises:
        MitigationError: if the options do not fit the circuit or the device.
    """
    return prepare_asked(Asked.by(pub), shots, device, template, options, seed)


def prepare_asked(
    asked: Asked, shots: int, device: Device, template: Template, options: MitigationOptions, seed: int
) -> Estimation:
    """As `prepare`, for what a PUB asks or a part of it."""
    circuit, where = template(asked.circuit)
    if circuit.num_clbits:
        circuit = without_idle_bits(circuit)
    names, sets = values_for(circuit, asked.circuit, asked.values)
    sets_at = asked.sets_at
    if not names:  # all sets are one
        sets, sets_at = np.zeros((1, 0)), np.zeros_like(sets_at)
    measurement = measurement_of(asked.observables)
    # Before pulses are put into idle times: what folds an angle takes time, too.
    folding = folded(circuit, device.target)
    circuit, (names, sets) = folding.circuit, folding.values(names, sets)
    part = ceil(shots / options.draws)
    requests = _calibration_requests(circuit, measurement, where, options, part, seed)
    requests += _value_requests(circuit, names, sets, measurement, where, options, part, seed, device)
    requests = [_with_own_seed(request, index) for index, request in enumerate(requests)]
    durations = tuple(
        0.0 if device.target is None else scheduled_duration(request.circuit, device.target)
        for request in requests
    )
    total = part * options.draws
    return Estimation(
        tuple(requests), durations, measurement, asked.observables_at, sets_at, asked.shape, total, options
    )


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
    seed = seed_of(request.seed, index)
    return SamplingRequest(request.circuit, request.parameters, request.values, request.shots, seed)


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
