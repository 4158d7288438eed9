"""The exact layer on a CUDA device: the same values as on the CPU, and how much longer or shorter a step takes.

    python -m benchmarks.on_gpu FILE.json

Values and gradients are compared in both precisions with the CPU's in float64, on the published circuits, on one of
them under a device's noise, and on embeddings of 4 to 16 qubits; a step is a forward and a backward pass, timed on both
sides with as many CPU threads as OMP_NUM_THREADS says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
_NOISY = "noisy:fake_fez"
_BATCHES = (64, 512, 4096)


def largest_differences(workload: Workload, place: str) -> dict[str, dict[str, float]]:
    """Of values and gradients on the GPU from the CPU's in float64, by precision."""
    truth = _outcome(workload, place, "cpu", torch.float64)
    return {
        str(dtype).removeprefix("torch."): {
            name: float((got.double().cpu() - right).abs().max()) if right.numel() else 0.0
            for (name, right), got in zip(
                truth.items(), _outcome(workload, place, "cuda", dtype).values(), strict=True
            )
        }
        for dtype in (torch.float64, torch.float32)
    }


def _outcome(workload: Workload, place: str, device: str, dtype: torch.dtype) -> dict[str, Tensor]:
    layer, inputs, cotangent = _layer(workload, place, device, dtype)
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
    workload: Workload, place: str, device: str, dtype: torch.dtype, batch: int | None = None
) -> tuple[QuantumLayer, Tensor, Tensor]:
    """The layer with the workload's weights, and inputs and cotangents of so many samples."""
    numbers, ansatz = workload.numbers(), workload.build()
    layer = QuantumLayer(ansatz, copies=workload.copies, estimator=place).to(device, dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(numbers.weights).reshape(layer.weight.shape))
    parts = []
    for array in (numbers.inputs, numbers.cotangent):
        repeated = np.resize(array, (batch or workload.batch, *array.shape[1:]))
        parts.append(torch.from_numpy(repeated).flatten(1).to(device, dtype))
    return layer, parts[0].requires_grad_(), parts[1]


def step_times(workload: Workload, place: str, batch: int, budget: float) -> dict[str, float]:
    """Milliseconds of a forward and backward pass in float32, on each side."""

    def step_on(device: str) -> Step:
        layer, inputs, cotangent = _layer(workload, place, device, torch.float32, batch)

        def step() -> None:
            layer(inputs).backward(cotangent)
            if device == "cuda":
                torch.cuda.synchronize()

        return step

    timings = measure({device: step_on(device) for device in ("cpu", "cuda")}, budget=budget, rounds=5)
    return {device: round(timing.median, 3) for device, timing in timings.items()}


def table(rows: list[dict[str, Any]]) -> str:
    """Milliseconds on CPU / GPU by batch size and the largest differences, as Markdown."""
    return "\n".join([heading(), *map(line, rows)])


def heading() -> str:
    """The table's."""
    heads = " | ".join(f"batch {batch:,}" for batch in _BATCHES)
    return f"| | {heads} | largest difference, float64 | float32 |\n|---|--:|--:|--:|--:|--:|"


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    found = [row["milliseconds"].get(str(batch)) for batch in _BATCHES]
    cells = [f"{one['cpu']:.2f} / {one['cuda']:.2f}" if one else "–" for one in found]
    cells += [f"{max(row['differences'][kind].values()):.0e}" for kind in ("float64", "float32")]
    return f"| {row['name']} | {' | '.join(cells)} |"


def main(file: Path, budget: float = 0.5) -> None:
    """Compare, time, print and write."""
    if not torch.cuda.is_available():
        raise SystemExit("There is no CUDA device here: this benchmark compares one with the CPU.")
    rows: list[dict[str, Any]] = []
    print(heading(), flush=True)
    for workload, place in [(one, "exact") for one in (*WORKLOADS, *_OTHERS)] + [(WORKLOADS[0], _NOISY)]:
        differences = largest_differences(workload, place)
        qubits = workload.build().num_qubits * (1 if place == "exact" else 2)
        batches = _BATCHES[: 3 if qubits <= 8 else 2 if qubits <= 10 else 1]
        milliseconds = {str(batch): step_times(workload, place, batch, budget) for batch in batches}
        noise = "" if place == "exact" else f", {place}"
        row = {"name": workload.name + noise, "title": workload.title + noise, "differences": differences}
        rows.append(row | {"milliseconds": milliseconds})
        print(line(rows[-1]), flush=True)
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
