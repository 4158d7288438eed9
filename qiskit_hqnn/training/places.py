"""Where a network's quantum layer runs during training or a test, and what that has cost so far."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.training.job_file import JobFile

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager


@dataclass
class Place:
    """A place in use, with its meter.

    Attributes:
        manager: samples for the layer; None for the exact simulator and for networks without a quantum layer.
        budget: QPU seconds that the whole run may cost; None for no limit.
        spent: QPU seconds that the run has cost before this process.
    """

    manager: JobManager | None = None
    budget: float | None = None
    spent: float = 0.0

    @property
    def executions(self) -> int:
        return self.manager.executions if self.manager else 0

    @property
    def qpu_seconds(self) -> float:
        return self.manager.qpu_seconds if self.manager else 0.0

    def check_budget(self) -> None:
        """Raises BudgetError once the run has cost its budget."""
        total = self.spent + self.qpu_seconds
        if self.manager and self.budget is not None and total >= self.budget:
            raise BudgetError(
                f"This run has cost {total:,.1f} QPU seconds on {self.manager.where}, and the budget is "
                f"{self.budget:g}; its last finished epoch is kept, go on with a larger max_qpu_seconds and --resume."
            )


@contextmanager
def running_on(
    model: nn.Module,
    job: JobFile,
    where: str,
    shots: int | None = None,
    gradient: str | None = None,
    spent: float = 0.0,
    part: str = "",
) -> Iterator[Place]:
    """The model's quantum layer at a place while the block lasts.

    Args:
        model: a network; one without a quantum layer runs as it is.
        job: gives shots, mitigation, budget and seed.
        where: the place's word.
        shots: other than the job's.
        gradient: rule for training there.
        spent: QPU seconds of the run so far.
        part: keeps the simulated shot noise of different parts of a run apart.
    """
    layer = getattr(model, "quantum", None)
    if not isinstance(layer, QuantumLayer | SamplerLayer):
        yield Place()
        return
    if where == "exact":
        with layer.running_on(None, gradient):
            yield Place()
        return
    manager = manager_for(job, where, shots, part)
    primitive = manager.estimator() if isinstance(layer, QuantumLayer) else manager.sampler()
    with layer.running_on(primitive, gradient):
        yield Place(manager, job.max_qpu_seconds, spent)


def manager_for(job: JobFile, where: str, shots: int | None = None, part: str = "") -> JobManager:
    """The job manager of a run at one place; its seed follows from the job's, so that a run can be repeated."""
    from qiskit_hqnn.jobs import JobManager, MitigationOptions

    settings = job.mitigation.model_dump()
    options = MitigationOptions(**settings | {"zne": tuple(settings["zne"]) if settings["zne"] else None})
    seed = zlib.crc32(f"{job.seeds[0]}/{where}/{part}".encode()) >> 1
    return JobManager(
        where,
        shots=shots or job.shots,
        mitigation=options,
        max_qpu_seconds=job.max_qpu_seconds,
        seed=seed,
    )
