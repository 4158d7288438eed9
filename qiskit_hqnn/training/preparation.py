"""From a job to its data and its model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import torch
from torch import nn

from qiskit_hqnn import data, models
from qiskit_hqnn.data import as_float
from qiskit_hqnn.errors import DeviceError, HQNNError, JobFileError, RunFolderError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training.description import Description
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.job_models import HybridSection
from qiskit_hqnn.training.job_numbers import check_training
from qiskit_hqnn.training.losses import Loss, balanced_weights, loss_of
from qiskit_hqnn.training.own_networks import (
    NETWORK_FILE,
    KeptSource,
    OwnParts,
    make_network,
    own_parts,
    sizes_taken,
)

_AMPLITUDE_QUBITS = 10
"""Most qubits that follow from the data in a network with amplitudes: 1,024 features, 2 s per step of 32."""


def load_splits(job: JobFile, data_root: str | Path) -> data.Splits:
    """The job's images; training images are augmented if it says so.

    Raises:
        MissingDataError: if the data set is unknown or missing.
    """
    options = job.data.model_dump(exclude={"name", "reduce", "augment", "draws"})
    splits = data.load(job.data.name, data_root, **options)
    if job.data.reduce == "autoencoder":
        # Keys that came later are left out where they are not used: autoencoders that were kept before are found again.
        unused = {name for name in ("channels", "resize", "targets") if getattr(job.data, name) is None}
        later = {"path", "draws"} | unused
        settings = job.data.model_dump_json(exclude=later) + (splits.digest or "")
        splits = data.reduce_by_autoencoder(splits, Path(data_root), settings)
    return augmented(splits, job)


def augmented(splits: data.Splits, job: JobFile) -> data.Splits:
    """The splits with their training images changed at random, if the job says so."""
    if not job.data.augment:
        return splits
    return replace(splits, train=splits.train.with_augmentation(data.Augmentation(job.data.augment)))


def fingerprint(splits: data.Splits) -> dict[str, object]:
    """Which images a run has seen: how many, their shape, the SHA-256 of all labels in order, and of the files' content
    where nobody else vouches for it."""
    digest = sha256()
    kind = torch.float64 if splits.targets else torch.int64
    for part in splits.parts.values():
        digest.update(part.labels.to(kind).numpy().tobytes())
    sizes: dict[str, object] = {name: len(part) for name, part in splits.parts.items()}
    content = {"content": splits.digest} if splits.digest else {}
    return sizes | {"shape": list(splits.image_shape), "labels": digest.hexdigest()} | content


def build_model(job: JobFile, splits: data.Splits, own: OwnParts | None = None) -> nn.Module:
    """The job's model; classes, channels and image size follow from the data unless the job gives them.

    Args:
        job: the job of one run.
        splits: its images.
        own: its custom parts; read here if not given.

    Raises:
        HQNNError: if the model or an option is unknown.
        JobFileError: if the model takes other images or has other classes than the data, or it is to be compiled but
            not trained exactly.
    """
    if job.train.compile and job.where != "exact":
        raise JobFileError(
            f"train.compile compiles the exact quantum layer and takes where = 'exact', but where is {job.where!r}."
        )
    if splits.targets is None and splits.num_classes < 2:
        raise JobFileError(
            f"The data has one class only, {splits.class_names[0]!r}: there is nothing to tell apart."
        )
    own = own or own_parts(job)
    check_training(job.train, splits.targets.names if splits.targets else None)
    model = build_described(describe(job, splits, own), job, splits.image_shape, own, fetch=True)
    _check_fit(model, job.model.name, splits)
    _check_room(model, job)
    return model


def check_controls(job: JobFile) -> None:
    """Check that the network has all controls of a job, as far as its name tells, before the first training.

    Raises:
        HQNNError: if it lacks one.
    """
    if not models.is_own_network(job.model.name):
        for control in job.controls:
            models.check_control(control, job.model.name)


def describe(job: JobFile, splits: data.Splits, own: OwnParts | None = None) -> Description:
    """The job's network with all of its options, those that follow from the data too.

    Raises:
        HQNNError: if the model is unknown.
        JobFileError: if the data does not fit it.
    """
    known = _network(job, splits, own or own_parts(job))
    return known.model_copy(update={"class_weights": _class_weights(job, splits)})


def _class_weights(job: JobFile, splits: data.Splits) -> tuple[float, ...] | None:
    """The weights of the classes in the loss, by number.

    Raises:
        JobFileError: if there are not as many as classes.
    """
    given = job.train.class_weights
    if given == "balanced":
        return balanced_weights(splits.train.labels.bincount(minlength=splits.num_classes).tolist())
    if given is not None and len(given) != splits.num_classes:
        raise JobFileError(
            f"train.class_weights must be {splits.num_classes} numbers, one for each class, but are {len(given)}."
        )
    return None if given is None else tuple(map(float, given))


def _network(job: JobFile, splits: data.Splits, own: OwnParts) -> Description:
    name, options = job.model.name, job.model.options
    if own.circuit is not None:
        arguments = HybridSection.model_validate({"name": name, **options}).arguments()
        return Description.for_splits(name, arguments | {"classes": splits.num_outputs}, splits, own.circuit)
    if own.factory is not None and own.source is not None:
        control = options.pop("control", None)
        taken = sizes_taken(own.factory, name, options, _sizes(splits))
        _check_classes(taken, splits)
        return Description.for_splits(
            own.source.where, taken | {"control": control}, splits, None, own.source
        )
    models.check_model(name)
    allowed = models.options_of(name)
    _check_square(splits.image_shape, name, allowed)
    for option, value in _sizes(splits).items():
        if option in allowed:
            options.setdefault(option, value)
    _check_classes(options, splits)
    defaults = models.defaults_of(name)
    if {"features", "num_qubits"} <= set(allowed) and "num_qubits" not in options:
        options["num_qubits"] = _qubits_for(options["features"], defaults["num_qubits"], name)
    return Description.for_splits(name, {**defaults, **options}, splits)


def _check_classes(options: Mapping[str, object], splits: data.Splits) -> None:
    if options.get("classes", splits.num_outputs) != splits.num_outputs:
        raise JobFileError(f"model.classes is {options['classes']}, but the data has {splits.answers}.")


def build_described(
    description: Description,
    job: JobFile,
    shape: Sequence[int],
    own: OwnParts | None = None,
    fetch: bool = False,
) -> nn.Module:
    """A network from its description; its exact layer is compiled if the job says so.

    Args:
        description: what the network is.
        job: the job that it was trained by.
        shape: of a sample.
        own: of a network in Python: the class, which only its user's command hands over.
        fetch: whether the weights of a torchvision backbone are fetched.

    Raises:
        HQNNError: if an option is unknown or out of range.
        RunFolderError: if the network is Python, and is not handed over, or another one is.
        JobFileError: if the sizes of the data are too small for it.
    """
    if description.circuit is not None:
        ansatz = description.circuit.ansatz()
        model: nn.Module = models.Hybrid(ansatz, description.shape, fetch=fetch, **description.options)
    elif description.source is not None:
        model = _from_python(description, description.source, own)
    else:
        model = _published(description, job, shape)
    for module in model.modules():
        if isinstance(module, QuantumLayer):
            module.compiles = job.train.compile
    settings = job.train
    if description.targets is not None:
        _check_numbers(model, description)
        setattr(model, "loss", Loss("mse", targets=description.targets))  # noqa: B010  # see below
    elif settings.loss or description.class_weights or settings.label_smoothing:
        word = settings.loss or loss_of(model).word
        loss = Loss(word, description.class_weights, settings.label_smoothing or 0.0)
        setattr(model, "loss", loss)  # noqa: B010  # of an nn.Module, which has types for tensors and modules alone
    return model


def _check_numbers(model: nn.Module, description: Description) -> None:
    """Check that a network's outputs can be any numbers: probabilities cannot."""
    assert description.targets is not None
    word = loss_of(model).word
    if word not in ("cross-entropy", "mse"):
        raise JobFileError(
            f"Model {description.model!r} answers probabilities of classes (its loss is {word!r}), but the data has "
            f"numbers ({', '.join(description.targets.names)})."
        )


