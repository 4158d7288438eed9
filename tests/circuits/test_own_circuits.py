"""Ansätze of a user's own circuit: which parameters are inputs, what is measured, and what the outputs are."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3
from qiskit.circuit import ClassicalRegister as Bits
from qiskit.circuit import Clbit, Parameter, ParameterVector
from qiskit.circuit.library import real_amplitudes, zz_feature_map
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp, Statevector

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.circuits.choosing import Selection, choose_ansatz
from qiskit_hqnn.circuits.observables import observables_of
from qiskit_hqnn.errors import CircuitError


def circuit_of(*names):
    circuit = QuantumCircuit(2, name="own")
    for number, name in enumerate(names):
        circuit.ry(Parameter(name), number % 2)
    return circuit


def names(parameters):
    return [parameter.name for parameter in parameters]


def test_patterns_match_in_natural_order():
    circuit = circuit_of("x10", "x2", "theta_1", "x1", "theta_12", "theta_3", "x0")
    ansatz = Ansatz.from_circuit(circuit, inputs="x*", weights="theta*", observables="Z*")
    assert names(ansatz.input_params) == ["x0", "x1", "x2", "x10"]
    assert names(ansatz.weight_params) == ["theta_1", "theta_3", "theta_12"]
    assert ansatz.observables == (SparsePauliOp("IZ"), SparsePauliOp("ZI"))
    assert ansatz.name == "own"


@pytest.mark.parametrize(
    ("given", "inputs", "weights"),
    [
        ({}, ["x", "x0", "x_1"], ["a", "xi"]),
        ({"inputs": "x*"}, ["x", "x0", "x_1", "xi"], ["a"]),
        ({"weights": "a"}, ["x", "x0", "x_1", "xi"], ["a"]),
        ({"inputs": "x_1, x0"}, ["x_1", "x0"], ["a", "x", "xi"]),
        ({"inputs": ["a", "x?"]}, ["a", "x0", "xi"], ["x", "x_1"]),
        ({"inputs": ()}, [], ["a", "x", "x0", "x_1", "xi"]),
        ({"inputs": "*"}, ["a", "x", "x0", "x_1", "xi"], []),
        ({"inputs": "x[0i]"}, ["x0", "xi"], ["a", "x", "x_1"]),
    ],
)
def test_what_is_not_named_follows_from_what_is(given, inputs, weights):
    ansatz = Ansatz.from_circuit(circuit_of("x0", "a", "xi", "x", "x_1"), **given)
    assert (names(ansatz.input_params), names(ansatz.weight_params)) == (inputs, weights)


def test_parameters_and_vectors_are_taken_as_they_are():
    inputs, weights, scale = ParameterVector("data", 12), ParameterVector("w", 2), Parameter("scale")
    circuit = QuantumCircuit(1)
    for parameter in (*weights, *inputs, scale):
        circuit.rx(parameter, 0)
    ansatz = Ansatz.from_circuit(circuit, inputs=[scale, inputs], weights=weights)
    assert ansatz.input_params == (scale, *inputs)
    assert ansatz.weight_params == tuple(weights)
    assert Ansatz.from_circuit(circuit, inputs="data[*]", weights="w[0], w[1], scale").num_inputs == 12


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"inputs": "y*"},
            "Pattern 'y\\*' in `inputs` matches no parameter of circuit 'own': it has 'a0', 'x0', 'x1'",
        ),
        (
            {"inputs": "x*", "weights": "*"},
            "'x0' is matched twice by `inputs` \\('x\\*'\\) and `weights` \\('\\*'\\)",
        ),
        ({"inputs": "x*, x0"}, "'x0' is matched twice"),
        ({"inputs": "x0", "weights": "a*"}, "neither `inputs` .* nor `weights` .* matches 'x1'"),
        ({"inputs": Parameter("x0")}, "'x0' is a different one of the same name"),
        ({"inputs": Parameter("b")}, "'b' is none; it has"),
        ({"inputs": 3}, "must be patterns such as 'x\\*', or parameters, but contains 3"),
        ({"observables": "ZZZ"}, "Label 'ZZZ' .* a letter for each of the circuit's 2 qubits, but has 3"),
        ({"observables": "Z2"}, "must be on the qubits 0 to 1 of the circuit, but is on 2"),
        ({"observables": "Z0*Z0"}, "must name each qubit once"),
        ({"observables": "Q"}, "Observable 'Q' cannot be read: it must be"),
        ({"observables": [3]}, "must be an operator or a word"),
        ({"observables": ()}, "at least one observable"),
    ],
)
def test_what_matches_nothing_or_twice_is_one_sentence(given, sentence):
    with pytest.raises(CircuitError, match=sentence):
        Ansatz.from_circuit(circuit_of("x0", "x1", "a0"), **given)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("Y*", ["IIY", "IYI", "YII"]),
        ("Z0, X2*Y1", ["IIZ", "XYI"]),
        ("ZXI", ["ZXI"]),
        (["ZZZ", "X*"], ["ZZZ", "IIX", "IXI", "XII"]),
        ([Pauli("XYZ"), SparsePauliOp("ZII"), Operator.from_label("IZX")], ["XYZ", "ZII", "IZX"]),
    ],
)
def test_words_for_products(words, wanted):
    assert list(observables_of(words, 3)) == [SparsePauliOp(label) for label in wanted]


@pytest.mark.parametrize(
    ("word", "labels", "factors"),
    [
        ("0.5 - 0.5*Z0", ["II", "IZ"], [0.5, -0.5]),
        ("-ZZ + 2 X1 - 1e-3 Z0*Z1", ["ZZ", "XI", "ZZ"], [-1, 2, -1e-3]),
        (".25Z0Z1+X1", ["ZZ", "XI"], [0.25, 1]),
    ],
)
def test_words_for_sums(word, labels, factors):
    (found,) = observables_of(word, 2)
    assert found == SparsePauliOp(labels, factors)


def test_one_operator_of_two_terms_is_one_output():
    inputs = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(inputs[0], 0)
    circuit.ry(inputs[1], 1)
    operator = SparsePauliOp(["ZI", "IZ"], [1.0, 2.0])
    for ansatz in (Ansatz(circuit, inputs, (), operator), Ansatz.from_circuit(circuit, observables=operator)):
        assert ansatz.observables == (operator,)


def test_final_measurements_are_left_out_and_say_what_the_outputs_are():
    x = Parameter("x")
    circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(2, "a"), [Clbit()])
    circuit.reset([0, 1])
    circuit.ry(x, 0)
    circuit.cx(0, 2)
    circuit.measure(2, 0)
    circuit.h(1)
    circuit.barrier()
    circuit.delay(100, 1, unit="ns")
    circuit.measure([0, 1], [2, 1])
    circuit.delay(50, 1, unit="ns")
    ansatz = Ansatz.from_circuit(circuit)
    assert ansatz.num_qubits == 4
    assert ansatz.circuit.num_clbits == 0
    # A delay before a measurement matters, one behind it does not.
    assert ansatz.circuit.count_ops() == {"ry": 1, "cx": 1, "h": 1, "delay": 1}
    # By the order of the bits: 2, 1, 0.
    assert ansatz.observables == observables_of("Z2, Z1, Z0", 4)
    assert circuit.num_clbits == 3  # the given one is not altered
    assert Ansatz.from_circuit(circuit, observables="Z*").num_outputs == 4


def test_loops_boxes_and_initial_states_become_gates():
    w = Parameter("w")
    circuit = QuantumCircuit(2, 2)
    circuit.initialize([0.6, 0.8], 0)
    with circuit.for_loop(range(3)) as number:
        circuit.rx(number * w + 0.1, 0)
        with circuit.box():
            circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    wanted = QuantumCircuit(2)
    wanted.prepare_state([0.6, 0.8], 0)
    for number in range(3):
        wanted.rx(number * 0.7 + 0.1, 0)
        wanted.cx(0, 1)
    found = Ansatz.from_circuit(circuit).circuit.assign_parameters([0.7])
    assert Statevector(found).equiv(Statevector(wanted))


def in_the_middle(kind):
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    if kind == "measure":
        circuit.measure(0, 0)
        circuit.h(0)
    elif kind == "reset":
        circuit.reset(0)
    elif kind == "if_else":
        circuit.measure(1, 1)
        with circuit.if_test((circuit.clbits[1], 1)):
            circuit.x(0)
    elif kind == "initialize":
        circuit.initialize([0, 1], 0)
    else:
        with circuit.while_loop((circuit.clbits[1], 0)):
            circuit.h(0)
    return circuit


@pytest.mark.parametrize("kind", ["measure", "reset", "if_else", "while_loop", "initialize"])
def test_what_happens_in_the_middle_is_one_sentence(kind):
    word = "reset" if kind == "initialize" else kind
    with pytest.raises(CircuitError, match=f"but it has '{word}'"):
        Ansatz.from_circuit(in_the_middle(kind))


def test_circuits_without_gates_and_other_things_are_one_sentence():
    measured = QuantumCircuit(Bits(1), QuantumRegister(1))
    measured.measure(0, 0)
    with pytest.raises(CircuitError, match="contains a circuit without gates"):
        Ansatz.from_circuit(measured)
    with pytest.raises(CircuitError, match="must be a QuantumCircuit, but is a str"):
        Ansatz.from_circuit("own.qasm")


@pytest.mark.parametrize("seed", range(5))
def test_a_random_circuit_is_the_same_from_memory_and_from_its_file(seed, tmp_path):
    rng = np.random.default_rng(seed)
    inputs, weights = ParameterVector("x", 3), ParameterVector("w", 12)
    circuit = QuantumCircuit(4, 4)
    for number, parameter in enumerate([*rng.permutation(np.array([*inputs, *weights]))]):
        gate = rng.choice(["rx", "ry", "rz", "p"])
        getattr(circuit, gate)(parameter * float(rng.uniform(0.5, 2)), int(rng.integers(4)))
        circuit.cx(*rng.permutation(4)[:2].tolist())
        circuit.rzz(weights[number % 12], *rng.permutation(4)[:2].tolist())
    circuit.measure(range(4), range(4))
    path = tmp_path / "own.qasm"
    path.write_text(qasm3.dumps(circuit))
    held, read = Ansatz.from_circuit(circuit), Ansatz.from_file(path, inputs="x*", weights="w*")
    assert names(read.input_params) == names(held.input_params) == [f"x[{i}]" for i in range(3)]
    assert names(read.weight_params) == names(held.weight_params)
    assert read.observables == held.observables
    values = rng.uniform(-3, 3, 15)
    states = [
        Operator(
            ansatz.circuit.assign_parameters(
                dict(zip(ansatz.input_params + ansatz.weight_params, values, strict=True))
            )
        )
        for ansatz in (held, read)
    ]
    assert states[0].equiv(states[1])
    assert (read.name, read.reference) == ("own", "from own.qasm")


def test_a_file_without_parameters_has_no_inputs(tmp_path):
    path = tmp_path / "own.qasm"
    path.write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[1];\nh q[0];\ncx q[0],q[1];\nmeasure q[1]->c[0];'
    )
    ansatz = Ansatz.from_file(path)
    assert (ansatz.num_inputs, ansatz.num_weights) == (0, 0)
    assert ansatz.observables == observables_of("Z1", 2)
    with pytest.raises(CircuitError, match="has no parameters, so it has neither inputs nor weights"):
        Ansatz.from_file(path, inputs="x*")


FACTORY = """
from dataclasses import dataclass
from qiskit.circuit.library import real_amplitudes, zz_feature_map
from beside import SCALE

