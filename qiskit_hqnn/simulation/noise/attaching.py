"""A circuit and a noise model as channels and rotations, with the errors where Aer applies them.

Aer's rules, in short: an error belongs to an instruction's label or, without a label, to its name. One that was added
for exactly these qubits, in this order, takes precedence over one for all qubits. It acts after its instruction; only
that of a measurement acts before it. The custom passes of a model (relaxation in delays) are run on circuits that have
delays. Readout errors alter measured bits only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
from qiskit.circuit import (
    ControlFlowOp,
    ControlledGate,
    Instruction,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
)
from qiskit.circuit.library import XGate
from qiskit.quantum_info import Statevector, SuperOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, QuantumError

from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.simulation.noise import channels
from qiskit_hqnn.simulation.planning import (
    CNOT,
    HADAMARD,
    TO_Z_FROM_Y,
    Angle,
    Fixed,
    Primitive,
    Rotation,
    lower,
)

_SMALL = 2
"""Gates on up to this many qubits become one channel; larger ones are decomposed."""


@dataclass(frozen=True, eq=False)
class Channel:
    """A constant channel; `matrix` is in the Pauli basis of `qubits`."""

    qubits: tuple[int, ...]
    matrix: np.ndarray


@dataclass(frozen=True)
class Turn:
    """exp(−i angle Z/2) on one qubit, without an error; `angle.index` counts a circuit's expressions."""

    qubit: int
    angle: Angle

    @property
    def qubits(self) -> tuple[int, ...]:
        return (self.qubit,)


Operation = Channel | Turn


@dataclass(frozen=True, eq=False)
class NoisyCircuit:
    """What happens to the state, in order, and how it is read.

    Attributes:
        num_qubits: n.
        operations: in order.
        expressions: the angles of the turns.
        readouts: for each classical bit, its qubit and its readout error, of shape (2, 2): row t is P(read | true = t).
    """

    num_qubits: int
    operations: tuple[Operation, ...]
    expressions: tuple[ParameterExpression, ...]
    readouts: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)


def attach(circuit: QuantumCircuit, noise: NoiseModel | None) -> NoisyCircuit:
    """The channels and rotations of a circuit under a noise model; None is no noise.

    Args:
        circuit: of instructions that Aer accepts, or that are defined by such; measured at the end or not at all.
        noise: its qubits are those of the circuit.

    Raises:
        CircuitError: if an instruction has no channel, or follows a measurement of one of its qubits.
    """
    walk = _Walk(noise)
    operations = tuple(walk.through(_with_passes(circuit, noise), range(circuit.num_qubits)))
    return NoisyCircuit(circuit.num_qubits, operations, tuple(walk.expressions), walk.readouts)


def _with_passes(circuit: QuantumCircuit, noise: NoiseModel | None) -> QuantumCircuit:
    if noise is None or not any(step.operation.name == "delay" for step in circuit.data):
        return circuit
    passes = noise._pass_manager()
    return circuit if passes is None else passes.run(circuit)


@dataclass(frozen=True)
class _Error:
    """An error of a noise model, known by the number that Aer draws for it when it is made."""

    id: str
    error: QuantumError = field(compare=False)


@lru_cache(maxsize=1024)
def _channel_of(known: _Error) -> np.ndarray:
    """An error's channel in the Pauli basis; circuits of one noise model share it, for it takes Qiskit long."""
    return channels.of_superoperator(SuperOp(known.error).data)


