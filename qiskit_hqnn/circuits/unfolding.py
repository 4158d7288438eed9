"""A circuit as a sequence of gates of known kinds: composites are unfolded at any depth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    BoxOp,
    BreakLoopOp,
    ContinueLoopOp,
    Delay,
    ForLoopOp,
    Measure,
    Operation,
    Parameter,
    Reset,
)
from qiskit.circuit.library import (
    GlobalPhaseGate,
    HamiltonianGate,
    PauliEvolutionGate,
    UnitaryGate,
)
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator, SparsePauliOp

from qiskit_hqnn.circuits.modifiers import is_controllable, put_together, taken_apart
from qiskit_hqnn.circuits.standard import has_symbols, is_symbolic
from qiskit_hqnn.errors import CircuitError

Placed = tuple[Operation, tuple[int, ...]]
"""An operation, and the qubits that it acts on."""

_LAST = (GlobalPhaseGate, Barrier, Delay, Reset, Measure)
"""Operations that cannot be unfolded."""
_DEEPEST = 1000
_WIDEST_MATRIX = 10
_MOST_SPARE = 3


def unfolded(circuit: QuantumCircuit, keeps: Callable[[Operation], bool]) -> Iterator[Placed]:
    """The operations of a circuit in order; each one that is not kept is replaced by its definition.

    Without a definition, Qiskit's high-level synthesis or the matrix is used. Global phases become a GlobalPhaseGate on
    no qubits. An operation that nothing defines is yielded unchanged.

    Args:
        circuit: any circuit.
        keeps: whether an operation is kept unchanged.

    Raises:
        CircuitError: if a gate is defined by itself, or an annotated operation can't be synthesised.
    """
    stack = [_placed(circuit, tuple(range(circuit.num_qubits)))]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
            continue
        operation, where = found
        parts = None if keeps(operation) or isinstance(operation, _LAST) else parts_of(operation)
        if parts is None:
            yield found
        elif len(stack) > _DEEPEST:
            raise CircuitError(
                f"A gate must be defined by other gates, but {operation.name!r} is nested more than {_DEEPEST} deep."
            )
        else:
            stack.append(_placed(parts, where))


def _placed(circuit: QuantumCircuit, qubits: tuple[int, ...]) -> Iterator[Placed]:
    if is_symbolic(circuit.global_phase) or circuit.global_phase:
        yield GlobalPhaseGate(circuit.global_phase), ()
    place = dict(zip(circuit.qubits, qubits, strict=False))
    for step in circuit.data:
        yield step.operation, tuple(place[qubit] for qubit in step.qubits)


def parts_of(operation: Operation) -> QuantumCircuit | None:
    """The circuit that defines an operation, one level down; None if nothing defines it."""
    if isinstance(operation, AnnotatedOperation):
        annotated = taken_apart(operation)
        alone = QuantumCircuit(annotated.base.num_qubits)
        alone.append(annotated.base, alone.qubits)
        return put_together(annotated, list(unfolded(alone, is_controllable)))
    if isinstance(operation, BoxOp):
        return operation.blocks[0]
    if isinstance(operation, ForLoopOp):
        return _unrolled(operation)
    if isinstance(operation, HamiltonianGate) and has_symbols(operation):
        return _in_eigenbasis(operation)
    definition = _definition(operation)
    if definition is not None:
        return definition
    synthesised = _synthesised(operation)
    if synthesised is not None or has_symbols(operation) or operation.num_qubits > _WIDEST_MATRIX:
        return synthesised
    return _by_matrix(operation)


def _definition(operation: Operation) -> QuantumCircuit | None:
    try:
        found = getattr(operation, "definition", None)
    except (QiskitError, TypeError, ValueError):  # some of Qiskit's have none while a parameter is open
        return None
    # Some of Qiskit's definitions have fewer qubits than their gate: spare qubits were not needed.
    fits = isinstance(found, QuantumCircuit) and found.num_qubits <= operation.num_qubits
    return found if fits else None


def _unrolled(loop: ForLoopOp) -> QuantumCircuit | None:
    """All iterations of a loop over numbers; None if their number is known only when it runs."""
    indices, parameter, body = loop.params
    stops = any(isinstance(step.operation, BreakLoopOp | ContinueLoopOp) for step in body.data)
    if (
        stops
        or not isinstance(indices, Iterable)
        or not (parameter is None or isinstance(parameter, Parameter))
    ):
        return None
    whole = body.copy_empty_like()
    whole.global_phase = 0
    for index in indices:
        turn = body if parameter is None else body.assign_parameters({parameter: index}, strict=False)
        whole.compose(turn, inplace=True)
    return whole


def _in_eigenbasis(gate: HamiltonianGate) -> QuantumCircuit:
    """exp(−iHt) with an open time t, as V exp(−iDt) V† with D diagonal."""
    matrix, time = gate.params
    energies, vectors = np.linalg.eigh(np.asarray(matrix, dtype=complex))
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(UnitaryGate(vectors.conj().T), circuit.qubits)
    diagonal = SparsePauliOp.from_operator(Operator(np.diag(energies)), atol=0, rtol=0)
    circuit.append(PauliEvolutionGate(diagonal, time), circuit.qubits)
    circuit.append(UnitaryGate(vectors), circuit.qubits)
    return circuit


def _synthesised(operation: Operation) -> QuantumCircuit | None:
    """The circuit that Qiskit's transpiler synthesises for it."""
    from qiskit.transpiler.passes import (
        HighLevelSynthesis,
    )  # loads the transpiler: most circuits never need it

    # Some gates are synthesised with spare qubits, which are in |0⟩ before and after.
    for spare in range(_MOST_SPARE + 1):
        alone = QuantumCircuit(operation.num_qubits + spare)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # if there are too few spare qubits
            try:
                alone.append(operation, range(operation.num_qubits))
                made = HighLevelSynthesis(basis_gates=["u", "cx"])(alone)
            except (QiskitError, AttributeError, TypeError, ValueError):
                continue
        if any(step.operation.name == operation.name for step in made.data):
            return None
        if not spare:
            return made
        return None if made.parameters else _without_spare(made, operation.num_qubits)
    return None


def _without_spare(circuit: QuantumCircuit, num_qubits: int) -> QuantumCircuit | None:
    if circuit.num_qubits > _WIDEST_MATRIX:
        return None
    side = 2**num_qubits
    return _of_matrix(Operator(circuit).data[:side, :side])


def _by_matrix(operation: Operation) -> QuantumCircuit | None:
    try:
        return _of_matrix(operation.to_matrix())
    except (QiskitError, AttributeError, TypeError, ValueError):
        return None


def _of_matrix(matrix: np.ndarray) -> QuantumCircuit:
    gate = UnitaryGate(matrix)
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, circuit.qubits)
    return circuit
