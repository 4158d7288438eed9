"""Circuit files: what Qiskit writes is read back as the same circuit, whatever format and name it has."""

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, qasm3, qpy
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import (
    get_standard_gate_name_mapping,
    quantum_volume,
    real_amplitudes,
    zz_feature_map,
)
from qiskit.quantum_info import Operator

from qiskit_hqnn.circuits.files import file_format, read_circuit
from qiskit_hqnn.errors import CircuitError

# Qiskit's exporters write these with another global phase or cannot write them, which is no fault of a reader.
UNITARY = [
    gate
    for name, gate in sorted(get_standard_gate_name_mapping().items())
    if name not in {"measure", "reset", "delay", "global_phase"}
]


def random_circuit(seed, steps=12, qubits=5, symbolic=True):
    """Gates of every kind at random places; an angle is a number, a parameter, or an expression of two."""
    rng = np.random.default_rng(seed)
    inputs, weights = ParameterVector("x", 11), [Parameter(name) for name in ("theta", "φ", "my weight")]
    circuit = QuantumCircuit(qubits)
    used = [*inputs, *weights]
    for number in range(steps):
        gate = UNITARY[rng.integers(len(UNITARY))]
        angles = []
        for _ in gate.params:
            one, other = rng.choice(used, 2)
            kinds = [rng.uniform(-7, 7), one, 2 * one - other / 3 + 0.25, one * other, (one**2).sin()]
            angles.append(kinds[rng.integers(len(kinds) if symbolic else 1)])
        places = rng.permutation(qubits)[: gate.num_qubits].tolist()
        circuit.append(gate.base_class(*angles), places)
        if symbolic:
            circuit.ry(used[number % len(used)], int(rng.integers(qubits)))
    if symbolic:
        for parameter in used:
            circuit.rz(parameter, 0)
    return circuit


def written(circuit, path, kind):
    if kind == "QPY":
        with path.open("wb") as file:
            qpy.dump(circuit, file)
    else:
        path.write_text((qasm2 if kind == "OpenQASM 2" else qasm3).dumps(circuit), encoding="utf-8")
    return path


def same_up_to_phase(first, second):
    left, right = Operator(first).data, Operator(second).data
    return abs(np.vdot(left, right)) / len(left) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("kind", ["QPY", "OpenQASM 3"])
@pytest.mark.parametrize("seed", range(6))
def test_a_random_circuit_with_parameters_is_read_back(kind, seed, tmp_path):
    circuit = random_circuit(seed)
    back = read_circuit(written(circuit, tmp_path / "own.circuit", kind))
    rng = np.random.default_rng(seed)
    values = {parameter.name: rng.uniform(-3, 3) for parameter in circuit.parameters}
    renamed = values | {"_my_weight": values["my weight"]}
    assert {parameter.name for parameter in back.parameters} <= set(renamed)
    assert back.num_parameters == circuit.num_parameters
    bound = [
        each.assign_parameters({parameter: renamed[parameter.name] for parameter in each.parameters})
        for each in (circuit, back)
    ]
    assert same_up_to_phase(*bound)


@pytest.mark.parametrize("seed", range(6))
def test_a_random_circuit_of_numbers_is_read_back_from_openqasm_2(seed, tmp_path):
    circuit = random_circuit(seed, symbolic=False)
    back = read_circuit(written(circuit, tmp_path / "own.txt", "OpenQASM 2"))
    assert same_up_to_phase(circuit, back)


@pytest.mark.parametrize(
    "circuit",
    [quantum_volume(3, seed=1), zz_feature_map(3).compose(real_amplitudes(3))],
    ids=["volume", "map"],
)
def test_circuits_of_the_library_are_read_back(circuit, tmp_path):
    for kind in ("QPY", "OpenQASM 3"):
        back = read_circuit(written(circuit, tmp_path / "own", kind))
        assert [parameter.name for parameter in back.parameters] == [p.name for p in circuit.parameters]
        values = np.linspace(0.2, 2.9, circuit.num_parameters)
        assert same_up_to_phase(circuit.assign_parameters(values), back.assign_parameters(values))


