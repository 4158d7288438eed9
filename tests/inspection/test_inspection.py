"""Inspection: equivalence is proven and breakage found, tables add up, the gallery is what the factories make."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qasm3

from qiskit_hqnn.circuits import ANSATZE, hqnn_parallel
from qiskit_hqnn.errors import DeviceError, HQNNError
from qiskit_hqnn.inspection import error_budget, inspect, largest_difference
from qiskit_hqnn.inspection.gallery import qasm_of
from qiskit_hqnn.jobs import resolve_device, transpile_template

GALLERY = Path(__file__).parents[2] / "circuits"


@pytest.fixture(scope="module")
def small():
    return hqnn_parallel(3, 1)


@pytest.fixture(scope="module")
def inspected(small):
    return inspect(small, ["fake_manila", "fake_fez"], seeds=2, levels=(1, 3), samples=10, shots=100)


def test_every_circuit_is_proven_and_the_table_has_a_row_a_level(inspected):
    assert all(part.proven for part in inspected.devices)
    table = inspected.table
    assert {(row["device"], row["level"]) for _, row in table.iterrows()} >= {
        ("fake_manila", 1), ("fake_manila", 3), ("fake_fez", 1), ("fake_fez", 3),
    }  # fmt: skip
    assert (table["expected success"] > 0.5).all()
    assert (table[""] == "used").sum() == 2
    assert json.loads(table.to_json(orient="records"))


def test_the_best_is_at_least_what_the_job_manager_uses(inspected):
    for part in inspected.devices:
        assert part.best.expected_success >= part.used.expected_success


def test_the_budget_of_gates_and_readout_is_the_expected_success(inspected):
    for part in inspected.devices:
        gates = sum(value for cause, value in part.budget.items() if cause != "idle")
        assert math.exp(-gates) == pytest.approx(part.best.expected_success)
        assert part.budget["idle"] > 0


def test_exchanged_readout_is_found(small):
    template = transpile_template(small.circuit, resolve_device("fake_manila"), seeds=[0], levels=[1])
    first, second, *rest = template.logical
    assert largest_difference(small, template) < 1e-9
    assert largest_difference(small, replace(template, logical=(second, first, *rest))) > 1e-2


def test_a_dropped_gate_is_found(small):
    template = transpile_template(small.circuit, resolve_device("fake_manila"), seeds=[0], levels=[1])
    position = next(i for i, step in enumerate(template.circuit.data) if step.operation.name == "cx")
    broken = template.circuit.copy()
    del broken.data[position]
    assert largest_difference(small, replace(template, circuit=broken)) > 1e-2


def test_the_page_is_self_contained(inspected):
    page = inspected.page()
    assert page.count("data:image/png;base64,") == len(inspected.figures) == 7
    assert "agree to" in page


def test_a_device_that_is_too_small_or_unknown_and_bad_numbers_are_one_sentence(small):
    with pytest.raises(DeviceError, match="needs 6 connected qubits, but fake_manila has 5"):
        inspect(hqnn_parallel(6, 1), ["fake_manila"])
    with pytest.raises(DeviceError, match="no snapshot 'fake_feez'"):
        inspect(small, ["fake_feez"])
    with pytest.raises(HQNNError, match=r"levels must be from 0 to 3, but are \[4\]"):
        inspect(small, ["fake_manila"], levels=[4])
    with pytest.raises(HQNNError, match="nothing to inspect"):
        inspect(small, ["aer"])
    with pytest.raises(HQNNError, match="must be at least 1"):
        inspect(small, ["fake_manila"], seeds=0)


@pytest.mark.parametrize("name", ANSATZE)
def test_the_gallery_is_what_the_factories_make(name):
    ansatz = ANSATZE[name]()
    assert (GALLERY / f"{name}.qasm").read_text() == qasm_of(ansatz)
    assert (GALLERY / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert ansatz.reference in (GALLERY / f"{name}.md").read_text()
    read_back = qasm3.loads((GALLERY / f"{name}.qasm").read_text())
    assert isinstance(read_back, QuantumCircuit)
    assert read_back.count_ops() == ansatz.circuit.count_ops()


def test_the_budget_counts_every_cause():
    device = resolve_device("fake_manila")
    template = transpile_template(hqnn_parallel(3, 1).circuit, device, seeds=[0], levels=[1])
    assert set(error_budget(template, device.target)) == {
        "one-qubit gates",
        "two-qubit gates",
        "readout",
        "idle",
    }
