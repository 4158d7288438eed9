from . import costs, steps
from .lowering import CNOT, HADAMARD, TO_Z_FROM_Y, Angle, Fixed, Primitive, Rotation, lower
from .measurement import Basis, inverse_columns
from .plan import Plan, make_plan
from .source import Source, source_of
from .steps import Phases, Product, Step, each_step, tight_blocks

__all__ = [
    "CNOT",
    "HADAMARD",
    "TO_Z_FROM_Y",
    "Angle",
    "Basis",
    "Fixed",
    "Phases",
    "Plan",
    "Primitive",
    "Product",
    "Rotation",
    "Source",
    "Step",
    "costs",
    "each_step",
    "inverse_columns",
    "lower",
    "make_plan",
    "source_of",
    "steps",
    "tight_blocks",
]
