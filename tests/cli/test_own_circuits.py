"""Commands that take a name take a circuit file, or a function of a Python file, too."""

import json
import sys

import pytest

from qiskit_hqnn.cli.app import main

OWN = """OPENQASM 3.0;
include "stdgates.inc";
input array[float[64], 2] x;
input float theta_10;
input float theta_9;
qubit[2] q;
bit[2] c;
for int i in [0:1] { ry(x[i]) q[i]; }
crz(theta_9) q[0], q[1];
rx(theta_10) q[1];
c = measure q;
"""
OLD = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
u3(0.3, 0.2, -0.6) q[0];
cx q[0], q[1];
rzz(0.4) q[0], q[1];
measure q -> c;
"""
MINE = """
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

def factory(num_qubits=2, depth=1, gate="rx"):
    x, w = ParameterVector("x", num_qubits), ParameterVector("w", num_qubits * depth)
    circuit = QuantumCircuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.ry(x[qubit], qubit)
    for number, weight in enumerate(w):
        getattr(circuit, gate)(weight, number % num_qubits)
        circuit.cz(number % num_qubits, (number + 1) % num_qubits)
    return circuit
"""


@pytest.fixture
def hqnn(monkeypatch, capsys, tmp_path):
    """Run the command in this process, in a folder with an own circuit: exit code, standard output, standard error."""
    (tmp_path / "own.qasm").write_text(OWN)
    (tmp_path / "old.qasm").write_text(OLD)
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)

    def run(words):
        monkeypatch.setattr(sys, "argv", ["hqnn", *words.split()])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        return exit_.value.code or 0, out, err

    return run


def test_show_tells_what_the_inputs_weights_and_outputs_of_a_file_are(hqnn):
    code, out, _ = hqnn("circuits show own.qasm --inputs x* --weights theta* --observables Z*,X0")
    assert code == 0
    assert "inputs       x[0], x[1]\n" in out
    assert "weights      theta_9, theta_10\n" in out
    assert "output 2     ⟨1 IX⟩" in out
    code, out, _ = hqnn("circuits show mine.py:factory --num-qubits 3 --set depth=2 --set gate=rz")
    assert code == 0
    assert "3 qubits, 3 inputs, 6 weights, 3 outputs; by mine.py:factory" in out
    assert "Rz(w[0])" in out


@pytest.mark.parametrize(
    ("what", "shape"),
    [
        ("own.qasm", {"qubits": 2, "inputs": 2, "weights": 2, "outputs": 2}),
        ("own.qasm --observables Z0*Z1 --inputs *", {"qubits": 2, "inputs": 4, "weights": 0, "outputs": 1}),
        ("old.qasm", {"qubits": 2, "inputs": 0, "weights": 0, "outputs": 2}),
        ("mine.py:factory --depth 2", {"qubits": 2, "inputs": 2, "weights": 4, "outputs": 2}),
    ],
)
def test_inspect_takes_files_of_every_format_and_factories(hqnn, what, shape):
    code, out, _ = hqnn(f"inspect {what} --where fake_manila --seeds 1 --levels 1 --json")
    assert code == 0
    result = json.loads(out)
    assert result["equivalent"] is True
    assert {key: result["ansatz"][key] for key in shape} == shape


@pytest.mark.parametrize("kind", ["fourier", "zx", "expressibility", "lie-algebra"])
def test_analyse_takes_a_file(hqnn, tmp_path, kind):
    code, _, err = hqnn(f"analyse own.qasm --kind {kind} --samples 10")
    assert code == 0, err
    assert (tmp_path / "analysis" / f"{kind}-own.csv").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("circuits show own.qasm --inputs y*", "Pattern 'y*' in `inputs` matches no parameter of own.qasm"),
        ("circuits show old.qasm --inputs x*", "old.qasm has no parameters"),
        ("circuits show own.qasm --depth 2", "Circuit file own.qasm takes no depth"),
        ("circuits show mine.py:factory --set depth", "Option --set must have the form KEY=VALUE"),
        ("circuits show mine.py:factory --depth 1 --set depth=2", "Argument 'depth' is given twice"),
        ("circuits show nowhere.qasm", "There is no circuit file nowhere.qasm"),
        (
            "inspect own.qasm --inputs x* --weights *",
            "'x[0]' is matched twice by `inputs` ('x*') and `weights`",
        ),
        ("inspect textbook --inputs x*", "Ansatz 'textbook' has fixed inputs, weights and observables"),
        ("inspect mine.py:nothing", "There is no function 'nothing' in mine.py: it has factory"),
        ("analyse old.qasm --kind fourier", "Fourier coefficients are of inputs, but ansatz 'old' has none."),
        ("analyse old.qasm --kind zx", "A ZX reduction needs parameters, but ansatz 'old' has none."),
        ("analyse old.qasm --kind gradients", "Kind 'gradients' compares sizes"),
        ("analyse own.qasm --kind gradients", "Kind 'gradients' compares sizes"),
        (
            "analyse textbook --observables Z*",
            "Ansatz 'textbook' has fixed inputs, weights and observables",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(hqnn, words, sentence):
    code, out, err = hqnn(words)
    assert (code, out) == (2, "")
    assert err.startswith("hqnn: ")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
