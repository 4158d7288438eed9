"""Inspection of a trained run: its circuit with the weights bound, and its predictions on a device.

Separate from the rest, because a run needs torch and its data set, and a circuit needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.inspection.predictions import Predictions
from qiskit_hqnn.inspection.subject import Subject, as_sent
from qiskit_hqnn.training import first_half, load_run, manager_for, observed_layer_of, predict_on, shots_for

if TYPE_CHECKING:
    from qiskit_hqnn.training import LoadedRun


def trained_subject(folder: Path, copy: int, data_root: Path) -> Subject:
    """The circuit of one copy with its trained weights; the inputs stay open.

    Raises:
        RunFolderError: if the folder is not a run.
        HQNNError: if it has no such copy, or no quantum layer.
    """
    run = load_run(folder, data_root)
    layer = observed_layer_of(run, "inspect")
    if not 0 <= copy < layer.copies:
        raise HQNNError(f"Argument `copy` must be from 0 to {layer.copies - 1}, but is {copy}.")
    values = layer.weight.detach().view(layer.copies, -1)[copy].tolist()
    weights = {p.name: value for p, value in zip(layer.ansatz.weight_params, values, strict=True)}
    sent, angles = as_sent(layer.ansatz)
    # Sets of values per image; the layer itself counts its copies and patches.
    circuits = int(first_half(run, subset=1).pub.parameter_values.size)
    note = f"trained weights of copy {copy} of {layer.copies}" if weights else ""
    mitigation = manager_for(run.job, "aer").mitigation
    return Subject(layer.ansatz, sent, angles, weights, note, circuits, mitigation, run)


def check_images(run: LoadedRun, images: int, standard_error: float) -> None:
    """Raises HQNNError if there are too few images, or the standard error is not positive."""
    if not 1 <= images <= len(run.splits.test):
        raise HQNNError(f"Argument `images` must be from 1 to {len(run.splits.test)}, but is {images}.")
    if not standard_error > 0:
        raise HQNNError(f"Argument `standard_error` must be positive, but is {standard_error:g}.")


def predictions(
    run: LoadedRun,
    devices: Sequence[str],
    images: int,
    shots: int,
    standard_error: float,
    fractional: bool = False,
) -> list[Predictions]:
    """The run's predictions on each snapshot; hardware is charged, and needs `hqnn submit`."""
    needed = shots_for(run, images, standard_error)
    run = replace(run, job=run.job.model_copy(update={"fractional": fractional}))
    return [
        Predictions(device, shots, *predict_on(run, device, images, shots), standard_error, needed)
        for device in devices
        if not device.startswith("ibm_")
    ]
