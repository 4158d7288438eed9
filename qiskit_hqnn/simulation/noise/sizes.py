"""How much memory a plan needs, checked before any is allocated."""

from __future__ import annotations

import math

import torch

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation.memory import in_words as _in_words
from qiskit_hqnn.simulation.memory import memory_of as _memory

KEPT_BYTES = 512 << 20
"""States up to this many bytes are kept for the backward pass; beyond it, some are kept and the others recomputed."""
_WORKING = 4
"""Tensors of a state's size that a step needs."""


def check_plan(num_qubits: int, outputs: int) -> None:
    """Raises HQNNError if the effects of all outputs alone would not fit."""
    _check(8 * outputs * 4**num_qubits * 2, num_qubits, f"{outputs} outputs", torch.device("cpu"))


def check_run(state_bytes: int, kept: int, num_qubits: int, device: torch.device, what: str) -> None:
    """Raises HQNNError if carrying states through a circuit would not fit.

    Args:
        state_bytes: of all samples or observables, of all copies together.
        kept: how many times this size is kept for the backward pass.
        num_qubits: n.
        device: where it runs.
        what: samples or observables in words.
    """
    _check(state_bytes * (_WORKING + kept), num_qubits, what, device)


def segments(states: int, state_bytes: int) -> int:
    """Number of parts of a backward pass, so that few states are kept: one if all of them fit."""
    return 1 if states * state_bytes <= KEPT_BYTES else math.isqrt(states - 1) + 1


def kept_at_once(states: int, state_bytes: int) -> int:
    """How many states are kept with that."""
    parts = segments(states, state_bytes)
    return states if parts == 1 else parts + -(-states // parts)


def _check(needed: int, num_qubits: int, what: str, device: torch.device) -> None:
    limit = _memory(device)
    if limit is not None and needed > limit:
        raise HQNNError(
            f"Exact noise on {num_qubits} qubits takes 4^{num_qubits} real numbers for each of {what}, about "
            f"{_in_words(needed)} in all, but {device.type} has {_in_words(limit)}; use smaller batches, fewer qubits, "
            "or Aer ('fake_<device>'), which samples such circuits shot by shot."
        )
