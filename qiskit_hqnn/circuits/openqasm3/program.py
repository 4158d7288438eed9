"""An OpenQASM 3 program as a circuit."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, suppress

from openqasm3 import ast, parser
from qiskit import QuantumCircuit

from qiskit_hqnn.circuits.openqasm3 import control_flow, declarations, quantum
from qiskit_hqnn.circuits.openqasm3.inputs import vector_elements
from qiskit_hqnn.circuits.openqasm3.reader import Definitions, Handler, Reader
from qiskit_hqnn.circuits.openqasm3.values import Scope
from qiskit_hqnn.errors import CircuitError

_HANDLERS: dict[type, Handler] = {
    ast.Include: declarations.include,
    ast.QubitDeclaration: declarations.qubits,
    ast.IODeclaration: declarations.input_or_output,
    ast.ClassicalDeclaration: declarations.variable,
    ast.ConstantDeclaration: declarations.variable,
    ast.AliasStatement: declarations.alias,
    ast.ClassicalAssignment: declarations.assignment,
    ast.QuantumGateDefinition: declarations.gate,
    ast.SubroutineDefinition: declarations.subroutine,
    ast.QuantumGate: quantum.call,
    ast.QuantumPhase: quantum.phase,
    ast.QuantumMeasurementStatement: quantum.measurement,
    ast.QuantumReset: quantum.reset,
    ast.QuantumBarrier: quantum.barrier,
    ast.DelayInstruction: quantum.delay,
    ast.Box: control_flow.box,
    ast.CompoundStatement: lambda reader, node: reader.in_block(node.statements),
    ast.ForInLoop: control_flow.for_in,
    ast.WhileLoop: control_flow.while_true,
    ast.BranchingStatement: control_flow.branch,
    ast.SwitchStatement: control_flow.switch,
    ast.ExpressionStatement: control_flow.subroutine_call,
    ast.ReturnStatement: control_flow.return_,
    ast.EndStatement: control_flow.end,
    ast.BreakStatement: control_flow.break_,
    ast.ContinueStatement: control_flow.continue_,
}


def read_openqasm3(text: str, given: str) -> QuantumCircuit:
    """The circuit of a program.

    Args:
        text: the program.
        given: its name in errors.

    Raises:
        CircuitError: if it is not OpenQASM 3, or needs a value that is not known before the circuit runs;
            with the line.
    """
    program = _parsed(text, given)
    circuit = QuantumCircuit()
    definitions = Definitions(given, _HANDLERS, vector_elements(program.statements))
    with suppress(control_flow.End):
        Reader(circuit, Scope(), definitions).carry_out(program.statements)
    unused = sorted(definitions.inputs - {parameter.name for parameter in circuit.parameters})
    if unused:
        more = f" (nor {len(unused) - 1} more)" if len(unused) > 1 else ""
        raise CircuitError(f"{given} declares the input {unused[0]!r}, but no gate uses it{more}.")
    return circuit


def _parsed(text: str, given: str) -> ast.Program:
    try:
        with redirect_stderr(io.StringIO()):  # the parser also prints the error there
            return parser.parse(text)
    except parser.QASM3ParsingError as error:
        cause = error.__cause__
        token = getattr(cause.args[0] if cause and cause.args else cause, "offendingToken", None)
        if token is None:
            where, what = "", str(error).rstrip(".") or "it does not follow the language's grammar"
        else:
            where, what = f", line {token.line}", f"{token.text!r} is not expected there"
        raise CircuitError(f"{given}{where} cannot be read as OpenQASM 3: {what}.") from error
    except RecursionError as error:
        raise CircuitError(f"{given} cannot be read as OpenQASM 3: it is nested too deeply.") from error
