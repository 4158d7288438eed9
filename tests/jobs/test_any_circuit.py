"""Circuits of any gates reach Aer, devices and samplers as what Qiskit says that they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, Parameter
from qiskit.circuit.library import HamiltonianGate, MCXVChain, PauliEvolutionGate, RYGate, UnitaryGate, XGate
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from qiskit_aer import AerSimulator

from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.jobs import JobManager, resolve_device, transpile_template
from qiskit_hqnn.jobs.adapters.aer import on_qubits, used_qubits
from qiskit_hqnn.jobs.devices.aer_gates import for_aer, in_gates_of
from qiskit_hqnn.jobs.devices.identity import circuit_bytes
from qiskit_hqnn.jobs.devices.true_names import with_true_names
from tests.library_gates import LIBRARY, WEIGHTS, circuit_of, recipes

VALUES = np.array([[0.7, -1.1, 0.4], [-0.2, 2.3, 1.5]])
NAMES = [weight.name for weight in WEIGHTS]
IDEAL = AerSimulator(method="statevector")
LINE = GenericBackendV2(6, coupling_map=[[n, n + 1] for n in range(5)], noise_info=False)


def sampled_probabilities(circuit, places):
    """Exact probabilities of what Aer is given to sample, for each set of values."""
    used = sorted({*used_qubits(circuit), *places})
    small = on_qubits(circuit, used)
    small.save_probabilities([used.index(place) for place in places])
    circuits, binds = for_aer(small, NAMES, VALUES, IDEAL)
    result = IDEAL.run(circuits, parameter_binds=binds, runtime_parameter_bind_enable=bool(binds)).result()
    return np.array([result.data(index)["probabilities"] for index in range(len(VALUES))])


def exact_probabilities(circuit):
    bound = (circuit.assign_parameters(dict(zip(WEIGHTS, row, strict=True))) for row in VALUES)
    return np.array([Statevector(each).probabilities() for each in bound])


def exact_states(recipe):
    """Qiskit's states for each set of values; its own binding loses its way in annotated gates inside of others."""
    return [Statevector(circuit_of(recipe, row)) for row in VALUES]


def alone(name):
    """The gate between rotations, on as many qubits as it takes, at least three."""
    angles = iter([WEIGHTS[0], 2 * WEIGHTS[1] + 0.3, WEIGHTS[2], 0.2])
    gate = LIBRARY[name](lambda: next(angles))
    circuit = QuantumCircuit(max(3, gate.num_qubits))
    for qubit in range(circuit.num_qubits):
        circuit.u(0.3 + 0.2 * qubit, 0.1 * qubit, 0.4, qubit)
    circuit.append(gate, range(gate.num_qubits))
    for qubit, weight in enumerate(WEIGHTS):
        circuit.rx(weight, qubit)
    return circuit


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_every_gate_of_the_library_is_qiskits_on_aer(name):
    circuit = alone(name)
    isa = in_gates_of(resolve_device("aer"), circuit)
    np.testing.assert_allclose(
        sampled_probabilities(isa, range(circuit.num_qubits)), exact_probabilities(circuit), atol=1e-8
    )


@pytest.mark.slow
@settings(deadline=None, max_examples=25, derandomize=True)
@given(recipe=recipes())
def test_random_circuits_of_wrapped_gates_are_qiskits_on_aer(recipe):
    circuit = circuit_of(recipe)
    isa = in_gates_of(resolve_device("aer"), circuit)
    exact = [state.probabilities() for state in exact_states(recipe)]
    np.testing.assert_allclose(sampled_probabilities(isa, range(circuit.num_qubits)), exact, atol=1e-8)


@settings(deadline=None, max_examples=12, derandomize=True)
@given(recipe=recipes(max_gates=2), level=st.sampled_from([1, 2, 3]))
def test_random_circuits_of_wrapped_gates_are_qiskits_on_a_device(recipe, level):
    template = transpile_template(circuit_of(recipe), resolve_device(LINE), seeds=[0], levels=[level])
    exact = [state.probabilities() for state in exact_states(recipe)]
    np.testing.assert_allclose(sampled_probabilities(template.circuit, template.logical), exact, atol=1e-7)


