"""Exact values under noise are those of Aer's density matrices, for every ansatz, device and kind of error."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import CXGate, RZGate, SXGate, UnitaryGate, XGate
from qiskit.quantum_info import (
    Kraus,
    SparsePauliOp,
    Statevector,
    SuperOp,
    random_quantum_channel,
    random_unitary,
)
from qiskit_aer import AerSimulator, noise
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.circuits import (
    circuit_centric,
    hqnn_parallel,
    hqnn_quanv,
    reuploading,
    textbook,
    vqc_head,
)
from qiskit_hqnn.jobs.adapters.aer import noise_of, on_qubits, used_qubits
from qiskit_hqnn.jobs.devices.device import resolve_device
from qiskit_hqnn.jobs.estimation.mitigation.decoupling import decoupled
from qiskit_hqnn.simulation.noise import NoisyProgram
from qiskit_hqnn.simulation.noise.plan import make_noisy_plan
from tests.simulation.noise.aer_reference import aer_probabilities, aer_values

ALL = bool(os.environ.get("HQNN_NOISE_FULL"))
"""All six ansätze as published, on three snapshots: minutes; without it smaller ones."""
SNAPSHOTS = ("fake_fez", "fake_torino", "fake_sherbrooke") if ALL else ("fake_fez", "fake_sherbrooke")
ANSATZE = {
    "hqnn-parallel": hqnn_parallel() if ALL else hqnn_parallel(3, depth=1),
    "hqnn-quanv": hqnn_quanv(),
    "vqc-head": vqc_head(),
    "textbook": textbook(),
    "circuit-centric": circuit_centric() if ALL else circuit_centric(num_qubits=2, depth=1),
    "re-uploading": reuploading() if ALL else reuploading(num_qubits=2, depth=2),
}


def both(program, circuit, observables, where, model, inputs, weights, num_inputs, sets=3, seed=0):
    """Ours and Aer's expectation values of random parameters."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, (sets, len(inputs)))
    w = rng.uniform(-3, 3, (1, len(weights)))
    ours = program.expectation_values(torch.tensor(x)[:, None], torch.tensor(w))[:, 0]
    values = np.concatenate([x, w.repeat(sets, axis=0)], axis=1)
    used = [index for index, p in enumerate([*inputs, *weights]) if p in circuit.parameters]
    parameters = [[*inputs, *weights][index] for index in used]
    return ours.numpy(), aer_values(circuit, observables, where, model, parameters, values[:, used])


@pytest.mark.slow
@pytest.mark.parametrize("snapshot", SNAPSHOTS)
@pytest.mark.parametrize("name", ANSATZE)
def test_every_ansatz_on_a_device(name, snapshot):
    ansatz, device = ANSATZE[name], resolve_device(snapshot)
    isa = transpile(ansatz.circuit, target=device.target, optimization_level=2, seed_transpiler=1)
    where = isa.layout.final_index_layout(filter_ancillas=True)
    used = sorted({*used_qubits(isa), *where})
    circuit, where = on_qubits(isa, used), [used.index(qubit) for qubit in where]
    model = noise_of(device, tuple(used))
    parts = (ansatz.observables, where, model, ansatz.input_params, ansatz.weight_params)
    program = NoisyProgram(make_noisy_plan(circuit, *parts))
    ours, aers = both(program, circuit, *parts, ansatz.num_inputs)
    assert np.abs(ours - aers).max() < 1e-6


def depolarizing(rng, size):
    return noise.depolarizing_error(rng.uniform(0, 0.3), size)


def pauli(rng, size):
    chosen = ["".join(rng.choice(list("IXYZ"), size)) for _ in range(3)]
    shares = rng.dirichlet(np.ones(len(set(chosen))))
    return noise.pauli_error(list(zip(sorted(set(chosen)), shares, strict=True)))


def relaxation(rng, size):
    t1 = rng.uniform(20, 200)
    error = noise.thermal_relaxation_error(
        t1, rng.uniform(0.1, 2) * t1, rng.uniform(1, 30), rng.uniform(0, 0.3)
    )
    return error if size == 1 else error.expand(relaxation(rng, size - 1))


