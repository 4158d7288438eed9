"""Registers come back from hardware, which answers by name, as their user wrote them."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter

REGISTERS = {
    "reversed": [[2, 1, 0]],
    "apart": [[2], [0]],
    "overlapping": [[0, 1], [1, 2]],
    "interlocked": [[0, 2], [1]],
}


@pytest.mark.parametrize("registers", REGISTERS.values(), ids=REGISTERS)
def test_registers_come_back_from_hardware_by_their_bits(cloud, registers):
    cloud.start()
    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit(QuantumRegister(2), bits)
    for index, places in enumerate(registers):
        circuit.add_register(ClassicalRegister(name=f"r{index}", bits=[bits[place] for place in places]))
    angle = Parameter("angle")
    circuit.rx(angle, 0)
    circuit.measure(0, bits[2])
    circuit.measure(1, bits[1])
    data = cloud.manager().sampler().run([(circuit, [[0.0], [np.pi]])]).result()[0].data
    for index, places in enumerate(registers):
        read = data[f"r{index}"]
        for one in (0, 1):
            wanted = "".join(str(one if place == 2 else 0) for place in reversed(places))
            counts = read[one].get_counts()
            assert max(counts, key=counts.get) == wanted  # the device has noise
            assert counts[wanted] > 48


def test_sets_that_no_parameter_tells_apart_are_each_sampled_on_hardware(cloud):
    # A phase of the whole circuit changes nothing, and the device takes a circuit without parameters once.
    cloud.start()
    circuit = QuantumCircuit(1, 1, global_phase=Parameter("phase"))
    circuit.x(0)
    circuit.measure(0, 0)
    read = cloud.manager().sampler().run([(circuit, [[0.1], [0.2], [0.3]])]).result()[0].data.c
    assert (read.shape, read.num_shots) == ((3,), 64)
    assert all(read[index].get_counts()["1"] > 48 for index in range(3))
