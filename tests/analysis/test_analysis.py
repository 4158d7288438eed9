"""Analyses against analytic and published values."""

import math

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from scipy.stats import unitary_group

from qiskit_hqnn.analysis import (
    coefficients,
    expressibility,
    fidelities,
    fourier,
    gradient_variance,
    lie_algebra_dimension,
    meyer_wallach,
    reduce_diagram,
    weight_gradients,
    zx_reduction,
)
from qiskit_hqnn.analysis.expressibility import Fidelities
from qiskit_hqnn.circuits import Ansatz, hqnn_parallel, pauli_on_each, reuploading, textbook, vqc_head
from qiskit_hqnn.errors import HQNNError


def one_qubit(*gates):
    """An ansatz of one qubit from ("h",) and ("rx", parameter) pairs, all parameters weights."""
    circuit, weights = QuantumCircuit(1), []
    for name in gates:
        if name == "h":
            circuit.h(0)
        else:
            weights.append(Parameter(f"w{len(weights)}"))
            getattr(circuit, name)(weights[-1], 0)
    return Ansatz(circuit, (), tuple(weights), pauli_on_each("Z", 1))


@pytest.mark.parametrize(
    ("gates", "published", "tolerance"),
    [
        (
            ("rz",),
            math.log(75),
            1e-9,
        ),  # idle on |0⟩: every fidelity is 1, one of 75 bins holds them all: 4.32
        (("h", "rz"), 0.22, 0.03),
        (("h", "rz", "rx"), 0.02, 0.012),
        (("rz", "ry", "rz"), 0.02, 0.02),
    ],
)
def test_single_qubit_circuits_of_sim_et_al(gates, published, tolerance):
    assert fidelities(one_qubit(*gates), pairs=5000, seed=1).divergence() == pytest.approx(
        published, abs=tolerance
    )


def test_haar_random_states_have_no_divergence():
    rng = np.random.default_rng(1)
    states = rng.normal(size=(2, 20_000, 8)) + 1j * rng.normal(size=(2, 20_000, 8))
    states /= np.linalg.norm(states, axis=2, keepdims=True)
    values = np.abs((states[0].conj() * states[1]).sum(axis=1)) ** 2
    assert Fidelities(values, 8).divergence() < 0.005


def test_an_arbitrary_single_qubit_unitary_has_the_divergence_of_its_sample():
    # Sim et al. 2019, figure 1: 0.007 for 5,000 pairs in 75 bins, which is all sampling error (74 / 10,000).
    unitaries = unitary_group.rvs(2, size=10_000, random_state=3)
    states = unitaries[:, :, 0]
    values = np.abs((states[:5000].conj() * states[5000:]).sum(axis=1)) ** 2
    assert Fidelities(values, 2).divergence() == pytest.approx(0.007, abs=0.003)


def test_meyer_wallach_of_ghz_is_one_and_of_products_zero():
    ghz = torch.zeros(8, dtype=torch.complex128)
    ghz[0] = ghz[7] = 2**-0.5
    assert meyer_wallach(ghz).item() == pytest.approx(1)
    product = torch.from_numpy(np.kron(np.kron([0.6, 0.8], [1, 0]), [2**-0.5, 1j * 2**-0.5]))
    assert meyer_wallach(product).item() == pytest.approx(0, abs=1e-12)


def test_fourier_coefficients_of_a_cosine():
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.rx(x, 0)
    values = coefficients(Ansatz(circuit, (x,), (), pauli_on_each("Z", 1)), (0,), 0, 1)
    np.testing.assert_allclose(values, [[0.5, 0, 0.5]], atol=1e-12)
    sine = coefficients(textbook(), (0,), 0, 1)  # P(1) = (1 + sin θ)/2
    np.testing.assert_allclose(sine, [[0.25j, 0.5, -0.25j]], atol=1e-12)


def test_fourier_series_is_the_output():
    ansatz = hqnn_parallel(2, 2)
    values = coefficients(ansatz, (0, 1), 1, 3, seed=4)
    assert values.shape == (3, 3, 3)
    generator = torch.Generator().manual_seed(4)
    weights = torch.rand(3, 12, generator=generator, dtype=torch.float64) * 2 * math.pi
    from qiskit_hqnn.simulation import compile_ansatz

    point = torch.tensor([0.7, -1.9], dtype=torch.float64)
    direct = compile_ansatz(ansatz).expectation_values(point.expand(1, 3, 2), weights)[0, :, 1].numpy()
    frequency = np.arange(-1, 2)
    waves = np.exp(1j * (0.7 * frequency[:, None] - 1.9 * frequency[None, :]))
    np.testing.assert_allclose((values * waves).sum(axis=(1, 2)), direct, atol=1e-12)


