"""From a job to its data and its model."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.transforms import v2

from qiskit_hqnn import data, models
from qiskit_hqnn.data.image_set import as_float
from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training.job_file import JobFile

_AUGMENTATIONS = {"rotation": v2.RandomRotation(10), "flip": v2.RandomHorizontalFlip()}
"""Random rotation up to 10° and horizontal flips (Senokosov et al. 2024, section 2.2.3)."""


def load_splits(job: JobFile, data_root: str | Path) -> data.Splits:
    """The job's images; training images are augmented where it says so.

    Raises:
        MissingDataError: if the data set is unknown or not there.
    """
    options = job.data.model_dump(exclude={"name", "reduce", "augment"})
    splits = data.load(job.data.name, data_root, **options)
    if job.data.reduce == "autoencoder":
        splits = data.reduce_by_autoencoder(splits, Path(data_root), job.data.model_dump_json())
    if job.data.augment:
        transform = v2.Compose([_AUGMENTATIONS[word] for word in job.data.augment])
        splits = data.Splits(
            splits.train.with_augmentation(transform), splits.validation, splits.test, splits.class_names
        )
    return splits


def fingerprint(splits: data.Splits) -> dict[str, Any]:
    """Which images a run has seen: how many, their shape, and the SHA-256 of all labels in order."""
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    digest = sha256()
    for part in parts.values():
        digest.update(part.labels.to(torch.int64).numpy().tobytes())
    sizes: dict[str, Any] = {name: len(part) for name, part in parts.items()}
    return sizes | {"shape": list(splits.image_shape), "labels": digest.hexdigest()}


def build_model(job: JobFile, splits: data.Splits) -> nn.Module:
    """The job's model; classes, channels and image size follow from the data unless the job gives them.

    Raises:
        HQNNError: if the model or an option is unknown.
        JobFileError: if the model takes other images or has other classes than the data, or it is to be compiled but
            not trained exactly.
    """
    if job.train.compile and job.where != "exact":
        raise JobFileError(
            f"train.compile compiles the exact quantum layer and takes where = 'exact', but where is {job.where!r}."
        )
    options = job.model.options
    if job.model.name in models.MODELS:
        allowed = models.options_of(job.model.name)
        for name, value in _sizes(splits).items():
            if name in allowed:
                options.setdefault(name, value)
    if options.get("classes", splits.num_classes) != splits.num_classes:
        raise JobFileError(
            f"model.classes is {options['classes']}, but the data has {splits.num_classes} classes."
        )
    model = models.build(job.model.name, **options)
    _check_fit(model, job.model.name, splits)
    _check_room(model, job)
    for module in model.modules():
        if isinstance(module, QuantumLayer):
            module.compiles = job.train.compile
    return model


def _check_fit(model: Any, name: str, splits: data.Splits) -> None:
    """Hold a model against its data, one image up to the quantum layer's door, before anything is written."""
    layer = model.quantum
    circuits = isinstance(layer, QuantumLayer)
    model.eval()
    try:
        with torch.no_grad():
            encoded = model.encode(as_float(splits.train.images[:1]))
            if circuits and encoded.shape[-1] != layer.copies * layer.ansatz.num_inputs:
                inputs = layer.copies * layer.ansatz.num_inputs
                raise RuntimeError(f"its circuits have {inputs} inputs, but get {encoded.shape[-1]}")
            width = layer.copies * layer.ansatz.num_outputs if circuits else 0
            outputs = encoded.new_zeros(*encoded.shape[:-1], width) if circuits else _through(layer, encoded)
            classes = model.decode(outputs).shape[-1]
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise JobFileError(
            f"Model {name!r} does not take the data's samples of shape {splits.image_shape} with the options that the "
            f"job gives it: {reason}."
        ) from None
    finally:
        model.train()
    if classes != splits.num_classes:
        raise JobFileError(f"Model {name!r} has {classes} classes, but the data has {splits.num_classes}.")


def _check_room(model: Any, job: JobFile) -> None:
    """Refuse what cannot be computed exactly before a run folder is made for it."""
    if "exact" in (job.where, *job.test) and isinstance(model.quantum, QuantumLayer):
        try:
            model.quantum.check_room(job.train.batch_size)
        except HQNNError as error:
            raise JobFileError(
                f"A place is 'exact', but model {job.model.name!r} is too large: {error}"
            ) from None


def _through(layer: nn.Module | None, encoded: torch.Tensor) -> torch.Tensor:
    return encoded if layer is None else layer(encoded)


def _sizes(splits: data.Splits) -> dict[str, int]:
    shape = splits.image_shape
    sizes = {"classes": splits.num_classes}
    if len(shape) == 3:
        sizes |= {"channels": shape[0], "image_size": shape[1]}
    features = 1
    for side in shape:
        features *= side
    return sizes | {"features": features}
