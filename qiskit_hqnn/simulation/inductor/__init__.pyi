from .compiled import Compiling, Passes

__all__ = [
    "Compiling",
    "Passes",
]