@dataclass
class Sizes:
    qubits: int

def circuit(num_qubits=2, depth=1, entanglement="linear"):
    sizes = Sizes(num_qubits)
    weights = real_amplitudes(sizes.qubits, reps=depth, entanglement=entanglement)
    return zz_feature_map(sizes.qubits).compose(weights)

def ansatz():
    from qiskit_hqnn.circuits import hqnn_parallel
    return hqnn_parallel(2, 1)

def number():
    return SCALE

def failing(count):
    values = []
    return values[count]
"""


@pytest.fixture
def own_folder(tmp_path):
    (tmp_path / "mine.py").write_text(FACTORY)
    (tmp_path / "beside.py").write_text("SCALE = 3")
    (tmp_path / "broken.py").write_text("def f():\n    return (")
    return tmp_path


def test_a_function_of_a_python_file_makes_the_ansatz(own_folder):
    made = choose_ansatz("mine.py:circuit", folder=own_folder, num_qubits=3, depth=2, entanglement="full")
    wanted = zz_feature_map(3).compose(real_amplitudes(3, reps=2, entanglement="full"))
    assert (made.num_inputs, made.num_weights, made.name) == (3, 9, "circuit")
    values = np.linspace(0, 2, 12)
    assert Operator(made.circuit.assign_parameters(values)) == Operator(wanted.assign_parameters(values))
    selected = choose_ansatz(f"{own_folder}/mine.py:circuit", Selection(inputs="θ*", observables="ZZ"))
    assert (selected.num_inputs, selected.num_outputs) == (4, 1)
    assert choose_ansatz("mine.py:ansatz", folder=own_folder).num_inputs == 2


@pytest.mark.parametrize(
    ("what", "given", "sentence"),
    [
        (
            "mine.py:nothing",
            {},
            "There is no function 'nothing' in .*mine.py: it has circuit, ansatz, number, failing",
        ),
        ("none.py:f", {}, "There is no Python file"),
        ("broken.py:f", {}, "broken.py:f cannot be used: SyntaxError in line 2"),
        ("mine.py:number", {}, "must return an Ansatz or a QuantumCircuit, but returns a int"),
        (
            "mine.py:failing",
            {},
            "takes \\(count\\), but is given nothing: missing a required argument: 'count'",
        ),
        ("mine.py:failing", {"count": 2}, "has failed: IndexError in line 24: list index out of range"),
        ("mine.py:circuit", {"width": 2}, "is given width = 2: got an unexpected keyword argument 'width'"),
        ("mine.py:ansatz", {"selection": Selection("x*")}, "returns an Ansatz, which already has inputs"),
        ("hqnn-parallel", {"selection": Selection("x*")}, "has fixed inputs, weights and observables"),
        ("hqnn-paralel", {}, "did you mean 'hqnn-parallel'"),
        ("own.qasm", {}, "There is no circuit file"),
        ("own.qasm", {"depth": 2}, "Circuit file own.qasm takes no depth"),
    ],
)
def test_what_cannot_be_chosen_is_one_sentence(own_folder, what, given, sentence):
    with pytest.raises(CircuitError, match=sentence):
        choose_ansatz(what, folder=own_folder, **given)
