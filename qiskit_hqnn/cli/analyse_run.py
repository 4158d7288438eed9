"""The analyses of a trained run: its model, images and history, given to `qiskit_hqnn.analysis`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor

from qiskit_hqnn import analysis
from qiskit_hqnn.analysis import Analysis
from qiskit_hqnn.cli.terminal import say
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.models import as_hybrid, encoded, quantum_layer_of
from qiskit_hqnn.training import load_run

if TYPE_CHECKING:
    from qiskit_hqnn.data import ImageSet
    from qiskit_hqnn.models import AnyQuantumLayer
    from qiskit_hqnn.training import LoadedRun

_MOST = 2000
"""Images that are analysed."""


def analyse_run(
    folder: Path, data_root: Path, kinds: Sequence[str], images: str
) -> Iterator[tuple[str, Analysis]]:
    """Name and result of each analysis of a run, as each one finishes.

    Raises:
        HQNNError: if the run has no quantum layer, or no such images.
    """
    run = load_run(folder, data_root)
    layer = quantum_layer_of(run.model)
    if layer is None:
        raise HQNNError(f"{folder} has no quantum layer: there is nothing to analyse.")
    entering, labels = _entering(run, _images(run, images))
    with torch.no_grad():
        outputs = layer(entering)
    for name in kinds:
        try:
            yield name, _one(name, run, layer, entering, outputs, labels, images)
        except _Unknown as error:
            if len(kinds) == 1:
                raise HQNNError(str(error)) from None
            say(f"{name}: {error}", err=True)


class _Unknown(Exception):
    """This run lacks what an analysis needs; the others continue."""


def _one(
    name: str,
    run: LoadedRun,
    layer: AnyQuantumLayer,
    entering: Tensor,
    outputs: Tensor,
    labels: Tensor,
    images: str,
) -> Analysis:
    targets = run.description.targets
    if targets is not None and name in ("ablation", "outputs", "bloch"):
        raise _Unknown(f"it looks at classes, but this network answers numbers ({', '.join(targets.names)}).")
    names = run.splits.class_names
    if name == "ablation":
        training, _ = _entering(run, run.splits.train)
        with torch.no_grad():
            means = layer(training).mean(dim=0)
        return analysis.ablation(as_hybrid(run.model).decode, outputs, means, labels, f"{images} images")
    # A layer that reads several patches of an image has an axis for them: each patch is one sample of its class.
    samples = entering.reshape(-1, layer.copies, layer.ansatz.num_inputs)
    repeated = labels.repeat_interleave(len(samples) // len(labels))
    if name == "outputs":
        return analysis.outputs_by_class(outputs.reshape(len(samples), -1), repeated, names)
    if name == "bloch":
        weights = layer.weight.detach().view(layer.copies, -1)
        return analysis.bloch_by_class(layer.ansatz, samples, weights, repeated, names)
    if name == "gradient-norms":
        return analysis.gradient_norms(run.folder.history())
    if not layer.weight.numel():
        raise _Unknown("its circuit has no weights.")
    if not run.folder.initial_weights.exists():
        raise _Unknown("it was trained before initial weights were kept; train it again.")
    before = load_file(run.folder.initial_weights)["weight"]
    return analysis.weight_movement(before.flatten(), layer.weight.detach().flatten())


def _images(run: LoadedRun, name: str) -> ImageSet:
    splits = {"train": run.splits.train, "validation": run.splits.validation, "test": run.splits.test}
    if name not in splits:
        raise HQNNError(f"Option --images must be one of {', '.join(splits)}, but is {name!r}.")
    chosen = splits[name]
    if chosen is None or not len(chosen):
        raise HQNNError(f"{run.folder.path} has no {name} images; use --images train.")
    return chosen


def _entering(run: LoadedRun, images: ImageSet) -> tuple[Tensor, Tensor]:
    """Inputs of the quantum layer for the first images, and their labels."""
    return encoded(as_hybrid(run.model), images.batches(256, _MOST))