@pytest.mark.parametrize("kind", ["QPY", "OpenQASM 2", "OpenQASM 3"])
@pytest.mark.parametrize("suffix", ["", ".qasm", ".qpy", ".txt"])
def test_the_content_says_what_a_file_is_and_not_its_name(kind, suffix, tmp_path):
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    path = written(bell, tmp_path / f"bell{suffix}", kind)
    assert file_format(path.read_bytes(), "bell") == kind
    back = read_circuit(path)
    assert back.name == "bell"
    assert Operator(back) == Operator(bell)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("// a comment\n/* OPENQASM 3.0; */ OPENQASM 2.0;\nqreg q[1];", "OpenQASM 2"),
        ("\ufeffOPENQASM 3;\nqubit q;", "OpenQASM 3"),
        ("OPENQASM 3.1;", "OpenQASM 3"),
        ('include "qelib1.inc"; qreg q[1]; h q[0];', "OpenQASM 2"),
        ('include "stdgates.inc"; qubit q; h q;', "OpenQASM 3"),
    ],
)
def test_a_version_stands_behind_comments_or_is_missing(text, kind):
    assert file_format(text.encode(), "a file") == kind


def test_openqasm_2_includes_what_lies_beside_it_and_defines_gates(tmp_path):
    (tmp_path / "own.inc").write_text("gate mine(a, b) p, q { rx(b) p; cx p, q; rz(a) q; }\n")
    path = tmp_path / "own.qasm"
    path.write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\ninclude "own.inc";\nqreg q[2];\nmine(0.3, 0.8) q[1], q[0];\n'
    )
    wanted = QuantumCircuit(2)
    wanted.rx(0.8, 1)
    wanted.cx(1, 0)
    wanted.rz(0.3, 0)
    assert Operator(read_circuit(path)) == Operator(wanted)
    (tmp_path / "own.inc").write_text('include "own.inc";')
    with pytest.raises(CircuitError, match="more than 100 files, or itself"):
        read_circuit(path)
    (tmp_path / "own.inc").unlink()
    with pytest.raises(CircuitError, match=r"includes 'own.inc', which cannot be read"):
        read_circuit(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "must be QPY, OpenQASM 2 .* is empty"),
        (b"\x89PNG\r\n", "is none of these"),
        (b"hello", "is none of these"),
        (b"OPENQASM 4.0;", "is OpenQASM 4, but only its versions 2 and 3"),
        (b"QISKIT but not really \x00\x01", "cannot be read as QPY"),
        (
            b"OPENQASM 2.0;\nqreg q[1];\nfoo q[0];",
            "cannot be read as OpenQASM 2: line 3: 'foo' is not defined",
        ),
        (b"OPENQASM 3.0;\nqubit q\nh q;", "line 3 cannot be read as OpenQASM 3: 'h' is not expected there"),
        (b"OPENQASM 3.0;\nqubit q;\nfoo q;", "line 3: gate 'foo' is not defined"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(content, sentence, tmp_path):
    path = tmp_path / "own.qasm"
    path.write_bytes(content)
    with pytest.raises(CircuitError, match=sentence):
        read_circuit(path)


def test_missing_files_folders_and_several_circuits_are_one_sentence(tmp_path):
    with pytest.raises(CircuitError, match="There is no circuit file"):
        read_circuit(tmp_path / "own.qpy")
    with pytest.raises(CircuitError, match="is a folder"):
        read_circuit(tmp_path)
    path = tmp_path / "two.qpy"
    with path.open("wb") as file:
        qpy.dump([QuantumCircuit(1), QuantumCircuit(1)], file)
    with pytest.raises(CircuitError, match="must contain one circuit, but contains 2"):
        read_circuit(path)
