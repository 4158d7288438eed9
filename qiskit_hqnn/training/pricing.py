"""The price of a run off the simulator, from one step of each kind without sampling."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING

import torch
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from torch import Tensor, nn

from qiskit_hqnn.data import ImageSet, Splits
from qiskit_hqnn.jobs import Price
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import as_hybrid, encoded, in_observables, quantum_layer_of
from qiskit_hqnn.training.evaluation import TEST_BATCH
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.rungs import Rung, rungs_of
from qiskit_hqnn.training.running_on import gradient_of, manager_for, with_shots
from qiskit_hqnn.where import Where

if TYPE_CHECKING:
    from qiskit_hqnn.jobs import JobManager


def price_run(job: JobFile, model: nn.Module, splits: Splits) -> dict[str, Price]:
    """Price of each part of a run that is sampled: "epoch", "validation", "test on PLACE"; empty if all is exact.

    Of a schedule of shots there are "epoch 2", "validation 2" and so on for its further steps; by plateau all epochs
    have the price of the dearest step, since nobody knows when they come.

    One training step of each batch size and one pass of each evaluation go through the job manager's plan and price,
    so the figures are those of the real requests. The model is not altered.
    """
    if quantum_layer_of(model) is None:
        return {}
    from qiskit_hqnn.jobs.store import Store

    network, layer = observed_network(model)
    costs: dict[str, Price] = {}

    @cache
    def manager(where: str) -> JobManager:
        # Hardware is asked once for its calibration; the store is in memory, since nothing is sent.
        return manager_for(job, where, store=Store("sqlite://") if Where.parse(where).hardware else None)

    with torch.random.fork_rng():
        if job.where.sampled:
            costs |= _price_schedule(job, network, layer, splits, manager(job.where))
        for where in job.test:
            if where.sampled:
                costs[f"test on {where}"] = _price_pass(network, layer, splits.test, manager(where))
    return costs


def price_training(costs: dict[str, Price], epochs: int, done: int = 0) -> Price:
    """Price of some epochs with their validation, after `done` others."""
    steps = sum(part.startswith("epoch") for part in costs)
    total = Price()
    for step in range(steps):
        # The last one is kept.
        times = sum(min(epoch, steps - 1) == step for epoch in range(done, done + epochs))
        name = "" if step == 0 else f" {step + 1}"
        total += (costs[f"epoch{name}"] + costs.get(f"validation{name}", Price())) * times
    return total


def price_tests(costs: dict[str, Price]) -> Price:
    """Price of the test set at all places."""
    return sum((cost for part, cost in costs.items() if part.startswith("test on ")), Price())


def observed_network(model: nn.Module) -> tuple[nn.Module, QuantumLayer]:
    """A copy of a network, its layer as expectation values, which cost the same as probabilities."""
    network = copy.deepcopy(model)
    layer = quantum_layer_of(network)
    assert layer is not None
    as_hybrid(network).quantum = observed = in_observables(layer)
    return network, observed


def _price_schedule(
    job: JobFile, model: nn.Module, layer: QuantumLayer, splits: Splits, manager: JobManager
) -> dict[str, Price]:
    """Epoch and validation at each step of a job's shots; of one by plateau, the dearest alone."""
    before, costs = manager.shots, []
    for rung in rungs_of(job.train, job.shots):
        manager.shots = rung.shots
        epoch = _price_epoch(job, model, layer, splits.train, manager, rung)
        validated = len(splits.validation) > 0
        passes = _price_pass(model, layer, splits.validation, manager) if validated else None
        costs.append((epoch, passes))
    manager.shots = before
    if job.train.shots_plateau is not None:
        costs = [max(costs, key=lambda cost: (cost[0] + (cost[1] or Price())).qpu_seconds)]
    parts: dict[str, Price] = {}
    for step, (epoch, passes) in enumerate(costs):
        name = "" if step == 0 else f" {step + 1}"
        parts[f"epoch{name}"] = epoch
        if passes is not None:
            parts[f"validation{name}"] = passes
    return parts


def _price_epoch(
    job: JobFile, model: nn.Module, layer: QuantumLayer, images: ImageSet, manager: JobManager, rung: Rung
) -> Price:
    full, rest = divmod(len(images), job.train.batch_size)
    cost = Price()
    for size, times in ((job.train.batch_size, full), (rest, 1)):
        if size and times and not (size == 1 and job.train.batch_size > 1):
            cost += _price_step(job, model, layer, images.batch(range(size)), manager, rung) * times
    return cost


def _price_step(
    job: JobFile,
    model: nn.Module,
    layer: QuantumLayer,
    batch: tuple[Tensor, Tensor],
    manager: JobManager,
    rung: Rung,
) -> Price:
    images, _ = batch
    features = as_hybrid(model.train()).encode(images)
    gradient = with_shots(gradient_of(job), rung) or "parameter-shift"
    with layer.running_on("exact"):
        pub = layer.pub(features, gradient, None if rung.gradient is None else rung.shots)
    return price_of(manager, pub)


def _price_pass(model: nn.Module, layer: QuantumLayer, images: ImageSet, manager: JobManager) -> Price:
    features, _ = encoded(as_hybrid(model.eval()), images.batches(TEST_BATCH))
    return price_of_inputs(manager, layer, features)


def price_of_inputs(manager: JobManager, layer: QuantumLayer, features: Tensor) -> Price:
    """Price of what enters a quantum layer, in parts as a pass sends them."""
    with layer.running_on("exact"):
        return sum((price_of(manager, layer.pub(part)) for part in features.split(TEST_BATCH)), Price())


def price_of(manager: JobManager, pub: EstimatorPub) -> Price:
    """Price of a PUB as the manager would plan it."""
    return manager.price(manager.plan(pub, pub.precision))
