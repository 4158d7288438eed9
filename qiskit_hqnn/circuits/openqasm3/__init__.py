"""OpenQASM 3 programs as circuits: the parser is the language's own; loops and classical values are evaluated here.

Qiskit's importer passes the arguments of a `gate` in alphabetical order, has no arrays, constants and functions, and
keeps a loop as an instruction that cannot index qubits.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
