"""What is measured: circuits, batch sizes and seeded numbers, the same for every contender."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, hqnn_quanv, reuploading, vqc_head


@dataclass(frozen=True)
class Numbers:
    """Inputs (batch, copies, I) and weights (copies, W) in radians; the loss is Σ cotangent · outputs."""

    inputs: np.ndarray
    weights: np.ndarray
    cotangent: np.ndarray


@dataclass(frozen=True)
class Workload:
    """One forward and backward pass of a quantum layer."""

    name: str
    title: str
    build: Callable[[], Ansatz]
    batch: int
    copies: int = 1

    def numbers(self) -> Numbers:
        ansatz, rng = self.build(), np.random.default_rng(7)
        return Numbers(
            rng.uniform(-1, 1, (self.batch, self.copies, ansatz.num_inputs)),
            rng.uniform(0, 2 * math.pi, (self.copies, ansatz.num_weights)),
            rng.normal(size=(self.batch, self.copies, ansatz.num_outputs)),
        )


def _measured_in_z(num_qubits: int) -> Callable[[], Ansatz]:
    return lambda: hqnn_parallel(num_qubits, depth=3, measured="Z")


WORKLOADS = [
    Workload("W1", "HQNN-Parallel: 4 copies × 5 qubits × 3 layers, ⟨Y⟩", hqnn_parallel, 64, 4),
    Workload("W2", "quanvolution: 4 qubits, 32 images × 16 patches", hqnn_quanv, 512),
    Workload("W3", "VQC head: 3 qubits, 32 images × 10 classes", vqc_head, 320),
    *(
        Workload(
            f"W4-{n}", f"RX embedding, 3 strongly entangling layers, {n} qubits", _measured_in_z(n), batch
        )
        for n, batch in ((4, 16), (8, 16), (10, 16), (12, 16), (14, 4), (16, 4))
    ),
    Workload("W6", "re-uploading: 6 qubits, 8 layers, 4 Möttönen uploads", reuploading, 32),
]