def test_uploading_again_raises_the_degree():
    x = Parameter("x")
    w = ParameterVector("w", 3)
    circuit = QuantumCircuit(1)
    for index in range(3):
        circuit.rx(x, 0)
        circuit.ry(w[index], 0)
    values = coefficients(Ansatz(circuit, (x,), tuple(w), pauli_on_each("Z", 1)), (0,), 0, 5)
    assert values.shape == (5, 7)
    assert np.abs(values[:, [0, 6]]).max() > 1e-3


def test_figure_ten_reaches_every_frequency_and_draws():
    result = fourier(hqnn_parallel(), (0, 1), -1, weight_sets=20)
    assert result.table["accessible"].all()
    assert len(result.table) == 9
    assert result.png().startswith(b"\x89PNG")
    assert "data:image/png;base64," in result._repr_html_()


def test_the_vqc_head_depends_on_its_first_angle_only():
    values = coefficients(vqc_head(), (0, 3), 0, 1)[0]
    assert np.abs(values[:, 1]).max() > 0.2
    assert np.abs(np.delete(values, 1, axis=1)).max() < 1e-12


def test_expressibility_has_a_row_for_each():
    result = expressibility(
        {"one": hqnn_parallel(2, 1), "two": hqnn_parallel(2, 1, entangle=False)}, pairs=300
    )
    assert list(result.table["ansatz"]) == ["one", "two"]
    assert result.table["entangling"][1] == pytest.approx(0, abs=1e-9)
    assert result.table["entangling"][0] > 0.3
    assert result.png()


def test_gradient_variance_of_a_single_rotation_is_a_half_and_shrinks_with_qubits(tmp_path):
    gradients = weight_gradients(one_qubit("rx"), 4000, seed=2)
    assert gradients.var() == pytest.approx(0.5, abs=0.03)  # ⟨Z⟩ = cos θ
    result = gradient_variance(hqnn_parallel, qubits=(2, 4, 6), depths=(6,), samples=100)
    variances = result.table["variance"].to_numpy()
    assert variances[0] > variances[1] > variances[2]
    assert {path.suffix for path in result.save(tmp_path, "x")} == {".png", ".csv", ".html"}


def test_lie_algebra_dimensions_are_the_known_ones():
    assert lie_algebra_dimension(one_qubit("rz")) == 1
    assert lie_algebra_dimension(one_qubit("rz", "rx")) == 3
    assert lie_algebra_dimension(hqnn_parallel(2, 1, entangle=False)) == 6
    assert lie_algebra_dimension(hqnn_parallel(2, 2)) == 15


def test_no_parameter_of_hqnn_parallel_is_lost():
    reduction = reduce_diagram(hqnn_parallel())
    assert not reduction.lost
    assert not reduction.fused
    assert reduction.after < reduction.before
    summary = zx_reduction(hqnn_parallel()).summary
    assert "50 of 50 parameters survive on a separate spider" in summary
    assert "Jacobian has rank 40 (at most 62, its dimensions): 10 of 50 parameters are redundant" in summary


def test_known_redundancy_is_found():
    w = ParameterVector("w", 4)
    circuit = QuantumCircuit(2)
    circuit.rz(w[0], 1)  # on |0⟩: no effect at all
    circuit.h(0)
    circuit.rz(w[1], 0)
    circuit.rz(2 * w[2], 0)  # fuses with the one before
    circuit.rx(0.3, 0)
    circuit.rz(w[3], 0)  # right before ⟨Z⟩
    ansatz = Ansatz(circuit, (), tuple(w), pauli_on_each("Z", 2)[:1])
    reduction = reduce_diagram(ansatz)
    assert reduction.lost == {0}
    assert reduction.fused == (frozenset({1, 2}),)
    table = zx_reduction(ansatz).table
    assert list(table["in the state"]) == ["lost", "fused", "fused", "own spider"]
    assert (table["largest |∂⟨O⟩|"] > 1e-9).tolist() == [False, True, True, False]


def test_no_output_of_the_vqc_head_feels_its_other_angles():
    result = zx_reduction(vqc_head())
    assert "No output depends on phi[1], phi[2], phi[3]." in result.summary
    assert result.png().startswith(b"\x89PNG")


def test_bad_requests_are_one_sentence():
    with pytest.raises(HQNNError, match="integer factors"):
        from qiskit_hqnn.circuits import hqnn_quanv

        fourier(hqnn_quanv())
    with pytest.raises(HQNNError, match=r"indices from 0 to 4, but is \(7,\)"):
        coefficients(hqnn_parallel(), (7,), 0, 1)
    with pytest.raises(HQNNError, match="at most 4 qubits"):
        lie_algebra_dimension(reuploading())
    with pytest.raises(HQNNError, match="has no weights"):
        weight_gradients(vqc_head(), 3)
