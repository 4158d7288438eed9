"""Gradients under noise, on every way through a plan, and what a program does with odd batches and numbers."""

import math
from functools import cache

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import noise
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.circuits import (
    Ansatz,
    circuit_centric,
    hqnn_parallel,
    hqnn_quanv,
    reuploading,
    textbook,
    vqc_head,
)
from qiskit_hqnn.errors import HQNNError, ShapeError
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.noise import compile_noisy, remembered, sizes
from qiskit_hqnn.simulation.noise.blocks import Uploads


@cache
def some_noise():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.amplitude_damping_error(0.05), ["rx", "ry", "rz", "h"])
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.04, 2), ["cx", "cz", "rzz", "cp"])
    model.add_quantum_error(noise.pauli_error([("XZ", 0.1), ("II", 0.9)]), "cx", [0, 1])
    model.add_all_qubit_readout_error([[0.95, 0.05], [0.1, 0.9]])
    return model


def mixed():
    """Inputs and weights in one angle, expressions that are not affine, uploads before, between and behind weights."""
    x, w = ParameterVector("x", 3), ParameterVector("w", 4)
    circuit = QuantumCircuit(3)
    circuit.ry(w[0] * x[0], 0)
    circuit.rz(w[1], 1)
    circuit.rx(x[1] ** 2, 1)
    circuit.ry(w[2].sin(), 2)
    circuit.cx(0, 1)
    circuit.rzz(x[2] * w[3] + 0.3, 1, 2)
    circuit.cp(w[1] * 2, 2, 0)
    circuit.u(x[0], w[2], x[1] + w[0], 2)
    circuit.cx(2, 1)
    circuit.ry(w[3], 0)
    circuit.cz(0, 1)
    observables = (
        SparsePauliOp(["XYI", "IIZ"], [0.5, -1.2]),
        SparsePauliOp("ZZZ"),
        SparsePauliOp("III", 0.3),
    )
    return Ansatz(circuit, tuple(x), tuple(w), observables)


ANSATZE = {
    "hqnn-parallel": hqnn_parallel(3, depth=2),
    "hqnn-quanv": hqnn_quanv(3),
    "vqc-head": vqc_head(),
    "textbook": textbook(),
    "circuit-centric": circuit_centric(num_qubits=2, depth=1),
    "re-uploading": reuploading(num_qubits=2, depth=4),
    "mixed": mixed(),
}


def numbers(ansatz, batch, copies=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    inputs = torch.rand(batch, copies, ansatz.num_inputs, generator=generator, dtype=dtype) * 4 - 2
    weights = torch.rand(copies, ansatz.num_weights, generator=generator, dtype=dtype) * 6
    return inputs.requires_grad_(), weights.requires_grad_()


@pytest.mark.parametrize("parts", ["one part", "several parts"])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("name", ANSATZE)
def test_gradients_are_those_of_finite_differences(name, batch, parts, monkeypatch):
    if parts == "several parts":
        monkeypatch.setattr(sizes, "KEPT_BYTES", 0)
    program = compile_noisy(ANSATZE[name], some_noise())
    assert torch.autograd.gradcheck(program.expectation_values, numbers(ANSATZE[name], batch))


@pytest.mark.parametrize("name", ANSATZE)
def test_states_forward_and_observables_backwards_agree(name):
    program = compile_noisy(ANSATZE[name], some_noise())
    inputs, weights = numbers(ANSATZE[name], 9)
    together = program.expectation_values(inputs, weights)
    one_by_one = torch.cat([program.expectation_values(row[None], weights) for row in inputs])
    assert torch.allclose(together, one_by_one, atol=1e-12)
    cotangent = torch.rand_like(together)
    gradients = torch.autograd.grad(together, (inputs, weights), cotangent)
    others = torch.autograd.grad(one_by_one, (inputs, weights), cotangent)
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(gradients, others, strict=True))


