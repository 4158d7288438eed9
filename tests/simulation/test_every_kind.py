"""Every kind of step that a plan can have is met by the circuits that are compared with Qiskit's reference."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits import ANSATZE, Ansatz, hqnn_parallel, pauli_on_each
from qiskit_hqnn.simulation import compile_ansatz
from qiskit_hqnn.simulation.passes import constants, evolve
from qiskit_hqnn.simulation.planning.steps import Product
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
    *(
        "one upload" + part
        for part in (
            "",
            " of weights too",
            " on unequal amplitudes",
            ", then a permutation",
            ", nothing behind it",
            ", then nothing of weights",
            ", a permutation before a change of basis",
            ", measured in several bases",
        )
    ),
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
    if plan.one_upload:
        found |= _kinds_of_one_upload(plan)
    return found | {kind for kind, holds in yes.items() if holds}


def _kinds_of_one_upload(plan):
    upload, *rest = plan.steps
    behind = rest[0].steps if rest else ()
    change = len(plan.bases) > 1 or bool(plan.bases[0].gates)
    yes = {
        " of weights too": bool(upload.phases.weight_masks),
        " on unequal amplitudes": len(plan.initial) < plan.num_qubits,
        ", then a permutation": bool(behind and behind[0].gates is None and behind[0].rows),
        ", nothing behind it": not behind,
        ", then nothing of weights": bool(behind) and not any(step.of_weights for step in behind),
        ", a permutation before a change of basis": bool(change and behind and behind[-1].rows),
        ", measured in several bases": len(plan.bases) > 1,
    }
    return {"one upload", *("one upload" + kind for kind, holds in yes.items() if holds)}


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


def _weights_first(layers=2):
    """A product that starts with phases, has constant gates and phases inside, and acts on the constant start."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 3 * layers + 1)
    circuit = QuantumCircuit(3)
    circuit.h(range(3))
    circuit.rzz(w[0], 0, 1)
    for layer in range(layers):
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
    circuit.ry(x[1] + 2 * w[-1] + 0.3, 2)
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


def _upload_of_weights():
    """Inputs and weights as one layer of phases; what follows is constant, and one qubit starts in |0⟩."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 3)
    circuit = QuantumCircuit(3)
    circuit.h([0, 1])
    circuit.rz(x[0], 0)
    circuit.rzz(w[0], 0, 1)
    circuit.rzz(2 * x[1] + w[1] - 0.4, 1, 2)
    circuit.rzz(w[2], 0, 2)
    circuit.cz(0, 2)
    circuit.ry(0.3, range(3))
    circuit.cx(0, 1)
    circuit.ry(0.8, range(3))
    return Ansatz(circuit, tuple(x), tuple(w), pauli_on_each("Z", 3))


def _upload_into_several_bases():
    """CNOTs right behind the inputs, weights, CNOTs right before a measurement of X, Y and Z."""
    x, w = ParameterVector("x", 3), ParameterVector("w", 7)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.h(qubit)
        circuit.rz(x[qubit], qubit)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    for qubit in range(3):
        circuit.rz(w[2 * qubit], qubit)
        circuit.ry(w[2 * qubit + 1], qubit)
    circuit.rzz(w[6], 0, 2)
    circuit.ry(0.2, range(3))
    circuit.cx(2, 0)
    observables = (SparsePauliOp(["XXI", "ZIZ"], [0.5, -1.5]), SparsePauliOp(["YIY"]), SparsePauliOp(["IZI"]))
    return Ansatz(circuit, tuple(x), tuple(w), observables)


def _upload_alone():
    """Nothing behind the inputs but a measurement of X, which takes no change of basis where nothing is in between."""
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.rz(x[0], 0)
    circuit.rz(x[1], 1)
    circuit.rzz(x[0] * x[1], 0, 1)
    return Ansatz(circuit, tuple(x), (), pauli_on_each("Y", 2))


def _inputs_twice():
    """Two layers of inputs and no weights at all."""
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    for _ in range(2):
        circuit.rx(x[0], 0)
        circuit.ry(x[1], 1)
        circuit.cx(0, 1)
    return Ansatz(circuit, tuple(x), (), pauli_on_each("Z", 2))


CIRCUITS = {
    **ANSATZE,
    "mixed": _mixed_ansatz,
    "runs": lambda: _weights_around_inputs(3),
    "blocks": lambda: hqnn_parallel(7, 2),
    "not-Clifford": lambda: _ending_in(lambda c: c.t(0), lambda c: c.ry(0.3, 0)),
    "weights-first": _weights_first,
    "wide": _wide,
    "upload-of-weights": _upload_of_weights,
    "upload-into-several-bases": _upload_into_several_bases,
    "upload-alone": _upload_alone,
    "inputs-twice": _inputs_twice,
}
RARER = (
    "weights-first",
    "wide",
    "upload-of-weights",
    "upload-into-several-bases",
    "upload-alone",
    "inputs-twice",
)


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


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("name", RARER)
def test_circuits_of_the_rarer_kinds_are_qiskits(name, copies):
    ansatz = CIRCUITS[name]()
    assert_equal_to_qiskit(ansatz)
    inputs, weights = (torch.tensor(v) for v in values_for(ansatz, batch=2, copies=copies))
    program = compile_ansatz(ansatz)
    program._runner(inputs)._multiplied_from[copies] = 0
    if not ansatz.num_weights:  # gradcheck takes no tensors without elements
        assert torch.autograd.gradcheck(
            lambda x: program.expectation_values(x, weights), inputs.requires_grad_(), fast_mode=True
        )
        return
    tensors = (inputs.requires_grad_(), weights.requires_grad_())
    assert torch.autograd.gradcheck(program.expectation_values, tensors, fast_mode=True)


@pytest.mark.parametrize("name", CIRCUITS)
def test_flat_tensors_give_the_same_numbers_and_gradients(name):
    program, copies = compile_ansatz(CIRCUITS[name]()), 3
    program._runner(torch.empty(0, dtype=torch.float64))._multiplied_from[copies] = 0
    tensors = [
        torch.from_numpy(v).requires_grad_() for v in values_for(CIRCUITS[name](), batch=4, copies=copies)
    ]
    outputs = program.expectation_values(*tensors)
    inputs, weights = tensors[0].reshape(2, 2, -1), tensors[1].flatten()
    flat = program.layer(inputs, weights, copies)
    torch.testing.assert_close(flat, outputs.reshape(2, 2, -1), rtol=0, atol=1e-12)
    cotangent = torch.randn(outputs.shape, dtype=outputs.dtype, generator=torch.Generator().manual_seed(0))
    expected = torch.autograd.grad(outputs, tensors, cotangent)
    given = torch.autograd.grad(flat, tensors, cotangent.reshape(flat.shape))
    for one, other in zip(given, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


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


@pytest.mark.parametrize(("name", "copies"), [("vqc-head", 10), ("hqnn-parallel", 1), ("hqnn-parallel", 3)])
def test_many_samples_have_the_numbers_and_gradients_of_a_few(name, copies):
    program = compile_ansatz(CIRCUITS[name]())
    inputs, weights = (
        torch.from_numpy(v).requires_grad_() for v in values_for(CIRCUITS[name](), 250, copies)
    )
    many = program.expectation_values(inputs, weights)
    few = torch.cat([program.expectation_values(part, weights) for part in inputs.split(2)])
    torch.testing.assert_close(many, few, rtol=0, atol=1e-12)
    wanted = (inputs, weights) if weights.numel() else (inputs,)
    for one, other in zip(
        *(torch.autograd.grad(out.square().sum(), wanted) for out in (many, few)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)
