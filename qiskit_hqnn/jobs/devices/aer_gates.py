"""Circuits in the gates that a simulator takes."""

from __future__ import annotations

from functools import cache

from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit_aer import AerSimulator


def in_gates_of(simulator: AerSimulator | None, circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit in the gates that Aer takes, or that a simulator with noise of its own has errors for."""
    if simulator is None:
        return transpile(circuit, basis_gates=_aer_gates(), optimization_level=0)
    return transpile(circuit, simulator, optimization_level=1, seed_transpiler=0)


@cache
def _aer_gates() -> list[str]:
    known = get_standard_gate_name_mapping()
    return [name for name in AerSimulator().target.operation_names if name in known]
