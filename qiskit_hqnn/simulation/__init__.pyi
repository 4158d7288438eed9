from .compilation import compile_ansatz, compile_circuit
from .expressions import TorchFunction
from .functions import by_copy, full_precision
from .planning import Plan
from .program import Program
from .runner import passes_of

__all__ = [
    "Plan",
    "Program",
    "TorchFunction",
    "by_copy",
    "compile_ansatz",
    "compile_circuit",
    "full_precision",
    "passes_of",
]
