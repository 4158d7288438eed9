"""The job manager: primitives for any place, priced before anything runs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cache
from math import ceil
from pathlib import Path

from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2
from qiskit_aer import AerSimulator

from qiskit_hqnn.errors import DeviceError, HQNNError
from qiskit_hqnn.jobs.aer import sample
from qiskit_hqnn.jobs.devices import Device, resolve_device
from qiskit_hqnn.jobs.estimation import Estimation, prepare
from qiskit_hqnn.jobs.mitigation import MitigationOptions
from qiskit_hqnn.jobs.price import Price, check_budget, price_requests
from qiskit_hqnn.jobs.primitives import ManagedEstimator, ManagedSampler
from qiskit_hqnn.jobs.sampling import Outcomes, SamplingRequest
from qiskit_hqnn.jobs.transpiling import scheduled_duration, transpile_template

SETS_AT_ONCE = 5_000
"""Sets of values that one call of Aer takes: bounds the memory of a large request."""


class JobManager:
    """Sampling on Aer or on a snapshot of a device, as Qiskit primitives.

    Args:
        where: "aer", "fake_<device>", or a BackendV2 whose target describes a device (simulated on Aer with its noise).
        shots: of each set of values, where a call names none.
        max_qpu_seconds: budget of each call, in the QPU seconds that hardware would charge; None for no limit.
        mitigation: options for expectation values.
        seed: makes results repeatable; None draws one.
        cache: folder that keeps transpiled templates between processes.

    Raises:
        DeviceError: if there is no such device.
        HQNNError: if shots or budget are not positive.
    """

    def __init__(
        self,
        where: str | BackendV2,
        *,
        shots: int = 1000,
        max_qpu_seconds: float | None = None,
        mitigation: MitigationOptions | None = None,
        seed: int | None = None,
        cache: str | Path | None = None,
    ) -> None:
        if isinstance(where, str) and where.startswith("ibm_"):
            raise DeviceError(
                f"Hardware such as {where!r} cannot be reached by this version; use 'aer' or 'fake_<device>'."
            )
        if shots < 1:
            raise HQNNError(f"Argument `shots` must be at least 1, but is {shots}.")
        if max_qpu_seconds is not None and max_qpu_seconds <= 0:
            raise HQNNError(f"Argument `max_qpu_seconds` must be positive, but is {max_qpu_seconds}.")
        self.device: Device = resolve_device(where)
        self.shots = shots
        self.max_qpu_seconds = max_qpu_seconds
        self.mitigation = mitigation or MitigationOptions()
        self.seed = secrets.randbelow(2**31) if seed is None else seed
        self.cache = None if cache is None else Path(cache)
        self.executions = 0
        self.qpu_seconds = 0.0
        self._calls = 0
        self._ideal: dict[int, tuple[QuantumCircuit, QuantumCircuit]] = {}

    @property
    def where(self) -> str:
        """The place's word."""
        return self.device.name

    def estimator(self) -> ManagedEstimator:
        """A BaseEstimatorV2 on this manager; precision p means ⌈1/p²⌉ shots."""
        return ManagedEstimator(self)

    def sampler(self) -> ManagedSampler:
        """A BaseSamplerV2 on this manager."""
        return ManagedSampler(self)

    def plan(self, pub: EstimatorPub, precision: float | None = None) -> Estimation:
        """What an estimator PUB is sent as."""
        shots = self.shots if precision is None else max(1, ceil(precision**-2 - 1e-9))
        return prepare(pub, shots, self.device, self._template, self.mitigation, self._next_seed())

    def price(self, estimation: Estimation) -> Price:
        """What a planned PUB costs on hardware; on Aer and snapshots, what it would cost there."""
        return price_requests(estimation.requests, estimation.durations, self.device)

    def estimate(
        self, pub: EstimatorPub, precision: float | None = None
    ) -> tuple[Estimation, list[Outcomes]]:
        """Plan, price and sample an estimator PUB."""
        estimation = self.plan(pub, precision)
        return estimation, self.run(estimation.requests, estimation.durations)

    def sample(self, pub: SamplerPub, shots: int | None) -> Outcomes:
        """Sample a measured PUB; its classical bits count as one register."""
        circuit, _ = self._template(pub.circuit)
        names = tuple(parameter.name for parameter in pub.circuit.parameters)
        values = pub.parameter_values.as_array(pub.circuit.parameters).reshape(max(1, pub.size), -1)
        request = SamplingRequest(circuit, names, values, shots or pub.shots or self.shots, self._next_seed())
        duration = 0.0 if self.device.target is None else scheduled_duration(circuit, self.device.target)
        return self.run([request], [duration])[0]

    def run(self, requests: Sequence[SamplingRequest], durations: Sequence[float]) -> list[Outcomes]:
        """Sample requests, in parts that bound memory.

        Raises:
            BudgetError: if they cost more than the budget; nothing is run then.
        """
        price = price_requests(requests, durations, self.device)
        check_budget(price, self.max_qpu_seconds, self.where)
        outcomes = [
            Outcomes.joined([sample(part, self.device) for part in request.split(SETS_AT_ONCE)])
            for request in requests
        ]
        self.executions += price.executions
        self.qpu_seconds += price.qpu_seconds
        return outcomes

    def _template(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, Sequence[int]]:
        if self.device.target is None:
            return self._for_aer(circuit), range(circuit.num_qubits)
        template = transpile_template(circuit, self.device, cache=self.cache)
        return template.circuit, template.logical

    def _for_aer(self, circuit: QuantumCircuit) -> QuantumCircuit:
        known = self._ideal.get(id(circuit))
        if known is None or known[0] is not circuit:
            known = (circuit, transpile(circuit, basis_gates=_aer_gates(), optimization_level=0))
            self._ideal = {**dict(list(self._ideal.items())[-15:]), id(circuit): known}
        return known[1]

    def _next_seed(self) -> int:
        """Calls count up, so that a repeated script repeats its results and two calls do not share their noise."""
        self._calls += 1
        return (self.seed + 104_729 * self._calls) % 2**31


@cache
def _aer_gates() -> list[str]:
    known = get_standard_gate_name_mapping()
    return [name for name in AerSimulator().target.operation_names if name in known]
