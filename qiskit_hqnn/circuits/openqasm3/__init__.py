"""OpenQASM 3 programs as circuits: the parser is the language's own, loops and classical values are worked out here.

Qiskit's importer hands the arguments of a `gate` over in alphabetical order, knows no arrays, constants and functions,
and keeps a loop as an instruction that can index no qubit.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