def damping(rng, size):
    error = noise.amplitude_damping_error(rng.uniform(0, 0.4), rng.uniform(0, 0.5))
    return error if size == 1 else error.expand(damping(rng, size - 1))


def coherent(rng, size):
    return noise.coherent_unitary_error(random_unitary(2**size, seed=int(rng.integers(2**31))))


def kraus(rng, size):
    return noise.kraus_error(Kraus(random_quantum_channel(2**size, seed=int(rng.integers(2**31)))).data)


KINDS = (depolarizing, pauli, relaxation, damping, coherent, kraus)
ONE, TWO = ("rx", "rz", "sx", "h", "u", "p"), ("cx", "cz", "rzz", "cp", "swap", "ecr")


@st.composite
def cases(draw):
    """A circuit of three qubits over inputs and weights, and a noise model for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, w = ParameterVector("x", 3), ParameterVector("w", 3)
    circuit = QuantumCircuit(3)
    everything = [*x, *w]
    for parameter in everything:
        circuit.rx(parameter * rng.uniform(0.5, 2) + rng.uniform(-1, 1), int(rng.integers(3)))
    for _ in range(draw(st.integers(2, 14))):
        qubits = rng.permutation(3).tolist()
        angle = (everything[int(rng.integers(6))] + everything[int(rng.integers(6))] ** 2) * 0.5
        word = str(rng.choice([*ONE, *TWO]))
        if word in {"rx", "rz", "p"}:
            getattr(circuit, word)(angle, qubits[0])
        elif word == "u":
            circuit.u(angle, 0.3, everything[0], qubits[0])
        elif word in {"rzz", "cp"}:
            getattr(circuit, word)(angle, *qubits[:2])
        elif word in ONE:
            getattr(circuit, word)(qubits[0])
        else:
            getattr(circuit, word)(*qubits[:2])
    model = NoiseModel()
    for size, words in ((1, ONE), (2, TWO)):
        for _ in range(draw(st.integers(1, 4))):
            error = KINDS[rng.integers(len(KINDS))](rng, size)
            chosen = rng.choice(words, 2, replace=False).tolist()
            if rng.random() < 0.5:
                model.add_all_qubit_quantum_error(error, chosen, warnings=False)
            else:
                model.add_quantum_error(error, chosen, rng.permutation(3)[:size].tolist(), warnings=False)
    for qubit in range(draw(st.integers(0, 2))):
        up, down = rng.uniform(0, 0.3, 2)
        model.add_readout_error([[1 - up, up], [down, 1 - down]], [qubit], warnings=False)
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]], warnings=False)
    labels = ["".join(rng.choice(list("IXYZ"), 3)) for _ in range(4)]
    observables = [SparsePauliOp(labels[:2], rng.normal(size=2)), *map(SparsePauliOp, labels[2:])]
    return circuit, observables, model, x, w


@pytest.mark.slow
@settings(max_examples=200 if ALL else 12, deadline=None, derandomize=True)
@given(cases())
def test_any_noise_model(case):
    circuit, observables, model, x, w = case
    parts = (observables, range(3), model, x, w)
    ours, aers = both(NoisyProgram(make_noisy_plan(circuit, *parts)), circuit, *parts, 3)
    assert np.abs(ours - aers).max() < 1e-6


def check(circuit, model, observables=None):
    """A circuit without parameters gives Aer's values."""
    size = circuit.num_qubits
    observables = observables or [
        SparsePauliOp(label) for label in ("Z" * size, "I" * (size - 1) + "X", "Y" * size)
    ]
    program = NoisyProgram(make_noisy_plan(circuit, observables, range(size), model, (), ()))
    ours = program.expectation_values(torch.zeros(1, 1, 0).double(), torch.zeros(1, 0).double())[0, 0].numpy()
    aers = aer_values(circuit, observables, range(size), model, [], [[]])[0]
    assert np.abs(ours - aers).max() < 1e-6
    return ours


