"""What a newcomer gets wrong in a notebook is answered in a sentence, and objects say what they are."""

import pytest

from qiskit_hqnn import JobManager, QuantumLayer
from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.errors import HQNNError


@pytest.mark.parametrize("shots", ["many", 2.5, None])
def test_shots_must_be_a_whole_number(shots):
    with pytest.raises(HQNNError, match=r"`shots` must be a whole number of at least 1, but is"):
        JobManager("aer", shots=shots)


def test_a_store_must_be_an_address_a_path_or_a_store():
    with pytest.raises(HQNNError, match="`store` must be an address, a path or a Store, but is 3"):
        JobManager("aer", store=3)


def test_a_bare_circuit_is_no_ansatz():
    with pytest.raises(HQNNError, match="`ansatz` must be an Ansatz, but is a QuantumCircuit"):
        QuantumLayer(hqnn_parallel(num_qubits=2, depth=1).circuit)


def test_a_manager_says_what_it_is():
    text = repr(JobManager("aer", shots=10, max_qpu_seconds=5))
    assert text == "JobManager('aer', 10 shots, 0.0 QPU seconds used, budget 5 QPU seconds)"
