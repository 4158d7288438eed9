"""What a run would cost off the simulator, found by going through one step of each kind without sampling."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from qiskit.primitives import BaseEstimatorV2
from qiskit.primitives.containers import DataBin, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.primitive_job import PrimitiveJob
from torch import nn

from qiskit_hqnn.data import ImageSet, Splits
from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training.evaluation import TEST_BATCH, loss_of
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.places import gradient_of, manager_for

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager


@dataclass(frozen=True)
class Cost:
    """Executions, jobs, QPU seconds (charged, or what hardware would charge) and bytes to send."""

    executions: int = 0
    jobs: int = 0
    qpu_seconds: float = 0.0
    payload_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.executions + other.executions,
            self.jobs + other.jobs,
            self.qpu_seconds + other.qpu_seconds,
            self.payload_bytes + other.payload_bytes,
        )

    def __mul__(self, times: int) -> Cost:
        return Cost(
            times * self.executions, times * self.jobs, times * self.qpu_seconds, times * self.payload_bytes
        )


class PricingEstimator(BaseEstimatorV2):
    """Plans and prices what it is given, and answers zeros: nothing is sampled."""

    def __init__(self, manager: JobManager) -> None:
        self.manager = manager
        self.cost = Cost()

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob:
        coerced = [EstimatorPub.coerce(pub, precision) for pub in pubs]
        for pub in coerced:
            price = self.manager.price(self.manager.plan(pub, pub.precision))
            self.cost += Cost(price.executions, price.jobs, price.qpu_seconds, price.payload_bytes)
        results = [
            PubResult(DataBin(evs=np.zeros(pub.shape), stds=np.zeros(pub.shape), shape=pub.shape))
            for pub in coerced
        ]
        job: PrimitiveJob = PrimitiveJob(lambda: PrimitiveResult(results))
        job._submit()
        return job


def price_run(job: JobFile, model: nn.Module, splits: Splits) -> dict[str, Cost]:
    """Cost of each part of a run that is sampled: "epoch", "validation", "test on PLACE"; empty if all is exact.

    One training step of each batch size and one pass of each evaluation go through the job manager's plan and price,
    so the figures are those of the real requests. The model is not altered.
    """
    if not isinstance(getattr(model, "quantum", None), QuantumLayer):
        return {}
    from qiskit_hqnn.jobs.store.store import Store

    model = copy.deepcopy(model)
    costs: dict[str, Cost] = {}

    @cache
    def manager(where: str) -> JobManager:
        # Hardware is asked once for its calibration; the store is in memory, since nothing is sent.
        return manager_for(job, where, store=Store("sqlite://") if where.startswith("ibm_") else None)

    with torch.random.fork_rng():
        if job.where != "exact":
            costs["epoch"] = _price_epoch(job, model, splits.train, manager(job.where))
            if len(splits.validation):
                costs["validation"] = _price_pass(model, splits.validation, manager(job.where))
        for where in job.test:
            if where != "exact":
                costs[f"test on {where}"] = _price_pass(model, splits.test, manager(where))
    return costs


def price_training(costs: dict[str, Cost], epochs: int) -> Cost:
    """Cost of so many epochs with their validation."""
    return (costs.get("epoch", Cost()) + costs.get("validation", Cost())) * epochs


def price_tests(costs: dict[str, Cost]) -> Cost:
    """Cost of the test set at all places."""
    return sum((cost for part, cost in costs.items() if part.startswith("test on ")), Cost())


def check_run_budget(job: JobFile, costs: dict[str, Cost], epochs: int, spent: float) -> None:
    """Raises BudgetError, before anything is sent, if what is left of a run does not fit what is left to spend.

    Args:
        job: gives the budget.
        costs: of its parts.
        epochs: still to train.
        spent: QPU seconds that the run has cost already.
    """
    needed = (price_training(costs, epochs) + price_tests(costs)).qpu_seconds
    if job.max_qpu_seconds is not None and spent + needed > job.max_qpu_seconds:
        raise BudgetError(
            f"This run would cost {needed:,.1f} QPU seconds"
            + (f" after {spent:,.1f} already spent" if spent else "")
            + f", but max_qpu_seconds is {job.max_qpu_seconds:g}; nothing was sent (see hqnn run … --dry-run)."
        )


def _price_epoch(job: JobFile, model: nn.Module, images: ImageSet, manager: JobManager) -> Cost:
    full, rest = divmod(len(images), job.train.batch_size)
    cost = Cost()
    for size, times in ((job.train.batch_size, full), (rest, 1)):
        if size and times and not (size == 1 and job.train.batch_size > 1):
            cost += _price_step(job, model, images, size, manager) * times
    return cost


def _price_step(job: JobFile, model: nn.Module, images: ImageSet, size: int, manager: JobManager) -> Cost:
    batch, labels = images.__getitems__(range(size))
    estimator = PricingEstimator(manager)
    layer: Any = model.quantum
    model.train()
    with layer.running_on(estimator, gradient_of(job)):
        loss_of(model)(model(batch), labels).backward()
    return estimator.cost


def _price_pass(model: nn.Module, images: ImageSet, manager: JobManager) -> Cost:
    estimator = PricingEstimator(manager)
    layer: Any = model.quantum
    model.eval()
    with layer.running_on(estimator), torch.no_grad():
        for start in range(0, len(images), TEST_BATCH):
            batch, _ = images.__getitems__(range(start, min(start + TEST_BATCH, len(images))))
            model(batch)
    return estimator.cost
