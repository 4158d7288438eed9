"""Circuits from files: QPY and OpenQASM 3, as ansätze whose parameters stay open."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.circuit import QuantumRegister
from qiskit.exceptions import QiskitError

from qiskit_hqnn.circuits import Ansatz, pauli_on_each
from qiskit_hqnn.errors import CircuitError

SUFFIXES = (".qpy", ".qasm", ".qasm3")


def read_ansatz(path: Path) -> Ansatz:
    """The circuit of a QPY or OpenQASM 3 file, with ⟨Z⟩ of every qubit as its outputs.

    Final measurements are left out; all parameters count as weights.

    Raises:
        CircuitError: if the file is missing or of another kind, cannot be read, holds several circuits, or one that
            measures or branches in the middle.
    """
    if path.suffix not in SUFFIXES:
        raise CircuitError(f"A circuit file must end in {', '.join(SUFFIXES)}, but is {path.name!r}.")
    if not path.is_file():
        raise CircuitError(f"There is no circuit file {path}.")
    return ansatz_of(_read(path), path.stem, str(path), f"from {path.name}")


def ansatz_of(circuit: QuantumCircuit, name: str, given: str, reference: str = "") -> Ansatz:
    """A circuit of one's own, with ⟨Z⟩ of every qubit that it uses as its outputs; all parameters count as weights.

    Args:
        circuit: may be measured at its end.
        name: of the ansatz.
        given: what an error calls it.
        reference: where it is from.

    Raises:
        CircuitError: if it has no gates, or measures or branches in the middle.
    """
    plain = _without_measurements(circuit, name, given)
    observables = pauli_on_each("Z", plain.num_qubits)
    return Ansatz(plain, (), tuple(plain.parameters), observables, reference=reference, name=name)


def _read(path: Path) -> QuantumCircuit:
    try:
        if path.suffix == ".qpy":
            with path.open("rb") as file:
                circuits = qpy.load(file)
        else:
            with redirect_stderr(io.StringIO()):  # the parser prints there what its error says
                circuits = [qasm3.loads(path.read_text(encoding="utf-8"))]
    except Exception as error:  # each parser has errors of its own, and a damaged file may raise any other
        kind = "QPY" if path.suffix == ".qpy" else "OpenQASM 3"
        reason = "it is damaged, or in another format"
        if isinstance(error, QiskitError | OSError) and str(error).strip():
            reason = str(error).strip().strip("\"'").splitlines()[0].rstrip(".")
        raise CircuitError(f"{path} cannot be read as {kind}: {reason}.") from error
    if len(circuits) != 1 or not isinstance(circuits[0], QuantumCircuit):
        raise CircuitError(f"{path} must hold one circuit, but holds {len(circuits)}.")
    return circuits[0]


def _without_measurements(circuit: QuantumCircuit, name: str, given: str) -> QuantumCircuit:
    stripped = circuit.remove_final_measurements(inplace=False)
    assert stripped is not None
    for step in stripped.data:
        if (
            step.clbits
            or hasattr(step.operation, "blocks")
            or step.operation.name in {"measure", "reset", "initialize"}
        ):
            raise CircuitError(
                f"{given} must hold a circuit that measures at its end only, but it has {step.operation.name!r} in the "
                "middle."
            )
    # An ISA circuit of a whole device is inspected on the qubits that it uses.
    used = [qubit for qubit in stripped.qubits if any(qubit in step.qubits for step in stripped.data)]
    if not used:
        raise CircuitError(f"{given} holds a circuit without gates.")
    plain = QuantumCircuit(QuantumRegister(len(used), "q"), name=name, global_phase=stripped.global_phase)
    index = {qubit: position for position, qubit in enumerate(used)}
    for step in stripped.data:
        if step.operation.name != "barrier":
            plain.append(step.operation, [index[qubit] for qubit in step.qubits])
    return plain
