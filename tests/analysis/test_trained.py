"""Analyses of a trained network against known cases: outputs that matter or not, vectors, ways on a circle."""

import math

import numpy as np
import pytest
import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from scipy.stats import binomtest
from typer.testing import CliRunner

from qiskit_hqnn.analysis import (
    ablation,
    bloch_by_class,
    bloch_vectors,
    effective_dimension,
    gradient_norms,
    lie_algebra,
    outputs_by_class,
    weight_movement,
)
from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel
from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.training import run_job
from qiskit_hqnn.training.job_file import check_job

NAMES = ("a", "b")


def test_an_output_that_decides_is_worth_its_accuracy():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    outputs = torch.stack([labels * 2.0 - 1, torch.rand(200, generator=generator)], dim=1)
    outputs[:20, 0] *= -1  # twenty images are wrong with it

    def decode(values):
        return torch.stack([-values[:, 0], values[:, 0] - 1e-3], dim=1)

    result = ablation(decode, outputs, outputs.mean(dim=0), labels, "images")
    whole, decisive, idle = (result.table.iloc[row] for row in range(3))
    assert decisive["accuracy"] == pytest.approx(0.5)
    assert decisive["lost"] == pytest.approx(0.4)
    assert (decisive["images lost"], decisive["images won"]) == (90, 10)
    assert decisive["p (McNemar)"] == pytest.approx(binomtest(90, 100).pvalue)
    assert idle["lost"] == 0
    assert whole["lost"] == decisive["lost"]
    half = 1.96 * math.sqrt((0.5 - 0.4**2) / 200)
    assert decisive["high"] - decisive["low"] == pytest.approx(2 * half)
    assert "reads its quantum layer" in result.summary
    assert result.png()[:4] == b"\x89PNG"


def test_a_network_that_ignores_its_outputs_loses_nothing():
    labels = torch.zeros(50, dtype=torch.long)
    result = ablation(
        lambda values: torch.tensor([1.0, 0.0]).expand(len(values), 2),
        torch.rand(50, 3),
        torch.rand(3),
        labels,
        "images",
    )
    assert (result.table["lost"] == 0).all()
    assert "as well without its quantum layer" in result.summary


def test_the_share_of_variance_that_the_class_explains():
    labels = torch.arange(100) % 2
    generator = torch.Generator().manual_seed(1)
    outputs = torch.stack(
        [labels.double(), torch.rand(100, generator=generator, dtype=torch.float64), torch.full((100,), 0.3)],
        dim=1,
    )
    table = outputs_by_class(outputs, labels, NAMES).table
    assert table["explained by class"][0] == pytest.approx(1)
    assert table["explained by class"][1] < 0.1
    assert table["explained by class"][2] == 0
    assert "1 of 3 outputs hardly vary" in outputs_by_class(outputs, labels, NAMES).summary


def test_bloch_vectors_are_qiskits():
    ansatz = hqnn_parallel(3, 2)
    generator = torch.Generator().manual_seed(2)
    inputs = torch.rand(2, 2, 3, generator=generator, dtype=torch.float64)
    weights = 6 * torch.rand(2, ansatz.num_weights, generator=generator, dtype=torch.float64)
    ours = bloch_vectors(ansatz, inputs, weights)
    assert ours.shape == (2, 6, 3)
    for copy in range(2):
        values = dict(
            zip(
                [*ansatz.input_params, *ansatz.weight_params],
                [*inputs[1, copy].tolist(), *weights[copy].tolist()],
                strict=True,
            )
        )
        state = Statevector(ansatz.circuit.assign_parameters(values))
        for qubit in range(3):
            for axis, letter in enumerate("XYZ"):
                pauli = SparsePauliOp.from_sparse_list([(letter, [qubit], 1.0)], 3)
                expected = state.expectation_value(pauli).real
                assert ours[1, 3 * copy + qubit, axis].item() == pytest.approx(expected, abs=1e-10)
    result = bloch_by_class(ansatz, inputs, weights, torch.tensor([0, 1]), NAMES)
    assert len(result.table) == 6 * 2
    assert result.png()[:4] == b"\x89PNG"


