"""Dynamical decoupling: the same circuit, and idle qubits refocused where the noise has a memory."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Pauli, Statevector

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs import JobManager, MitigationOptions, resolve_device
from qiskit_hqnn.jobs.estimation.mitigation import decoupled

DETUNING = 2e5  # radians a second
SEQUENCES = ["XX", "XpXm", "XY4"]


def ramsey(angle=np.pi / 2):
    """Qubit 1 waits in |+⟩ while qubits 2 and 3 run many gates; a gate at its end keeps the wait inside."""
    circuit = QuantumCircuit(5, 1)
    circuit.rz(np.pi / 2, 1)
    circuit.sx(1)
    circuit.rz(angle, 1)
    circuit.cx(1, 2)
    circuit.cx(1, 2)
    for _ in range(12):
        circuit.cx(2, 3)
    circuit.cx(1, 2)
    circuit.cx(1, 2)
    circuit.measure(1, 0)
    return circuit


def with_detuning(circuit, dt):
    """The circuit as unitary gates: a waiting qubit turns about Z at a constant rate."""
    result = QuantumCircuit(circuit.num_qubits)
    idle = 0
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        if step.operation.name == "delay":
            assert step.operation.unit == "dt"
            if qubits == [1]:
                idle += step.operation.params[0]
                result.rz(DETUNING * step.operation.params[0] * dt, 1)
        elif step.operation.name not in {"measure", "barrier"}:
            result.append(step.operation, qubits)
    return result, idle * dt


def coherence(sequence):
    """⟨X⟩ of the waiting qubit at the end, and the seconds it has waited without a pulse."""
    target = resolve_device("fake_manila").target
    circuit, idle = with_detuning(decoupled(ramsey(), target, sequence), target.dt)
    return Statevector(circuit).expectation_value(Pauli("IIIXI")).real, idle


def test_without_pulses_a_waiting_qubit_turns_by_the_detuning():
    along_x, idle = coherence("delays")
    assert idle > 2e-6
    assert along_x == pytest.approx(np.cos(DETUNING * idle), abs=1e-6)
    assert along_x < 0.95


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_pulses_refocus_a_constant_detuning(sequence):
    along_x, idle = coherence(sequence)
    assert idle > 1e-6
    assert along_x == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_pulses_leave_the_circuit_what_it_was(sequence):
    target = resolve_device("fake_manila").target
    theta = Parameter("theta")
    circuit = ramsey(theta)
    padded = decoupled(circuit, target, sequence)
    pulses = padded.count_ops()["x"]
    assert pulses > 0
    assert pulses % (4 if sequence == "XY4" else 2) == 0
    assert padded.parameters == circuit.parameters
    silent = QuantumCircuit(5)
    for step in padded.data:
        if step.operation.name not in {"delay", "measure", "barrier"}:
            silent.append(step.operation, [padded.find_bit(qubit).index for qubit in step.qubits])
    unmeasured = circuit.remove_final_measurements(inplace=False)
    assert Statevector(silent.assign_parameters({theta: 0.7})).equiv(
        Statevector(unmeasured.assign_parameters({theta: 0.7}))
    )


def test_qubits_out_of_use_stay_out_of_use():
    circuit = QuantumCircuit(127, 1)
    circuit.sx(3)
    circuit.measure(3, 0)
    padded = decoupled(circuit, resolve_device("fake_sherbrooke").target, "XX")
    used = {padded.find_bit(qubit).index for step in padded.data for qubit in step.qubits}
    assert used == {3}


def test_decoupling_without_durations_is_refused():
    manager = JobManager("aer", mitigation=MitigationOptions(dynamical_decoupling="XY4"), seed=1)
    with pytest.raises(MitigationError, match="needs a device with gate durations, which 'aer' has not"):
        manager.estimator().run([(QuantumCircuit(1), "Z")]).result()