def _from_python(description: Description, source: KeptSource, own: OwnParts | None) -> nn.Module:
    if own is None or own.factory is None or own.source is None:
        raise RunFolderError(
            f"This network is Python, {source.where}, which loading a run does not run: name its file, such as the run "
            f"folder's own copy, {NETWORK_FILE}:{source.name}."
        )
    if own.source.digest() != source.digest():
        raise RunFolderError(
            f"This network was trained as {source.where}, but {own.source.where} has another text; the run folder "
            f"keeps the one that it was trained with in {NETWORK_FILE}."
        )
    options = dict(description.options)
    control = options.pop("control", None)
    return make_network(own.factory, source.where, options, control)


def _published(description: Description, job: JobFile, shape: Sequence[int]) -> nn.Module:
    try:
        return models.build(description.model, **description.options)
    except HQNNError as error:
        given = job.model.options
        sizes = {"image_size", "channels", "features", "classes"} - given.keys()
        _raise_of_sizes(error, description, sizes, shape)
        raise


def _raise_of_sizes(
    error: HQNNError, description: Description, sizes: set[str], shape: Sequence[int]
) -> None:
    """Where a model can be built without the sizes of the data, it is the data that does not fit."""
    without = {name: value for name, value in description.options.items() if name not in sizes}
    try:
        models.build(description.model, **without)
    except HQNNError:
        return
    raise JobFileError(
        f"Model {description.model!r} does not take the data's samples of shape {tuple(shape)}: {error}"
    ) from error