def test_weights_move_on_a_circle():
    result = weight_movement(torch.tensor([6.2, 1.0, 3.0]), torch.tensor([0.1, 1.0, 2.5]))
    np.testing.assert_allclose(result.table["moved"], [0.1 + 2 * math.pi - 6.2, 0, -0.5], atol=1e-6)
    assert "1 did not move" in result.summary
    with pytest.raises(HQNNError, match="must be of one shape"):
        weight_movement(torch.rand(2), torch.rand(3))


def test_gradient_norms_come_from_the_history():
    rows = [
        {"epoch": 1, "gradient_quantum": 0.5, "gradient_head": 2.0},
        {"epoch": 2, "gradient_quantum": 0.1},
    ]
    result = gradient_norms(rows)
    assert list(result.table["quantum"]) == [0.5, 0.1]
    assert "began at 0.5" in result.summary
    with pytest.raises(HQNNError, match="no gradient norms"):
        gradient_norms([{"epoch": 1}])


def _one_qubit(*gates):
    circuit, weights = QuantumCircuit(1), [Parameter(f"w{k}") for k in range(len(gates))]
    for gate, weight in zip(gates, weights, strict=True):
        getattr(circuit, gate)(weight, 0)
    return Ansatz(circuit, (), tuple(weights), (SparsePauliOp("Z"),), name="one qubit")


@pytest.mark.parametrize(("gates", "factor"), [(("ry",), 1), (("ry", "ry"), 2)])
def test_effective_dimension_is_the_analytic_one(gates, factor):
    # RY before ⟨Z⟩ has Fisher information 1 at every angle; two in a row share it: rank 1, normalised to trace 2.
    sizes = (1000, 100_000)
    result = effective_dimension(_one_qubit(*gates), sizes, weight_samples=5, input_samples=1)
    scale = np.array([n / (2 * np.pi * np.log(n)) for n in sizes])
    np.testing.assert_allclose(
        result.table["effective dimension"], np.log(1 + factor * scale) / np.log(scale), rtol=1e-6
    )
    assert "rank 1" in result.summary


def test_effective_dimension_refuses_what_it_cannot_mean():
    with pytest.raises(HQNNError, match="has none"):
        effective_dimension(ANSATZE["vqc-head"]())
    with pytest.raises(HQNNError, match="at least 19, but holds 5"):
        effective_dimension(_one_qubit("ry"), (5,))
    with pytest.raises(HQNNError, match="must be at least 1"):
        effective_dimension(_one_qubit("ry"), weight_samples=0)


def test_lie_algebras_in_a_table():
    result = lie_algebra({"ry": _one_qubit("ry"), "both": _one_qubit("ry", "rz")})
    assert list(result.table["dimension"]) == [1, 3]
    assert "both" in result.summary


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysis") / "run"
    job = check_job(
        {
            "model": {
                "name": "hqnn-parallel",
                "num_qubits": 3,
                "copies": 2,
                "image_size": 8,
                "convolutions": 1,
            },
            "data": {"name": "digits", "classes": [0, 1], "train_samples": 60, "validation": 0.3},
            "train": {"epochs": 2, "batch_size": 16, "threads": 1},
        },
        "test",
    )
    run_job(job, folder, progress=False)
    return folder


def test_the_command_analyses_a_run(run, tmp_path):
    answer = CliRunner().invoke(app, ["analyse", str(run), "--out", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    for name in ("ablation", "outputs", "bloch", "weights", "gradient-norms"):
        page = (tmp_path / f"{name}.html").read_text()
        assert "data:image/png;base64," in page
        assert (tmp_path / f"{name}.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--kind", "fourier"], "of a run folder must be one of ablation"),
        (["--images", "holdout"], "must be one of train, validation, test, but is 'holdout'"),
    ],
)
def test_bad_requests_are_one_sentence(run, arguments, sentence):
    answer = CliRunner().invoke(app, ["analyse", str(run), *arguments])
    assert isinstance(answer.exception, HQNNError)
    assert sentence in str(answer.exception)


def test_an_ansatz_has_no_ablation():
    answer = CliRunner().invoke(app, ["analyse", "hqnn-parallel", "--kind", "ablation"])
    assert "of an ansatz must be one of fourier" in str(answer.exception)
