"""What a run would cost off the simulator, found by going through one step of each kind without sampling."""

from __future__ import annotations

import copy
from collections.abc import Iterable
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
from qiskit_hqnn.jobs import Price
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import as_hybrid, in_observables, quantum_layer_of
from qiskit_hqnn.training.evaluation import TEST_BATCH, loss_of
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.places import gradient_of, manager_for
from qiskit_hqnn.where import Where

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager


class PricingEstimator(BaseEstimatorV2):
    """Plans and prices what it is given, and answers zeros: nothing is sampled."""

    def __init__(self, manager: JobManager) -> None:
        self.manager = manager
        self.price = Price()

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob:
        coerced = [EstimatorPub.coerce(pub, precision) for pub in pubs]
        for pub in coerced:
            self.price += self.manager.price(self.manager.plan(pub, pub.precision))
        results = [
            PubResult(DataBin(evs=np.zeros(pub.shape), stds=np.zeros(pub.shape), shape=pub.shape))
            for pub in coerced
        ]
        job: PrimitiveJob = PrimitiveJob(lambda: PrimitiveResult(results))
        job._submit()
        return job


def price_run(job: JobFile, model: nn.Module, splits: Splits) -> dict[str, Price]:
    """Price of each part of a run that is sampled: "epoch", "validation", "test on PLACE"; empty if all is exact.

    One training step of each batch size and one pass of each evaluation go through the job manager's plan and price,
    so the figures are those of the real requests. The model is not altered.
    """
    if quantum_layer_of(model) is None:
        return {}
    from qiskit_hqnn.jobs.store import Store

    network, layer = _observed(model)
    costs: dict[str, Price] = {}

    @cache
    def manager(where: str) -> JobManager:
        # Hardware is asked once for its calibration; the store is in memory, since nothing is sent.
        return manager_for(job, where, store=Store("sqlite://") if Where.parse(where).hardware else None)

    with torch.random.fork_rng():
        if Where.parse(job.where).sampled:
            costs["epoch"] = _price_epoch(job, network, layer, splits.train, manager(job.where))
            if len(splits.validation):
                costs["validation"] = _price_pass(network, layer, splits.validation, manager(job.where))
        for where in job.test:
            if Where.parse(where).sampled:
                costs[f"test on {where}"] = _price_pass(network, layer, splits.test, manager(where))
    return costs


def price_training(costs: dict[str, Price], epochs: int) -> Price:
    """Price of so many epochs with their validation."""
    return (costs.get("epoch", Price()) + costs.get("validation", Price())) * epochs


def price_tests(costs: dict[str, Price]) -> Price:
    """Price of the test set at all places."""
    return sum((cost for part, cost in costs.items() if part.startswith("test on ")), Price())


def _observed(model: nn.Module) -> tuple[nn.Module, QuantumLayer]:
    """A copy of a network, its layer as expectation values: they cost what probabilities cost."""
    network = copy.deepcopy(model)
    layer = quantum_layer_of(network)
    assert layer is not None
    as_hybrid(network).quantum = observed = in_observables(layer)
    return network, observed


def _price_epoch(
    job: JobFile, model: nn.Module, layer: QuantumLayer, images: ImageSet, manager: JobManager
) -> Price:
    full, rest = divmod(len(images), job.train.batch_size)
    cost = Price()
    for size, times in ((job.train.batch_size, full), (rest, 1)):
        if size and times and not (size == 1 and job.train.batch_size > 1):
            cost += _price_step(job, model, layer, images, size, manager) * times
    return cost


def _price_step(
    job: JobFile, model: nn.Module, layer: QuantumLayer, images: ImageSet, size: int, manager: JobManager
) -> Price:
    batch, labels = images.batch(range(size))
    estimator = PricingEstimator(manager)
    model.train()
    with layer.running_on(estimator, gradient_of(job)):
        loss_of(model)(model(batch), labels).backward()
    return estimator.price


def _price_pass(model: nn.Module, layer: QuantumLayer, images: ImageSet, manager: JobManager) -> Price:
    estimator = PricingEstimator(manager)
    model.eval()
    with layer.running_on(estimator), torch.no_grad():
        for batch, _ in images.batches(TEST_BATCH):
            model(batch)
    return estimator.price
