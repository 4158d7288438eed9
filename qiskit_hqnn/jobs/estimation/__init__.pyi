from . import recipe
from .estimation import Asked, Estimation, prepare, prepare_asked
from .measurement import measured, measurement_of
from .mitigation import MitigationOptions

__all__ = [
    "Asked",
    "Estimation",
    "MitigationOptions",
    "measured",
    "measurement_of",
    "prepare",
    "prepare_asked",
    "recipe",
]
