"""A kept pass manager gives what Qiskit's `transpile` gives, whatever it ran on before."""

from dataclasses import replace
from math import pi

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Measure, Parameter
from qiskit.circuit.library import CXGate, RXGate, RZGate, SXGate, XGate
from qiskit.transpiler import Target
from qiskit.transpiler.passes import SabreLayout

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.jobs import resolve_device
from qiskit_hqnn.jobs.devices import CutDevice, device_of, pass_managers, transpiled


@pytest.fixture(scope="module")
def circuits():
    triangle = QuantumCircuit(3)
    for pair in ((0, 1), (1, 2), (0, 2)):
        triangle.cx(*pair)
        triangle.rx(0.3, pair[1])
    return triangle, hqnn_parallel(4, 2).circuit


def is_that_of_qiskit(found, circuit, device, level):
    wanted = transpile(circuit, target=device.target, seed_transpiler=5, optimization_level=level)
    layouts = [isa.layout.final_index_layout() for isa in (found, wanted)]
    return found == wanted and layouts[0] == layouts[1] and found.name == wanted.name


@pytest.mark.parametrize("level", [1, 3])
def test_circuits_in_turn_and_within_each_other_are_qiskits(circuits, monkeypatch, level):
    monkeypatch.setattr(pass_managers, "_managers", pass_managers.OrderedDict())
    device = resolve_device("fake_manila")
    first, second = circuits
    within = []
    own = SabreLayout.run

    def interrupted(self, dag):
        """As where another thread transpiles in the middle of a pass."""
        if not within:
            within.append(None)
            within[0] = transpiled(second, device, 5, level)
        return own(self, dag)

    with monkeypatch.context() as patch:
        patch.setattr(SabreLayout, "run", interrupted)
        found = [transpiled(first, device, 5, level)]
    found += [transpiled(circuit, device, 5, level) for circuit in (first, second, first)]
    for isa, circuit in zip([*found, *within], (first, first, second, first, second), strict=True):
        assert is_that_of_qiskit(isa, circuit, device, level)
    assert len(pass_managers._managers) == 1


def test_a_device_of_the_same_name_has_its_own(circuits):
    for word in ("fake_manila", "fake_lima"):
        device = replace(resolve_device(word), name="fake_manila")
        assert is_that_of_qiskit(transpiled(circuits[1], device, 5, 1), circuits[1], device, 1)


def test_gates_of_one_name_that_do_different_things_have_their_own(circuits, monkeypatch):
    """None has errors or durations: only what the gate does tells their calibrations apart."""
    monkeypatch.setattr(pass_managers, "_managers", pass_managers.OrderedDict())
    devices = []
    turns = (RXGate(pi / 2), RXGate(pi / 4), XGate(), own_gate(0.1), own_gate(0.2), Gate("turn", 1, []))
    for turn in turns:
        target = Target(num_qubits=3)
        for gate in (RZGate(Parameter("t")), SXGate(), Measure()):
            target.add_instruction(gate, {(qubit,): None for qubit in range(3)})
        target.add_instruction(CXGate(), {(0, 1): None, (1, 2): None})
        target.add_instruction(turn, {(0,): None}, name="turn")
        devices.append(device_of(CutDevice("fourfold", target), "fourfold"))
        isa = transpiled(circuits[0], devices[-1], 5, 3)
        assert is_that_of_qiskit(isa, circuits[0], devices[-1], 3)
    assert len({device.calibration for device in devices}) == len(turns)
    assert len(pass_managers._managers) == len(turns)
    transpiled(circuits[0], devices[0], 5, 3)
    assert len(pass_managers._managers) == len(turns)


def own_gate(angle):
    gate = Gate("turn", 1, [])
    gate.definition = QuantumCircuit(1)
    gate.definition.rx(angle, 0)
    return gate


def test_only_so_many_are_kept(circuits, monkeypatch):
    monkeypatch.setattr(pass_managers, "_managers", pass_managers.OrderedDict())
    monkeypatch.setattr(pass_managers, "_KEPT", 2)
    device = resolve_device("fake_manila")
    for seed in range(4):
        transpiled(circuits[0], device, seed, 1)
    assert len(pass_managers._managers) == 2