def test_an_error_for_these_qubits_in_this_order_comes_before_one_for_all():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.4, 2), "cx")
    model.add_quantum_error(noise.pauli_error([("XY", 0.3), ("II", 0.7)]), "cx", [1, 0])
    values = []
    for control, target in ((0, 1), (1, 0)):
        circuit = QuantumCircuit(2)
        circuit.ry(0.7, control)
        circuit.cx(control, target)
        values.append(check(circuit, model))
    assert not np.allclose(*values)


def test_pauli_lindblad_errors():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.PauliLindbladError(["X", "Z"], [0.1, 0.2]), ["sx", "h"])
    model.add_quantum_error(noise.PauliLindbladError(["XY", "ZZ", "IY"], [0.1, 0.2, 0.05]), "cx", [0, 1])
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.sx([0, 1])
    check(circuit, model)


def test_errors_of_several_calls_add_up_and_those_of_labels_replace_those_of_names():
    model = NoiseModel()
    model.add_quantum_error(noise.amplitude_damping_error(0.2), "sx", [0])
    model.add_quantum_error(noise.pauli_error([("Y", 0.2), ("I", 0.8)]), "sx", [0], warnings=False)
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.3, 1), "mine")
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.2, 1), "block")
    model.add_all_qubit_quantum_error(noise.phase_damping_error(0.3), "XY")
    circuit = QuantumCircuit(2)
    circuit.sx(0)
    circuit.append(SXGate(label="mine"), [0])
    circuit.append(RZGate(0.4, label="mine"), [1])
    circuit.append(UnitaryGate(random_unitary(4, seed=3), label="block"), [1, 0])
    circuit.pauli("XY", [0, 1])
    circuit.sx([0, 1])
    check(circuit, model)


def test_open_controls_are_x_gates_with_errors():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.2, 1), "x")
    model.add_all_qubit_quantum_error(noise.depolarizing_error(0.1, 2), "cx")
    # On a label Aer takes an error of fewer qubits, for the first ones.
    model.add_all_qubit_quantum_error(noise.amplitude_damping_error(0.2), "mine")
    circuit = QuantumCircuit(3)
    circuit.ry(0.4, [0, 1, 2])
    circuit.append(CXGate(ctrl_state=0), [0, 1])
    circuit.append(CXGate(ctrl_state=0, label="mine"), [2, 1])
    circuit.append(XGate().control(2, ctrl_state=1), [0, 1, 2])
    check(circuit, model)


def test_three_qubit_gates_and_their_errors():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.pauli_error([("XYZ", 0.2), ("III", 0.8)]), "ccx")
    model.add_quantum_error(kraus(np.random.default_rng(0), 3), "ccx", [2, 0, 1])
    circuit = QuantumCircuit(4)
    circuit.ry(0.7, range(4))
    circuit.ccx(3, 1, 0)
    circuit.ccx(0, 2, 3)
    circuit.ccx(2, 0, 1)
    circuit.ry(0.3, range(4))
    check(circuit, model)


def test_resets_preparations_and_channels_in_the_circuit():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.pauli_error([("X", 0.1), ("I", 0.9)]), ["reset", "kraus"])
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, range(3))
    circuit.cx(0, 1)
    circuit.reset(1)
    circuit.append(noise.depolarizing_error(0.2, 2).to_instruction(), [1, 2])
    circuit.append(Kraus(random_quantum_channel(2, seed=1)).to_instruction(), [0])
    circuit.append(SuperOp(random_quantum_channel(4, seed=2)).to_instruction(), [0, 2])
    circuit.cz(1, 2)
    check(circuit, model)