class _Walk:
    def __init__(self, noise: NoiseModel | None) -> None:
        self._noise = noise
        self.expressions: list[ParameterExpression] = []
        self.readouts: dict[int, tuple[int, np.ndarray]] = {}
        self._measured: set[int] = set()

    def through(self, circuit: QuantumCircuit, places: Sequence[int]) -> Iterator[Operation]:
        for step in circuit.data:
            operation = step.operation
            qubits = tuple(places[circuit.find_bit(qubit).index] for qubit in step.qubits)
            if operation.name == "measure":
                yield from self._measure(qubits, circuit.find_bit(step.clbits[0]).index)
                continue
            if operation.name == "barrier" or (operation.name == "delay" and self._measured & set(qubits)):
                continue
            if self._measured & set(qubits):
                raise CircuitError(
                    f"A circuit under noise must be measured at its end, but {operation.name!r} follows a "
                    f"measurement of qubit {min(self._measured & set(qubits))}; use 'aer' or 'fake_<device>' for it."
                )
            if step.clbits or isinstance(operation, ControlFlowOp):
                raise CircuitError(
                    f"A circuit under noise must be without control flow, but has {operation.name!r}; use 'aer' or "
                    "'fake_<device>' for it."
                )
            yield from self._instruction(operation, qubits)

    def _instruction(self, operation: Instruction, qubits: tuple[int, ...]) -> Iterator[Operation]:
        name = operation.name
        if name in _CHANNELS:
            error = getattr(operation, "_quantum_error", operation)
            yield Channel(qubits, channels.of_superoperator(SuperOp(error).data))
        elif name == "reset":
            yield Channel(qubits, channels.of_preparation(np.array([1.0, 0.0])))
            yield from self._errors("reset", qubits)
        elif name == "initialize":
            prepared = QuantumCircuit(len(qubits))
            prepared.append(operation.definition.data[-1].operation, range(len(qubits)))
            yield Channel(qubits, channels.of_preparation(Statevector(prepared).data))
            yield from self._errors(name, qubits)
        elif name in _BY_NAME or _is_aers(name):
            yield from self._gates(operation, qubits)
            yield from self._errors(_label(operation), qubits)
        elif _opened(operation):
            yield from self._open_controls(operation, qubits)
        elif operation.definition is not None:
            yield from self.through(operation.definition, qubits)
        else:
            raise CircuitError(
                f"A circuit under noise must consist of gates, channels and resets, but has {name!r}."
            )

    def _open_controls(self, gate: ControlledGate, qubits: tuple[int, ...]) -> Iterator[Operation]:
        """Controls on |0⟩ as Aer runs them: between X gates, which have errors as well."""
        closed = gate.to_mutable()
        closed.ctrl_state = None
        negated = [
            qubit
            for bit, qubit in enumerate(qubits[: gate.num_ctrl_qubits])
            if not gate.ctrl_state >> bit & 1
        ]
        flip = XGate(label=gate.label)
        for qubit in negated:
            yield from self._instruction(flip, (qubit,))
        yield from self._instruction(closed, qubits)
        for qubit in negated:
            yield from self._instruction(flip, (qubit,))

    def _measure(self, qubits: tuple[int, ...], bit: int) -> Iterator[Operation]:
        if qubits[0] in self._measured or bit in self.readouts:
            raise CircuitError(
                f"A circuit under noise must measure each qubit once into its own bit, but qubit {qubits[0]} or bit "
                f"{bit} occurs twice."
            )
        yield from self._errors("measure", qubits)
        self._measured.add(qubits[0])
        self.readouts[bit] = (qubits[0], self._confusion(qubits))

    def _confusion(self, qubits: tuple[int, ...]) -> np.ndarray:
        error = None
        if self._noise is not None:
            error = self._noise._local_readout_errors.get(qubits, self._noise._default_readout_error)
        return np.eye(2) if error is None else np.asarray(error.probabilities, dtype=float)

    def _errors(self, label: str, qubits: tuple[int, ...]) -> Iterator[Channel]:
        if self._noise is None:
            return
        error = self._noise._local_quantum_errors.get(label, {}).get(qubits)
        if error is None:
            error = self._noise._default_quantum_errors.get(label)
        if error is None:
            return
        if error.num_qubits > len(qubits):
            raise CircuitError(
                f"The noise model's error of {label!r} acts on {error.num_qubits} qubits, but the instruction has "
                f"{len(qubits)}."
            )
        yield Channel(qubits[: error.num_qubits], _channel_of(_Error(error.id, error)))

    def _gates(self, gate: Instruction, qubits: tuple[int, ...]) -> Iterator[Operation]:
        """The gate without its error."""
        if gate.name in _NOTHING:
            return
        gate, angles = self._with_own_angles(gate)
        if not angles and len(qubits) <= _SMALL:
            yield Channel(qubits, channels.of_unitary(_matrix(gate)))
            return
        alone = QuantumCircuit(len(qubits))
        alone.append(gate, range(len(qubits)))
        before = len(self.expressions) - len(angles)
        for primitive in lower(alone, tuple(angles)):
            yield from _operations(primitive, qubits, before)

    def _with_own_angles(self, gate: Instruction) -> tuple[Instruction, list[Parameter]]:
        """The gate with a parameter for each expression; the expressions are recorded."""
        values, angles = list(gate.params), []
        for index, value in enumerate(values):
            if isinstance(value, ParameterExpression) and value.parameters:
                values[index] = Parameter(f"angle{index}")
                angles.append(values[index])
                self.expressions.append(value)
        if angles:
            gate = gate.to_mutable()
            gate.params = values
        return gate, angles


