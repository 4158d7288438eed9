"""A trained run, brought to `hqnn inspect`: its circuit with the weights in it, and its answers on a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.inspection import Predictions
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training import load_run
from qiskit_hqnn.training.prediction import predict_on, shots_for

if TYPE_CHECKING:
    from qiskit_hqnn.training import LoadedRun


def trained_ansatz(run: LoadedRun, copy: int) -> Ansatz:
    """The circuit of one copy with its trained weights bound; the inputs stay open.

    Raises:
        HQNNError: if there is no such copy, or no quantum layer.
    """
    layer = getattr(run.model, "quantum", None)
    if not isinstance(layer, QuantumLayer):
        raise HQNNError(f"{run.folder.path} has no quantum layer: there is nothing to inspect.")
    if not 0 <= copy < layer.copies:
        raise HQNNError(f"Option --copy must be from 0 to {layer.copies - 1}, but is {copy}.")
    ansatz = layer.ansatz
    weights = layer.weight.detach().view(layer.copies, -1)[copy].tolist()
    circuit = ansatz.circuit.assign_parameters(dict(zip(ansatz.weight_params, weights, strict=True)))
    return Ansatz(
        circuit,
        ansatz.input_params,
        (),
        ansatz.observables,
        reference=f"{ansatz.reference}; trained weights of copy {copy} of {layer.copies}",
        name=ansatz.name,
    )


def open_run(folder: Path, data_root: Path) -> LoadedRun:
    return load_run(folder, data_root)


def predictions(
    run: LoadedRun, devices: Sequence[str], images: int, shots: int, standard_error: float
) -> list[Predictions]:
    """The run's answers on each device."""
    needed = shots_for(run, images, standard_error)
    return [
        Predictions(device, shots, *predict_on(run, device, images, shots), standard_error, needed)
        for device in devices
        if not device.startswith("ibm_")  # hardware answers for money: `hqnn submit`
    ]
