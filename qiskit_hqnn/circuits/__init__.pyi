from .ansatz import Ansatz
from .choosing import Selection, check_there, choose_ansatz, is_file, make_ansatz
from .circuit_centric import circuit_centric
from .embeddings import angle_embedding
from .entanglers import strongly_entangling_layer, strongly_entangling_layers
from .expressions import UNARY, Operation, affine, postfix
from .from_circuit import parts_of_circuit, parts_of_file
from .from_python import is_factory, load_factory
from .hqnn_parallel import hqnn_parallel
from .hqnn_quanv import READINGS, hqnn_quanv
from .mottonen import gray_code_matrix, mottonen_angles, mottonen_embedding
from .observables import Observables
from .operators import pauli_on_each, probability_of
from .published import ANSATZE
from .reuploading import reuploading
from .selecting import Parameters
from .separating import without_entanglement
from .snapshot import snapshot
from .standard import has_symbols, is_open, is_symbolic, kind_of
from .template import Template, affine_map, make_template, without_controlled_angles
from .textbook import textbook
from .unfolding import unfolded
from .vqc_head import vqc_head

__all__ = [
    "ANSATZE",
    "READINGS",
    "UNARY",
    "Ansatz",
    "Observables",
    "Operation",
    "Parameters",
    "Selection",
    "Template",
    "affine",
    "affine_map",
    "angle_embedding",
    "check_there",
    "choose_ansatz",
    "circuit_centric",
    "gray_code_matrix",
    "has_symbols",
    "hqnn_parallel",
    "hqnn_quanv",
    "is_factory",
    "is_file",
    "is_open",
    "is_symbolic",
    "kind_of",
    "load_factory",
    "make_ansatz",
    "make_template",
    "mottonen_angles",
    "mottonen_embedding",
    "parts_of_circuit",
    "parts_of_file",
    "pauli_on_each",
    "postfix",
    "probability_of",
    "reuploading",
    "snapshot",
    "strongly_entangling_layer",
    "strongly_entangling_layers",
    "textbook",
    "unfolded",
    "vqc_head",
    "without_controlled_angles",
    "without_entanglement",
]
