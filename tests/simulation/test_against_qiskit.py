"""The simulator against Qiskit's reference on published and on random circuits, in every branch of the plan."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import (
    UnitaryGate,
    get_standard_gate_name_mapping,
    real_amplitudes,
    zz_feature_map,
)
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, Statevector, random_pauli, random_unitary

from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel, pauli_on_each, reuploading
from qiskit_hqnn.errors import CircuitError, HQNNError, ShapeError
from qiskit_hqnn.simulation import compile_ansatz, compile_circuit
from qiskit_hqnn.simulation.passes import evolve, operators

NO_UNITARY = {"measure", "reset", "delay", "global_phase"}
GATES = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if name not in NO_UNITARY and gate.num_qubits <= 4
}


def bound(ansatz, inputs, weights):
    names = [*ansatz.input_params, *ansatz.weight_params]
    return ansatz.circuit.assign_parameters(dict(zip(names, [*inputs, *weights], strict=True)))


def reference(ansatz, inputs, weights):
    estimator = StatevectorEstimator()
    return np.array(
        [
            [
                estimator.run([(bound(ansatz, row, own), list(ansatz.observables))]).result()[0].data.evs
                for row, own in zip(sample, weights, strict=True)
            ]
            for sample in inputs
        ]
    )


def values_for(ansatz, batch=2, copies=2, seed=1):
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(-2, 2, (batch, copies, ansatz.num_inputs))
    return inputs, rng.uniform(-4, 4, (copies, ansatz.num_weights))


def both_ways(program, inputs, weights):
    """The program with runs of weights multiplied, and with their layers one by one; once where it has no runs."""
    runner, copies = program._runner(inputs), len(weights)
    for least in (0, math.inf) if program.plan.layered is not None else (0,):
        runner._multiplied_from[copies] = least
        yield program
    del runner._multiplied_from[copies]


def assert_equal_to_qiskit(ansatz, seed=1):
    values = values_for(ansatz, seed=seed)
    expected, tensors = reference(ansatz, *values), [torch.from_numpy(part) for part in values]
    for program in both_ways(compile_ansatz(ansatz), *tensors):
        ours = program.expectation_values(*tensors)
        np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-10)


def assert_gradients(ansatz, seed=1):
    tensors = [torch.from_numpy(values) for values in values_for(ansatz, seed=seed)]
    # gradcheck takes no tensor without elements as a differentiable one.
    tensors = [tensor.requires_grad_(tensor.numel() > 0) for tensor in tensors]
    for program in both_ways(compile_ansatz(ansatz), *tensors):
        assert torch.autograd.gradcheck(program.expectation_values, tensors)


@st.composite
def ansaetze(draw, max_qubits=8, max_gates=25):
    """Random circuits over all standard gates; angles are constants, inputs, weights, or expressions of them."""
    num_qubits = draw(st.integers(1, max_qubits))
    x, w = ParameterVector("x", 3), ParameterVector("w", 3)
    angle = st.one_of(
        st.floats(-3, 3),
        st.sampled_from([*x, *w]),
        st.sampled_from([2 * x[0] + 0.5, x[0] * w[1], w[0].sin() * 2, x[1] * x[2], -w[2] / 3]),
    )
    names = sorted(name for name, gate in GATES.items() if gate.num_qubits <= num_qubits)
    circuit = QuantumCircuit(num_qubits)
    for _ in range(draw(st.integers(1, max_gates))):
        gate = GATES[draw(st.sampled_from(names))].to_mutable()
        gate.params = [draw(angle) for _ in gate.params]
        qubits = draw(st.permutations(range(num_qubits)))[: gate.num_qubits]
        circuit.append(gate, qubits)
    for parameter in [*x, *w]:
        if parameter not in circuit.parameters:
            circuit.rx(parameter, draw(st.integers(0, num_qubits - 1)))
    seed = draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    observables = [
        SparsePauliOp([random_pauli(num_qubits, seed=rng) for _ in range(2)], rng.normal(size=2))
        for _ in range(3)
    ]
    real = [
        SparsePauliOp([pauli.to_label().lstrip("-i") for pauli in o.paulis], o.coeffs) for o in observables
    ]
    return Ansatz(circuit, tuple(x), tuple(w), tuple(real))


@pytest.mark.parametrize("name", ANSATZE)
def test_published_ansaetze_are_qiskits(name):
    assert_equal_to_qiskit(ANSATZE[name]())


@pytest.mark.parametrize("name", ["hqnn-parallel", "hqnn-quanv", "vqc-head", "textbook"])
def test_published_ansaetze_have_right_gradients(name):
    assert_gradients(ANSATZE[name]())


def test_reuploading_has_right_gradients():
    assert_gradients(reuploading(num_qubits=3, depth=4))


@pytest.mark.slow
@settings(deadline=None, max_examples=60, derandomize=True)
@given(ansatz=ansaetze())
def test_random_circuits_are_qiskits(ansatz):
    assert_equal_to_qiskit(ansatz)


@pytest.mark.slow
@settings(deadline=None, max_examples=15, derandomize=True)
@given(ansatz=ansaetze(max_qubits=3, max_gates=12))
def test_random_circuits_have_right_gradients(ansatz):
    assert_gradients(ansatz)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(ansatz=ansaetze(max_qubits=5))
def test_states_are_qiskits_up_to_a_global_phase(ansatz):
    inputs, weights = values_for(ansatz, batch=1, copies=1)
    program = compile_ansatz(ansatz)
    ours = program.statevectors(torch.from_numpy(inputs), torch.from_numpy(weights))[0, 0].numpy()
    theirs = Statevector(bound(ansatz, inputs[0, 0], weights[0])).data
    assert abs(abs(np.vdot(ours, theirs)) - 1) < 1e-10
    probabilities = program.probabilities(torch.from_numpy(inputs), torch.from_numpy(weights))[0, 0]
    np.testing.assert_allclose(probabilities.numpy(), np.abs(theirs) ** 2, rtol=0, atol=1e-10)


def test_gradients_of_states_are_right():
    ansatz = hqnn_parallel(2, 2)
    tensors = [torch.from_numpy(values).requires_grad_() for values in values_for(ansatz)]
    program = compile_ansatz(ansatz)
    assert torch.autograd.gradcheck(program.probabilities, tensors)
    # The global phase is free, so the gradient is that of a quantity that does not see it.
    assert torch.autograd.gradcheck(
        lambda x, w: (lambda s: (s[..., :1].conj() * s).real)(program.statevectors(x, w)), tensors
    )


@pytest.mark.parametrize("num_qubits", [7, 8, 11])
def test_blocks_of_qubits_are_qiskits(num_qubits):
    ansatz = hqnn_parallel(num_qubits, 2)
    assert " ⊗ " in str(compile_ansatz(ansatz).plan)
    assert_equal_to_qiskit(ansatz)
    tensors = [torch.from_numpy(v).requires_grad_() for v in values_for(ansatz, batch=1, copies=1)]
    program = compile_ansatz(ansatz)
    assert torch.autograd.gradcheck(program.expectation_values, tensors, fast_mode=True)


def _mixed_circuit():
    """Phases of inputs, of weights and constant ones, a fixed layer, weighted layers and permutations."""
    x, w = ParameterVector("x", 4), ParameterVector("w", 6)
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(x[qubit], qubit)
    circuit.rzz(w[0], 0, 1)
    circuit.cz(1, 2)
    circuit.h(range(4))
    circuit.cx(0, 3)
    circuit.rzz(x[0], 0, 2)
    for qubit in range(4):
        circuit.rx(w[1 + qubit], qubit)
    circuit.swap(1, 3)
    circuit.cp(w[5], 0, 1)
    circuit.h(range(4))
    circuit.cz(0, 1)
    return circuit, tuple(x), tuple(w)


def _mixed_ansatz():
    return Ansatz(*_mixed_circuit(), pauli_on_each("X", 4))


@pytest.mark.parametrize("ansatz", [_mixed_ansatz, hqnn_parallel], ids=["mixed", "one-matrix"])
def test_states_computed_back_give_the_same_gradients(monkeypatch, ansatz):
    ansatz = ansatz()
    program = compile_ansatz(ansatz)
    gradients = []
    for limit in (1 << 30, 0):
        monkeypatch.setattr(evolve, "_STORED_BYTES", limit)
        inputs, weights = (torch.from_numpy(v).requires_grad_() for v in values_for(ansatz, batch=3))
        program.expectation_values(inputs, weights).sum().backward()
        gradients.append((inputs.grad, weights.grad))
    for stored, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(stored, recomputed, atol=1e-12, rtol=0)


def _weights_around_inputs(rotations):
    """Layers of weights in front of the inputs, behind them, and between two layers of them."""
    x, w = ParameterVector("x", 4), ParameterVector("w", 2 * rotations + 7)
    circuit, weights = QuantumCircuit(2), iter(w)
    for _ in range(2):
        circuit.ry(next(weights), 0)
        circuit.cx(0, 1)
    for index in range(rotations):
        getattr(circuit, "r" + "xyz"[index % 3])(next(weights), 1)
    circuit.rx(x[0], 0)
    circuit.ry(x[1], 1)
    circuit.cx(1, 0)
    for index in range(rotations):
        getattr(circuit, "r" + "yxz"[index % 3])(next(weights), 0)
    circuit.rzz(next(weights), 0, 1)
    circuit.rx(next(weights), 1)
    circuit.rx(x[2], 0)
    circuit.rzz(x[3], 0, 1)
    for _ in range(3):
        circuit.rx(next(weights), 0)
        circuit.cz(0, 1)
    return Ansatz(circuit, tuple(x), tuple(w), pauli_on_each("Y", 2))


@pytest.mark.parametrize("rotations", [1, 3, 5])
def test_runs_of_weights_become_one_matrix(rotations):
    ansatz = _weights_around_inputs(rotations)
    plan = compile_ansatz(ansatz).plan
    assert str(plan).count("one matrix for all samples") >= 2
    assert plan.gate_cos.shape[2] <= 3  # a longer gate takes one more layer
    assert_equal_to_qiskit(ansatz)
    assert_gradients(ansatz)


def test_every_kind_of_step_is_qiskits():
    ansatz = Ansatz(*_mixed_circuit(), pauli_on_each("X", 4))
    plan = str(compile_ansatz(ansatz).plan)
    for part in (
        "of weights, one",
        "(constant)",
        "permutation",
        "per sample",
        "1 of weights",
        "start   constant",
    ):
        assert part in plan
    assert_equal_to_qiskit(ansatz)
    assert_gradients(ansatz)


def test_library_circuits_are_qiskits():
    features, body = zz_feature_map(3), real_amplitudes(3, reps=2)
    circuit = features.compose(body)
    assert_equal_to_qiskit(
        Ansatz(circuit, tuple(features.parameters), tuple(body.parameters), pauli_on_each("Z", 3))
    )


def test_opaque_unitaries_are_decomposed():
    x = Parameter("x")
    circuit = QuantumCircuit(3)
    circuit.ry(x, 0)
    circuit.append(UnitaryGate(random_unitary(8, seed=2)), [2, 0, 1])
    circuit.append(UnitaryGate(random_unitary(2, seed=3)), [1])
    assert_equal_to_qiskit(Ansatz(circuit, (x,), (), pauli_on_each("Y", 3)))


def test_shuffling_commuting_gates_leaves_the_plan_alone():
    ansatz = hqnn_parallel(5, 3)
    rng = np.random.default_rng(4)
    shuffled = ansatz.circuit.copy_empty_like()
    waiting = list(ansatz.circuit.data)
    while waiting:
        blocked, ready = set(), []
        for position, step in enumerate(waiting):
            if not blocked & set(step.qubits):
                ready.append(position)
            blocked |= set(step.qubits)
        shuffled.append(waiting.pop(int(rng.choice(ready))))
    other = Ansatz(shuffled, ansatz.input_params, ansatz.weight_params, ansatz.observables)
    assert str(compile_ansatz(other).plan) == str(compile_ansatz(ansatz).plan)
    assert_equal_to_qiskit(other)


def _ending_in(*gates):
    """Two entangled qubits and a third one alone, then the gates on qubit 0; X and Z of qubit 0 are measured."""
    x, w = ParameterVector("x", 4), ParameterVector("w", 1)
    circuit = QuantumCircuit(3)
    circuit.ry(x[0], 0)
    circuit.rx(x[1], 1)
    circuit.ry(x[2], 2)
    circuit.cx(0, 1)
    circuit.rx(w[0], 0)
    for gate in gates:
        gate(circuit)
    circuit.rz(x[3], 1)
    observables = tuple(SparsePauliOp.from_sparse_list([(p, [0], 1.0)], 3) for p in "XZ")
    return Ansatz(circuit, tuple(x), tuple(w), observables)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param([lambda c: c.h(0)], id="Clifford"),
        pytest.param([lambda c: c.s(0), lambda c: c.sx(0), lambda c: c.cx(1, 0)], id="Clifford-then-CNOT"),
        pytest.param([lambda c: c.t(0), lambda c: c.ry(0.3, 0)], id="not-Clifford"),
        pytest.param([lambda c: c.cx(1, 0), lambda c: c.ry(0.3, 0), lambda c: c.cz(0, 1)], id="both"),
    ],
)
def test_every_end_of_a_circuit_is_qiskits(end):
    ansatz = _ending_in(*end)
    plan = compile_ansatz(ansatz).plan
    assert plan.num_qubits == 2  # no output sees qubit 2
    assert "the others are left out" in str(plan)
    assert_equal_to_qiskit(ansatz)
    assert_gradients(ansatz)


def test_an_input_that_no_output_sees_must_be_finite_too():
    program = compile_ansatz(_ending_in())
    inputs = torch.tensor([[[0.1, 0.2, float("nan"), 0.3]]])
    with pytest.raises(ShapeError, match="must be finite, but 1 angles are NaN"):
        program.expectation_values(inputs, torch.rand(1, 1))


def test_huge_inputs_are_no_error_though_their_sum_is_infinite():
    program = compile_ansatz(ANSATZE["vqc-head"]())
    assert not program.plan.sees_all
    inputs = torch.full((4, 1, program.plan.num_inputs), 3e38)
    assert torch.isinf(inputs.sum())
    assert torch.isfinite(program.expectation_values(inputs, torch.zeros(1, 0))).all()


def test_gradients_from_one_stack_are_those_layer_by_layer(monkeypatch):
    ansatz = hqnn_parallel(7, 3)
    program = compile_ansatz(ansatz)
    gradients = []
    for limit in (1 << 30, 0):
        monkeypatch.setattr(operators, "_STACKED", limit)
        inputs, weights = (torch.from_numpy(v).requires_grad_() for v in values_for(ansatz, batch=3))
        program.expectation_values(inputs, weights).sum().backward()
        gradients.append((inputs.grad, weights.grad))
    for stacked, alone in zip(*gradients, strict=True):
        torch.testing.assert_close(stacked, alone, atol=1e-12, rtol=0)


def test_plans_are_found_by_structure():
    assert compile_ansatz(hqnn_parallel(4, 2)) is compile_ansatz(hqnn_parallel(4, 2))
    assert compile_ansatz(hqnn_parallel(4, 2)) is not compile_ansatz(hqnn_parallel(4, 3))
    assert compile_ansatz(hqnn_parallel(4, 2)) is not compile_ansatz(hqnn_parallel(4, 2, rotation="y"))


def test_single_precision_is_close_and_keeps_its_dtype():
    ansatz = hqnn_parallel()
    inputs, weights = (torch.from_numpy(values) for values in values_for(ansatz, batch=8))
    program = compile_ansatz(ansatz)
    single = program.expectation_values(inputs.float(), weights.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(
        single.double(), program.expectation_values(inputs, weights), atol=2e-6, rtol=0
    )


def test_an_empty_batch_has_an_empty_result():
    ansatz = hqnn_parallel(3, 1)
    empty = compile_ansatz(ansatz).expectation_values(torch.empty(0, 2, 3), torch.rand(2, 9))
    assert empty.shape == (0, 2, 3)


def test_observables_of_several_bases_and_an_identity():
    circuit, inputs, weights = _mixed_circuit()
    observables = (
        SparsePauliOp(["XXIZ", "ZZII", "IIII"], [0.5, -1.5, 2.0]),
        SparsePauliOp(["YIIY"], [1.0]),
        SparsePauliOp(["IIII"], [3.0]),
    )
    ansatz = Ansatz(circuit, inputs, weights, observables)
    assert_equal_to_qiskit(ansatz)
    assert_gradients(ansatz)


@pytest.mark.parametrize("instruction", ["measure", "reset"])
def test_circuits_that_are_not_unitary_are_one_sentence(instruction):
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.rx(x, 0)
    if instruction == "reset":
        circuit.reset(0)
        match = "must be unitary and unmeasured, but circuit .* contains 'reset'"
    else:
        circuit.measure_all()
        match = "must be unmeasured"
    with pytest.raises(CircuitError, match=match):
        compile_circuit(circuit, pauli_on_each("Z", 1), (x,), ())


def test_bad_tensors_are_one_sentence():
    program = compile_ansatz(hqnn_parallel(2, 1))
    with pytest.raises(
        ShapeError, match=r"`inputs` must have shape \(batch, copies, 2\), but has shape \(3, 2\)"
    ):
        program.expectation_values(torch.rand(3, 2), torch.rand(1, 6))
    with pytest.raises(ShapeError, match=r"`weights` must have shape \(2, 6\), but has shape \(1, 6\)"):
        program.expectation_values(torch.rand(3, 2, 2), torch.rand(1, 6))
    with pytest.raises(HQNNError, match="both be float32 or both float64"):
        program.expectation_values(torch.rand(3, 1, 2), torch.rand(1, 6).double())
    with pytest.raises(ShapeError, match="must be finite, but 1 angles are NaN"):
        program.expectation_values(torch.tensor([[[0.1, float("nan")]]]), torch.rand(1, 6))
