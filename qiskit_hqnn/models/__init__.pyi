from .building import MODELS, build, count_parameters, defaults_of, options_of
from .circuit_centric import CircuitCentricClassifier
from .composed import Hybrid, make_layer, outputs_of_copy, replaced
from .convolutions import Convolutions
from .encoders import Backbone, make_encoder
from .hqnn_parallel import HQNNParallel
from .hqnn_quanv import HQNNQuanv
from .hybrid import AnyQuantumLayer, HybridNetwork, as_hybrid, encoded, in_observables, quantum_layer_of
from .options import (
    ALL_CONTROLS,
    BACKBONES,
    CONTROLS_OF,
    ENCODERS,
    HYBRID,
    INTERPRETATIONS,
    KINDS,
    LARGEST,
    LAYERS,
    SCALINGS,
    check_control,
    check_model,
    check_option,
    is_own_network,
)
from .own import Chained, adopted
from .reuploading import ReuploadingClassifier
from .textbook import TextbookHybrid
from .vqc_head import VQCHead

__all__ = [
    "ALL_CONTROLS",
    "BACKBONES",
    "CONTROLS_OF",
    "ENCODERS",
    "HYBRID",
    "INTERPRETATIONS",
    "KINDS",
    "LARGEST",
    "LAYERS",
    "MODELS",
    "SCALINGS",
    "AnyQuantumLayer",
    "Backbone",
    "Chained",
    "CircuitCentricClassifier",
    "Convolutions",
    "HQNNParallel",
    "HQNNQuanv",
    "Hybrid",
    "HybridNetwork",
    "ReuploadingClassifier",
    "TextbookHybrid",
    "VQCHead",
    "adopted",
    "as_hybrid",
    "build",
    "check_control",
    "check_model",
    "check_option",
    "count_parameters",
    "defaults_of",
    "encoded",
    "in_observables",
    "is_own_network",
    "make_encoder",
    "make_layer",
    "options_of",
    "outputs_of_copy",
    "quantum_layer_of",
    "replaced",
]