@pytest.mark.parametrize("parts", ["one part", "several parts"])
@pytest.mark.parametrize("name", ANSATZE)
def test_inputs_without_gradient_leave_that_of_the_weights_as_it_is(name, parts, monkeypatch):
    if parts == "several parts":
        monkeypatch.setattr(sizes, "KEPT_BYTES", 0)
    program = compile_noisy(ANSATZE[name], some_noise())
    inputs, weights = numbers(ANSATZE[name], 7)
    values = program.expectation_values(inputs, weights)
    cotangent = torch.rand_like(values)
    (expected,) = torch.autograd.grad(values, weights, cotangent)
    alone = program.expectation_values(inputs.detach(), weights)
    assert torch.equal(alone, values)
    assert torch.allclose(torch.autograd.grad(alone, weights, cotangent)[0], expected, atol=1e-12)


def test_only_so_many_states_are_remembered_by_all_programs_together(monkeypatch):
    states = 4**2 * 8
    monkeypatch.setattr(
        remembered, "_KEPT_BYTES", sum(known.num_bytes for known in remembered._all) + 5 * states
    )
    programs = [compile_noisy(ANSATZE["circuit-centric"], some_noise()) for _ in range(2)]
    inputs, weights = numbers(ANSATZE["circuit-centric"], 2)
    for program in programs:
        expected = program.expectation_values(inputs, weights)
        assert torch.allclose(program.expectation_values(inputs.detach(), weights), expected, atol=1e-12)
    assert [
        runner._passes[True]._remembered.num_bytes for p in programs for runner in p._runners.values()
    ] == [
        4 * states,
        states,
    ]


def test_samples_that_come_again_have_the_values_that_they_had():
    program = compile_noisy(ANSATZE["circuit-centric"], some_noise())
    inputs, weights = numbers(ANSATZE["circuit-centric"], 6)
    expected = program.expectation_values(inputs, weights)
    cotangent = torch.rand_like(expected)
    (slopes,) = torch.autograd.grad(expected, weights, cotangent)
    fixed, before = inputs.detach(), program.num_bytes
    program.expectation_values(fixed[[0, 1, 1, 4]], weights * 2)
    assert program.num_bytes - before == 6 * 4**2 * 8  # three samples of two copies
    again = program.expectation_values(fixed, weights)
    assert torch.allclose(again, expected, atol=1e-12)
    assert program.expectation_values(fixed[:0], weights).shape == (0, 2, 2)
    assert torch.allclose(torch.autograd.grad(again, weights, cotangent)[0], slopes, atol=1e-12)


@pytest.mark.parametrize("name", ANSATZE)
def test_without_noise_it_is_the_exact_simulator(name):
    ansatz = ANSATZE[name]
    inputs, weights = numbers(ansatz, 5)
    ours = compile_noisy(ansatz, NoiseModel()).expectation_values(inputs, weights)
    assert torch.allclose(ours, compile_ansatz(ansatz).expectation_values(inputs, weights), atol=1e-12)


def test_a_depolarised_rotation_has_its_analytic_value_and_gradient():
    """⟨Z⟩ = (1 − p) cos θ · (1 − 2e) with a readout error of e both ways."""
    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.ry(theta, 0)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.2, 1), "ry")
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.1, 0.9]])
    program = compile_noisy(Ansatz(circuit, (), (theta,), (SparsePauliOp("Z"),)), model)
    weights = torch.tensor([[0.7]], dtype=torch.float64, requires_grad=True)
    value = program.expectation_values(torch.zeros(1, 1, 0, dtype=torch.float64), weights)
    value.sum().backward()
    assert value.item() == pytest.approx(0.8 * 0.8 * math.cos(0.7))
    assert weights.grad.item() == pytest.approx(-0.8 * 0.8 * math.sin(0.7))


