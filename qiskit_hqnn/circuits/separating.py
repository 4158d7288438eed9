"""An ansatz without its entangling gates, for control experiments."""

from __future__ import annotations

from qiskit.circuit import Barrier
from qiskit.circuit.library import SwapGate

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.circuits.standard import kind_of
from qiskit_hqnn.circuits.unfolding import unfolded
from qiskit_hqnn.errors import CircuitError


def without_entanglement(ansatz: Ansatz) -> Ansatz:
    """The ansatz without the gates that act on several qubits, except swaps, which entangle nothing.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel, without_entanglement
        >>> sorted(without_entanglement(hqnn_parallel(3, 1)).circuit.count_ops())
        ['rx', 'ry', 'rz']

    Raises:
        CircuitError: if an input or a weight occurs in such gates only.
    """
    circuit = ansatz.circuit
    kept = circuit.copy_empty_like()
    kept.global_phase = 0
    for operation, qubits in unfolded(circuit, lambda operation: kind_of(operation) is not None):
        if len(qubits) < 2 or isinstance(operation, Barrier | SwapGate):
            kept.append(operation, qubits)
    lost = [
        parameter.name
        for parameter in (*ansatz.input_params, *ansatz.weight_params)
        if parameter not in set(kept.parameters)
    ]
    if lost:
        raise CircuitError(
            f"Circuit {ansatz.name!r} has no form without entanglement: parameter {lost[0]!r} occurs only in gates on "
            "several qubits."
        )
    return Ansatz(
        kept, ansatz.input_params, ansatz.weight_params, ansatz.observables, ansatz.reference, ansatz.name
    )
