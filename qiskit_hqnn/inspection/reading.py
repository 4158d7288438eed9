"""Custom circuits as ansätze to inspect, on the qubits that they use."""

from __future__ import annotations

from pathlib import Path

from qiskit import QuantumCircuit

from qiskit_hqnn.circuits import Ansatz, Selection, parts_of_circuit, parts_of_file


def read_ansatz(path: str | Path, selection: Selection | None = None) -> Ansatz:
    """The circuit of a QPY, OpenQASM 2 or OpenQASM 3 file.

    Args:
        path: of the file.
        selection: inputs, weights and observables; by default those of `Ansatz.from_file`.

    Raises:
        CircuitError: if the file cannot be read, or its circuit cannot be an ansatz.
    """
    chosen = selection or Selection()
    # Words for observables count the circuit's own qubits.
    idle = chosen.observables is not None
    return Ansatz(*parts_of_file(path, chosen.inputs, chosen.weights, chosen.observables, idle_qubits=idle))


def ansatz_of(circuit: QuantumCircuit, selection: Selection | None = None) -> Ansatz:
    """As `read_ansatz`, for a circuit in memory."""
    chosen = selection or Selection()
    idle = chosen.observables is not None
    return Ansatz(
        *parts_of_circuit(circuit, chosen.inputs, chosen.weights, chosen.observables, idle_qubits=idle)
    )
