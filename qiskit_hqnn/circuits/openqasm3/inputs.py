"""The inputs that an OpenQASM 3 program declares, as Qiskit's parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod

from openqasm3 import ast
from qiskit.circuit import Parameter, ParameterVector

from qiskit_hqnn.circuits.openqasm3.expressions import size_of
from qiskit_hqnn.circuits.openqasm3.values import LARGEST, ProgramError, Scope, Value

_ELEMENT = re.compile(r"_(.+)_(\d+)_")


def vector_elements(statements: Sequence[ast.Statement | ast.Pragma]) -> dict[str, Parameter]:
    """Parameters by their names in the file, where Qiskit wrote the elements x[0], x[1] of a vector as _x_0_, _x_1_."""
    names = [node.identifier.name for node in statements if isinstance(node, ast.IODeclaration)]
    found: dict[str, set[int]] = {}
    for name in names:
        if match := _ELEMENT.fullmatch(name):
            found.setdefault(match[1], set()).add(int(match[2]))
    elements: dict[str, Parameter] = {}
    for base, indices in found.items():
        if indices == set(range(len(indices))) and base not in names:
            vector = ParameterVector(base, len(indices))
            elements |= {f"_{base}_{index}_": vector[index] for index in indices}
    return elements


def declared_input(node: ast.IODeclaration, scope: Scope, elements: Mapping[str, Parameter]) -> Value:
    """A Parameter; for an array, the elements of a ParameterVector, row by row.

    Raises:
        ProgramError: if it is not a number.
    """
    name, kind = node.identifier.name, node.type
    base = kind.base_type if isinstance(kind, ast.ArrayType) else kind
    if not isinstance(base, ast.FloatType | ast.AngleType | ast.IntType | ast.UintType):
        raise ProgramError(f"input {name!r} must be a float or an angle, or an array of these")
    if not isinstance(kind, ast.ArrayType):
        return elements.get(name) or Parameter(name)
    sizes = [size_of(size, scope, "the size of an array") for size in kind.dimensions]
    if not 1 <= prod(sizes) <= LARGEST:
        raise ProgramError(
            f"input {name!r} must have from 1 to {LARGEST:,} elements, but has {prod(sizes):,}"
        )
    return _nested(list(ParameterVector(name, prod(sizes))), sizes)


def _nested(elements: list[Value], sizes: list[int]) -> list[Value]:
    if len(sizes) == 1:
        return elements
    rows = prod(sizes[1:])
    return [_nested(elements[start : start + rows], sizes[1:]) for start in range(0, len(elements), rows)]
