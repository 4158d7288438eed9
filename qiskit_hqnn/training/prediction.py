"""What a trained run would answer on a device, before anything is sent there."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training.places import running_on
from qiskit_hqnn.training.run_folder import LoadedRun


def predict_on(run: LoadedRun, device: str, images: int, shots: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first test images through a snapshot's noise, beside their exact answers.

    Args:
        run: trained.
        device: a snapshot such as "fake_fez".
        images: how many.
        shots: of each expectation value.

    Returns:
        A table of the images (label, classes, largest differences) and one of all outputs.

    Raises:
        HQNNError: if the run has no quantum layer.
    """
    layer, encoded, labels = _entering(run, images)
    model: Any = run.model
    names = run.splits.class_names
    with torch.no_grad():
        exact = layer(encoded)
        with running_on(run.model, run.job, device, shots):
            noisy = layer(encoded)
        logits, logits_there = model.decode(exact), model.decode(noisy)
    table = pd.DataFrame(
        {
            "image": range(len(labels)),
            "label": [names[label] for label in labels.tolist()],
            "exact class": [names[index] for index in logits.argmax(dim=1).tolist()],
            "class on device": [names[index] for index in logits_there.argmax(dim=1).tolist()],
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


def shots_for(run: LoadedRun, images: int, standard_error: float) -> int:
    """Shots of each expectation value for a standard error of every logit, by the delta method.

    An output ⟨O⟩ of a Pauli string has variance (1 − ⟨O⟩²)/shots; a logit, to first order, Σ_k (∂logit/∂⟨O_k⟩)² of
    these. Outputs count as independent, as they are when each has shots of its own; the image and logit that need most
    decide.

    Raises:
        HQNNError: if the standard error is not positive, or the run has no quantum layer.
    """
    if not standard_error > 0:
        raise HQNNError(f"A standard error must be positive, but is {standard_error:g}.")
    layer, encoded, _ = _entering(run, images)
    model: Any = run.model
    with torch.no_grad():
        outputs = layer(encoded)

    def logits(single: Tensor) -> Tensor:
        return model.decode(single[None])[0]

    most = 0.0
    for single in outputs:
        slopes: Any = torch.autograd.functional.jacobian(logits, single)
        variance = (slopes.flatten(1) ** 2 * (1 - single.flatten() ** 2).clamp_min(0)).sum(dim=1)
        most = max(most, float(variance.max()))
    return math.ceil(most / standard_error**2)


def _entering(run: LoadedRun, images: int) -> tuple[QuantumLayer, Tensor, Tensor]:
    layer = getattr(run.model, "quantum", None)
    if not isinstance(layer, QuantumLayer):
        raise HQNNError(f"{run.folder.path} has no quantum layer: there is nothing to inspect.")
    if not 1 <= images <= len(run.splits.test):
        raise HQNNError(f"Option --images must be from 1 to {len(run.splits.test)}, but is {images}.")
    model: Any = run.model.eval()
    batch, labels = run.splits.test.__getitems__(range(images))
    with torch.no_grad():
        return layer, model.encode(batch), labels
