"""The job manager: primitives for any place, priced before anything runs, resumed after any interruption."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs.adapters import (
    BackendAdapter,
    Outcomes,
    SamplingOptions,
    SamplingRequest,
    close_adapter,
    open_place,
)
from qiskit_hqnn.jobs.arguments import check_counts, check_fractional, check_kinds
from qiskit_hqnn.jobs.budget import Meter, Spending
from qiskit_hqnn.jobs.chunks import ChunkLimits
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions
from qiskit_hqnn.jobs.planning import Planner
from qiskit_hqnn.jobs.price import Price, price_requests, seconds_each
from qiskit_hqnn.jobs.primitives import ManagedEstimator, ManagedSampler
from qiskit_hqnn.jobs.recording import (
    Recorded,
    collect,
    counted,
    expectation_values,
    record,
    sample_at_once,
    strong_id,
)
from qiskit_hqnn.jobs.sending import Patience, drive
from qiskit_hqnn.jobs.spreading import spread_over
from qiskit_hqnn.jobs.store import DEFAULT_STORE, Store
from qiskit_hqnn.jobs.tiling import Planned, Tiles, tiles_of

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["JobManager", "expectation_values"]
SETS_AT_ONCE = 2_000
"""Limits a simulation's memory and the work that a crash can lose; with this many sets a call of Aer costs little."""


