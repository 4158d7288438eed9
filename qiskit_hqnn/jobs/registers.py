"""Classical bits by their place in a circuit: registers may lie apart, share bits, or leave some out."""

from __future__ import annotations

from itertools import chain

from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Bit, CircuitInstruction
from qiskit.primitives.containers import BitArray


def bits_of_registers(circuit: QuantumCircuit) -> dict[str, list[int]]:
    """For each classical register the places of its bits among all classical bits of the circuit."""
    return {register.name: [circuit.find_bit(bit).index for bit in register] for register in circuit.cregs}


def side_by_side(circuit: QuantumCircuit) -> bool:
    """Whether the registers, one behind the other, are all classical bits in their order."""
    return list(chain(*bits_of_registers(circuit).values())) == list(range(circuit.num_clbits))


def measures(circuit: QuantumCircuit) -> bool:
    """Whether a circuit of a device's own gates measures anything."""
    return "measure" in circuit.count_ops()


def in_one_row(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with registers side by side: itself where they are, else all bits in one register.

    Devices answer register by register; only so does each bit come back exactly once.
    """
    if side_by_side(circuit):
        return circuit
    row = ClassicalRegister(circuit.num_clbits, "bits")
    result = QuantumCircuit(circuit.qubits, row, name=circuit.name, global_phase=circuit.global_phase)
    for register in circuit.qregs:
        result.add_register(register)
    for step in circuit.data:
        result.append(step.operation, step.qubits, [row[circuit.find_bit(bit).index] for bit in step.clbits])
    return result


def without_idle_bits(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with only those classical bits that an instruction writes, in one register."""
    written = sorted({circuit.find_bit(bit).index for step in circuit.data for bit in step.clbits})
    place = {bit: index for index, bit in enumerate(written)}
    result = QuantumCircuit(circuit.num_qubits, len(written), name=circuit.name)
    for step in circuit.data:
        result.append(
            step.operation,
            [circuit.find_bit(qubit).index for qubit in step.qubits],
            [place[circuit.find_bit(bit).index] for bit in step.clbits],
        )
    return result


def by_register(circuit: QuantumCircuit, bits: BitArray) -> dict[str, BitArray]:
    """The bits of each register of a circuit, out of all its classical bits in their order."""
    everything = list(range(bits.num_bits))
    return {
        name: bits if places == everything else bits.slice_bits(places)
        for name, places in bits_of_registers(circuit).items()
    }


def measured_last(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with its last measurements behind everything else, where some simulators look for them.

    They run a circuit once and draw all shots from its last state then, instead of once for each shot.
    """
    later: set[Bit] = set()
    last: list[CircuitInstruction] = []
    others: list[CircuitInstruction] = []
    for step in reversed(circuit.data):
        bits = {*step.qubits, *step.clbits}
        (last if step.name == "measure" and not bits & later else others).append(step)
        later |= bits
    result = circuit.copy_empty_like()
    for step in (*reversed(others), *reversed(last)):
        result.append(step)
    return result
