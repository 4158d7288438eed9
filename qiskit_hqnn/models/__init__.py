"""The six published networks as plain `nn.Module`s, with their classical twins and controls.

Each has `encode` (what enters the quantum layer), `quantum` (the layer, or its replacement) and `decode` (what becomes
of its outputs), so that the quantum part can be sent elsewhere by itself.
"""

from qiskit_hqnn.models.building import MODELS, build, count_parameters, defaults_of, options_of
from qiskit_hqnn.models.circuit_centric import CircuitCentricClassifier
from qiskit_hqnn.models.controls import CONTROLS
from qiskit_hqnn.models.hqnn_parallel import HQNNParallel
from qiskit_hqnn.models.hqnn_quanv import HQNNQuanv
from qiskit_hqnn.models.reuploading import ReuploadingClassifier
from qiskit_hqnn.models.textbook import TextbookHybrid
from qiskit_hqnn.models.vqc_head import VQCHead

__all__ = [
    "CONTROLS",
    "MODELS",
    "CircuitCentricClassifier",
    "HQNNParallel",
    "HQNNQuanv",
    "ReuploadingClassifier",
    "TextbookHybrid",
    "VQCHead",
    "build",
    "count_parameters",
    "defaults_of",
    "options_of",
]
