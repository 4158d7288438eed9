"""The price that is shown is the job manager's own: of the requests that a quantum layer would really send."""

from dataclasses import replace

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import ANSATZE, Ansatz
from qiskit_hqnn.inspection import inspect
from qiskit_hqnn.inspection.candidates import price_of
from qiskit_hqnn.inspection.subjects import subject_of
from qiskit_hqnn.jobs import JobManager, MitigationOptions, resolve_device, transpile_template
from qiskit_hqnn.layers import QuantumLayer


def cost_of_a_layer(ansatz, copies, samples, shots, device):
    """What a quantum layer's PUB costs by `JobManager.plan` and `JobManager.price`."""
    manager = JobManager(device, shots=shots)
    pub = QuantumLayer(ansatz, copies).pub(torch.zeros(samples, copies * ansatz.num_inputs))
    return manager.price(manager.plan(pub))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hqnn-parallel", "vqc-head", "circuit-centric"])
@pytest.mark.parametrize("copies", [1, 4])
def test_the_used_rows_price_is_that_of_a_quantum_layer(name, copies):
    ansatz = ANSATZE[name]()
    result = inspect(ansatz, "fake_lagos", samples=7, shots=300, copies=copies)
    (row,) = [row for row in result.table if row["used"]]
    cost = cost_of_a_layer(ansatz, copies, 7, 300, "fake_lagos")
    assert row["qpu_seconds"] == pytest.approx(cost.qpu_seconds, rel=1e-12)
    assert (row["executions"], row["jobs"]) == (cost.executions, cost.jobs)


def test_what_mitigation_samples_besides_is_paid_for():
    ansatz, device = ANSATZE["vqc-head"](), resolve_device("fake_manila")
    prices = []
    for mitigation in (MitigationOptions(), MitigationOptions(readout="trex"), MitigationOptions(zne=(1, 3))):
        subject = replace(subject_of(ansatz, None, None, ".", {}), mitigation=mitigation)
        manager = JobManager("fake_manila", shots=200, mitigation=mitigation)
        template = transpile_template(subject.sent, device)
        price = price_of(subject, template, device, samples=6, shots=200)
        assert price == manager.price(manager.plan(subject.pub(6)))
        prices.append(price.qpu_seconds)
    assert prices[0] < min(prices[1:])


def test_every_measured_basis_and_every_copy_is_paid_for():
    circuit, x = QuantumCircuit(2), Parameter("x")
    circuit.ry(x, 0)
    circuit.cx(0, 1)
    together = Ansatz(circuit, (x,), (), (SparsePauliOp("ZI"), SparsePauliOp("IZ")))
    apart = Ansatz(circuit, (x,), (), (SparsePauliOp("ZI"), SparsePauliOp("XI")))
    options = {"seeds": 1, "levels": [1], "samples": 5, "shots": 100}
    executions = [
        inspect(ansatz, "fake_manila", copies=copies, **options).table[0]["executions"]
        for ansatz, copies in ((together, 1), (apart, 1), (apart, 3))
    ]
    assert executions == [500, 1000, 3000]


def test_a_circuit_without_parameters_is_one_set_of_values_whatever_the_samples():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    (row, *_) = inspect(circuit, "fake_manila", seeds=1, levels=[1], samples=50, shots=100).table
    assert row["executions"] == 100
