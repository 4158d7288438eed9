"""Circuits to programs, kept by structure: a second circuit of the same shape costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

import numpy as np
from qiskit.circuit import Parameter, ParameterExpression, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.simulation.program import Program

_KEPT = 128
_KEPT_BYTES = 256 << 20
"""Programs are kept up to this number and, with the constants they have made, up to about this size; the ones that were
not asked for longest go first, and a program in use lives on with who uses it."""
_programs: OrderedDict[Hashable, Program] = OrderedDict()


def compile_ansatz(ansatz: Ansatz, compile: bool = False) -> Program:
    """The program of an ansatz: `compile_circuit` with its parts."""
    parts = (ansatz.circuit, ansatz.observables, ansatz.input_params, ansatz.weight_params)
    return compile_circuit(*parts, compile=compile)


def compile_circuit(
    circuit: QuantumCircuit,
    observables: Sequence[SparsePauliOp],
    input_params: Sequence[Parameter],
    weight_params: Sequence[Parameter],
    compile: bool = False,
) -> Program:
    """Plan a circuit, or find the plan of one of the same structure.

    Args:
        circuit: unitary and unmeasured, of Qiskit's standard gates or gates defined by them. Gate angles may be any
            differentiable expression of the parameters.
        observables: one Hermitian operator for each output.
        input_params: the parameters that inputs stand for, in order.
        weight_params: the parameters that weights stand for, in order.
        compile: run forward and backward pass of expectation values under torch.compile, which takes up to half a
            minute for each of the first batch sizes and is kept on disk.

    Raises:
        CircuitError: if the circuit measures, resets or branches, or has a parameter that is neither.
    """
    key = _structure(circuit, observables, input_params, weight_params)
    if key is None:
        return Program(circuit, observables, input_params, weight_params, compile)
    key = (compile, key)
    if key not in _programs:
        _programs[key] = Program(circuit, observables, input_params, weight_params, compile)
        total = sum(program.num_bytes for program in _programs.values())
        while len(_programs) > 1 and (len(_programs) > _KEPT or total > _KEPT_BYTES):
            total -= _programs.popitem(last=False)[1].num_bytes
    _programs.move_to_end(key)
    return _programs[key]


def _structure(
    circuit: QuantumCircuit,
    observables: Sequence[SparsePauliOp],
    input_params: Sequence[Parameter],
    weight_params: Sequence[Parameter],
) -> Hashable | None:
    """Everything that the plan depends on, parameters by position; None where a gate's meaning is not in its name."""
    position = {parameter: index for index, parameter in enumerate([*input_params, *weight_params])}
    steps = []
    for step in circuit.data:
        operation = step.operation
        # Qiskit's own gates mean what their name, parameters and control state say; anything else may not.
        if not str(operation.base_class.__module__).startswith("qiskit.circuit.library.standard_gates"):
            return None
        values = tuple(_value(value, position) for value in operation.params)
        if None in values:
            return None
        qubits = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
        steps.append((operation.name, values, qubits, getattr(operation, "ctrl_state", None)))
    measured = tuple(
        (tuple(observable.paulis.to_labels()), observable.coeffs.tobytes()) for observable in observables
    )
    return circuit.num_qubits, tuple(steps), measured, len(input_params), len(weight_params)


def _value(value: object, position: dict[Parameter, int]) -> Hashable | None:
    if isinstance(value, Parameter):
        return ("parameter", position.get(value, value))
    if isinstance(value, ParameterExpression):
        ordered = sorted(value.parameters, key=lambda parameter: parameter.name)
        return ("expression", str(value), *(position.get(parameter, parameter) for parameter in ordered))
    if isinstance(value, int | float | np.floating | np.integer):
        return float(value)
    return None
