"""A run's test set in two halves: what enters the quantum layer goes to a device as one job, and what comes back is
finished whenever it is there."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from torch import Tensor

from qiskit_hqnn._tiles import TilesWord
from qiskit_hqnn.data import ImageSet
from qiskit_hqnn.errors import HQNNError, RunFolderError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import as_hybrid, encoded, in_observables, quantum_layer_of
from qiskit_hqnn.training.evaluation import TEST_BATCH, Judged, judge
from qiskit_hqnn.training.loading import LoadedRun
from qiskit_hqnn.training.losses import loss_of
from qiskit_hqnn.training.measuring import keep_result
from qiskit_hqnn.training.metrics import Result, active
from qiskit_hqnn.training.report import write_report
from qiskit_hqnn.training.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class Half:
    """The first half of a test: the images, the inputs of the quantum layer, and their PUB."""

    images: ImageSet
    encoded: Tensor
    pub: EstimatorPub


def first_half(run: LoadedRun, subset: int | None = None, shots: int | None = None) -> Half:
    """Everything before the quantum layer, for the test set or its first images.

    Raises:
        HQNNError: if the network has no quantum layer, or there are too few images.
    """
    images = run.splits.test
    if subset is not None:
        if not 1 <= subset <= len(images):
            raise HQNNError(f"Option --subset must be from 1 to {len(images)}, but is {subset}.")
        images = images.subset(range(subset))
    layer = observed_layer_of(run, "submit")
    features, _ = encoded(as_hybrid(run.model.eval()), images.batches(TEST_BATCH))
    with layer.running_on("exact"):
        return Half(images, features, layer.pub(features, shots=shots))


def second_half(run: LoadedRun, subset: int, evs: np.ndarray) -> Judged:
    """Everything after the quantum layer, from its expectation values.

    Args:
        run: as it was submitted.
        subset: images that were sent.
        evs: expectation values in the PUB's shape.

    Raises:
        RunFolderError: if they do not belong to this run.
    """
    half = first_half(run, subset)
    network, layer = as_hybrid(run.model), observed_layer_of(run, "submit")
    if evs.shape != half.pub.shape:
        raise RunFolderError(
            f"The job's result has shape {evs.shape}, but this run's test set asks for {half.pub.shape}: its data or "
            "its network have changed since it was submitted."
        )
    leading = half.encoded.shape[:-1]
    measured = layer.outputs(evs, batch=leading.numel()).unflatten(0, leading)
    with torch.no_grad():
        outputs = [network.decode(part) for part in measured.split(TEST_BATCH)]
    return judge(torch.cat(outputs), half.images.labels, loss_of(run.model))


def finish(run: LoadedRun, where: str, evs: np.ndarray, settings: dict[str, Any]) -> Judged:
    """Finish a submitted test set, and keep its result in the run folder and its report.

    Args:
        run: as it was submitted.
        where: the place.
        evs: expectation values in the PUB's shape.
        settings: "images", "weights", "shots", "mitigation", "executions", "qpu_seconds", "seconds" and "job" of the
            submission.

    Raises:
        RunFolderError: if the run has been trained again since.
    """
    if settings["weights"] != weights_digest(run.folder):
        raise RunFolderError(
            f"{run.folder.path} was trained again after it had been submitted: the result belongs to different weights."
        )
    result = second_half(run, settings["images"], evs)
    kept = {name: settings[name] for name in ("shots", "executions", "qpu_seconds", "seconds", "job")}
    kept |= {"where": where, "mitigation": active(settings.get("mitigation") or {})}
    if settings.get("fractional"):
        kept["fractional"] = True
    if settings.get("tiles"):
        kept["tiles"] = TilesWord(**settings["tiles"]).word
    if settings["images"] < len(run.splits.test):
        kept["subset"] = "first"
    keep_result(run.folder, result, run.class_names, Result.model_validate(result.summary() | kept))
    write_report(run.folder, run.job)
    return result


def weights_digest(folder: RunFolder) -> str:
    """SHA-256 of the trained weights."""
    return sha256(folder.weights.read_bytes()).hexdigest()


def observed_layer_of(run: LoadedRun, purpose: str) -> QuantumLayer:
    """A run's quantum layer as expectation values, as it is submitted and inspected.

    Raises:
        HQNNError: if it has none.
    """
    layer = quantum_layer_of(run.model)
    if layer is None:
        raise HQNNError(f"{run.folder.path} has no quantum layer: there is nothing to {purpose}.")
    return in_observables(layer)