class JobManager:
    """Sampling at one place, as Qiskit primitives.

    With a store (hardware always has one), every request has a strong id, is recorded before it is sent, and is
    answered from the store when it is made again, by this process or any other.

    Args:
        where: "aer", "fake_<device>", "ibm_<device>", a BackendV2 (simulated with its target's noise), a BaseSamplerV2.
        store: a URL (sqlite:///runs/jobs.db, postgresql://…), the path of an SQLite file, or a `Store`; None keeps
            nothing on Aer and on snapshots, and is sqlite:///runs/jobs.db for hardware.
        shots: per set of values, if a call gives none.
        max_qpu_seconds: budget of all calls together, in the QPU seconds that hardware charges (on Aer and snapshots:
            would charge), what is sent again included; None for no limit.
        mitigation: options for expectation values.
        seed: makes results repeatable, and found again by a resumed script; None is 0 with a store, else drawn.
        cache: folder that keeps transpiled templates between processes.
        calibration: id of an earlier calibration of a device, else today's: requests that stand under it in the store
            are made again as they were then, with the template that `cache` kept.
        options: settings that are sent with the circuits.
        patience: how often and how long to try.
        adapter: a custom place; `where` then names the device to compile for.
        sets_at_once: sets of values that one simulation takes, and a crash can lose; hardware has its own limits.
        fractional: whether the device's fractional gates are used, rzz angles folded into [0, π/2]; else left out.
        meter: of a run with several managers: it also counts what this manager spends, and its limit applies.
        tiles: sets of values that run side by side on a device: a number, "auto", or `Tiles`; None for one alone.
        cluster: from `qiskit_hqnn.cluster.connect`: its workers sample Aer and snapshots like this process.

    Attributes:
        meter: what this manager has sent or recorded, was answered (also from the store), and has left.
        progress, said: called with (finished, all) parts of a job, and with a sentence about what it waits for.

    Raises:
        DeviceError: if there is no such device.
        ClusterError: if the place is not a simulation that a cluster's workers can open.
        HQNNError: if shots or budget are not positive, or tiles are given for a place without fixed qubits.
        MitigationError: if tiles and mitigation cannot be combined.
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
        tiles: Tiles | int | str | None = None,
        cluster: Client | None = None,
    ) -> None:
        check_counts(shots=shots, sets_at_once=sets_at_once, seed=seed)
        check_kinds(mitigation=mitigation, options=options, patience=patience, meter=meter, store=store)
        self.device, self.adapter = open_place(where, fractional)
        self.adapter = self.adapter if adapter is None else adapter
        self._spread = spread_over(cluster, self.adapter, self.device, where)
        hardware = not self.adapter.finishes_on_submit
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
        self.tiles = tiles_of(tiles, self.device, self.mitigation)
        calibrations = (self.adapter.calibration, calibration if hardware else None)
        self._planner = Planner(self.device, calibrations, self.cache, self.mitigation, self.seed, self.tiles)
        self.limits = ChunkLimits() if hardware else ChunkLimits(sets=sets_at_once, qpu_seconds=float("inf"))
        self._jobs: dict[str, Meter] = {}
        self.progress: Callable[[int, int], None] | None = None
        self.said: Callable[[str], None] | None = None

    def __repr__(self) -> str:
        left = "no budget" if self.meter.limit is None else f"budget {self.meter.limit:g} QPU seconds"
        kept = ", with a store" if self.store is not None else ""
        return f"JobManager({self.where!r}, {self.shots} shots, {self.qpu_seconds:.1f} QPU seconds used, {left}{kept})"

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
        """QPU seconds of all that this manager has sent or recorded: as charged, or by price until known."""
        return self.meter.spent.qpu_seconds

    def estimator(self) -> ManagedEstimator:
        """A BaseEstimatorV2 on this manager; precision p means ⌈1/p²⌉ shots."""
        return ManagedEstimator(self)

    def sampler(self) -> ManagedSampler:
        """A BaseSamplerV2 on this manager."""
        return ManagedSampler(self)

    def plan(self, pub: EstimatorPub, precision: float | None = None) -> Planned:
        """The plan of an estimator PUB: the requests that would be sent."""
        return self._planner.estimation(pub, precision, self.shots)[0]

    def price(self, estimation: Planned) -> Price:
        """The price of a planned PUB on hardware; for Aer and snapshots, what hardware would charge."""
        return price_requests(estimation.requests, estimation.durations, self.device, self.options)

    def estimate(
        self, pub: EstimatorPub, precision: float | None = None, max_qpu_seconds: float | None = None
    ) -> tuple[Planned, list[Outcomes]]:
        """Plan, price and sample an estimator PUB."""
        estimation, key = self._planner.estimation(pub, precision, self.shots)
        outcomes = self.run(
            estimation.requests, estimation.durations, max_qpu_seconds, "estimator", estimation
        )
        self._planner.answered(key)
        return estimation, outcomes

    def sample(self, pub: SamplerPub, shots: int | None, max_qpu_seconds: float | None = None) -> Outcomes:
        """Sample a PUB; all its classical bits count as one register, in their order.

        A circuit that measures nothing gives zeros, and nothing is run for it.

        Raises:
            MitigationError: if the manager has mitigation, which is for expectation values.
        """
        shots = shots or pub.shots or self.shots
        plan, bits, key = self._planner.samples(pub, shots)
        if plan is None:
            return Outcomes.zeros(pub.size, bits, shots)
        outcomes = self.run(plan.requests, plan.durations, max_qpu_seconds, "sampler")
        self._planner.answered(key)
        return plan.read(outcomes)

    def run(
        self,
        requests: Sequence[SamplingRequest],
        durations: Sequence[float],
        max_qpu_seconds: float | None = None,
        title: str = "",
        estimation: Planned | None = None,
    ) -> list[Outcomes]:
        """Sample requests, in chunks within the place's limits.

        Raises:
            BudgetError, JobFailedError: if they cost more than is left; if the device refuses or cancels them.
        """
        if not requests:
            return []
        price = price_requests(requests, durations, self.device, self.options)
        with self.meter.child(max_qpu_seconds, "the budget of this call") as call:
            if self.store is None:
                call.check(price, f"This request of {price.executions:,} executions on {self.where}")
                outcomes = sample_at_once(
                    self._spread or self.adapter, requests, self.limits, self.options, self.progress
                )
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
        settings: Mapping[str, object] | None = None,
        notes: Mapping[str, object] | None = None,
        max_qpu_seconds: float | None = None,
    ) -> str:
        """Record an estimator PUB, and return its id: `wait` or a worker sends it, `expectation_values` reads it.

        Whoever sends it, it may cost the present rest of the budget, including what is sent again. For an existing job,
        `max_qpu_seconds` becomes the new limit, if given.

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

    def known(self, estimation: Planned, settings: Mapping[str, object] | None = None) -> str | None:
        """The id of the job that `submit` would find in the store for a plan and settings; None if there is none."""
        store = self._needs_store()
        job = strong_id(self.where, self._identity(settings or {}), estimation.requests)
        return job if store.has(job) else None

    def wait(self, job: str) -> str:
        """Drive a recorded job to its end in this process; returns done, failed or cancelled.

        Raises:
            BudgetError: if what is left of it would cost too much; it is paused: `wait` with a larger budget resumes.
        """
        store = self._needs_store()
        with self._jobs.pop(job, None) or counted(store, job, self.meter.child(), fresh=False) as call:
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
                self._jobs[job] = counted(store, job, self.meter.child(), fresh=False)
        return store.reopen(job)

    def close(self) -> None:
        """End the batch or session that was opened for this manager, if any: it is paid until it ends."""
        close_adapter(self._spread or self.adapter)

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
        settings: Mapping[str, object],
        estimation: Planned | None,
        notes: Mapping[str, object] | None = None,
    ) -> Recorded:
        """Record requests, unless they are in the store: from then on they may be paid, whatever becomes of this."""
        store = self._needs_store()
        identity = self._identity(settings)
        job = strong_id(self.where, identity, requests)
        if store.has(job):
            counted(store, job, call, fresh=False)
            return Recorded(job, fresh=False)
        call.check(price, f"This request of {price.executions:,} executions on {self.where}")
        seconds = seconds_each(requests, durations, self.device, self.options)
        kept = {**identity, **(notes or {}), "max_qpu_seconds": call.left}
        recorded = record(
            store, job, self.where, title, requests, seconds, price, kept, self.limits, estimation
        )
        counted(store, job, call, recorded.fresh)
        return recorded

    def _drive(self, store: Store, job: str, call: Meter) -> str:
        hands = (self._spread or self.adapter, self.options, self.patience, self.progress)
        return drive(store, job, *hands, meter=call, said=self.said)

    def _identity(self, settings: Mapping[str, object]) -> dict[str, object]:
        """The settings that determine a job's result, besides its requests."""
        own = {"options": asdict(self.options), "limits": asdict(self.limits), **self._planner.identity}
        return {**settings, **own}
