"""A trained run's predictions on a device, before anything is sent there."""

from __future__ import annotations

import math

import pandas as pd
import torch
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.models import as_hybrid, encoded, quantum_layer_of
from qiskit_hqnn.training.evaluation import TEST_BATCH
from qiskit_hqnn.training.loading import LoadedRun
from qiskit_hqnn.training.running_on import running_on
from qiskit_hqnn.training.submission import observed_layer_of
from qiskit_hqnn.where import Where


def predict_on(run: LoadedRun, device: str, images: int, shots: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first test images through a snapshot's noise, beside their exact answers.

    Args:
        run: trained.
        device: a snapshot such as "fake_fez"; "noisy:fake_fez" answers without shots.
        images: how many.
        shots: of each expectation value.

    Returns:
        A table of the images (label, classes or numbers, largest differences) and one of all outputs.

    Raises:
        HQNNError: if the run has no quantum layer.
    """
    if Where.parse(device).hardware:
        raise HQNNError(
            f"A prediction comes from a snapshot such as 'fake_fez', and is not paid for; {device!r} is hardware."
        )
    entering, labels = _entering(run, images)
    network, layer = as_hybrid(run.model), quantum_layer_of(run.model)
    assert layer is not None  # something has entered it
    with torch.no_grad():
        exact = layer(entering)
        with running_on(run.model, run.job, device, shots if Where.parse(device).sampled else None):
            noisy = layer(entering)
        logits, logits_there = network.decode(exact), network.decode(noisy)
    table = pd.DataFrame(
        {
            "image": range(len(labels)),
            **_answers(run, labels, logits, logits_there),
            "largest output difference": (noisy - exact).flatten(1).abs().amax(dim=1).tolist(),
            "largest logit difference": (logits_there - logits).abs().amax(dim=1).tolist(),
        }
    )
    flat, flat_there = exact.flatten(1), noisy.flatten(1)
    outputs = pd.DataFrame(
        {
            "image": [image for image in range(len(flat)) for _ in range(flat.shape[1])],
            "output": list(range(flat.shape[1])) * len(flat),
            "exact": flat.flatten().tolist(),
            "on device": flat_there.flatten().tolist(),
        }
    )
    return table, outputs


def _answers(run: LoadedRun, labels: Tensor, exact: Tensor, there: Tensor) -> dict[str, list[object]]:
    """Columns of the network's outputs: classes by name, or numbers."""
    targets, names = run.description.targets, run.class_names
    if targets is None:
        return {
            "label": [names[label] for label in labels.tolist()],
            "exact class": [names[index] for index in exact.argmax(dim=1).tolist()],
            "class on device": [names[index] for index in there.argmax(dim=1).tolist()],
        }
    columns = {"true": labels, "exact": targets.in_units(exact), "on device": targets.in_units(there)}
    return {
        f"{what} {name}": values[:, index].tolist()
        for index, name in enumerate(targets.names)
        for what, values in columns.items()
    }


def shots_for(run: LoadedRun, images: int, standard_error: float) -> int:
    """Shots of each expectation value for a standard error of every logit, by the delta method.

    Outputs that the job manager reads from the same shots (qubit-wise commuting observables of one copy) covary by
    ⟨O_j O_k⟩ − ⟨O_j⟩⟨O_k⟩ over the shots, others do not; a logit's variance is, to first order, that of its slopes'
    combination of outputs. The image and logit that need most decide.

    Raises:
        HQNNError: if the standard error is not positive, or the run has no quantum layer.
    """
    if not standard_error > 0:
        raise HQNNError(f"A standard error must be positive, but is {standard_error:g}.")
    entering, _ = _entering(run, images)
    network, layer = as_hybrid(run.model), observed_layer_of(run, "inspect")
    with torch.no_grad():
        outputs = layer(entering)
        covariances = _covariances(layer, entering)

    def logits(single: Tensor) -> Tensor:
        return network.decode(single[None])[0]

    most = 0.0
    for single, covariance in zip(outputs, covariances, strict=True):
        slopes: Tensor = torch.autograd.functional.jacobian(logits, single)
        by_copy = slopes.reshape(len(slopes), len(covariance), -1)
        variance = torch.einsum("lcj,cjk,lck->l", by_copy, covariance, by_copy)
        most = max(most, float(variance.max()))
    return math.ceil(most / standard_error**2)


def _covariances(layer: QuantumLayer, encoded: Tensor) -> Tensor:
    """Covariance of a single shot's outputs, (images, circuits of an image, outputs, outputs)."""
    ansatz = layer.ansatz
    observables = ansatz.observables
    pairs = [
        (j, k)
        for j in range(len(observables))
        for k in range(j, len(observables))
        if _read_together(observables[j], observables[k])
    ]
    products = tuple((observables[j] @ observables[k]).simplify() for j, k in pairs)
    squared = QuantumLayer(
        Ansatz(ansatz.circuit, ansatz.input_params, ansatz.weight_params, products),
        layer.copies,
        initial_weights=layer.weight.detach(),
    )
    images = len(encoded)
    means = layer(encoded).reshape(images, -1, len(observables))
    seconds = squared(encoded).reshape(images, means.shape[1], len(pairs))
    covariance = means.new_zeros(*means.shape, len(observables))
    for index, (j, k) in enumerate(pairs):
        value = seconds[..., index] - means[..., j] * means[..., k]
        covariance[..., j, k] = covariance[..., k, j] = value
    return covariance


def _read_together(first: SparsePauliOp, second: SparsePauliOp) -> bool:
    """Whether all Pauli strings of both agree on every qubit where neither is the identity."""
    return all(
        a == b or "I" in (a, b)
        for one in first.paulis.to_labels()
        for other in second.paulis.to_labels()
        for a, b in zip(one, other, strict=True)
    )


def _entering(run: LoadedRun, images: int) -> tuple[Tensor, Tensor]:
    observed_layer_of(run, "inspect")
    if not 1 <= images <= len(run.splits.test):
        raise HQNNError(f"Option --images must be from 1 to {len(run.splits.test)}, but is {images}.")
    return encoded(as_hybrid(run.model.eval()), run.splits.test.batches(TEST_BATCH, images))
