from .program import read_openqasm3

__all__ = [
    "read_openqasm3",
]
