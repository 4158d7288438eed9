"""The job manager: primitives for any place, priced before anything runs, resumed wherever a process was ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from qiskit_hqnn.errors import HQNNError, MitigationError
from qiskit_hqnn.jobs.adapters import (
    BackendAdapter,
    Outcomes,
    SamplingOptions,
    SamplingRequest,
    close_adapter,
    open_place,
    sampling_requests,
    values_for,
)
from qiskit_hqnn.jobs.arguments import check_counts, check_fractional, check_kinds, finite_values, shots_for
from qiskit_hqnn.jobs.budget import Meter, Spending
from qiskit_hqnn.jobs.chunks import ChunkLimits
from qiskit_hqnn.jobs.devices import Device, Templates, circuit_bytes, folded, scheduled_duration
from qiskit_hqnn.jobs.estimation import Estimation, prepare
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
from qiskit_hqnn.jobs.price import Price, price_requests, seconds_each
from qiskit_hqnn.jobs.primitives import ManagedEstimator, ManagedSampler
from qiskit_hqnn.jobs.questions import Questions
from qiskit_hqnn.jobs.recording import (
    Recorded,
    collect,
    expectation_values,
    record,
    sample_at_once,
    strong_id,
)
from qiskit_hqnn.jobs.registers import in_one_row, measures
from qiskit_hqnn.jobs.sending import Patience, drive
from qiskit_hqnn.jobs.store import DEFAULT_STORE, Store

__all__ = ["JobManager", "expectation_values"]

SETS_AT_ONCE = 2_000
"""Bounds a simulation's memory and the work that a crash can lose; a call of Aer costs little beside so many sets."""


