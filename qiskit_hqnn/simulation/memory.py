"""How much memory there is, and how much exact values need: checked before any is allocated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from qiskit_hqnn.errors import HQNNError

if TYPE_CHECKING:
    from qiskit_hqnn.simulation.planning import Plan

MOST_QUBITS = 26
"""Wider circuits are not computed exactly, however much memory there is: one step would take minutes."""
_WORKING = 4
"""Tensors of a state's size that a step needs."""
_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


def check_exact(plan: Plan, samples: int, dtype: torch.dtype, device: torch.device) -> None:
    """Raises HQNNError, which gives the memory needed, if a plan's exact values do not fit on a device.

    Args:
        plan: of the circuit without the parts that no output depends on.
        samples: states that are evolved at once, batch × copies.
        dtype: of inputs and weights.
        device: where it runs.
    """
    needed, limit = needed_bytes(plan, samples, dtype), memory_of(device)
    if plan.num_qubits <= MOST_QUBITS and (limit is None or needed <= limit):
        return
    qubits = plan.num_qubits
    state = in_words(2 * dtype.itemsize << qubits)
    there = "" if limit is None else f", of which {device.type} has {in_words(limit)}"
    raise HQNNError(
        f"Exact values of {qubits} qubits that are entangled with the measured ones take 2^{qubits} amplitudes per "
        f"sample ({state}), about {in_words(needed)} in all for {samples:,} at once{there}; at most "
        f"{MOST_QUBITS} qubits are computed: use fewer qubits or smaller batches, or run it on a device."
    )


def needed_bytes(plan: Plan, samples: int, dtype: torch.dtype) -> int:
    """Bytes that exact values and their gradients need at least, approximately."""
    signs = 3 * max(plan.masks(), default=0)
    measured = 2 * plan.num_outputs * max(1, len(plan.bases))
    reals = measured + signs + 2 * _WORKING * samples
    return (reals * dtype.itemsize) << plan.num_qubits


def memory_of(device: torch.device) -> int | None:
    """Bytes that a device has; None if that is unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    if device.type != "cpu":
        return None
    known = [_physical(), _of_control_group(), _of_process()]
    return min((size for size in known if size is not None), default=None)


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _of_control_group() -> int | None:
    try:
        return int(_CONTROL_GROUP.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _of_process() -> int | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def in_words(size: int) -> str:
    """A number of bytes in a suitable unit: "1.5 GiB"."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB")
    power = min(len(units) - 1, max(0, (size.bit_length() - 1) // 10))
    return f"{size / 1024**power:,.1f} {units[power]}"