@settings(deadline=None, max_examples=4, derandomize=True)
@given(recipe=recipes(max_gates=2))
def test_random_circuits_of_wrapped_gates_are_qiskits_wherever_they_are_sampled(recipe):
    circuit = circuit_of(recipe)
    observables = [SparsePauliOp.from_sparse_list([("ZX", [1, 2], 1.0)], 6), SparsePauliOp("IIIIIZ")]
    exact = [[s.expectation_value(o).real for s in exact_states(recipe)] for o in observables]
    for place in (StatevectorSampler(seed=1), BasicSimulator(), "aer"):
        manager = JobManager(place, shots=1000, seed=1)
        pub = (circuit, [[o] for o in observables], VALUES)
        data = manager.estimator().run([pub]).result()[0].data
        assert (np.abs(data.evs - exact) < 5 * data.stds + 0.01).all(), place


@settings(deadline=None, max_examples=30, derandomize=True)
@given(one=recipes(max_gates=2), other=recipes(max_gates=2))
def test_equal_circuits_have_equal_identities_and_only_they(one, other):
    first, again, second = circuit_of(one), circuit_of(one), circuit_of(other)
    assert circuit_bytes(first) == circuit_bytes(again) == circuit_bytes(first.copy())
    overlaps = [abs(a.inner(b)) for a, b in zip(exact_states(one), exact_states(other), strict=True)]
    assert np.allclose(overlaps, 1) or circuit_bytes(first) != circuit_bytes(second)


def own_gate(name, angle=None):
    """A gate of a user's own: H and CX backwards, or a rotation, under any name."""
    circuit = QuantumCircuit(2 if angle is None else 1, name=name)
    if angle is None:
        circuit.h(0)
        circuit.cx(1, 0)
    else:
        circuit.ry(angle, 0)
    return circuit.to_gate()


class Turn(Gate):
    """A gate of a user's own class, under the name of a standard gate."""

    def __init__(self, angle):
        super().__init__("rz", 1, [angle])

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.ry(self.params[0], 0)


def renamed(gate, name):
    gate = gate.to_mutable()
    gate.name = name
    return gate


ANGLE = Parameter("w[0]")
OWN = {
    **{f"own {name}": own_gate(name) for name in ("cx", "swap", "cz", "iswap", "unitary", "permutation")},
    **{
        f"turn {name}": own_gate(name, ANGLE)
        for name in ("p", "rz", "id", "x", "measure", "reset", "barrier")
    },
    "own class": Turn(ANGLE),
    "renamed": renamed(XGate(), "y"),
    "renamed matrix": renamed(UnitaryGate(Operator(own_gate("some"))), "cx"),
    "annotated": AnnotatedOperation(own_gate("x", ANGLE), ControlModifier(1)),
    "annotated class": AnnotatedOperation(Turn(ANGLE), ControlModifier(1)),
}


@pytest.mark.parametrize("depth", [0, 2, 12])
@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("place", ["aer", LINE], ids=["aer", "device"])
def test_a_gate_is_what_it_does_whatever_its_name(kind, depth, place):
    gate = OWN[kind]
    plain = QuantumCircuit(3)
    plain.ry(0.4, 0)
    plain.ry(1.1, 1)
    circuit = plain.copy()
    # What it does, in Qiskit's own words.
    if kind.startswith("own class") or kind.startswith("turn"):
        plain.ry(ANGLE, 1)
    elif kind.startswith("annotated"):
        plain.cry(ANGLE, 1, 2)
    elif kind == "renamed":
        plain.x(1)
    else:
        plain.h(1)
        plain.cx(2, 1)
    for _ in range(depth):
        shell = QuantumCircuit(gate.num_qubits, name="cx")
        shell.append(gate, range(gate.num_qubits))
        gate = shell.to_instruction()
    circuit.append(gate, [1, 2][: gate.num_qubits])
    plain.cx(0, 1)
    circuit.cx(0, 1)
    if place == "aer":
        isa, places = in_gates_of(resolve_device("aer"), circuit), range(3)
    else:
        template = transpile_template(circuit, resolve_device(place), seeds=[0], levels=[2])
        isa, places = template.circuit, template.logical
    exact = [
        Statevector(plain.assign_parameters(dict.fromkeys(plain.parameters, row[0]))).probabilities()
        for row in VALUES
    ]
    np.testing.assert_allclose(sampled_probabilities(isa, places), exact, atol=1e-8)


def test_a_devices_own_gate_keeps_its_name():
    circuit = QuantumCircuit(1)
    circuit.append(own_gate("turn", ANGLE), [0])
    assert with_true_names(circuit, ["turn"]) is circuit
    assert with_true_names(circuit).data[0].name == "own turn"
    circuit.append(Gate("only there", 1, []), [0])
    assert with_true_names(circuit).data[1].name == "only there"


