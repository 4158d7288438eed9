"""OpenQASM 3 programs as people write them, against the same circuits written with Qiskit."""

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits.files import read_circuit
from qiskit_hqnn.errors import CircuitError

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


@pytest.fixture
def read(tmp_path):
    def of(text, head=HEAD):
        path = tmp_path / "program.qasm"
        path.write_text(head + text, encoding="utf-8")
        return read_circuit(path)

    return of


def bound(circuit, **values):
    return Operator(circuit.assign_parameters({p: values[p.name] for p in circuit.parameters}))


def test_arguments_of_a_gate_go_to_its_parameters_in_the_order_in_which_they_are_declared(read):
    # In alphabetical order, as Qiskit's importer takes them, the two angles would change places.
    circuit = read(
        "gate g(theta, phi, a) q { rz(theta) q; ry(phi) q; rx(a) q; } qubit q; g(0.1, 0.2, 0.3) q;"
    )
    wanted = QuantumCircuit(1)
    wanted.rz(0.1, 0)
    wanted.ry(0.2, 0)
    wanted.rx(0.3, 0)
    assert Operator(circuit) == Operator(wanted)


def test_gates_of_gates_and_of_unused_parameters(read):
    circuit = read(
        "gate inner(b, a) q { ry(b - a) q; } gate outer(a, b) p, q { inner(2*a, b) p; cx p, q; inner(b, 1) q; }"
        "input float s; qubit[2] r; outer(s, 0.4) r[1], r[0];"
    )
    wanted = QuantumCircuit(2)
    wanted.ry(2 * 0.7 - 0.4, 1)
    wanted.cx(1, 0)
    wanted.ry(0.4 - 1, 0)
    assert bound(circuit, s=0.7) == Operator(wanted)


def test_loops_over_qubits_constants_and_arrays_of_inputs(read):
    circuit = read(
        "const uint n = 4; const float scale = pi / 2; input array[float[64], n] x; input array[angle, 2, n] w;"
        "qubit[n] q; for uint i in [0:n - 1] { ry(scale * x[i]) q[i]; }"
        "for uint l in {0, 1} { for uint i in [n - 1:-1:0] { rz(w[l][i]) q[i]; }"
        "  for uint i in [0:n - 1] { if (i != l) cx q[i], q[(i + 1) % n]; } }"
    )
    assert [p.name for p in circuit.parameters] == [f"w[{i}]" for i in range(8)] + [
        f"x[{i}]" for i in range(4)
    ]
    values = {p.name: 0.3 + index for index, p in enumerate(circuit.parameters)}
    wanted = QuantumCircuit(4)
    for i in range(4):
        wanted.ry(math.pi / 2 * values[f"x[{i}]"], i)
    for layer in range(2):
        for i in range(4):
            wanted.rz(values[f"w[{4 * layer + i}]"], i)
        for i in range(4):
            if i != layer:
                wanted.cx(i, (i + 1) % 4)
    assert bound(circuit, **values) == Operator(wanted)


def test_variables_while_break_continue_switch_and_subroutines(read):
    circuit = read(
        "def layer(qubit[3] r, float t) { for int k in [0:2] { if (k == 1) continue; rx(t * k + 0.1) r[k]; } return; }"
        "qubit[3] q; int n = 5; array[int, 3] seen;"
        "while (true) { n -= 2; if (n < 0) break; seen[n / 2] = n; x q[n / 2]; }"
        "layer(q, 0.5); switch (seen[1]) { case 3 { z q[0]; } default { y q[0]; } } end; h q[0];"
    )
    wanted = QuantumCircuit(3)
    wanted.x(1)
    wanted.x(0)
    wanted.rx(0.1, 0)
    wanted.rx(1.1, 2)
    wanted.z(0)
    assert Operator(circuit) == Operator(wanted)


