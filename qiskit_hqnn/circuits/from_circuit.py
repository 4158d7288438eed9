"""The parts of an ansatz of a custom circuit, from Python or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits.files import read_circuit
from qiskit_hqnn.circuits.measured import without_measurements
from qiskit_hqnn.circuits.observables import Observables, observables_of
from qiskit_hqnn.circuits.selecting import Parameters, select_parameters
from qiskit_hqnn.errors import CircuitError


class Parts(NamedTuple):
    """The arguments of `Ansatz`, in its order."""

    circuit: QuantumCircuit
    input_params: tuple[Parameter, ...]
    weight_params: tuple[Parameter, ...]
    observables: tuple[SparsePauliOp, ...]
    reference: str
    name: str


def parts_of_circuit(
    circuit: QuantumCircuit,
    inputs: Parameters | None = None,
    weights: Parameters | None = None,
    observables: Observables | None = None,
    *,
    name: str | None = None,
    reference: str = "",
    given: str = "",
    idle_qubits: bool = True,
) -> Parts:
    """The parts of a circuit; `Ansatz.from_circuit` says what its arguments mean.

    Args:
        circuit, inputs, weights, observables, name, reference: as there.
        given: the circuit's name in errors.
        idle_qubits: whether qubits without an instruction are kept.

    Raises:
        CircuitError: if it cannot be one.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise CircuitError(f"Argument `circuit` must be a QuantumCircuit, but is a {type(circuit).__name__}.")
    given = given or f"circuit {circuit.name!r}"
    unmeasured = without_measurements(circuit, given)
    if not idle_qubits:
        unmeasured = unmeasured.without_idle_qubits()
    plain = unmeasured.circuit
    chosen = select_parameters(plain, inputs, weights, given)
    operators = observables_of(observables, plain.num_qubits, unmeasured.measured)
    return Parts(plain, *chosen, operators, reference, name or circuit.name)


def parts_of_file(
    path: str | Path,
    inputs: Parameters | None = None,
    weights: Parameters | None = None,
    observables: Observables | None = None,
    *,
    name: str | None = None,
    idle_qubits: bool = True,
) -> Parts:
    """The parts of a circuit file; arguments as those of `parts_of_circuit`.

    Raises:
        CircuitError: if it cannot be one, or the file cannot be read.
    """
    path = Path(path)
    circuit = read_circuit(path)
    if not circuit.parameters and (inputs or weights):
        raise CircuitError(
            f"{path} has no parameters, so it has neither inputs nor weights: OpenQASM 3 declares parameters as "
            "`input float x;`, and OpenQASM 2 has none."
        )
    return parts_of_circuit(
        circuit,
        inputs,
        weights,
        observables,
        name=name,
        reference=f"from {path.name}",
        given=str(path),
        idle_qubits=idle_qubits,
    )
