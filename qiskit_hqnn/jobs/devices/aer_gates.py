"""Circuits in the gates that a simulator takes, and which angles Aer may be given when it runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache, partial

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import CircuitInstruction, Gate, Parameter, ParameterExpression
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.jobs.devices.delays import without_delays
from qiskit_hqnn.jobs.devices.device import Device
from qiskit_hqnn.jobs.devices.true_names import compiled

BINDABLE = frozenset(
    {"p", "r", "rx", "rxx", "ry", "ryy", "rz", "rzx", "rzz", "u", "u1", "u2", "u3"},
)
"""Gates whose angles Aer reads for each set of values; of all others it takes 0, without a word (qiskit-aer#2403)."""

BINDING_METHODS = frozenset({"automatic", "statevector", "density_matrix", "matrix_product_state"})
"""Methods under which it does: tests/jobs/test_binding.py compares every gate under every one of them."""


def in_gates_of(device: Device, circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit in the gates of a place that has no qubits of its own: Aer, a simulator, a sampler.

    Raises:
        CircuitError: if it cannot be written in them.
    """
    backend = device.simulator or device.backend
    if device.name == "aer":
        circuit = without_delays(circuit)
    try:
        if backend is None:
            in_gates = partial(transpile, basis_gates=_aer_gates(), optimization_level=0)
            return _bindable(compiled(circuit, (), in_gates))
        target = backend.target  # read once: Aer builds it again for each access
        in_gates = partial(transpile, target=target, optimization_level=1, seed_transpiler=0)
        return compiled(circuit, target.operation_names, in_gates)
    except QiskitError as error:
        raise CircuitError(
            f"Circuit {circuit.name!r} cannot be written in the gates of {device.name}: {error.message}"
        ) from None


def for_aer(
    circuit: QuantumCircuit, names: Sequence[str], values: np.ndarray, simulator: AerSimulator
) -> tuple[list[QuantumCircuit], list[dict[Parameter, list[float]]] | None]:
    """What Aer is given: one circuit and values where it can be trusted to bind them, else one circuit for each set.

    Args:
        circuit: in gates of a device or a simulator.
        names: of the columns of `values`; those that the circuit has not got are passed over.
        values: array of shape (sets, parameters), radians.
        simulator: that runs it.
    """
    if isinstance(circuit.global_phase, ParameterExpression):
        circuit = circuit.copy()
        circuit.global_phase = 0  # which Aer cannot bind beside noise, and no outcome depends on
    known = frozenset(simulator.configuration().basis_gates) | {"measure", "barrier"}
    parameters = {parameter.name: parameter for parameter in circuit.parameters}
    columns = {name: values[:, index].tolist() for index, name in enumerate(names) if name in parameters}
    binds = {parameters[name]: column for name, column in columns.items()}
    if not binds:
        return [_in_known_words(circuit, known)] * len(values), None
    if _binds_when_it_runs(circuit, simulator, known):
        return [_in_known_words(circuit, known)], [binds]
    each = (dict(zip(binds, row, strict=True)) for row in zip(*binds.values(), strict=True))
    return [_in_known_words(circuit.assign_parameters(row), known) for row in each], None


def _binds_when_it_runs(circuit: QuantumCircuit, simulator: AerSimulator, known: Collection[str]) -> bool:
    method, device = (getattr(simulator.options, name, None) for name in ("method", "device"))
    if method not in BINDING_METHODS or device not in (None, "CPU"):
        return False
    return all(step.name in BINDABLE and step.name in known for step in circuit.data if _parametrised(step))


def _in_known_words(circuit: QuantumCircuit, known: Collection[str]) -> QuantumCircuit:
    """The circuit with matrices for gates that a simulator has no name for; labels keep their errors in its noise."""
    if all(step.name in known for step in circuit.data):
        return circuit
    result = circuit.copy_empty_like()
    for step in circuit.data:
        if step.name not in known and isinstance(step.operation, Gate):
            step = step.replace(operation=UnitaryGate(Operator(step.operation), label=step.name))
        result.append(step)
    return result


def _bindable(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with definitions for parametrised gates that Aer cannot bind."""
    while not all(step.name in BINDABLE | {"delay"} for step in circuit.data if _parametrised(step)):
        result = circuit.copy_empty_like()
        for step in circuit.data:
            if not _parametrised(step) or step.name in BINDABLE | {"delay"}:
                result.append(step)
                continue
            result.compose(step.operation.definition, step.qubits, step.clbits, inplace=True)
        circuit = result
    return circuit


def _parametrised(step: CircuitInstruction) -> bool:
    return any(isinstance(value, ParameterExpression) and value.parameters for value in step.params)


@cache
def _aer_gates() -> list[str]:
    known = get_standard_gate_name_mapping()
    return [name for name in AerSimulator().target.operation_names if name in known]
