"""Where a network's quantum layer runs during training or a test, and what that has cost so far."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.layers import SPSA, QuantumLayer, SamplerLayer
from qiskit_hqnn.training.job_file import JobFile

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager
    from qiskit_hqnn.jobs.store.store import Store


class Place:
    """A place in use, with its meter.

    Args:
        manager: samples for the layer; None for the exact simulator and for networks without a quantum layer. A store
            of its own holds the requests of this run and of no other.
        budget: QPU seconds that the whole run may cost; None for no limit.
        before: executions and QPU seconds that earlier processes of this run have used.
        owns_store: whether the manager's store holds this run's training and nothing else: it then tells what was used,
            of earlier processes too, and by what the service has charged.
    """

    def __init__(
        self,
        manager: JobManager | None = None,
        budget: float | None = None,
        before: tuple[int, float] = (0, 0.0),
        owns_store: bool = False,
    ) -> None:
        self.manager, self.budget = manager, budget
        self._before = before
        # The store knows better than the finished epochs what a killed process has used.
        self._store = manager.store if manager and owns_store else None

    @property
    def executions(self) -> int:
        """Of the whole run so far."""
        return self._used()[0]

    @property
    def qpu_seconds(self) -> float:
        """Of the whole run so far; on Aer and snapshots, what hardware would have charged."""
        return self._used()[1]

    def _used(self) -> tuple[int, float]:
        if self._store is not None:
            return self._store.spent()
        if self.manager is None:
            return self._before
        return self._before[0] + self.manager.executions, self._before[1] + self.manager.qpu_seconds

    def check_budget(self) -> None:
        """Raises BudgetError once the run has cost its budget; before that, what is left binds each request."""
        if self.manager is None or self.budget is None:
            return
        used = self.qpu_seconds
        if used >= self.budget:
            raise BudgetError(
                f"This run has cost {used:,.1f} QPU seconds on {self.manager.where}, and the budget is "
                f"{self.budget:g}."
            )
        self.manager.spent_elsewhere = used - self.manager.qpu_seconds


@contextmanager
def running_on(
    model: nn.Module,
    job: JobFile,
    where: str,
    shots: int | None = None,
    gradient: str | SPSA | None = None,
    before: tuple[int, float] = (0, 0.0),
    store: Path | None = None,
    owns_store: bool = False,
    resume: bool = False,
) -> Iterator[Place]:
    """The model's quantum layer at a place while the block lasts.

    Args:
        model: a network; one without a quantum layer runs as it is.
        job: gives shots, mitigation, budget and seed.
        where: the place's word.
        shots: other than the job's.
        gradient: rule for training there.
        before: executions and QPU seconds of the run so far.
        store: file that keeps every request of this run and its outcomes, so that none is sent twice; None keeps
            nothing on Aer and on snapshots.
        owns_store: whether that file is for this training alone.
        resume: go on with the calibration under which hardware was last asked, so that what was paid is found again.
    """
    layer = getattr(model, "quantum", None)
    if not isinstance(layer, QuantumLayer | SamplerLayer):
        yield Place()
        return
    if where == "exact":
        with layer.running_on(None, gradient):
            yield Place()
        return
    manager = manager_for(job, where, shots, store, resume)
    primitive = manager.estimator() if isinstance(layer, QuantumLayer) else manager.sampler()
    place = Place(manager, job.max_qpu_seconds, before, owns_store)
    place.check_budget()
    try:
        with layer.running_on(primitive, gradient):
            yield place
    finally:
        manager.close()


def check_snapshots(job: JobFile) -> None:
    """Raises DeviceError if a snapshot that the job names does not exist: told before hours of training, not after."""
    words = [where for where in (job.where, *job.test) if where.startswith("fake_")]
    if words:
        from qiskit_hqnn.jobs.devices.device import check_snapshot

        for word in words:
            check_snapshot(word)


def gradient_of(job: JobFile) -> str | SPSA | None:
    """The rule that a job trains by, SPSA with the job's settings."""
    return SPSA(job.spsa.step, job.spsa.repeats) if job.spsa else job.gradient


def manager_for(
    job: JobFile,
    where: str,
    shots: int | None = None,
    store: Path | Store | None = None,
    resume: bool = False,
) -> JobManager:
    """The job manager of a run at one place; its seed follows from the job's, so that a run can be repeated.

    On hardware the circuits as they were compiled are kept beside the store, in `templates/`.
    """
    from qiskit_hqnn.jobs import JobManager, MitigationOptions

    settings = job.mitigation.model_dump(exclude_defaults=True)
    if "zne" in settings:
        settings["zne"] = tuple(settings["zne"])
    kept = where.startswith("ibm_")
    return JobManager(
        where,
        store=store,
        shots=shots or job.shots,
        mitigation=MitigationOptions(**settings),
        max_qpu_seconds=job.max_qpu_seconds,
        seed=zlib.crc32(f"{job.seeds[0]}/{where}".encode()) >> 1,
        cache=store.parent / "templates" if kept and isinstance(store, Path) else None,
        calibration=_last_calibration(store, where) if kept and resume else None,
    )


def _last_calibration(store: Path | Store | None, where: str) -> str | None:
    """The calibration of a device under which the newest request in a store was made; None if there is none."""
    from qiskit_hqnn.jobs.store.store import Store

    if not isinstance(store, Path) or not store.exists():
        return None
    known = next((record for record in Store(store).jobs() if record.place == where), None)
    return None if known is None else str(known.settings["calibration"])
