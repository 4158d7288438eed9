from . import locks
from .driving import drive
from .protocol import Patience

__all__ = [
    "Patience",
    "drive",
    "locks",
]
