"""The six ansätze have the published sizes, are plain Qiskit circuits, and say what is wrong with bad input."""

import io

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3, qpy, transpile
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qiskit_hqnn.circuits import (
    ANSATZE,
    Ansatz,
    angle_embedding,
    circuit_centric,
    hqnn_parallel,
    hqnn_quanv,
    pauli_on_each,
    reuploading,
    strongly_entangling_layers,
    textbook,
    vqc_head,
)
from qiskit_hqnn.errors import CircuitError

SIZES = {  # qubits, inputs, weights, outputs (the published settings)
    "hqnn-parallel": (5, 5, 45, 5),
    "hqnn-quanv": (4, 4, 4, 4),
    "vqc-head": (3, 4, 0, 1),
    "textbook": (1, 1, 0, 1),
    "circuit-centric": (7, 127, 42, 7),
    "reuploading": (6, 63, 144, 6),
}


@pytest.mark.parametrize("name", ANSATZE)
def test_published_sizes(name):
    ansatz = ANSATZE[name]()
    assert (ansatz.num_qubits, ansatz.num_inputs, ansatz.num_weights, ansatz.num_outputs) == SIZES[name]
    assert ansatz.name == name
    assert ansatz.reference


@pytest.mark.parametrize("name", ANSATZE)
def test_circuits_draw_transpile_and_survive_qasm3_and_qpy(name):
    circuit = ANSATZE[name]().circuit
    assert "q_0" in str(circuit.draw("text")) or "q:" in str(circuit.draw("text"))
    isa = transpile(circuit, basis_gates=["rz", "sx", "x", "cz"], optimization_level=1, seed_transpiler=1)
    assert set(isa.count_ops()) <= {"rz", "sx", "x", "cz"}
    assert set(isa.parameters) == set(circuit.parameters)
    # The importer reads angles as names; a Vector index is no name, so the exchange form has flat names.
    renamed = circuit.assign_parameters(
        {p: Parameter(f"p{i}") for i, p in enumerate(circuit.parameters)}, inplace=False
    )
    back = qasm3.loads(qasm3.dumps(renamed))
    assert back.num_parameters == circuit.num_parameters
    assert back.count_ops() == circuit.count_ops()
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    buffer.seek(0)
    assert qpy.load(buffer)[0] == circuit


@pytest.mark.parametrize("name", ["hqnn-parallel", "hqnn-quanv", "circuit-centric", "reuploading"])
def test_every_trainable_angle_is_one_parameter_of_one_gate(name):
    ansatz = ANSATZE[name]()
    angles = [angle for step in ansatz.circuit.data for angle in step.operation.params]
    for weight in ansatz.weight_params:
        assert [angle for angle in angles if weight in angle.parameters] == [weight]


def test_strongly_entangling_ring_uses_the_published_ranges():
    ansatz = hqnn_parallel(num_qubits=4, depth=4)
    pairs = [
        tuple(ansatz.circuit.find_bit(q).index for q in step.qubits)
        for step in ansatz.circuit.data
        if step.operation.name == "cx"
    ]
    expected = [(i, (i + r) % 4) for r in (1, 2, 3, 1) for i in range(4)]
    assert pairs == expected


def test_rot_applies_phi_first():
    circuit = QuantumCircuit(1)
    strongly_entangling_layers(circuit, [0.3, 0.5, 0.7], depth=1)
    assert [step.operation.name for step in circuit.data] == ["rz", "ry", "rz"]
    assert [step.operation.params[0] for step in circuit.data] == [0.3, 0.5, 0.7]


def test_textbook_output_is_half_of_one_plus_sine():
    ansatz = textbook()
    for theta in np.linspace(-3, 3, 7):
        state = Statevector(ansatz.circuit.assign_parameters([theta]))
        assert state.expectation_value(ansatz.observables[0]).real == pytest.approx((1 + np.sin(theta)) / 2)


def test_vqc_head_output_is_the_probability_of_zero_on_the_first_qubit():
    ansatz = vqc_head()
    state = Statevector(ansatz.circuit.assign_parameters([0.1, 0.2, 0.3, 0.4]))
    assert state.expectation_value(ansatz.observables[0]).real == pytest.approx(state.probabilities([0])[0])


def test_vqc_head_output_depends_on_its_first_angle_alone():
    # X of qubit 1 commutes with a CNOT that has qubit 1 as target: φ2, φ3, φ4 never reach the published output.
    ansatz = vqc_head()
    for phi in np.random.default_rng(5).uniform(-3, 3, (5, 4)):
        value = (
            Statevector(ansatz.circuit.assign_parameters(phi)).expectation_value(ansatz.observables[0]).real
        )
        assert value == pytest.approx((1 + np.cos(phi[0])) / 2)


