"""Running statements: on which circuit, with which names, and how an error gets its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, Qubit
from qiskit.exceptions import QiskitError

from qiskit_hqnn.circuits.openqasm3.expressions import evaluate, shown
from qiskit_hqnn.circuits.openqasm3.values import LARGEST, ProgramError, Scope, Value, Wires
from qiskit_hqnn.errors import CircuitError

Statements: TypeAlias = Sequence[ast.Statement | ast.Pragma]


@dataclass
class Definitions:
    """What all parts of a program share.

    Attributes:
        given: the program's name in errors.
        handlers: the function that runs each kind of statement.
        elements: parameters of vectors, by their names in the file.
        gates, subroutines: definitions so far.
        inputs: names of the parameters that were declared.
        statements: number run so far.
    """

    given: str
    handlers: Mapping[type, Handler]
    elements: Mapping[str, Parameter]
    gates: dict[str, ast.QuantumGateDefinition] = field(default_factory=dict)
    subroutines: dict[str, ast.SubroutineDefinition] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    statements: int = 0


class Reader:
    """Runs statements on one circuit: the program's, or that of one call of a gate.

    Args:
        circuit: the statements are appended to it.
        scope: the names in use.
        definitions: shared by all parts of the program.
        exact: whether the language's global phases are kept, as a control needs them.
    """

    def __init__(
        self, circuit: QuantumCircuit, scope: Scope, definitions: Definitions, exact: bool = False
    ) -> None:
        self.circuit, self.scope, self.definitions, self.exact = circuit, scope, definitions, exact

    def carry_out(self, statements: Statements) -> None:
        """Statements one after the other.

        Raises:
            CircuitError: if one cannot be run; with its line.
        """
        for node in statements:
            try:
                self.count()
                handler = self.definitions.handlers.get(type(node))
                if handler is None:
                    raise ProgramError(f"a {type(node).__name__} cannot be part of a circuit here")
                handler(self, node)
            except (ProgramError, QiskitError, RecursionError) as error:
                where = f", line {node.span.start_line}" if node.span else ""
                reason = str(error)
                if isinstance(error, QiskitError):
                    reason = reason.strip().strip("\"'").partition("\n")[0].rstrip(".")
                if isinstance(error, RecursionError):
                    reason = "it calls itself"
                raise CircuitError(f"{self.definitions.given}{where}: {reason}.") from error

    def count(self) -> None:
        """Raises ProgramError if the program has too many statements."""
        self.definitions.statements += 1
        if self.definitions.statements > LARGEST:
            raise ProgramError(f"it unrolls to more than {LARGEST:,} statements")

    def in_block(self, statements: Statements, names: Mapping[str, Value] | None = None) -> None:
        """Statements of a block, in a separate scope."""
        self.in_scope(self.scope.inner(names), statements)

    def in_scope(self, scope: Scope, statements: Statements) -> None:
        """Statements with these names; the current ones are restored afterwards."""
        outer, self.scope = self.scope, scope
        try:
            self.carry_out(statements)
        finally:
            self.scope = outer

    def wires(self, node: ast.Expression | ast.IndexedIdentifier, classical: bool | None = False) -> Wires:
        """The qubits that an operand names (`classical`: the bits; None: either); $3 is the circuit's fourth."""
        if isinstance(node, ast.Identifier) and node.name.startswith("$") and node.name[1:].isdigit():
            number = int(node.name[1:])
            self.circuit.add_bits([Qubit() for _ in range(self.circuit.num_qubits, number + 1)])
            return Wires((self.circuit.qubits[number],), True)
        value = evaluate(node, self.scope)
        if not isinstance(value, Wires) or (classical is not None and value.classical != classical):
            kind = {True: "a classical bit", False: "a qubit", None: "a register"}[classical]
            raise ProgramError(f"{kind} is needed here, but this is {shown(value)}")
        return value

    def measured(self, measurement: ast.QuantumMeasurement, target: Wires) -> None:
        """Measure into bits."""
        qubits = self.wires(measurement.qubit)
        if len(qubits.bits) != len(target.bits):
            raise ProgramError(f"{len(qubits.bits)} qubits are measured into {len(target.bits)} bits")
        self.circuit.measure(qubits.bits, target.bits)


Handler: TypeAlias = Callable[[Reader, Any], None]
"""Runs one kind of statement, the key of the table of handlers."""
