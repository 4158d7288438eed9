"""Loops, branches and subroutines: their values are known while the program is read, so they are unrolled."""

from __future__ import annotations

from contextlib import suppress
from typing import NoReturn

from openqasm3 import ast

from qiskit_hqnn.circuits.openqasm3.expressions import condition, evaluate, members, whole_number
from qiskit_hqnn.circuits.openqasm3.reader import Reader
from qiskit_hqnn.circuits.openqasm3.values import ProgramError, Value


class End(Exception):
    """`end` of the program."""


class _Return(Exception):
    """`return` from a subroutine."""


class _Break(Exception):
    """`break` out of a loop."""


class _Continue(Exception):
    """`continue` with a loop's next iteration."""


def for_in(reader: Reader, node: ast.ForInLoop) -> None:
    with suppress(_Break):
        for value in members(node.set_declaration, reader.scope):
            reader.count()
            with suppress(_Continue):
                reader.in_block(node.block, {node.identifier.name: value})


def while_true(reader: Reader, node: ast.WhileLoop) -> None:
    with suppress(_Break):
        while condition(node.while_condition, reader.scope):
            reader.count()
            with suppress(_Continue):
                reader.in_block(node.block)


def branch(reader: Reader, node: ast.BranchingStatement) -> None:
    reader.in_block(node.if_block if condition(node.condition, reader.scope) else node.else_block)


def switch(reader: Reader, node: ast.SwitchStatement) -> None:
    target = whole_number(node.target, reader.scope, "the target of a switch")
    for values, block in node.cases:
        if any(whole_number(value, reader.scope, "a case") == target for value in values):
            reader.in_block(block.statements)
            return
    if node.default is not None:
        reader.in_block(node.default.statements)


def box(reader: Reader, node: ast.Box) -> None:
    if node.duration is not None:
        raise ProgramError("a box with a duration is not supported")
    reader.in_block(node.body)


def subroutine_call(reader: Reader, node: ast.ExpressionStatement) -> None:
    call, subroutines = node.expression, reader.definitions.subroutines
    if not isinstance(call, ast.FunctionCall) or call.name.name not in subroutines:
        raise ProgramError("this calls neither a gate nor a subroutine")
    definition = subroutines[call.name.name]
    if len(call.arguments) != len(definition.arguments):
        raise ProgramError(
            f"subroutine {call.name.name!r} takes {len(definition.arguments)} arguments, but has {len(call.arguments)}"
        )
    names: dict[str, Value] = {}
    for argument, given in zip(definition.arguments, call.arguments, strict=True):
        quantum = isinstance(argument, ast.QuantumArgument)
        names[argument.name.name] = reader.wires(given) if quantum else evaluate(given, reader.scope)
    with suppress(_Return):
        reader.in_scope(reader.scope.outermost().inner(names), definition.body)


def return_(reader: Reader, node: ast.ReturnStatement) -> NoReturn:
    raise _Return


def end(reader: Reader, node: ast.EndStatement) -> NoReturn:
    raise End


def break_(reader: Reader, node: ast.BreakStatement) -> NoReturn:
    raise _Break


def continue_(reader: Reader, node: ast.ContinueStatement) -> NoReturn:
    raise _Continue