@pytest.mark.parametrize("factory", [hqnn_parallel, hqnn_quanv, circuit_centric, reuploading, vqc_head])
def test_entangle_false_keeps_the_parameters_and_leaves_out_trainable_cnots(factory):
    with_ring, without = factory(), factory(entangle=False)
    assert [p.name for p in without.weight_params] == [p.name for p in with_ring.weight_params]
    assert without.circuit.count_ops().get("cx", 0) < with_ring.circuit.count_ops()["cx"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hqnn_parallel(num_qubits=0), "`num_qubits` must be a whole number of at least 1, but is 0"),
        (lambda: hqnn_parallel(depth=1.5), "`depth` must be a whole number of at least 1, but is 1.5"),
        (lambda: hqnn_parallel(rotation="w"), "`axis` must be one of 'x', 'y', 'z', but is 'w'"),
        (lambda: hqnn_parallel(measured="Q"), "must be one of 'X', 'Y', 'Z', but is 'Q'"),
        (
            lambda: circuit_centric(num_outputs=8),
            "`num_outputs` must be a whole number from 1 to 7, but is 8",
        ),
        (lambda: angle_embedding(QuantumCircuit(1), [0.1, 0.2]), "one angle for each rotated qubit"),
        (
            lambda: strongly_entangling_layers(QuantumCircuit(2), [0.1], 1),
            "6 angles for each of 1 layers, but has 1",
        ),
    ],
)
def test_bad_arguments_are_one_sentence(call, message):
    with pytest.raises(CircuitError, match=message):
        call()


def test_ansatz_names_what_does_not_fit():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(a, 0)
    circuit.rz(b, 0)
    z = pauli_on_each("Z", 1)
    with pytest.raises(CircuitError, match=r"`input_params` or `weight_params`, but 'b' is in neither"):
        Ansatz(circuit, (a,), (), z)
    with pytest.raises(CircuitError, match=r"listed once.*'a' is twice"):
        Ansatz(circuit, (a,), (a, b), z)
    with pytest.raises(CircuitError, match="must occur in the circuit, but 'c' is not in it"):
        Ansatz(circuit, (a,), (b, Parameter("c")), z)
    with pytest.raises(CircuitError, match="circuit's 1 qubits, but acts on 2"):
        Ansatz(circuit, (a,), (b,), (SparsePauliOp("ZZ"),))
    with pytest.raises(CircuitError, match="must be Hermitian"):
        Ansatz(circuit, (a,), (b,), (SparsePauliOp("Z", 1j),))
    with pytest.raises(CircuitError, match="at least one observable"):
        Ansatz(circuit, (a,), (b,), ())
    measured = circuit.copy()
    measured.measure_all()
    with pytest.raises(CircuitError, match="must be unmeasured"):
        Ansatz(measured, (a,), (b,), z)


@pytest.mark.parametrize(
    ("reading", "trained", "wires"),
    [
        ("chain", "rx0 rx1 rx2 rx3", [(0, 1), (1, 2), (2, 3)]),
        ("star", "ry0 ry1 ry2 ry3", [(1, 0), (2, 0), (3, 0)]),
        ("upward", "ry0 ry1 ry2 ry3", [(2, 3), (1, 2), (0, 1)]),
        ("pairs", "ry0 ry1 ry2 ry3", [(0, 1), (2, 3), (1, 2)]),
        ("replicas", "rx0 rx1 ry0 ry3", [(2, 3), (0, 2), (0, 3)]),
    ],
)
def test_each_reading_of_quanv_is_the_circuit_that_it_names(reading, trained, wires):
    ansatz = hqnn_quanv(reading=reading)
    circuit, weights = ansatz.circuit, set(ansatz.weight_params)
    qubits = [tuple(circuit.find_bit(qubit).index for qubit in step.qubits) for step in circuit.data]
    steps = list(zip(circuit.data, qubits, strict=True))
    turned = [f"{s.operation.name}{q[0]}" for s, q in steps if weights & set(s.operation.params)]
    assert " ".join(turned) == trained
    assert [q for _, q in steps if len(q) == 2] == wires
    assert ansatz.weight_params == tuple(p for s, _ in steps for p in s.operation.params if p in weights)


def test_quanvs_first_reading_only_scales_channels_and_others_do_more():
    pixels, angles = np.array([0.1, 0.4, 0.7, 0.2]), np.array([0.3, -0.5, 0.9, 1.4])

    def outputs(reading):
        ansatz = hqnn_quanv(reading=reading)
        values = dict(zip([*ansatz.input_params, *ansatz.weight_params], [*pixels, *angles], strict=True))
        state = Statevector(ansatz.circuit.assign_parameters(values))
        return [state.expectation_value(observable).real for observable in ansatz.observables]

    assert outputs("chain") == pytest.approx(np.cumprod(np.cos(angles) * np.cos(np.pi * pixels)))
    # RY adds to the embedding's angle; every control of "star" keeps its own pixel, the target has their product.
    turned = np.cos(np.pi * pixels + angles)
    assert outputs("star") == pytest.approx([np.prod(turned), *turned[1:]])


def test_a_reading_that_is_none_or_does_not_fit_is_one_sentence():
    with pytest.raises(CircuitError, match="'star'"):
        hqnn_quanv(reading="stars")
    with pytest.raises(CircuitError, match="4 qubits, but `num_qubits` is 3"):
        hqnn_quanv(3, reading="replicas")
