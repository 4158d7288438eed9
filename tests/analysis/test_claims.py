"""Analyses say no more than they show: dimensions, ranks and frequencies of circuits that nobody published."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate, XXPlusYYGate
from qiskit.quantum_info import SparsePauliOp, Statevector

from qiskit_hqnn.analysis import (
    ablation,
    coefficients,
    effective_dimension,
    fourier,
    gradient_variance,
    jacobian_rank,
    lie_algebra_dimension,
    reduce_diagram,
    zx_reduction,
)
from qiskit_hqnn.analysis.fourier import spectrum
from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel, reuploading
from qiskit_hqnn.errors import HQNNError


def ansatz_of(circuit, inputs=(), weights=(), observable=None):
    observable = observable or SparsePauliOp("Z" * circuit.num_qubits)
    return Ansatz(circuit, tuple(inputs), tuple(weights), (observable,))


def closure(generators):
    """Dimension of the closure of i·H under commutators, by ranks of stacked matrices: another route."""
    members = [1j * SparsePauliOp(*generator).to_matrix() for generator in generators]
    while True:
        found = members + [a @ b - b @ a for a in members for b in members]
        rows = np.array([np.r_[m.real.ravel(), m.imag.ravel()] for m in found])
        rows = rows[np.linalg.norm(rows, axis=1) > 1e-9]
        _, singular, basis = np.linalg.svd(
            rows / np.linalg.norm(rows, axis=1, keepdims=True), full_matrices=False
        )
        rank = int((singular > 1e-9 * singular[0]).sum())
        if rank == len(members):
            return rank
        size = len(members[0])
        members = [(row[: size**2] + 1j * row[size**2 :]).reshape(size, size) for row in basis[:rank]]


def test_a_weight_that_gates_share_is_one_generator():
    a, b = Parameter("a"), Parameter("b")
    for qubits in (2, 3, 4):
        circuit = QuantumCircuit(qubits)
        for first in range(qubits - 1):
            circuit.rzz(a, first, first + 1)
        for qubit in range(qubits):
            circuit.rx(b, qubit)
        # Free fermions: n² dimensions for the open transverse-field Ising chain (Larocca et al. 2022, table I).
        assert lie_algebra_dimension(ansatz_of(circuit, (), (a, b))) == qubits**2


@pytest.mark.parametrize(
    ("gate", "generators"),
    [
        (lambda a: XXPlusYYGate(a, 0.0), (["XX", "YY"],)),
        (
            lambda a: PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"], [0.3, 0.7]), a),
            (["XX", "ZZ"], [0.3, 0.7]),
        ),
    ],
    ids=["xx+yy", "evolution"],
)
def test_gates_with_generators_of_several_strings_have_those(gate, generators):
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.append(gate(a), [0, 1])
    circuit.rz(b, 0)
    assert lie_algebra_dimension(ansatz_of(circuit, (), (a, b))) == closure([generators, (["IZ"],)])


def test_controlled_rotations_have_the_generator_of_both_parts():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.crx(a, 0, 1)
    circuit.ry(b, 1)
    generators = [(["XI", "XZ"], [1, -1]), (["YI"],)]
    assert lie_algebra_dimension(ansatz_of(circuit, (), (a, b))) == closure(generators)


def test_gates_that_are_no_exponential_of_their_angle_do_not_exceed_the_largest_algebra():
    w = ParameterVector("w", 2)
    circuit = QuantumCircuit(1)
    circuit.u(w[0], 0.7, -0.2, 0)
    circuit.ry(w[1], 0)
    assert lie_algebra_dimension(ansatz_of(circuit, (), w)) == 3
    circuit = QuantumCircuit(1)
    circuit.u(w[0], w[0], 2 * w[0], 0)
    assert lie_algebra_dimension(ansatz_of(circuit, (), w[:1])) == 3
    circuit = QuantumCircuit(1)
    circuit.rx(w[0], 0)
    circuit.ry(w[0], 0)  # does not commute with the one before: the derivative turns with the weight
    assert lie_algebra_dimension(ansatz_of(circuit, (), w[:1])) == 3


def test_inputs_are_no_weights_however_they_enter():
    x, w = ParameterVector("x", 2), Parameter("w")
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.cp((np.pi - x[0]) * (np.pi - x[1]), 0, 1)
    circuit.ry(w, 0)
    assert lie_algebra_dimension(ansatz_of(circuit, x, (w,))) == 1
    circuit = QuantumCircuit(1)
    circuit.rx(x[0] * w, 0)  # at inputs 0 nothing turns
    circuit.rz(w**2 + w, 0)
    assert lie_algebra_dimension(ansatz_of(circuit, x[:1], (w,))) == 1


def test_two_phases_on_one_pair_are_one_parameter():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.cp(a, 0, 1)
    circuit.cp(b, 0, 1)
    ansatz = ansatz_of(circuit, (), (a, b), SparsePauliOp("XX"))
    assert reduce_diagram(ansatz).redundant == 1
    assert jacobian_rank(ansatz) == 1
    result = zx_reduction(ansatz)
    assert list(result.table["in the state"]) == ["fused", "fused"]
    assert "1 of 2 parameters are redundant" in result.summary


def test_a_state_has_no_more_directions_than_dimensions():
    assert jacobian_rank(reuploading()) == 2 * 2**6 - 2
    assert jacobian_rank(hqnn_parallel()) == 40


def random_ansatz(rng, qubits=3, gates=10):
    circuit, weights = QuantumCircuit(qubits), []
    circuit.h(range(qubits))
    for _ in range(gates):
        kind = rng.choice(["rx", "ry", "rz", "cp", "rzz", "crz", "cx", "h"])
        where = rng.choice(qubits, 1 if kind in ("rx", "ry", "rz", "h") else 2, replace=False).tolist()
        if kind in ("cx", "h"):
            getattr(circuit, kind)(*where)
            continue
        weights.append(Parameter(f"w{len(weights)}"))
        angle = weights[-1] + 0.3 if rng.random() < 0.7 or len(weights) < 2 else weights[-1] - 2 * weights[-2]
        getattr(circuit, kind)(angle, *where)
    return ansatz_of(circuit, (), weights)


def rank_by_differences(ansatz, rng):
    values = rng.uniform(0, 2 * np.pi, ansatz.num_weights)

    def state(at):
        bound = ansatz.circuit.assign_parameters(dict(zip(ansatz.weight_params, at, strict=True)))
        return Statevector(bound).data

    own, columns = state(values), []
    for k in range(len(values)):
        step = np.zeros(len(values))
        step[k] = 1e-4
        slope = (state(values + step) - state(values - step)) / 2e-4
        slope = slope - own * (own.conj() @ slope)
        columns.append(np.r_[slope.real, slope.imag])
    return int((np.linalg.svd(np.array(columns))[1] > 1e-6).sum())


@pytest.mark.parametrize("seed", range(10))
def test_zx_never_shows_more_to_be_redundant_than_is(seed):
    rng = np.random.default_rng(seed)
    ansatz = random_ansatz(rng)
    rank = jacobian_rank(ansatz, seed=seed)
    assert rank == rank_by_differences(ansatz, rng)
    assert reduce_diagram(ansatz).redundant <= ansatz.num_weights - rank


def test_a_controlled_rotation_has_half_a_frequency():
    x = Parameter("x")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.crx(x, 0, 1)
    # By hand: ⟨X⟩ of the control is cos(x/2), ⟨Z⟩ of the target (1 + cos x)/2.
    control = coefficients(ansatz_of(circuit, (x,), (), SparsePauliOp("IX")), (0,), 0, 1)
    np.testing.assert_allclose(control, [[0, 0.5, 0, 0.5, 0]], atol=1e-12)
    target = coefficients(ansatz_of(circuit, (x,), (), SparsePauliOp("ZI")), (0,), 0, 1)
    np.testing.assert_allclose(target, [[0.25, 0, 0.5, 0, 0.25]], atol=1e-12)
    result = fourier(ansatz_of(circuit, (x,), (), SparsePauliOp("IX")), (0,), weight_sets=2)
    assert list(result.table["frequency"]) == ["-1", "-0.5", "0", "0.5", "1"]
    assert list(result.table["accessible"]) == [False, True, False, True, False]
    assert "in steps of 0.5" in result.summary


@pytest.mark.parametrize("kind", ["crx", "cry", "crz", "cp", "rxx", "rzz", "cu", "ch-sandwich"])
@pytest.mark.parametrize("factor", [1, 2, 0.5, -1.5])
def test_the_series_is_the_output_between_the_points(kind, factor):
    x, w = ParameterVector("x", 2), ParameterVector("w", 3)
    circuit = QuantumCircuit(2)
    circuit.ry(w[0], 0)
    circuit.ry(w[1], 1)
    if kind == "cu":
        circuit.cu(factor * x[0], 0.3, 0.2, 0.1, 0, 1)
    elif kind == "ch-sandwich":
        circuit.ch(0, 1)
        circuit.rx(factor * x[0] + 0.2, 1)
        circuit.ch(0, 1)
    else:
        getattr(circuit, kind)(factor * x[0], 0, 1)
    circuit.rx(x[1], 0)
    circuit.crz(x[1] + w[2], 1, 0)
    observable = SparsePauliOp(["XY", "ZI", "IX"], [0.5, 1.0, -0.7])
    ansatz = ansatz_of(circuit, x, w, observable)
    found = coefficients(ansatz, (0, 1), 0, 2, seed=3)
    weights = (
        torch.rand(2, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64).numpy() * 2 * np.pi
    )
    steps = [spectrum(ansatz, index).frequencies for index in (0, 1)]
    at = np.array([0.7, -5.1])
    for values, series in zip(weights, found, strict=True):
        bound = circuit.assign_parameters(dict(zip([*x, *w], [*at, *values], strict=True)))
        waves = np.exp(1j * (at[0] * steps[0][:, None] + at[1] * steps[1][None, :]))
        assert (series * waves).sum() == pytest.approx(Statevector(bound).expectation_value(observable).real)


def test_inputs_without_a_common_period_are_refused():
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.rx(np.pi * x, 0)
    with pytest.raises(
        HQNNError, match="integer factors or simple fractions, but this ansatz scales or bends x"
    ):
        coefficients(ansatz_of(circuit, (x,)), (0,), 0, 1)
    circuit = QuantumCircuit(1)
    circuit.rx(x**2, 0)
    with pytest.raises(HQNNError, match="scales or bends x"):
        coefficients(ansatz_of(circuit, (x,)), (0,), 0, 1)


@pytest.mark.parametrize("size", [2, 17, 18])
def test_sizes_that_make_the_effective_dimension_negative_are_refused(size):
    with pytest.raises(HQNNError, match=rf"n above 2π ln n, so of at least 19, but holds {size}"):
        effective_dimension(hqnn_parallel(2, 1), (1000, size))


def test_an_effective_dimension_above_the_weights_is_said_to_come_from_few_samples():
    few = effective_dimension(hqnn_parallel(2, 1), (19,), weight_samples=3, input_samples=3)
    assert few.table["effective dimension"][0] > 6
    assert "there are too few samples for this measure" in few.summary
    many = effective_dimension(hqnn_parallel(2, 1), (10_000,), weight_samples=3, input_samples=3)
    assert 0 < many.table["effective dimension"][0] < 6.1
    assert "too few" not in many.summary


def test_outputs_that_are_no_coins_are_refused():
    w = Parameter("w")
    circuit = QuantumCircuit(1)
    circuit.ry(w, 0)
    with pytest.raises(HQNNError, match=r"reads outputs in \[−1, 1\]"):
        effective_dimension(ansatz_of(circuit, (), (w,), SparsePauliOp("Z", 3.0)))
    circuit = QuantumCircuit(1)
    circuit.rz(w, 0)
    with pytest.raises(HQNNError, match="needs weights that affect an output, but .* has none"):
        effective_dimension(ansatz_of(circuit, (), (w,)))
    with pytest.raises(HQNNError, match="depends on no weight with 2 qubits and 1 layers"):
        gradient_variance(lambda num_qubits, depth: ansatz_of(circuit, (), (w,)), (2,), (1,), 5)


def test_a_loss_within_its_interval_is_not_called_none():
    labels = torch.zeros(50, dtype=torch.long)
    outputs = torch.ones(50, 1)
    outputs[:2] = -1.0

    def decode(values):
        return torch.cat([values, torch.zeros_like(values)], dim=1)

    summary = ablation(decode, -outputs, -torch.ones(1), labels, "images").summary
    assert "No loss is shown on these images" in summary


@pytest.mark.parametrize("name", ANSATZE)
def test_the_rank_of_every_published_ansatz_is_possible(name):
    ansatz = ANSATZE[name]()
    count = ansatz.num_inputs + ansatz.num_weights
    assert 0 < jacobian_rank(ansatz, points=1) <= min(count, 2 * 2**ansatz.num_qubits - 2)
