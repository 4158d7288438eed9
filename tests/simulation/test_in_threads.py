"""Programs are made, found, run and counted by several threads at once."""

import threading

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.simulation import compilation, compile_ansatz


def in_threads(work, count=4):
    errors = []

    def guarded(number):
        try:
            work(number)
        except Exception as error:  # whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_circuits_are_compiled_in_several_threads(monkeypatch):
    monkeypatch.setattr(compilation, "_KEPT", 3)

    def work(number):
        for step in range(30):
            x = ParameterVector("x", 2)
            circuit = QuantumCircuit(2)
            circuit.rx(x[0], 0)
            circuit.rzz(x[1], 0, 1)
            circuit.rx(0.1 * step + number, 1)
            program = compile_ansatz(Ansatz(circuit, x, (), pauli_on_each("Z", 2)))
            program.probabilities(torch.rand(1, 1, 2), torch.zeros(1, 0))
            program.expectation_values(torch.rand(1, 1, 2), torch.zeros(1, 0))

    assert in_threads(work) == []
    assert len(compilation._programs) <= 3


def test_threads_get_one_program_and_right_numbers_of_it():
    ansatz = hqnn_parallel(3, 2)
    inputs, weights = torch.rand(8, 1, 3), torch.rand(1, 18)
    expected = compile_ansatz(ansatz).expectation_values(inputs, weights)
    compilation._programs.clear()
    programs = []

    def work(_):
        program = compile_ansatz(ansatz)
        programs.append(program)
        for _ in range(10):
            torch.testing.assert_close(program.expectation_values(inputs, weights), expected)

    assert in_threads(work) == []
    assert len(set(map(id, programs))) == 1
