from .building import MODELS, build, count_parameters, defaults_of, options_of
from .circuit_centric import CircuitCentricClassifier
from .controls import CONTROLS
from .hqnn_parallel import HQNNParallel
from .hqnn_quanv import HQNNQuanv
from .hybrid import AnyQuantumLayer, HybridNetwork, as_hybrid, encoded, in_observables, quantum_layer_of
from .reuploading import ReuploadingClassifier
from .textbook import TextbookHybrid
from .vqc_head import VQCHead

__all__ = [
    "CONTROLS",
    "MODELS",
    "AnyQuantumLayer",
    "CircuitCentricClassifier",
    "HQNNParallel",
    "HQNNQuanv",
    "HybridNetwork",
    "ReuploadingClassifier",
    "TextbookHybrid",
    "VQCHead",
    "as_hybrid",
    "build",
    "count_parameters",
    "defaults_of",
    "encoded",
    "in_observables",
    "options_of",
    "quantum_layer_of",
]