def test_an_initialisation_replaces_what_was_there():
    amplitudes = np.array([1, 2j, 0, -1]) / np.sqrt(6)
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, range(3))
    circuit.cx(0, 1)
    circuit.initialize(amplitudes, [2, 0])
    labels = ["XIY", "ZIZ", "YIZ", "IZI"]
    parts = ([SparsePauliOp(label) for label in labels], range(3), NoiseModel(), (), ())
    program = NoisyProgram(make_noisy_plan(circuit, *parts))
    ours = program.expectation_values(torch.zeros(1, 1, 0).double(), torch.zeros(1, 0).double())[0, 0]
    prepared = Statevector(amplitudes)  # its qubit 0 is the circuit's qubit 2
    expected = [prepared.expectation_value(SparsePauliOp(label[2] + label[0])).real for label in labels[:3]]
    assert ours[:3].numpy() == pytest.approx(expected, abs=1e-12)
    assert ours[3].item() == pytest.approx(np.cos(0.7) ** 2, abs=1e-12)


def test_a_reset_in_sight_is_no_reason_to_simulate_what_is_not():
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.cx(1, 2)
    plan = make_noisy_plan(circuit, [SparsePauliOp("IIZ")], range(3), NoiseModel(), (), ())
    assert plan.num_qubits == 1


@pytest.mark.parametrize("sequence", ["delays", "XY4"])
def test_idle_times_of_a_scheduled_circuit_relax(sequence):
    device = resolve_device("fake_fez")
    logical = QuantumCircuit(3, 3)
    logical.ry(0.4, [0, 1, 2])
    logical.cx(0, 1)
    logical.cx(1, 2)
    logical.cx(0, 1)
    logical.ry(0.2, [0, 1, 2])
    logical.measure(range(3), range(3))
    isa = transpile(logical, target=device.target, optimization_level=1, seed_transpiler=1)
    padded = decoupled(isa, device.target, sequence)
    used = used_qubits(isa)
    circuit, model = on_qubits(padded, used), noise_of(device, tuple(used))
    assert "delay" in circuit.count_ops()
    bare = circuit.copy_empty_like()
    places = {}
    for step in circuit.data:
        if step.operation.name == "measure":
            places[circuit.find_bit(step.clbits[0]).index] = circuit.find_bit(step.qubits[0]).index
        elif step.operation.name != "barrier":
            bare.append(step)
    bare = on_qubits(bare, range(len(used)))
    bare.remove_final_measurements(inplace=True)
    where = [places[bit] for bit in range(3)]
    observables = [SparsePauliOp(label) for label in ("IIZ", "ZZI", "ZZZ")]
    program = NoisyProgram(make_noisy_plan(bare, observables, where, model, (), ()))
    ours = program.expectation_values(torch.zeros(1, 1, 0).double(), torch.zeros(1, 0).double())[0, 0].numpy()
    probabilities = aer_probabilities(circuit, model, [], [[]])[0]
    signs = [1.0 - 2.0 * (np.bitwise_count(np.arange(8) & mask) & 1) for mask in (1, 6, 7)]
    assert np.abs(ours - signs @ probabilities).max() < 1e-6


def test_an_error_of_measurements_comes_before_them():
    """Aer has no density matrix behind a measurement: held against the same channel as an instruction, and counts."""
    error = noise.amplitude_damping_error(0.3)
    inside, outside = QuantumCircuit(1), QuantumCircuit(1)
    inside.ry(2.0, 0)
    outside.ry(2.0, 0)
    outside.append(error.to_instruction(), [0])
    model = NoiseModel()
    model.add_all_qubit_quantum_error(error, "measure")
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.3, 0.7]])
    readout = NoiseModel()
    readout.add_all_qubit_readout_error([[0.9, 0.1], [0.3, 0.7]])
    empty = torch.zeros(1, 1, 0).double(), torch.zeros(1, 0).double()
    observable = [SparsePauliOp("Z")]
    ours = NoisyProgram(make_noisy_plan(inside, observable, range(1), model, (), ())).expectation_values(
        *empty
    )
    same = NoisyProgram(make_noisy_plan(outside, observable, range(1), readout, (), ())).expectation_values(
        *empty
    )
    assert ours.item() == pytest.approx(same.item(), abs=1e-12)
    inside.measure_all()
    counts = (
        AerSimulator(noise_model=model, seed_simulator=1).run(inside, shots=100_000).result().get_counts()
    )
    assert ours.item() == pytest.approx((counts["0"] - counts["1"]) / 1e5, abs=0.015)