class JobManager:
    """Sampling at one place, as Qiskit primitives.

    With a store, every request has a strong id, is recorded before it is sent, and is answered from the store when it
    is made again, by this process or any other. Hardware always has a store.

    Args:
        where: "aer", "fake_<device>", "ibm_<device>", a BackendV2 whose target describes a device (simulated on Aer
            with its noise), or a BaseSamplerV2.
        store: a URL (sqlite:///runs/jobs.db, postgresql://…), the path of an SQLite file, or a `Store`; None keeps
            nothing on Aer and on snapshots, and is sqlite:///runs/jobs.db for hardware.
        shots: of each set of values, where a call names none.
        max_qpu_seconds: budget of all calls together, in the QPU seconds that hardware charges (on Aer and snapshots:
            would charge), what is sent again included; None for no limit.
        mitigation: options for expectation values.
        seed: makes results repeatable, and a resumed script find its own requests; None is 0 with a store, and is
            drawn without one.
        cache: folder that keeps transpiled templates between processes.
        calibration: id of an earlier calibration of a hardware device, under which requests stand in the store: they
            are made again as they were then, with the template that `cache` kept. None is today's.
        options: what the device is told beside the circuits.
        patience: how often and how long to try.
        adapter: a place of one's own; `where` then names the device to compile for.
        sets_at_once: sets of values that one simulation takes, and a crash can lose; hardware has its own limits.
        fractional: whether the device's fractional gates (rx and rzz of any angle) are used, every rzz angle folded
            into [0, π/2]; else they are left out. Part of what a result is known by.
        meter: counts what this manager spends, too, and its limit holds for it: of a run with several managers.

    Attributes:
        meter: what this manager has sent or recorded, whatever became of it, what it was answered (also from the
            store), and what is left.
        progress, said: called with (finished, all) parts of a job, and with a sentence for whatever it waits for.

    Raises:
        DeviceError: if there is no such device.
        HQNNError: if shots or budget are not positive.
        StoreError: if the store cannot be used.
    """

    def __init__(
        self,
        where: str | BackendV2 | BaseSamplerV2,
        *,
        store: str | Path | Store | None = None,
        shots: int = 1000,
        max_qpu_seconds: float | None = None,
        mitigation: MitigationOptions | None = None,
        seed: int | None = None,
        cache: str | Path | None = None,
        calibration: str | None = None,
        options: SamplingOptions | None = None,
        patience: Patience | None = None,
        adapter: BackendAdapter | None = None,
        sets_at_once: int = SETS_AT_ONCE,
        meter: Meter | None = None,
        fractional: bool = False,
    ) -> None:
        check_counts(shots=shots, sets_at_once=sets_at_once, seed=seed)
        check_kinds(mitigation=(mitigation, MitigationOptions), options=(options, SamplingOptions))
        check_kinds(patience=(patience, Patience), meter=(meter, Meter))
        if store is not None and not isinstance(store, str | Path | Store):
            raise HQNNError(f"Argument `store` must be an address, a path or a Store, but is {store!r}.")
        self.device: Device
        self.adapter: BackendAdapter
        self.device, self.adapter = open_place(where, fractional)
        if adapter is not None:
            self.adapter = adapter
        hardware = self.adapter.poll_seconds > 0
        if store is None and hardware:
            store = DEFAULT_STORE
        self.store = Store(store) if isinstance(store, str | Path) else store
        self.meter = (meter or Meter()).child(max_qpu_seconds)
        self.shots = shots
        self.mitigation = mitigation or MitigationOptions()
        self.seed = seed if seed is not None else (0 if self.store else secrets.randbelow(2**31))
        self.cache = None if cache is None else Path(cache)
        self.options = options or SamplingOptions()
        check_fractional(self.device.fractional, self.options)
        self.patience = patience or Patience()
        self._templates = Templates(
            self.device, self.adapter.calibration, self.cache, calibration if hardware else None
        )
        self.limits = ChunkLimits() if hardware else ChunkLimits(sets=sets_at_once, qpu_seconds=float("inf"))
        self._jobs: dict[str, Meter] = {}
        self.progress: Callable[[int, int], None] | None = None
        self.said: Callable[[str], None] | None = None
        self._questions = Questions(self.seed)

    def __repr__(self) -> str:
        budget = (
            "no budget" if self.max_qpu_seconds is None else f"budget {self.max_qpu_seconds:g} QPU seconds"
        )
        kept = ", with a store" if self.store is not None else ""
        spent = f"{self.qpu_seconds:.1f} QPU seconds used"
        return f"JobManager({self.where!r}, {self.shots} shots, {spent}, {budget}{kept})"

    @property
    def where(self) -> str:
        """The place's word."""
        return self.adapter.where

    @property
    def max_qpu_seconds(self) -> float | None:
        """The budget of all calls together."""
        return self.meter.limit

    @property
    def executions(self) -> int:
        """Of everything that this manager has sent or recorded."""
        return self.meter.spent.executions

    @property
    def qpu_seconds(self) -> float:
        """Of everything that this manager has sent or recorded: charged, or by price while that is not known."""
        return self.meter.spent.qpu_seconds

    def estimator(self) -> ManagedEstimator:
        """A BaseEstimatorV2 on this manager; precision p means ⌈1/p²⌉ shots."""
        return ManagedEstimator(self)

    def sampler(self) -> ManagedSampler:
        """A BaseSamplerV2 on this manager."""
        return ManagedSampler(self)

    def plan(self, pub: EstimatorPub, precision: float | None = None) -> Estimation:
        """What an estimator PUB is sent as."""
        return self._planned(pub, precision)[0]

    def price(self, estimation: Estimation) -> Price:
        """What a planned PUB costs on hardware; on Aer and snapshots, what it would cost there."""
        return price_requests(estimation.requests, estimation.durations, self.device, self.options)

    def estimate(
        self, pub: EstimatorPub, precision: float | None = None, max_qpu_seconds: float | None = None
    ) -> tuple[Estimation, list[Outcomes]]:
        """Plan, price and sample an estimator PUB."""
        estimation, key = self._planned(pub, precision)
        outcomes = self.run(
            estimation.requests, estimation.durations, max_qpu_seconds, "estimator", estimation
        )
        self._questions.answered(key)
        return estimation, outcomes

    def sample(self, pub: SamplerPub, shots: int | None, max_qpu_seconds: float | None = None) -> Outcomes:
        """Sample a PUB; all its classical bits count as one register, in their order.

        A circuit that measures nothing is answered with zeros, and nothing is run for it.

        Raises:
            MitigationError: if the manager has mitigation, which is for expectation values.
        """
        if self.mitigation.active:
            raise MitigationError(
                "Mitigation corrects expectation values, not samples: use an estimator, or a manager without it."
            )
        values = finite_values(pub.circuit, pub.parameter_values).reshape(
            pub.size, pub.circuit.num_parameters
        )
        shots = shots or pub.shots or self.shots
        row = in_one_row(pub.circuit)
        content = circuit_bytes(row)
        circuit, _ = self._templates.of(row, content)
        if not pub.size or not measures(circuit):
            return Outcomes.zeros(pub.size, row.num_clbits, shots)
        key = self._questions.key(content, values, shots)
        names, values = values_for(circuit, pub.circuit, values)
        folding = folded(circuit, self.device.target)
        names, values = folding.values(names, values)
        circuit = folding.circuit
        requests = sampling_requests(circuit, names, values, shots, self._questions.seed(key))
        duration = 0.0 if self.device.target is None else scheduled_duration(circuit, self.device.target)
        outcomes = self.run(requests, [duration] * len(requests), max_qpu_seconds, "sampler")
        self._questions.answered(key)
        return Outcomes.joined(outcomes)

    def run(
        self,
        requests: Sequence[SamplingRequest],
        durations: Sequence[float],
        max_qpu_seconds: float | None = None,
        title: str = "",
        estimation: Estimation | None = None,
    ) -> list[Outcomes]:
        """Sample requests, in chunks within the place's limits.

        Raises:
            BudgetError: if they cost more than is left of the budget; nothing is sent then.
            JobFailedError: if the device refuses or cancels them.
        """
        if not requests:
            return []
        price = price_requests(requests, durations, self.device, self.options)
        with self.meter.child(max_qpu_seconds, "the budget of this call") as call:
            if self.store is None:
                call.check(price, self._request(price))
                outcomes = sample_at_once(self.adapter, requests, self.limits, self.options, self.progress)
                call.spend(price)
                call.answer(price)
                return outcomes
            recorded = self._record(requests, durations, price, call, title, {}, estimation)
            self._drive(self.store, recorded.id, call)
            outcomes = collect(self.store, recorded.id, len(requests))
            call.answer(Spending(*self.store.spent(recorded.id)))
            return outcomes

    def submit(
        self,
        pub: EstimatorPub,
        title: str = "",
        settings: dict[str, Any] | None = None,
        notes: dict[str, Any] | None = None,
        max_qpu_seconds: float | None = None,
    ) -> str:
        """Record an estimator PUB, and return its id: `wait` or a worker sends it, `expectation_values` reads it.

        Whoever sends it, it may cost what is left of the budget now, what is sent again included. A job that was
        recorded before may from now on cost `max_qpu_seconds`, if they are given.

        Args:
            pub: what to estimate.
            title: for lists of jobs.
            settings: kept with the job as JSON; part of its identity.
            notes: kept with the job as JSON; not part of its identity.
            max_qpu_seconds: budget of this job.

        Raises:
            BudgetError: if it costs more than is left of the budget; nothing is recorded then.
            HQNNError: without a store.
        """
        store = self._needs_store()
        estimation = self.plan(pub, pub.precision)
        price = self.price(estimation)
        call = self.meter.child(max_qpu_seconds, "the budget of this job")
        recorded = self._record(
            estimation.requests, estimation.durations, price, call, title, settings or {}, estimation, notes
        )
        if recorded.fresh:
            self._jobs[recorded.id] = call
        else:
            call.close()
            if max_qpu_seconds is not None:
                store.allow(recorded.id, max_qpu_seconds)
                store.resume(recorded.id)
        return recorded.id

    def known(self, estimation: Estimation, settings: dict[str, Any] | None = None) -> str | None:
        """The id of the job that `submit` would find in the store for a plan and settings; None if there is none."""
        store = self._needs_store()
        job = strong_id(self.where, self._identity(settings or {}), estimation.requests)
        return job if store.has(job) else None

    def wait(self, job: str) -> str:
        """Drive a recorded job to its end in this process; returns done, failed or cancelled.

        Raises:
            BudgetError: if what is left of it would cost more than is left; it is paused, and `wait` with a larger
                budget goes on.
        """
        store = self._needs_store()
        with self._jobs.pop(job, None) or self._counted(store, job, self.meter.child(), fresh=False) as call:
            return self._drive(store, job, call)

    def retry(self, job: str) -> int:
        """Let the failed and cancelled parts of a job be sent once more, as `wait` then does; returns how many.

        Raises:
            BudgetError: if they would cost more than is left of the budget.
        """
        store = self._needs_store()
        number, seconds = store.price_of_retry(job)
        if number:
            self.meter.check(seconds, f"Sending {number} parts of job {job[:10]} again")
            if job not in self._jobs:
                self._jobs[job] = self._counted(store, job, self.meter.child(), fresh=False)
        return store.reopen(job)

    def close(self) -> None:
        """End the batch or session that was opened for this manager, if any: it is paid until it ends."""
        close_adapter(self.adapter)

    def _planned(self, pub: EstimatorPub, precision: float | None) -> tuple[Estimation, bytes]:
        """A PUB's plan, and the key under which it counts as asked."""
        shots = shots_for(precision, self.shots)
        content = circuit_bytes(pub.circuit)
        key = self._questions.key(content, finite_values(pub.circuit, pub.parameter_values), shots)
        template = partial(self._templates.of, content=content)
        seed = self._questions.seed(key)
        return prepare(pub, shots, self.device, template, self.mitigation, seed), key

    def _needs_store(self) -> Store:
        if self.store is None:
            raise HQNNError("A job that outlives this process needs a store: JobManager(where, store=…).")
        return self.store

    def _record(
        self,
        requests: Sequence[SamplingRequest],
        durations: Sequence[float],
        price: Price,
        call: Meter,
        title: str,
        settings: dict[str, Any],
        estimation: Estimation | None,
        notes: dict[str, Any] | None = None,
    ) -> Recorded:
        """Record requests, unless they are in the store: from then on they may be paid, whatever becomes of this."""
        store = self._needs_store()
        identity = self._identity(settings)
        job = strong_id(self.where, identity, requests)
        if store.has(job):
            self._counted(store, job, call, fresh=False)
            return Recorded(job, fresh=False)
        call.check(price, self._request(price))
        seconds = seconds_each(requests, durations, self.device, self.options)
        kept = identity | (notes or {}) | {"max_qpu_seconds": call.left}
        recorded = record(
            store, job, self.where, title, requests, seconds, price, kept, self.limits, estimation
        )
        self._counted(store, job, call, recorded.fresh)
        return recorded

    def _counted(self, store: Store, job: str, call: Meter, fresh: bool) -> Meter:
        """Let a call count what a job costs; of one that was there before, what it costs from now on."""
        before = Spending() if fresh else Spending(*store.spent(job))
        call.child(reading=lambda: Spending(*store.spent(job)) - before)
        return call

    def _request(self, price: Price) -> str:
        return f"This request of {price.executions:,} executions on {self.where}"

    def _drive(self, store: Store, job: str, call: Meter) -> str:
        """Drive a job that counts below `call`."""
        hands = (self.adapter, self.options, self.patience, self.progress)
        return drive(store, job, *hands, meter=call, said=self.said)

    def _identity(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What decides a job's result beside its requests."""
        return {
            **settings,
            "options": asdict(self.options),
            "limits": asdict(self.limits),
            "mitigation": asdict(self.mitigation),
            "calibration": self._templates.calibration,
            **({"fractional": True} if self.device.fractional else {}),
        }
