"""A trained network under the noise of every region of a device: what the worst region costs in accuracy.

    python -m benchmarks.tiling_regions runs/quickstart [--device fake_fez] [--data-root DIR]

Every copy of the quantum layer runs in the same region, and gets the exact values that samples there tend to. The
test set is run as a whole, nothing is chosen by it. Written to docs/results/tiling-regions.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn._files import write_json
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.inspection import as_sent
from qiskit_hqnn.jobs import Tiles, resolve_device
from qiskit_hqnn.jobs.adapters import noise_of, on_qubits
from qiskit_hqnn.jobs.devices import Device
from qiskit_hqnn.jobs.tiling import Region, find_regions
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.simulation.noise import compile_noisy
from qiskit_hqnn.training import load_run

OUT = Path("docs/results/tiling-regions.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--device", default="fake_fez")
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    found = study(given.run, given.device, given.data_root)
    write_json(given.out, found)
    print(f"exact {found['exact']:.4f}")
    for rank, region in enumerate(found["regions"], start=1):
        print(f"#{rank:<3} success {region['expected_success']:.3f}  accuracy {region['accuracy']:.4f}")
    print(f"mean {found['mean']:.4f}, worst {found['worst']:.4f}, of {found['images']} images")


def study(folder: Path, word: str, data_root: Path) -> dict[str, Any]:
    """Accuracy without noise and in every region."""
    run, device = load_run(folder, data_root), resolve_device(word)
    model: Any = run.model.eval()
    layer: QuantumLayer = model.quantum
    images, labels = run.splits.test.__getitems__(range(len(run.splits.test)))
    sent, angles = as_sent(layer.ansatz)
    with torch.no_grad():
        features = model.encode(images)
        exact = _accuracy(model.decode(model.quantum(features)), labels)
        inputs = features.view(len(features), layer.copies, -1)
        weights = layer.weight.view(layer.copies, -1)
        rows, accuracies = [], []
        for region in find_regions(sent, device, Tiles()):
            program = compile_noisy(*_placed(layer.ansatz, region, angles, device))
            outputs = program.expectation_values(inputs, weights).reshape(len(features), -1)
            accuracies.append(_accuracy(model.decode(outputs), labels))
            rows.append(
                {
                    "qubits": list(region.qubits),
                    "expected_success": region.expected_success,
                    "accuracy": accuracies[-1],
                }
            )
    return {
        "device": word,
        "title": run.job.title,
        "seed": run.job.seeds[0],
        "epochs": run.job.train.epochs,
        "images": len(labels),
        "exact": exact,
        "mean": fmean(accuracies),
        "worst": min(accuracies),
        "regions": rows,
    }


def _placed(
    ansatz: Ansatz, region: Region, angles: Mapping[str, ParameterExpression], device: Device
) -> tuple[Ansatz, Any]:
    """The ansatz as its region runs it, in its own parameters, and the noise there."""
    circuit: QuantumCircuit = region.circuit
    if angles:
        circuit = circuit.assign_parameters({angle: angles[angle.name] for angle in circuit.parameters})
    used = list(region.qubits)
    where = [used.index(qubit) for qubit in region.logical]
    observables: list[SparsePauliOp] = [
        observable.apply_layout(where, num_qubits=len(used)) for observable in ansatz.observables
    ]
    small = on_qubits(circuit, used)
    placed = Ansatz(small, ansatz.input_params, ansatz.weight_params, observables)
    return placed, noise_of(device, tuple(used))


def _accuracy(outputs: torch.Tensor, labels: torch.Tensor) -> float:
    return float((outputs.argmax(dim=1) == labels).double().mean())


if __name__ == "__main__":
    main()
