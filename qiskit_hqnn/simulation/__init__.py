"""Circuits compiled to batched, differentiable torch operations: exact expectation values at a dense layer's cost."""

from qiskit_hqnn.simulation.compilation import compile_ansatz, compile_circuit
from qiskit_hqnn.simulation.planning.plan import Plan
from qiskit_hqnn.simulation.program import Program

__all__ = ["Plan", "Program", "compile_ansatz", "compile_circuit"]
