from .building import MODELS, build, count_parameters, defaults_of, options_of
from .circuit_centric import CircuitCentricClassifier
from .controls import CONTROLS
from .hqnn_parallel import HQNNParallel
from .hqnn_quanv import HQNNQuanv
from .reuploading import ReuploadingClassifier
from .textbook import TextbookHybrid
from .vqc_head import VQCHead

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
