"""Probabilities of outcomes, the long way for every set of values and the short one for sets that belong together."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import Statevector
from qiskit_aer import noise
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.jobs.adapters.aer import noise_of, on_qubits, used_qubits
from qiskit_hqnn.jobs.devices.device import resolve_device
from qiskit_hqnn.simulation.noise.outcomes import OutcomeProgram
from tests.simulation.noise.aer_reference import aer_probabilities
from tests.simulation.noise.test_gradients import some_noise


def shifted(bases, angles, shift=np.pi / 2):
    """Every base with each angle shifted up and down: (bases · (1 + 2 · angles), parameters)."""
    offsets = np.zeros((1 + 2 * len(angles), bases.shape[1]))
    for index, angle in enumerate(angles):
        offsets[1 + 2 * index, angle], offsets[2 + 2 * index, angle] = shift, -shift
    return (bases[:, None] + offsets).reshape(-1, bases.shape[1])


@st.composite
def measured_circuits(draw):
    """A circuit of three qubits over some parameters, measured into some bits in some order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 6))
    theta = ParameterVector("θ", count)
    circuit = QuantumCircuit(3, 4)
    for parameter in [*theta, *rng.choice(list(theta), draw(st.integers(0, 2)))]:
        qubits = rng.permutation(3).tolist()
        word = str(rng.choice(["rx", "ry", "rz", "rzz", "cp"]))
        getattr(circuit, word)(parameter, *qubits[: 1 if word in {"rx", "ry", "rz"} else 2])
        if rng.random() < 0.7:
            circuit.cx(*rng.permutation(3)[:2].tolist())
    bits = rng.permutation(4)
    for bit, qubit in zip(bits, rng.permutation(3)[: draw(st.integers(1, 3))].tolist(), strict=False):
        circuit.measure(qubit, int(bit))
    return circuit, rng


@pytest.mark.slow
@settings(max_examples=20, deadline=None, derandomize=True)
@given(measured_circuits(), st.booleans())
def test_the_short_way_is_the_long_one_and_aers(case, noisy):
    circuit, rng = case
    model = some_noise() if noisy else None
    parameters = list(circuit.parameters)
    program = OutcomeProgram(circuit, [parameter.name for parameter in parameters], model)
    bases = rng.uniform(-3, 3, (4, len(parameters)))
    bases[1:3, 1:] = bases[0, 1:]  # three that may share all behind the first angle
    sets = shifted(bases, range(len(parameters)))
    found = program.probabilities(sets)
    alone = np.concatenate([program.probabilities(row[None]) for row in sets])
    assert np.abs(found - alone).max() < 2e-6
    measured = _only_measured_bits(found, circuit)
    expected = aer_probabilities(circuit, model, parameters, sets[::5])
    assert np.abs(measured[::5] - expected).max() < 2e-6


def _only_measured_bits(found, circuit):
    bits = sorted(circuit.find_bit(s.clbits[0]).index for s in circuit.data if s.operation.name == "measure")
    index = np.arange(found.shape[1])
    unread = sum(1 << bit for bit in range(circuit.num_clbits) if bit not in bits)
    assert np.abs(found[:, index & unread != 0]).max(initial=0) == 0
    order = [sum(1 << bit for j, bit in enumerate(bits) if k >> j & 1) for k in range(1 << len(bits))]
    return found[:, order]


def test_sets_that_belong_together_are_found():
    ansatz = hqnn_parallel(3, depth=2)
    template = make_template(ansatz)
    circuit = template.circuit.measure_all(inplace=False)
    names = [angle.name for angle in template.angles]
    program = OutcomeProgram(circuit, names, some_noise())
    rng = np.random.default_rng(0)
    bases = rng.uniform(-3, 3, (6, len(names)))
    sets = shifted(bases, range(len(names)))
    assert program._sweep_length(torch.from_numpy(sets)) == 1 + 2 * len(names)
    assert (
        program._sweep_length(torch.from_numpy(sets[1:])) == 1
    )  # the first one is none that others differ from
    assert program._sweep_length(torch.from_numpy(bases)) == 1
    both = sets.copy()
    both[40, :2] += 1.0
    both[40, -1] += 1.0
    assert program._sweep_length(torch.from_numpy(both)) == 1
    assert np.abs(program.probabilities(both)[40] - program.probabilities(both[40:41])[0]).max() < 2e-6


@pytest.mark.parametrize("snapshot", ["fake_fez", "fake_manila"])
def test_outcomes_on_a_device_are_aers(snapshot):
    device = resolve_device(snapshot)
    template = make_template(hqnn_parallel(3, depth=1))
    measured = template.circuit.measure_all(inplace=False)
    isa = transpile(measured, target=device.target, optimization_level=2, seed_transpiler=3)
    used = used_qubits(isa)
    circuit, model = on_qubits(isa, used), noise_of(device, tuple(used))
    by_name = {parameter.name: parameter for parameter in circuit.parameters}
    names = [angle.name for angle in template.angles]
    values = shifted(np.random.default_rng(1).uniform(-3, 3, (2, len(names))), [0, 5])
    found = OutcomeProgram(circuit, names, model).probabilities(values)
    expected = aer_probabilities(circuit, model, [by_name[name] for name in names], values)
    assert np.abs(found - expected).max() < 2e-6


def test_large_angles_keep_their_last_digits():
    theta = Parameter("θ")
    circuit = QuantumCircuit(1, 1)
    circuit.ry(theta, 0)
    circuit.measure(0, 0)
    found = OutcomeProgram(circuit, ["θ"], None).probabilities(np.array([[0.4 + 2e5 * np.pi]]))
    assert found[0, 1] == pytest.approx(np.sin(0.2) ** 2, abs=1e-6)


def test_expressions_that_are_not_affine():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2, 2)
    circuit.ry(a * b, 0)
    circuit.cx(0, 1)
    circuit.ry(a**2, 1)
    circuit.measure([0, 1], [0, 1])
    values = shifted(np.array([[0.3, 1.1]]), [0, 1], shift=0.4)
    found = OutcomeProgram(circuit, ["a", "b"], None).probabilities(values)
    bare = circuit.remove_final_measurements(inplace=False)
    expected = [Statevector(bare.assign_parameters({a: x, b: y})).probabilities() for x, y in values]
    assert np.abs(found - expected).max() < 2e-6


def test_a_measurement_in_the_middle_is_refused():
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.h(0)
    circuit.measure(0, 1)
    with pytest.raises(CircuitError, match="measured at its end, but 'h' follows a measurement of qubit 0"):
        OutcomeProgram(circuit, [], None)


def test_delays_behind_a_measurement_do_nothing():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(noise.amplitude_damping_error(0.9), "delay")
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.delay(100, 0)
    assert OutcomeProgram(circuit, [], model).probabilities(np.zeros((1, 0)))[0, 1] == pytest.approx(1)
