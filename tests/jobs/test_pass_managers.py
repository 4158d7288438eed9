"""A kept pass manager gives what Qiskit's `transpile` gives, whatever it ran on before."""

from dataclasses import replace

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.transpiler.passes import SabreLayout

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.jobs import resolve_device
from qiskit_hqnn.jobs.devices import pass_managers, transpiled


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


def test_only_so_many_are_kept(circuits, monkeypatch):
    monkeypatch.setattr(pass_managers, "_managers", pass_managers.OrderedDict())
    monkeypatch.setattr(pass_managers, "_KEPT", 2)
    device = resolve_device("fake_manila")
    for seed in range(4):
        transpiled(circuits[0], device, seed, 1)
    assert len(pass_managers._managers) == 2