def test_observables_go_backwards_where_all_inputs_come_at_the_start():
    plan = compile_noisy(hqnn_parallel(3, depth=2), some_noise()).plan
    assert not plan.before
    assert plan.observables_from == 3
    assert "observables backwards through" in str(plan)
    assert "states forward through" not in str(plan)


def test_states_go_forward_where_inputs_come_again():
    plan = compile_noisy(reuploading(num_qubits=2, depth=4), some_noise()).plan
    assert any(isinstance(step, Uploads) for step in plan.before)
    assert "states forward through" in str(plan)
    assert "for each sample" in str(plan)


def test_single_precision_stays_close():
    program = compile_noisy(mixed(), some_noise())
    inputs, weights = numbers(mixed(), 6)
    exact = program.expectation_values(inputs, weights)
    rough = program.expectation_values(inputs.float(), weights.float())
    assert rough.dtype == torch.float32
    assert torch.allclose(rough.double(), exact, atol=3e-6)


def test_an_empty_batch_has_gradients_of_zero():
    program = compile_noisy(mixed(), some_noise())
    inputs, weights = numbers(mixed(), 0)
    outputs = program.expectation_values(inputs, weights)
    outputs.sum().backward()
    assert outputs.shape == (0, 2, 3)
    assert weights.grad.abs().max() == 0


def test_parameters_that_nothing_sees_have_gradients_of_zero_and_must_be_finite():
    x, w = Parameter("x"), Parameter("w")
    circuit = QuantumCircuit(2)
    circuit.ry(x, 0)
    circuit.ry(w, 1)
    ansatz = Ansatz(circuit, (x,), (w,), (SparsePauliOp("IZ"),))
    program = compile_noisy(ansatz, some_noise())
    inputs, weights = numbers(ansatz, 4)
    program.expectation_values(inputs, weights).sum().backward()
    assert weights.grad.abs().max() == 0
    with pytest.raises(ShapeError, match="finite, but 2 angles"):
        program.expectation_values(inputs, torch.full_like(weights, math.nan))


def test_flat_tensors_of_several_copies():
    ansatz = hqnn_parallel(3, depth=1)
    program = compile_noisy(ansatz, some_noise())
    inputs, weights = numbers(ansatz, 6, copies=4)
    flat = program.layer(inputs.reshape(2, 3, -1), weights.reshape(-1), 4)
    assert flat.shape == (2, 3, 12)
    assert torch.allclose(flat.reshape(6, 4, 3), program.expectation_values(inputs, weights))


def test_shapes_and_dtypes_are_checked():
    program = compile_noisy(mixed(), some_noise())
    inputs, weights = numbers(mixed(), 2)
    with pytest.raises(ShapeError, match=r"`inputs` must have shape \(batch, copies, 3\)"):
        program.expectation_values(inputs[..., :2], weights)
    with pytest.raises(ShapeError, match=r"`weights` must have shape \(2, 4\)"):
        program.expectation_values(inputs, weights[:1])
    with pytest.raises(HQNNError, match="both be float32 or both float64"):
        program.expectation_values(inputs, weights.float())
    with pytest.raises(HQNNError, match="both be float32 or both float64, but are torch.float16"):
        program.expectation_values(inputs.half(), weights.half())


def test_second_derivatives_are_refused():
    program = compile_noisy(mixed(), some_noise())
    inputs, weights = numbers(mixed(), 2)
    (first,) = torch.autograd.grad(
        program.expectation_values(inputs, weights).sum(), weights, create_graph=True
    )
    with pytest.raises(HQNNError, match="first derivatives only"):
        torch.autograd.grad(first.sum(), weights)


def test_a_backward_pass_may_be_repeated():
    program = compile_noisy(reuploading(num_qubits=2, depth=4), some_noise())
    inputs, weights = numbers(reuploading(num_qubits=2, depth=4), 5)
    total = program.expectation_values(inputs, weights).square().sum()
    first = torch.autograd.grad(total, (inputs, weights), retain_graph=True)
    second = torch.autograd.grad(total, (inputs, weights))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
