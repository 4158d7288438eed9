from . import recipe
from .estimation import Estimation, prepare
from .measurement import measured, measurement_of
from .mitigation import MitigationOptions

__all__ = [
    "Estimation",
    "MitigationOptions",
    "measured",
    "measurement_of",
    "prepare",
    "recipe",
]
