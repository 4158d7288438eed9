"""OpenQASM 3 programs as circuits: the parser is the language's own, loops and classical values are worked out here.

Qiskit's importer hands the arguments of a `gate` over in alphabetical order, knows no arrays, constants and functions,
and keeps a loop as an instruction that can index no qubit.
"""

from qiskit_hqnn.circuits.openqasm3.program import read_openqasm3

__all__ = ["read_openqasm3"]
