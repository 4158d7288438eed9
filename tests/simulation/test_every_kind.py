"""Every kind of step that a plan can have is met by the circuits that are compared with Qiskit's reference."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.simulation import compile_ansatz, constants, evolve
from qiskit_hqnn.simulation.steps import Product
from tests.simulation.test_against_qiskit import (
    _ending_in,
    _mixed_ansatz,
    _weights_around_inputs,
    ansaetze,
    assert_equal_to_qiskit,
    assert_gradients,
    values_for,
)

WHERE = ("", "in a product: ")
PARTS = (
    "gates of weights, one matrix",
    "constant gates",
    "phases of weights",
    "constant phases",
    "permutation",
    "no gates in front",
)
EVERY_KIND = {
    *(where + part for where in WHERE for part in PARTS),
    "gates of weights, blocks",
    "constant gates, blocks",
    "phases of inputs",
    "product",
    "start constant",
    "start in |0⟩",
    "measured as it is",
    "measured after a change of basis",
    "several bases",
    "qubits left out",
    "angles of inputs and weights mixed",
    "expressions of inputs",
    "expressions of weights",
    "parameters that no output sees",
    "no weighted gates",
    "angles with offsets",
}
"""Of `steps.Step` and `steps.Product`, and of the plan around them. Inside a product, phases never depend on inputs."""


def kinds_of(plan):
    """What is in a plan, in the words of `EVERY_KIND`; a part without a word raises."""
    found = set()
    for step in plan.steps:
        if isinstance(step, Product):
            found.add("product")
            for inner in step.steps:
                found |= {WHERE[1] + kind for kind in _kinds_of_step(inner)}
        else:
            found |= _kinds_of_step(step)
    found.add("start constant" if plan.initial else "start in |0⟩")
    for basis in plan.bases:
        found.add("measured after a change of basis" if basis.gates else "measured as it is")
    yes = {
        "several bases": len(plan.bases) > 1,
        "qubits left out": plan.num_qubits < plan.template.circuit.num_qubits,
        "angles of inputs and weights mixed": plan.mixes,
        "expressions of inputs": bool(plan.row_nonlinear),
        "expressions of weights": bool(plan.weight_nonlinear),
        "parameters that no output sees": not plan.sees_all,
        "no weighted gates": plan.weighted_layers == 0,
        "angles with offsets": bool(plan.row_slots.offsets.any()),
    }
    return found | {kind for kind, holds in yes.items() if holds}


def _kinds_of_step(step):
    found = set()
    if step.gates is None:
        found.add("no gates in front")
    else:
        kind = "constant gates" if step.gates.position is None else "gates of weights, one matrix"
        if len(step.gates.blocks) > 1:
            kind = kind.replace(", one matrix", "") + ", blocks"
        found.add(kind)
    if step.phases is not None:
        parts = {
            "phases of inputs": step.phases.row_masks,
            "phases of weights": step.phases.weight_masks,
            "constant phases": step.phases.constant,
        }
        found |= {kind for kind, masks in parts.items() if masks}
    if step.rows is not None:
        found.add("permutation")
    return found


def _weights_first():
    """A product that starts with phases, has constant gates and phases inside, and acts on the constant start."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 7)
    circuit = QuantumCircuit(3)
    circuit.h(range(3))
    circuit.rzz(w[0], 0, 1)
    for layer in range(2):
        circuit.rx(w[1 + 3 * layer], 0)
        circuit.cx(0, 1)
        circuit.ry(w[2 + 3 * layer], 1)
        circuit.rzz(w[3 + 3 * layer], 1, 2)
        circuit.cz(0, 2)
        circuit.ry(0.4, range(3))
        circuit.cx(2, 0)
        circuit.cp(0.3, 1, 2)
        circuit.rx(0.7, range(3))
    circuit.rx(x[0], 0)
    circuit.ry(x[1] + 2 * w[6] + 0.3, 2)
    circuit.cx(0, 2)
    return Ansatz(circuit, tuple(x), tuple(w), pauli_on_each("Y", 3))


def _wide():
    """Seven qubits: layers in blocks, constant gates too."""
    x, w = ParameterVector("x", 7), ParameterVector("w", 7)
    circuit = QuantumCircuit(7)
    for qubit in range(7):
        circuit.rx(x[qubit], qubit)
    for qubit in range(6):
        circuit.rzz(w[qubit], qubit, qubit + 1)
    for qubit in range(7):
        circuit.ry(0.2 + qubit, qubit)
    for qubit in range(6):
        circuit.cx(qubit, qubit + 1)
    circuit.rzz(x[0].sin() * 2, 0, 6)
    circuit.rx(w[6], range(7))
    circuit.cx(6, 0)
    observables = (SparsePauliOp(["XXIIIII", "IIIIZIZ"], [0.5, -1.5]), SparsePauliOp(["YIIYIII"], [1.0]))
    return Ansatz(circuit, tuple(x), tuple(w), observables)


CIRCUITS = {
    **ANSATZE,
    "mixed": _mixed_ansatz,
    "runs": lambda: _weights_around_inputs(3),
    "blocks": lambda: hqnn_parallel(7, 2),
    "not-Clifford": lambda: _ending_in(lambda c: c.t(0), lambda c: c.ry(0.3, 0)),
    "weights-first": _weights_first,
    "wide": _wide,
}


def test_every_kind_of_step_is_met():
    found = set()
    for build in CIRCUITS.values():
        found |= kinds_of(compile_ansatz(build()).plan)

    # The same circuits that test_random_circuits_have_right_gradients draws.
    @settings(deadline=None, max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(ansatz=ansaetze(max_qubits=3, max_gates=12))
    def collect(ansatz):
        found.update(kinds_of(compile_ansatz(ansatz).plan))

    collect()
    assert found == EVERY_KIND


@pytest.mark.parametrize("build", [_weights_first, _wide], ids=["weights-first", "wide"])
def test_circuits_of_the_rarer_kinds_are_qiskits(build):
    assert_equal_to_qiskit(build())
    tensors = [torch.from_numpy(v).requires_grad_() for v in values_for(build(), batch=2, copies=1)]
    assert torch.autograd.gradcheck(compile_ansatz(build()).expectation_values, tensors, fast_mode=True)


def test_computed_back_gradients_of_the_rarer_kinds_are_right(monkeypatch):
    monkeypatch.setattr(evolve, "_STORED_BYTES", 0)
    for build in (_weights_first, lambda: hqnn_parallel(3, 2)):
        assert_gradients(build())


def test_signs_that_are_made_anew_in_each_pass_are_the_same(monkeypatch):
    ansatz = _ending_in()
    inputs, weights = (torch.from_numpy(values) for values in values_for(ansatz))
    program = compile_ansatz(ansatz)
    kept = program.expectation_values(inputs, weights)
    monkeypatch.setattr(constants, "_KEPT_SIGNS", 0)
    program._runners.clear()
    torch.testing.assert_close(program.expectation_values(inputs, weights), kept, atol=0, rtol=0)
    (runner,) = program._runners.values()
    assert not runner.constants._signs
    program._runners.clear()
