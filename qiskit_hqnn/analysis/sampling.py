"""Random parameters for an ansatz, and its states at them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.simulation import compile_ansatz


def random_states(ansatz: Ansatz, count: int, seed: int) -> Tensor:
    """States (count, 2^n), complex, at inputs and weights drawn uniformly from [0, 2π)."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(1, count, ansatz.num_inputs, generator=generator, dtype=torch.float64) * 2 * math.pi
    weights = torch.rand(count, ansatz.num_weights, generator=generator, dtype=torch.float64) * 2 * math.pi
    with torch.no_grad():
        return compile_ansatz(ansatz).statevectors(inputs, weights)[0]
