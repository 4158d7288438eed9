"""The choice between multiplied runs of weights and their layers one by one."""

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qiskit_hqnn.circuits import (
    Ansatz,
    angle_embedding,
    hqnn_parallel,
    pauli_on_each,
    strongly_entangling_layers,
    vqc_head,
)
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.passes.full_states import FullStates
from qiskit_hqnn.simulation.passes.one_upload import OneUpload
from tests.simulation.test_against_qiskit import values_for


def two_uploads(qubits, layers):
    x, w = ParameterVector("x", qubits), list(ParameterVector("w", 6 * qubits * layers))
    circuit = QuantumCircuit(qubits)
    for own in (w[: len(w) // 2], w[len(w) // 2 :]):
        angle_embedding(circuit, list(x), "x")
        strongly_entangling_layers(circuit, own, layers)
    return Ansatz(circuit, tuple(x), tuple(w), pauli_on_each("Y", qubits))


def passes(ansatz, batch, copies):
    inputs, weights = (torch.from_numpy(values) for values in values_for(ansatz, batch, copies))
    runner = compile_ansatz(ansatz)._runner(inputs)
    return runner.passes_for(inputs, weights, True), runner


def test_few_samples_meet_the_layers_and_many_their_product():
    deep = hqnn_parallel(6, 10)
    few, runner = passes(deep, 1, 4)
    many, _ = passes(deep, 400, 4)
    assert isinstance(few, FullStates)
    assert few.constants.plan.layered is None
    assert isinstance(many, OneUpload)
    assert passes(deep, 1, 4)[0] is few
    assert runner.num_bytes > runner.constants.num_bytes + few.constants.num_bytes


def test_small_circuits_are_multiplied_for_any_batch():
    assert hqnn_parallel(3, 2).num_weights
    for ansatz in (hqnn_parallel(3, 2), hqnn_parallel(4, 4), vqc_head()):
        assert isinstance(passes(ansatz, 1, 1)[0], OneUpload)


@pytest.mark.parametrize("copies", [1, 5])
def test_the_least_batch_grows_with_qubits_and_falls_with_layers_that_it_saves(copies):
    def least(qubits, layers):
        return compile_ansatz(two_uploads(qubits, layers)).plan.multiplied_from(copies)

    assert least(6, 4) > least(5, 4) > 8
    # One product saves more layers for each sample, and only so much more for itself.
    assert least(6, 3) < least(6, 2)


def test_plans_say_from_which_batch_on_they_multiply():
    plan = compile_ansatz(two_uploads(6, 4)).plan
    assert f"for batches below {plan.multiplied_from(1):.0f} the layers of weights one by one" in str(plan)
    assert "one by one" not in str(compile_ansatz(hqnn_parallel()).plan)
    assert plan.one_by_one().layered is None
    assert "one matrix for all samples" not in str(plan.one_by_one())


@pytest.mark.parametrize("ansatz", [hqnn_parallel(6, 10), two_uploads(5, 3)], ids=["one upload", "two"])
def test_a_sample_has_the_same_numbers_alone_and_in_a_batch(ansatz):
    inputs, weights = (torch.from_numpy(v).requires_grad_() for v in values_for(ansatz, 300, 1))
    program = compile_ansatz(ansatz)
    assert 1 < program.plan.multiplied_from(1) <= 300
    alone, among = (
        program.expectation_values(inputs[:1], weights),
        program.expectation_values(inputs, weights),
    )
    torch.testing.assert_close(alone, among[:1], rtol=0, atol=1e-12)
    one = torch.autograd.grad(alone.sum(), (inputs, weights))
    other = torch.autograd.grad(among[:1].sum(), (inputs, weights))
    for own, shared in zip(one, other, strict=True):
        torch.testing.assert_close(own, shared, rtol=0, atol=1e-12)