_CHANNELS = frozenset({"quantum_channel", "kraus", "superop"})
_BY_NAME = frozenset({"diagonal", "multiplexer", "unitary", "pauli", "delay", "id", "global_phase"})
_NOTHING = frozenset({"delay", "id", "global_phase"})


@cache
def _aers_gates() -> frozenset[str]:
    return frozenset(AerSimulator().target.operation_names) - {"initialize", "reset", "measure"}


def _is_aers(name: str) -> bool:
    return name in _aers_gates() and not name.startswith(("save_", "set_"))


def _opened(operation: Instruction) -> bool:
    name, opened, _ = operation.name.partition("_o")
    return bool(opened) and isinstance(operation, ControlledGate) and _is_aers(name)


def _label(operation: Instruction) -> str:
    """The name by which Aer looks up an error."""
    if operation.name == "pauli":
        return str(operation.params[0])
    if operation.name in {"diagonal", "multiplexer"}:
        return str(operation.name)
    return str(getattr(operation, "label", None) or operation.name)


def _matrix(gate: Instruction) -> np.ndarray:
    try:
        return np.asarray(gate.to_matrix(), dtype=complex)
    except Exception:  # Qiskit raises several errors for a gate without a matrix, one of them its own
        raise CircuitError(
            f"Gates of a circuit under noise must have a matrix, but {gate.name!r} has none."
        ) from None


@cache
def _fixed(name: str) -> np.ndarray:
    """Channels between which rotations are turns about Z, and CNOT."""
    matrices = {
        "x": HADAMARD,
        "y": TO_Z_FROM_Y,
        "cx": np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]]),
    }
    return channels.of_unitary(matrices[name])


def _operations(primitive: Primitive, qubits: tuple[int, ...], before: int) -> Iterator[Operation]:
    """A primitive on the qubits of its indices, with its expressions counted from `before`."""
    places = tuple(qubits[qubit] for qubit in primitive.qubits)
    if isinstance(primitive, Fixed):
        yield Channel(places, channels.of_unitary(primitive.matrix))
    elif isinstance(primitive, CNOT):
        yield Channel(places, _fixed("cx"))
    elif isinstance(primitive, Rotation) and primitive.axis != "z":
        change = _fixed(primitive.axis)
        yield Channel(places, change)
        yield from _turned(places[0], primitive.angle, before)
        yield Channel(places, change.T)
    else:
        *others, last = places
        for other in others:
            yield Channel((other, last), _fixed("cx"))
        yield from _turned(last, primitive.angle, before)
        for other in reversed(others):
            yield Channel((other, last), _fixed("cx"))


def _turned(qubit: int, angle: Angle, before: int) -> Iterator[Operation]:
    if angle.index is not None:
        yield Turn(qubit, Angle(angle.index + before, angle.scale, angle.offset))
    else:
        cosine, sine = np.cos(angle.offset), np.sin(angle.offset)
        yield Channel((qubit,), channels.TURN[0] + cosine * channels.TURN[1] + sine * channels.TURN[2])