def test_an_input_may_be_called_as_a_gate_is(read):
    circuit = read("input float[64] x; input float y; qubit q; rx(x) q; x q; ry(y) q;")
    wanted = QuantumCircuit(1)
    wanted.rx(0.4, 0)
    wanted.x(0)
    wanted.ry(1.3, 0)
    assert bound(circuit, x=0.4, y=1.3) == Operator(wanted)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sin(v)**2 - v/4", math.sin(0.7) ** 2 - 0.7 / 4),
        ("2**v", 2**0.7),
        ("-v**2", -(0.7**2)),
        ("sqrt(v) + arccos(v) * exp(-v)", math.sqrt(0.7) + math.acos(0.7) * math.exp(-0.7)),
        ("v**3 + log(v) + tan(v) + arctan(v) + arcsin(v) + cos(v)",
         0.7**3 + math.log(0.7) + math.tan(0.7) + math.atan(0.7) + math.asin(0.7) + math.cos(0.7)),
        ("(3 / 2) * v + 7 % 4 + float(1) / 2", 0.7 + 3 + 0.5),
        ("tau + euler + ceiling(1.2) - floor(1.8) + mod(5.5, 2) + v", math.tau + math.e + 2 - 1 + 1.5 + 0.7),
        ("-7 / 2 + v", -3 + 0.7),
    ],
)  # fmt: skip
def test_expressions_have_the_languages_values(read, expression, value):
    circuit = read(f"input float v; qubit q; rx({expression}) q;")
    wanted = QuantumCircuit(1)
    wanted.rx(value, 0)
    assert np.allclose(bound(circuit, v=0.7).data, Operator(wanted).data, atol=1e-12)


def controlled(unitary, positive=True):
    """Control is qubit 0, the target qubit 1."""
    seen, other = np.diag([0, 1]), np.diag([1, 0])
    if not positive:
        seen, other = other, seen
    return np.kron(unitary, seen) + np.kron(np.eye(2), other)


def spec_u(theta, phi, lam):
    """The language's U: with the phase that Qiskit's has not."""
    return 0.5 * np.array(
        [
            [1 + np.exp(1j * theta), -1j * np.exp(1j * lam) * (1 - np.exp(1j * theta))],
            [
                1j * np.exp(1j * phi) * (1 - np.exp(1j * theta)),
                np.exp(1j * (phi + lam)) * (1 + np.exp(1j * theta)),
            ],
        ]
    )


@pytest.mark.parametrize(
    ("statements", "unitary"),
    [
        ("ctrl @ U(a, 0.2, 0.3) q[0], q[1];", controlled(spec_u(0.9, 0.2, 0.3))),
        ("negctrl @ U(a, 0.2, 0.3) q[0], q[1];", controlled(spec_u(0.9, 0.2, 0.3), positive=False)),
        (
            "gate had r { U(pi/2, 0, pi) r; gphase(-pi/4); } ctrl @ had q[0], q[1]; rz(a) q[0]; rz(-a) q[0];",
            controlled(np.array([[1, 1], [1, -1]]) / math.sqrt(2)),
        ),
        ("ctrl @ gphase(a) q[0];", np.kron(np.eye(2), np.diag([1, np.exp(0.9j)]))),
        ("ctrl @ inv @ rx(a) q[0], q[1];", controlled(Operator.from_label("I").data * math.cos(0.45)
            + 1j * math.sin(0.45) * np.array([[0, 1], [1, 0]]))),
        ("inv @ ctrl @ p(a) q[0], q[1];", controlled(np.diag([1, np.exp(-0.9j)]))),
        ("pow(3) @ ctrl @ rz(a) q[0], q[1];", controlled(np.diag([np.exp(-1.35j), np.exp(1.35j)]))),
        ("pow(-2) @ p(a) q[1];", np.kron(np.diag([1, np.exp(-1.8j)]), np.eye(2))),
        ("ctrl @ pow(1/2) @ x q[0], q[1]; rz(a) q[0]; rz(-a) q[0];", controlled(np.eye(2))),
        ("ctrl @ pow(0.5) @ x q[0], q[1]; rz(a) q[0]; rz(-a) q[0];",
         controlled(np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2)),
    ],
)  # fmt: skip
def test_modifiers_with_the_phases_that_a_control_sees(read, statements, unitary):
    circuit = read(f"input float a; qubit[2] q; {statements}")
    found = bound(circuit, a=0.9).data
    phase = found[np.unravel_index(np.abs(unitary).argmax(), (4, 4))] / unitary.flat[np.abs(unitary).argmax()]
    assert abs(phase) == pytest.approx(1)
    assert np.allclose(found, phase * unitary, atol=1e-9)


def test_several_controls_of_a_defined_gate(read):
    circuit = read(
        "gate g(t) a, b { ry(t) a; cx a, b; U(t, 0.1, 0.2) b; } input float t; qubit[5] q;"
        "ctrl(2) @ negctrl @ g(t) q[4], q[0], q[2], q[1], q[3];"
    )
    inner = QuantumCircuit(2)
    inner.ry(0.8, 0)
    inner.cx(0, 1)
    inner.u(0.8, 0.1, 0.2, 1)
    inner.global_phase = 0.4  # of the language's U
    wanted = QuantumCircuit(5)
    # Qiskit's controls count from the least significant: q[4] and q[0] must be 1, and q[2] must be 0.
    wanted.append(inner.to_gate().control(3, ctrl_state="011"), [4, 0, 2, 1, 3])
    left, right = bound(circuit, t=0.8).data, Operator(wanted).data
    assert abs(np.vdot(left, right)) / 32 == pytest.approx(1, abs=1e-9)


