"""A trained network as ONNX: its classical layers unchanged, and its quantum layer in closed form."""

from __future__ import annotations

import copy
import io
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import AmplitudeAngles, QuantumLayer
from qiskit_hqnn.models import in_observables, quantum_layer_of
from qiskit_hqnn.training.export.closed_form import closed_form
from qiskit_hqnn.training.export.network_file import CARD, card_of
from qiskit_hqnn.training.export.quadratic_form import Amplitudes, quadratic_form
from qiskit_hqnn.training.loading import LoadedRun
from qiskit_hqnn.training.losses import loss_of

_AGREES = 1e-5
"""Tolerance for rounding of floats; the observed difference is returned."""

_NEEDED = ("onnx", "onnxscript", "onnxruntime")


class PlainNetwork(nn.Module):
    """A trained network of plain torch operators: images to probabilities, or to numbers.

    Args:
        network: trained; it is copied.
        encoder: from images to features, if they were reduced.

    Raises:
        HQNNError: if its quantum layer has no closed form.
    """

    def __init__(self, network: nn.Module, encoder: nn.Module | None = None) -> None:
        super().__init__()
        layer = quantum_layer_of(network)
        self.network: Any = copy.deepcopy(network).eval()
        if layer is not None:
            self._replace(in_observables(layer))
        self.encoder = encoder
        self.loss = loss_of(network)

    def _replace(self, layer: QuantumLayer) -> None:
        """Put plain torch in the place of the quantum layer, and of the angles of an amplitude embedding before it."""
        embeddings = {
            name: module
            for name, module in self.network.named_modules()
            if isinstance(module, AmplitudeAngles)
        }
        if len(embeddings) != 1:
            self.network.quantum = closed_form(layer)
            return
        ((name, embedding),) = embeddings.items()
        self.network.quantum = quadratic_form(layer, embedding)
        parent, _, own = name.rpartition(".")
        setattr(self.network.get_submodule(parent), own, Amplitudes(embedding.num_qubits))

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities (N, classes), or numbers (N, K), of images (N, channels, height, width) in 0 … 1, or of (N, F)
        features.
        """
        samples = images if self.encoder is None else self.encoder(images.flatten(1))
        return self.loss.answers(self.network(samples))


def plain_network(run: LoadedRun) -> PlainNetwork:
    """A run's network in plain torch, for torch.export, torch.jit.trace and ONNX.

    Raises:
        HQNNError: if its quantum layer has no closed form.
    """
    return PlainNetwork(run.model, run.folder.encoder()).eval()


def write_onnx(run: LoadedRun, path: str | Path) -> float:
    """Write a run's network as ONNX, after comparing both under onnxruntime.

    Example::

        from qiskit_hqnn.training import load_run, write_onnx
        write_onnx(load_run("runs/mine"), "mine.onnx")  # the largest difference of a probability

    The input is `images`, (N, channels, height, width) in 0 … 1, or (N, features); the output is `probabilities`,
    (N, classes), or `values`, (N, K). The card is in the metadata.

    Returns:
        The largest observed difference of a probability; for numbers, as a share of their scale.

    Raises:
        HQNNError: if its quantum layer has no closed form, onnx is not installed, or the file does not agree.
        FileError: if it cannot be written.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise HQNNError(
            f"ONNX needs the package {missing[0]}, which is not installed: pip install 'qiskit-hqnn[onnx]'."
        )
    network = plain_network(run)
    how = run.description.how_read()
    shape = how.shape if how is not None and run.description.reduced else run.description.shape
    images = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0))
    content = _exported(network, images, card_of(run).as_json())
    with torch.no_grad():
        samples = images if network.encoder is None else network.encoder(images.flatten(1))
        expected = run.predict(samples).answers.numpy()
    targets = run.description.targets
    scale = np.ones(1) if targets is None else np.asarray(targets.scales)
    difference = float((np.abs(_run(content, images) - expected) / scale).max())
    if not difference < _AGREES:
        raise HQNNError(f"{path} was not written: under onnxruntime it is off by {difference:.1e}.")
    write_bytes(Path(path), content)
    return difference


def _exported(network: PlainNetwork, images: Tensor, card: str) -> bytes:
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (images,),
            dynamo=True,
            input_names=["images"],
            output_names=["probabilities" if network.loss.targets is None else "values"],
            dynamic_shapes={"images": {0: torch.export.Dim("N", min=1)}},
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD, card
    onnx.checker.check_model(model)
    file = io.BytesIO()
    onnx.save_model(model, file)
    return file.getvalue()


def _run(content: bytes, images: Tensor) -> np.ndarray:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    # One at a time, too: the number of images is free.
    whole = session.run(None, {"images": images.numpy()})[0]
    single = session.run(None, {"images": images[:1].numpy()})[0]
    return np.concatenate([single, np.asarray(whole)[1:]])