def test_a_gate_that_nobody_knows_is_refused_in_one_sentence():
    circuit = QuantumCircuit(1, name="odd")
    circuit.append(Gate("nothing", 1, []), [0])
    with pytest.raises(CircuitError, match="Circuit 'odd' cannot be written in the gates of aer: .*nothing"):
        JobManager("aer").estimator().run([(circuit, "Z")]).result()


@pytest.mark.parametrize(
    "gate",
    [
        HamiltonianGate(np.diag([1.0, -1.0, 0.5, 0.2]) + 0.3, Parameter("t")),
        MCXVChain(3, dirty_ancillas=True),
    ],
    ids=["open time", "spare qubit"],
)
@pytest.mark.parametrize("place", ["aer", "fake_manila"])
def test_gates_that_qiskits_transpiler_cannot_write_are_written(gate, place):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.h(range(gate.num_qubits))
    circuit.ry(0.3, range(gate.num_qubits))
    circuit.append(gate, range(gate.num_qubits))
    bound = circuit.assign_parameters([0.8] * circuit.num_parameters)
    label = "X" * gate.num_qubits
    exact = StatevectorEstimator().run([(bound, label)]).result()[0].data.evs
    pub = (circuit, label, [0.8] * circuit.num_parameters)
    found = JobManager(place, shots=2000, seed=1).estimator().run([pub]).result()[0].data.evs
    assert abs(found - exact) < (0.1 if place == "aer" else 0.5)
    assert np.sign(found) == np.sign(exact)


@pytest.mark.parametrize(
    "place", ["aer", "fake_manila", AerSimulator(), BasicSimulator(), StatevectorSampler(seed=1)]
)
def test_parameters_that_stand_in_a_phase_only_change_nothing(place):
    time, angle = Parameter("t"), Parameter("a")
    given_phase = QuantumCircuit(1, global_phase=2 * time)
    evolved = QuantumCircuit(1)
    evolved.append(PauliEvolutionGate(SparsePauliOp("I"), time=time), [0])
    manager = JobManager(place, shots=2000, seed=1)
    for circuit in (given_phase, evolved):
        circuit.ry(0.6, 0)
        values = manager.estimator().run([(circuit, "Z", [[0.3], [0.4]])]).result()[0].data.evs
        np.testing.assert_allclose(values, np.cos(0.6), atol=0.1)
        circuit.ry(angle, 0)
        values = manager.estimator().run([(circuit, "Z", [[0.2, 0.3], [0.9, 0.3]])]).result()[0].data.evs
        np.testing.assert_allclose(values, np.cos([0.8, 1.5]), atol=0.1)
        circuit.measure_all()
        bits = manager.sampler().run([(circuit, [[0.2, 0.3], [0.9, 0.3]])]).result()[0].data.meas
        np.testing.assert_allclose(bits.expectation_values("Z"), np.cos([0.8, 1.5]), atol=0.1)


def test_sets_that_no_parameter_tells_apart_are_each_sampled():
    circuit = QuantumCircuit(1, global_phase=Parameter("t"))
    circuit.h(0)
    circuit.measure_all()
    bits = (
        JobManager("aer", shots=500, seed=1).sampler().run([(circuit, [[0.1], [0.2]])]).result()[0].data.meas
    )
    assert bits.shape == (2,)
    assert bits[0].get_counts() != bits[1].get_counts()


def test_delays_of_open_length_run_on_aer():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    circuit.delay(Parameter("d"), 0, unit="s")
    values = (
        JobManager("aer", shots=2000, seed=1).estimator().run([(circuit, "Z", [[0.5, 1e-6], [1.5, 2e-6]])])
    )
    np.testing.assert_allclose(values.result()[0].data.evs, np.cos([0.5, 1.5]), atol=0.1)


def test_an_angle_under_an_annotated_control_reaches_every_place():
    circuit = QuantumCircuit(3)
    circuit.h([0, 1])
    circuit.append(RYGate(Parameter("a")).control(2, annotated=True), [0, 1, 2])
    exact = [(3 + np.cos(value)) / 4 for value in (0.7, 2.1)]
    for place in ("aer", "fake_manila", AerSimulator(), BasicSimulator()):
        pub = (circuit, "ZII", [[0.7], [2.1]])
        found = JobManager(place, shots=4000, seed=1).estimator().run([pub]).result()[0].data.evs
        np.testing.assert_allclose(found, exact, atol=0.25 if place == "fake_manila" else 0.06)
