"""The exact layer on a CUDA device: the same values as on the CPU, and how much longer or shorter a step takes.

    python -m benchmarks.on_gpu FILE.json

Values and gradients are compared in both precisions with the CPU's in float64, on the published circuits and on
embeddings of 4 to 16 qubits; a step is a forward and a backward pass, timed on both sides with as many CPU threads as
OMP_NUM_THREADS says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.timing import Step, measure
from benchmarks.workloads import WORKLOADS, Workload
from qiskit_hqnn.circuits import circuit_centric, textbook
from qiskit_hqnn.layers import QuantumLayer

_OTHERS = [
    Workload("textbook", "textbook: 1 qubit", textbook, 64),
    Workload("circuit-centric", "circuit-centric: 6 qubits", circuit_centric, 64),
]
_BATCHES = (64, 512, 4096)


def largest_differences(workload: Workload) -> dict[str, dict[str, float]]:
    """Of values and gradients on the GPU from the CPU's in float64, by precision."""
    truth = _outcome(workload, "cpu", torch.float64)
    return {
        str(dtype).removeprefix("torch."): {
            name: float((got.double().cpu() - right).abs().max()) if right.numel() else 0.0
            for (name, right), got in zip(
                truth.items(), _outcome(workload, "cuda", dtype).values(), strict=True
            )
        }
        for dtype in (torch.float64, torch.float32)
    }


def _outcome(workload: Workload, device: str, dtype: torch.dtype) -> dict[str, Tensor]:
    layer, inputs, cotangent = _layer(workload, device, dtype)
    outputs = layer(inputs)
    (outputs * cotangent).sum().backward()
    assert inputs.grad is not None
    weights = layer.weight.grad
    return {
        "values": outputs.detach(),
        "input gradients": inputs.grad,
        "weight gradients": torch.zeros(0) if weights is None else weights,
    }


def _layer(
    workload: Workload, device: str, dtype: torch.dtype, batch: int | None = None
) -> tuple[QuantumLayer, Tensor, Tensor]:
    """The layer with the workload's weights, and inputs and cotangents of so many samples."""
    numbers, ansatz = workload.numbers(), workload.build()
    layer = QuantumLayer(ansatz, copies=workload.copies).to(device, dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(numbers.weights).reshape(layer.weight.shape))
    parts = []
    for array in (numbers.inputs, numbers.cotangent):
        repeated = np.resize(array, (batch or workload.batch, *array.shape[1:]))
        parts.append(torch.from_numpy(repeated).flatten(1).to(device, dtype))
    return layer, parts[0].requires_grad_(), parts[1]


def step_times(workload: Workload, batch: int, budget: float) -> dict[str, float]:
    """Milliseconds of a forward and backward pass in float32, on each side."""

    def step_on(device: str) -> Step:
        layer, inputs, cotangent = _layer(workload, device, torch.float32, batch)

        def step() -> None:
            layer(inputs).backward(cotangent)
            if device == "cuda":
                torch.cuda.synchronize()

        return step

    timings = measure({device: step_on(device) for device in ("cpu", "cuda")}, budget=budget, rounds=5)
    return {device: round(timing.median, 3) for device, timing in timings.items()}


def main(file: Path, budget: float = 0.5) -> None:
    """Compare, time, print and write."""
    if not torch.cuda.is_available():
        raise SystemExit("There is no CUDA device here: this benchmark compares one with the CPU.")
    rows = []
    for workload in (*WORKLOADS, *_OTHERS):
        differences = largest_differences(workload)
        qubits = workload.build().num_qubits
        batches = _BATCHES[: 3 if qubits <= 8 else 2 if qubits <= 10 else 1]
        milliseconds = {str(batch): step_times(workload, batch, budget) for batch in batches}
        row = {"name": workload.name, "title": workload.title, "differences": differences}
        rows.append(row | {"milliseconds": milliseconds})
        worst = max(differences["float64"].values()), max(differences["float32"].values())
        times = "  ".join(
            f"{batch}: {t['cpu']:.2f} / {t['cuda']:.2f} ms" for batch, t in milliseconds.items()
        )
        print(f"{workload.name:16} float64 {worst[0]:.1e}  float32 {worst[1]:.1e}  {times}", flush=True)
    content = {
        "about": "Written by python -m benchmarks.on_gpu; milliseconds of a step by batch size.",
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cpu_threads": torch.get_num_threads(),
        "rows": rows,
    }
    file.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/gpu.json"))
