"""How many directions of parameter space move the prepared state."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation import compile_ansatz

_MAX_QUBITS = 16
_SPARE = 8
_TOLERANCE = 1e-8


def jacobian_rank(ansatz: Ansatz, points: int = 3, seed: int = 0) -> int:
    """Rank of the Jacobian of the state, up to its phase, by inputs and weights, at random points.

    Parameters beyond the rank are redundant near such a point: a change of the others has the same effect. It
    is at most the number of parameters, and at most 2 · 2^n − 2, the real dimensions of a state of n qubits.

    Args:
        ansatz: of at most 16 qubits.
        points: random inputs and weights from [0, 2π); the result is the largest rank, which almost all points have.
        seed: of these.

    Raises:
        HQNNError: if there are more qubits.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> jacobian_rank(hqnn_parallel(2, 1))
        4
    """
    if ansatz.num_qubits > _MAX_QUBITS:
        raise HQNNError(
            f"The rank of the state's Jacobian is computed for at most {_MAX_QUBITS} qubits, but the ansatz has "
            f"{ansatz.num_qubits}."
        )
    count = ansatz.num_inputs + ansatz.num_weights
    if not count:
        return 0
    rng = np.random.default_rng(seed)
    return max(_rank(ansatz, rng.uniform(0, 2 * math.pi, count), rng) for _ in range(points))


def _rank(ansatz: Ansatz, parameters: np.ndarray, rng: np.random.Generator) -> int:
    """The rank at one point: that of enough random projections of the Jacobian, which one backward pass gives."""
    rows = min(2 * 2**ansatz.num_qubits, len(parameters) + _SPARE)
    values = torch.from_numpy(np.tile(parameters, (rows + 1, 1)))
    inputs = values[:, : ansatz.num_inputs].clone()[None].requires_grad_()
    weights = values[:, ansatz.num_inputs :].clone().requires_grad_()
    # Each projection is a copy with separate parameters.
    states = torch.view_as_real(compile_ansatz(ansatz).statevectors(inputs, weights)[0]).flatten(1)
    along_phase = _turned(states[0].detach())
    probes = torch.from_numpy(rng.normal(size=(rows, states.shape[1]))).to(states)
    gradients = torch.autograd.grad(
        (torch.vstack([probes, along_phase]) * states).sum(), [inputs, weights], materialize_grads=True
    )
    jacobian = torch.cat([gradients[0][0], gradients[1]], dim=1)
    # Moves along i|ψ⟩ change the phase only.
    projected = jacobian[:-1] - (probes @ along_phase)[:, None] * jacobian[-1]
    singular = torch.linalg.svdvals(projected)
    return int((singular > _TOLERANCE * max(1.0, float(singular[0]))).sum())


def _turned(state: Tensor) -> Tensor:
    """i|ψ⟩, real and imaginary parts in turn."""
    real, imaginary = state.view(-1, 2).T
    return torch.stack([-imaginary, real], dim=1).flatten()
