"""Aer's binding of parameters is believed only for gates and methods where it equals assigning them beforehand."""

import itertools

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Delay, Parameter, ParameterVector
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.primitives import BackendSamplerV2, StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.transpiler import InstructionProperties
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, amplitude_damping_error, depolarizing_error
from qiskit_aer.primitives import SamplerV2

from qiskit_hqnn.jobs import JobManager, resolve_device
from qiskit_hqnn.jobs.devices.aer_gates import BINDABLE, BINDING_METHODS, for_aer, in_gates_of

ANGLED = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if gate.params and not isinstance(gate, Delay) and gate.num_qubits
}
SETS = np.random.default_rng(5).uniform(-3, 3, (3, 4))


def between_rotations(gate):
    """The gate where all its angles show in the probabilities."""
    circuit = QuantumCircuit(gate.num_qubits)
    for qubit in range(gate.num_qubits):
        circuit.u(0.3 + qubit, 0.7, 0.2 * qubit + 0.1, qubit)
    circuit.append(gate, range(gate.num_qubits))
    for qubit in range(gate.num_qubits):
        circuit.u(1.3 - 0.2 * qubit, 0.4, 0.9 * qubit + 0.1, qubit)
    return circuit


def open_gate(name, mask):
    """A standard gate whose angles are parameters where the mask says so."""
    angles = [Parameter(f"a{place}") if chosen else 0.4 + place for place, chosen in enumerate(mask)]
    return ANGLED[name].base_class(*angles)


def masks(name):
    return [mask for mask in itertools.product([True, False], repeat=len(ANGLED[name].params)) if any(mask)]


def probabilities(simulator, circuits, binds=None):
    ready = []
    for circuit in circuits:
        saved = circuit.copy()
        saved.save_probabilities()
        ready.append(saved)
    result = simulator.run(ready, parameter_binds=binds, runtime_parameter_bind_enable=bool(binds)).result()
    assert result.success
    return np.array([result.data(index)["probabilities"] for index in range(len(result.results))])


def assigned(circuit):
    return [circuit.assign_parameters({p: row[int(p.name[1:])] for p in circuit.parameters}) for row in SETS]


@pytest.mark.parametrize("method", sorted(BINDING_METHODS))
@pytest.mark.parametrize("fused", [False, True])
def test_aer_binds_every_gate_that_is_left_to_it_as_if_it_were_assigned(method, fused):
    simulator = AerSimulator(method=method, fusion_enable=fused, fusion_threshold=1)
    for name in sorted(BINDABLE):
        for mask in masks(name):
            circuit = between_rotations(open_gate(name, mask))
            binds = {p: SETS[:, int(p.name[1:])].tolist() for p in circuit.parameters}
            np.testing.assert_allclose(
                probabilities(simulator, [circuit], [binds]),
                probabilities(simulator, assigned(circuit)),
                atol=1e-9,
                err_msg=f"{name} {mask}",
            )


def noisy(*names):
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(amplitude_damping_error(0.2), ["rx", "u", "p", "sx"])
    noise.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), ["cx", *names])
    return noise


SIMULATORS = {
    "aer": None,
    "plain": {},
    "product state": {"method": "matrix_product_state"},
    "noise": {"method": "density_matrix", "noise_model": noisy()},
    "noise of cp, cu1 and rzz": {
        "method": "density_matrix",
        "noise_model": noisy("cp", "cu1", "rzz"),
        "basis_gates": ["cp", "cu1", "rzz", "u", "cx", "rx"],
    },
}


@pytest.mark.parametrize("place", SIMULATORS)
def test_every_angle_of_every_gate_reaches_the_simulator(place):
    options = SIMULATORS[place]
    device = resolve_device("aer" if options is None else AerSimulator(**options))
    simulator = device.simulator or AerSimulator(method="statevector")
    for name, gate in ANGLED.items():
        circuit = in_gates_of(device, between_rotations(open_gate(name, [True] * len(gate.params))))
        names = [f"a{place}" for place in range(4)]
        circuits, binds = for_aer(circuit, names, SETS, simulator)
        np.testing.assert_allclose(
            probabilities(simulator, circuits, binds),
            probabilities(simulator, assigned(circuit)),
            atol=1e-9,
            err_msg=name,
        )


def controlled_circuit():
    """Angles of controlled gates of all kinds, in states where they show."""
    angles = ParameterVector("a", 9)
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.cp(angles[0], 0, 1)
    circuit.crx(angles[1], 1, 2)
    circuit.cry(angles[2], 2, 0)
    circuit.crz(2 * angles[3], 0, 1)
    circuit.mcp(angles[4], [0, 1], 2)
    circuit.cu(angles[5], angles[6], angles[7], angles[8], 1, 0)
    circuit.rx(angles[0], 0)
    circuit.ry(angles[1], 1)
    circuit.h(2)
    return circuit


OBSERVABLES = [SparsePauliOp(["ZZI", "IXX"], [0.5, -1.0]), SparsePauliOp("IIY"), SparsePauliOp("IZI")]
VALUES = np.random.default_rng(1).uniform(-2, 2, (3, 9))


def references(circuit):
    states = [Statevector(circuit.assign_parameters(row)) for row in VALUES]
    return np.array([[state.expectation_value(o).real for state in states] for o in OBSERVABLES])


@pytest.mark.parametrize(
    "place",
    [
        "aer",
        AerSimulator(),
        AerSimulator(method="matrix_product_state"),
        AerSimulator(basis_gates=["cp", "crx", "cry", "u", "cx"]),
        StatevectorSampler(seed=1),
        SamplerV2(seed=1),
        BackendSamplerV2(backend=AerSimulator(), options={"seed_simulator": 1}),
    ],
    ids=lambda place: place if isinstance(place, str) else type(place).__name__,
)
def test_controlled_angles_count_wherever_a_circuit_is_sampled(place):
    circuit = controlled_circuit()
    pub = (circuit, [[o] for o in OBSERVABLES], VALUES)
    data = JobManager(place, shots=4000, seed=3).estimator().run([pub]).result()[0].data
    assert (np.abs(data.evs - references(circuit)) < 5 * data.stds + 0.003).all()


def device_of(gate, qubits, error=0.001):
    """A device whose two-qubit gate is this one, with an error."""
    device = GenericBackendV2(qubits, basis_gates=[gate, "rz", "sx", "x", "id"], noise_info=False)
    for where in device.target[gate]:
        device.target.update_instruction_properties(
            gate, where, InstructionProperties(duration=1e-8, error=error)
        )
    return device


def test_a_device_with_a_controlled_phase_of_its_own_gets_its_angles():
    circuit = controlled_circuit()
    pub = (circuit, [[o] for o in OBSERVABLES], VALUES)
    data = JobManager(device_of("cp", 3), shots=4000, seed=3).estimator().run([pub]).result()[0].data
    assert np.abs(data.evs - references(circuit)).max() < 0.15


def test_a_gate_that_aer_has_no_name_for_keeps_its_action_and_its_errors():
    bell = QuantumCircuit(2)
    bell.ry(Parameter("t"), 0)
    bell.cx(0, 1)
    pub = (bell, [["ZZ"], ["XX"]], [[0.4], [1.2]])

    def values(error):
        manager = JobManager(device_of("iswap", 2, error), shots=8000, seed=1)
        return manager.estimator().run([pub]).result()[0].data.evs

    np.testing.assert_allclose(values(0.0001), [[1, 1], [np.sin(0.4), np.sin(1.2)]], atol=0.05)
    assert (values(0.3)[0] < 0.8).all()