def _check_square(shape: Sequence[int], name: str, allowed: Sequence[str]) -> None:
    if len(shape) == 3 and "image_size" in allowed and shape[1] != shape[2]:
        raise JobFileError(
            f"Model {name!r} takes square images, but the data's have {shape[2]}×{shape[1]} pixels: data.image_size "
            "stretches them to that many pixels per side."
        )


def _qubits_for(features: int, published: int, name: str) -> int:
    """Qubits whose amplitudes fit this many features: the published number, or more if it is too small."""
    needed = max(published, math.ceil(math.log2(features)))
    if needed > max(published, _AMPLITUDE_QUBITS):
        raise JobFileError(
            f"Model {name!r} puts a sample's {features:,} features into amplitudes, which takes {needed} qubits and is "
            f"slow above {_AMPLITUDE_QUBITS}: lower data.image_size or data.channels, or ask for it with "
            f"model.num_qubits = {needed}."
        )
    return needed


def _check_fit(model: nn.Module, name: str, splits: data.Splits) -> None:
    """Check a model against its data, with one image up to the quantum layer, before anything is written."""
    network, layer = models.as_hybrid(model), models.quantum_layer_of(model)
    model.eval()
    try:
        with torch.no_grad():
            entering = network.encode(as_float(splits.train.images[:1]))
            if layer is None:
                outputs = entering if network.quantum is None else network.quantum(entering)
            else:
                inputs = layer.copies * layer.ansatz.num_inputs
                if entering.shape[-1] != inputs:
                    raise RuntimeError(f"its circuits have {inputs} inputs, but get {entering.shape[-1]}")
                outputs = entering.new_zeros(*entering.shape[:-1], *layer.neural_network.output_shape)
            classes = network.decode(outputs).shape[-1]
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise JobFileError(
            f"Model {name!r} does not take the data's samples of shape {splits.image_shape} with the options that the "
            f"job gives it: {reason}."
        ) from None
    finally:
        model.train()
    if classes != splits.num_outputs:
        raise JobFileError(f"Model {name!r} has {classes} outputs, but the data has {splits.answers}.")


def _check_room(model: nn.Module, job: JobFile) -> None:
    """Refuse what cannot be computed exactly, before a run folder is created."""
    layer = models.quantum_layer_of(model)
    if not isinstance(layer, QuantumLayer):
        return
    for where in dict.fromkeys(job.places):
        if where.sampled:
            continue
        try:
            layer.check_room(job.train.batch_size, where)
        except DeviceError:
            raise
        except HQNNError as error:
            raise JobFileError(
                f"A place is {where!r}, but model {job.model.name!r} is too large: {error}"
            ) from None


def _sizes(splits: data.Splits) -> dict[str, object]:
    shape = splits.image_shape
    sizes: dict[str, object] = {"classes": splits.num_outputs, "shape": shape}
    if len(shape) == 3:
        sizes |= {"channels": shape[0], "image_size": shape[1]}
    features = 1
    for side in shape:
        features *= side
    return sizes | {"features": features}
