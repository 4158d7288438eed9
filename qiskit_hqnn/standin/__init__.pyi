from .faults import Fault, Faults
from .server import Loopback

__all__ = [
    "Fault",
    "Faults",
    "Loopback",
]
