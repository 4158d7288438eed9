from . import locks
from .driving import cancel, drive
from .protocol import Patience

__all__ = [
    "Patience",
    "cancel",
    "drive",
    "locks",
]