def test_registers_broadcast_and_are_cut_and_joined(read):
    circuit = read(
        "qubit[3] a; qubit b; h a; cx b, a; let c = a[1:2]; let d = c ++ b; x d[2]; z c[-1]; y a[{0, 2}]; swap $0, $3;"
    )
    wanted = QuantumCircuit(4)
    wanted.h([0, 1, 2])
    for target in range(3):
        wanted.cx(3, target)
    wanted.x(3)
    wanted.z(2)
    wanted.y([0, 2])
    wanted.swap(0, 3)
    assert Operator(circuit) == Operator(wanted)


def test_measurements_resets_delays_and_barriers_are_kept(read):
    circuit = read(
        "qubit[2] q; bit[2] c; reset q; h q[0]; barrier q; delay[100ns] q[0]; delay[2 * 8dt] q[1];"
        "box { x q[1]; } c = measure q; bit d = measure q[0]; measure q[1];"
    )
    assert circuit.count_ops() == {"measure": 4, "reset": 2, "delay": 2, "h": 1, "x": 1, "barrier": 1}
    delays = [step.operation for step in circuit.data if step.operation.name == "delay"]
    assert [(delay.duration, delay.unit) for delay in delays] == [(100.0, "ns"), (16, "dt")]


def test_vectors_that_qiskit_wrote_with_underscores_are_vectors_again(read):
    circuit = read(
        "input float _x_1_; input float _x_0_; input float _y_1_; qubit q; rx(_x_1_*_x_0_*_y_1_) q;"
    )
    assert {parameter.name for parameter in circuit.parameters} == {"x[0]", "x[1]", "_y_1_"}
    assert all(isinstance(parameter, Parameter) for parameter in circuit.parameters)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("qubit[2] q; bit c; c = measure q[0]; if (c) x q[1];", "line 3: a condition must be known .* a measured bit"),
        ("input int n; qubit[2] q;\nfor int i in [0:n] h q[0];", "line 4: .* whole number, but is the input n"),
        ("qubit[2] q;\nh q[2];", "line 4: index 2 is outside of a register or an array of 2"),
        ("qubit[2] q; qubit[3] r; cx q, r;", "gate 'cx' is given registers of 2 and 3 qubits"),
        ("qubit[2] q; cx q[0], q[0];", "gate 'cx' is given the same qubit twice"),
        ("qubit[2] q; cx q[0];", "gate 'cx' takes 2 qubits, but has 1"),
        ("qubit q; rx q;", "gate 'rx' takes 1 arguments, but has 0"),
        ("qubit q; rx(t) q;", "'t' is not declared"),
        ("qubit q; float t; rx(t) q;", "'t' has no value yet"),
        ("qubit q; qubit q;", "QuantumRegister|declared twice|already"),
        ("qubit q; while (true) { h q; }", "unrolls to more than 100,000 statements"),
        ("qubit q; for int i in [0:1000000000] { }", "unrolls to more than 100,000 statements"),
        ("qubit q; pow(1000000000) @ x q;", "unrolls to more than 100,000 gates"),
        ("qubit[1000000000] q;", "the size of a register must be from 0 to 100,000, but is 1000000000"),
        ("input array[float, 1000, 1000] x;", "input 'x' must have from 1 to 100,000 elements"),
        ("int n = 2**1000000000; qubit q;", "the exponent is beyond 1024"),
        ("qubit q; bit c; c = 1;", "'c' is a register: a bit takes only a measurement"),
        ("gate g a { g a; } qubit q; g q;", "it calls itself"),
        ("input float t; qubit q; h q;", "declares the input 't', but no gate uses it"),
        ("input float t; qubit q; pow(0.5) @ rx(t) q;", "needs a gate whose angles are known"),
        ("input bit b; qubit q;", "input 'b' must be a float or an angle"),
        ("qubit q; rx(1/0) q;", "cannot be computed"),
        ("qubit q; rx(sqrt(-1)) q;", "cannot be computed"),
        ("extern f(int) -> int; qubit q;", "ExternDeclaration cannot be part of a circuit"),
        ('include "mine.inc";', "only stdgates.inc can be included"),
        ("qubit q; rx(q) q;", "an angle must be a number or an input, but is a qubit"),
    ],
)  # fmt: skip
def test_what_has_no_circuit_is_one_sentence_with_its_line(read, text, sentence):
    with pytest.raises(CircuitError, match=sentence):
        read(text)
