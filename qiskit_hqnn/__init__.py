"""Qiskit-native hybrid quantum neural networks for image classification.

Train a published network exactly and fast, submit it to a device for a price known beforehand, and inspect what
transpilation and the device do to its circuits. Start with `QuantumLayer`, `JobManager`, or `hqnn --help`.
"""

import sys

import lazy_loader

from qiskit_hqnn._moved import MovedModules

# On first use: a script that only submits jobs never loads torch, and `hqnn --help` neither torch nor Qiskit.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

sys.meta_path.append(MovedModules())
