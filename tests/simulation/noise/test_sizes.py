"""What does not fit into memory is refused in a sentence, before any is touched; what fits keeps few states."""

import re

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, reuploading
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation.noise import compile_noisy, sizes


def test_effects_of_many_qubits_are_refused_with_their_bytes():
    circuit = QuantumCircuit(20)
    circuit.h(0)
    for qubit in range(19):
        circuit.cx(qubit, qubit + 1)
    ansatz = Ansatz(circuit, (), (), (SparsePauliOp("Z" * 20),))
    with pytest.raises(HQNNError, match=r"on 20 qubits takes 4\^20 real numbers .*16\.0 TiB in all.*Aer"):
        compile_noisy(ansatz, NoiseModel())


def test_a_batch_that_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    program = compile_noisy(reuploading(num_qubits=2, depth=4), NoiseModel())
    monkeypatch.setattr(sizes, "_memory", lambda device: 1 << 30)
    inputs, weights = torch.zeros(1, 1, 3).expand(10**9, 1, 3), torch.zeros(1, program.plan.num_weights)
    with pytest.raises(
        HQNNError, match=r"each of 1,000,000,000 samples, about [\d,.]+ GiB in all, but cpu has 1\.0 GiB"
    ):
        program.expectation_values(inputs, weights)


def test_a_batch_of_observables_does_not_count():
    """Where observables go backwards a sample takes a vector for each qubit only."""
    program = compile_noisy(hqnn_parallel(3, depth=1), NoiseModel())
    program.expectation_values(torch.zeros(2000, 1, 3), torch.zeros(1, 9))


def test_the_sentence_has_one_line():
    with pytest.raises(HQNNError) as caught:
        sizes.check_plan(24, 5)
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


@pytest.mark.parametrize(("states", "kept"), [(1, 1), (10, 7), (100, 20), (255, 32)])
def test_few_states_are_kept_where_all_would_be_too_many(states, kept):
    assert sizes.kept_at_once(states, 1) == states
    assert sizes.kept_at_once(states, sizes.KEPT_BYTES + 1) == kept
