"""Circuits that are measured at their end, without these measurements, as an ansatz needs them."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.circuit import BoxOp, CircuitInstruction, Clbit, ControlFlowOp, ForLoopOp, QuantumRegister, Qubit
from qiskit.circuit.library import Initialize
from qiskit.transpiler import PassManager
from qiskit.transpiler.passes import UnrollForLoops

from qiskit_hqnn.errors import CircuitError

_HARMLESS = frozenset({"barrier", "delay"})


@dataclass(frozen=True, eq=False)
class Unmeasured:
    """A circuit without classical bits.

    Attributes:
        circuit: on the qubits of the given circuit.
        measured: qubits that were measured, in the order of their classical bits; empty if none was.
    """

    circuit: QuantumCircuit
    measured: tuple[int, ...]

    def without_idle_qubits(self) -> Unmeasured:
        """The same without idle qubits: a device's circuit, for instance, has all of the device's qubits."""
        circuit = self.circuit
        used = {circuit.find_bit(qubit).index for step in circuit.data for qubit in step.qubits}
        kept = sorted(used.union(self.measured))
        if len(kept) == circuit.num_qubits:
            return self
        place = {qubit: index for index, qubit in enumerate(kept)}
        small = QuantumCircuit(
            QuantumRegister(len(kept), "q"), name=circuit.name, global_phase=circuit.global_phase
        )
        for step in circuit.data:
            small.append(step.operation, [place[circuit.find_bit(qubit).index] for qubit in step.qubits])
        return Unmeasured(small, tuple(place[qubit] for qubit in self.measured))


def without_measurements(circuit: QuantumCircuit, given: str) -> Unmeasured:
    """Leave out the measurements at the end.

    A measurement is at the end if nothing but barriers, delays and further measurements follows on its qubit. A reset
    at the start, where its qubit is in |0⟩ already, is left out too. Loops over known values are unrolled, and boxes
    opened.

    Args:
        circuit: not altered.
        given: its name in errors.

    Raises:
        CircuitError: if it has no gates, or measures, resets or branches in the middle.
    """
    steps = _flat(circuit, given)
    kept, measured = _without_the_last(steps, given)
    kept = _without_the_first_resets(kept, given)
    if not any(step.operation.name not in _HARMLESS for step in kept):
        raise CircuitError(f"{given} contains a circuit without gates.")
    plain = QuantumCircuit(name=circuit.name, global_phase=circuit.global_phase)
    plain.add_bits(circuit.qubits)
    for register in circuit.qregs:
        plain.add_register(register)
    for step in kept:
        plain.append(step.operation, step.qubits)
    order = sorted(measured, key=lambda bit: circuit.find_bit(bit).index)
    qubits = dict.fromkeys(plain.find_bit(measured[bit]).index for bit in order)
    return Unmeasured(plain, tuple(qubits))


def _flat(circuit: QuantumCircuit, given: str) -> list[CircuitInstruction]:
    """The instructions, with loops, boxes and `initialize` replaced by their gates."""
    while any(isinstance(step.operation, ForLoopOp | BoxOp) for step in circuit.data):
        unrolled = PassManager([UnrollForLoops()]).run(circuit)
        flat = unrolled.copy_empty_like()
        for step in unrolled.data:
            if isinstance(step.operation, BoxOp):
                flat.compose(step.operation.blocks[0], step.qubits, step.clbits, inplace=True)
            elif isinstance(step.operation, ForLoopOp):
                raise CircuitError(
                    f"{given} has a loop that cannot be unrolled: how often it runs is not known."
                )
            else:
                flat.append(step)
        circuit = flat
    steps = []
    for step in circuit.data:
        if isinstance(step.operation, ControlFlowOp) or (step.clbits and step.operation.name != "measure"):
            raise CircuitError(
                f"{given} must contain a circuit that measures at its end only, but it has {step.operation.name!r}, "
                "which depends on classical bits."
            )
        if isinstance(step.operation, Initialize):
            inner = step.operation.definition
            place = dict(zip(inner.qubits, step.qubits, strict=True))
            steps += [part.replace(qubits=[place[qubit] for qubit in part.qubits]) for part in inner.data]
        else:
            steps.append(step)
    return steps


def _without_the_last(
    steps: list[CircuitInstruction], given: str
) -> tuple[list[CircuitInstruction], dict[Clbit, Qubit]]:
    """Without final measurements and the waits after them; and the qubit that each classical bit was last read from."""
    busy: set[Qubit] = set()
    kept: list[CircuitInstruction] = []
    measured: dict[Clbit, Qubit] = {}
    for step in reversed(steps):
        name = step.operation.name
        if name == "measure":
            (qubit,), (bit,) = step.qubits, step.clbits
            if qubit in busy:
                raise CircuitError(
                    f"{given} must contain a circuit that measures at its end only, but it has 'measure' in the middle."
                )
            measured.setdefault(bit, qubit)
            # States decay during a delay before a measurement; a delay after it has no effect.
            kept = [other for other in kept if other.operation.name != "delay" or qubit not in other.qubits]
            continue
        if name == "barrier" and not busy.intersection(step.qubits):
            continue
        if name not in _HARMLESS:
            busy.update(step.qubits)
        kept.append(step)
    return kept[::-1], measured


def _without_the_first_resets(steps: list[CircuitInstruction], given: str) -> list[CircuitInstruction]:
    touched: set[Qubit] = set()
    kept = []
    for step in steps:
        if step.operation.name == "reset":
            if step.qubits[0] in touched:
                raise CircuitError(
                    f"{given} must contain a circuit of gates only, but it has 'reset' in the middle."
                )
            continue
        if step.operation.name not in _HARMLESS:
            touched.update(step.qubits)
        kept.append(step)
    return kept
