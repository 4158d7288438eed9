"""Qiskit-native hybrid quantum neural networks for image classification.

Train a published network exactly and fast, submit it to a device for a price known beforehand, and inspect
what transpilation and the device do to its circuits. Start with `QuantumLayer`, `JobManager`, or `hqnn --help`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qiskit_hqnn._moved import MovedModules
from qiskit_hqnn._version import __version__

if TYPE_CHECKING:
    from qiskit_hqnn.circuits import Ansatz
    from qiskit_hqnn.jobs import JobManager
    from qiskit_hqnn.layers import QuantumLayer, SamplerLayer

# Imported on first use (PEP 562): a script that only submits jobs never pays for torch, `hqnn --help` for neither.
_LAZY = {
    "Ansatz": "qiskit_hqnn.circuits",
    "JobManager": "qiskit_hqnn.jobs",
    "QuantumLayer": "qiskit_hqnn.layers",
    "SamplerLayer": "qiskit_hqnn.layers",
}

__all__ = ["Ansatz", "JobManager", "QuantumLayer", "SamplerLayer", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'qiskit_hqnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


sys.meta_path.append(MovedModules())
