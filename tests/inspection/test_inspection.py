"""Inspection: equivalence is proven and breakage found, tables add up, the gallery is what the factories make."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from PIL import Image
from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.quantum_info import Statevector

from qiskit_hqnn.circuits import ANSATZE, hqnn_parallel, make_template
from qiskit_hqnn.errors import CircuitError, DeviceError, HQNNError
from qiskit_hqnn.inspection import (
    error_budget,
    idle_times,
    inspect,
    largest_difference,
    pictures,
    read_ansatz,
    schedule,
)
from qiskit_hqnn.inspection.candidates import swaps_added
from qiskit_hqnn.inspection.gallery import COLUMNS, DEVICES, LEVELS, SEEDS, page_of, qasm_of
from qiskit_hqnn.inspection.pictures import draw_circuit, row_length
from qiskit_hqnn.inspection.subjects import as_sent
from qiskit_hqnn.jobs import resolve_device, transpile_template
from qiskit_hqnn.jobs.devices.identity import circuit_bytes
from qiskit_hqnn.jobs.devices.transpiling import SEEDS as SEEDS_OF_THE_MANAGER

GALLERY = Path(__file__).parents[2] / "circuits"


@pytest.fixture(scope="module")
def small():
    return hqnn_parallel(3, 1)


@pytest.fixture(scope="module")
def inspected(small):
    return inspect(small, ["fake_manila", "fake_fez"], seeds=2, levels=(1, 3), samples=10, shots=100)


def test_every_circuit_is_proven_and_the_table_has_a_row_a_level(inspected):
    assert all(part.proven for part in inspected.devices)
    table = inspected.table
    assert {(row["device"], row["level"]) for row in table} >= {
        ("fake_manila", 1), ("fake_manila", 3), ("fake_fez", 1), ("fake_fez", 3),
    }  # fmt: skip
    successes = [row["expected_success"] for row in table]
    assert successes == sorted(successes, reverse=True)  # best first
    assert min(successes) > 0.5
    assert [row["device"] for row in table if row["used"]].count("fake_manila") == 1
    assert [row["device"] for row in table if row["used"]].count("fake_fez") == 1
    assert list(pd.DataFrame(table)["expected_success"]) == successes


def test_the_used_template_is_marked_where_more_seeds_find_a_better_one(small):
    table = inspect(small, "fake_torino", seeds=SEEDS_OF_THE_MANAGER + 4, levels=[1]).table
    used = transpile_template(make_template(small).circuit, resolve_device("fake_torino"))
    assert [(row["level"], row["seed"]) for row in table if row["used"]] == [(used.level, used.seed)]


@pytest.mark.parametrize("name", ANSATZE)
def test_what_is_inspected_is_what_a_quantum_layer_sends(name):
    ansatz = ANSATZE[name]()
    sent, angles = as_sent(ansatz)
    assert circuit_bytes(sent) == circuit_bytes(make_template(ansatz).circuit)
    back = sent.assign_parameters({p: angles[p.name] for p in sent.parameters})
    values = {p: 0.1 + index / 10 for index, p in enumerate(ansatz.circuit.parameters)}
    states = [
        Statevector(circuit.assign_parameters({p: values[p] for p in circuit.parameters}))
        for circuit in (ansatz.circuit, back)
    ]
    assert abs(states[0].inner(states[1])) == pytest.approx(1)


def test_swaps_are_those_that_routing_adds():
    # A triangle does not fit on a line: one SWAP of three CX, or what is left of it.
    triangle = QuantumCircuit(3)
    for pair in ((0, 1), (1, 2), (0, 2)):
        triangle.cx(*pair)
        triangle.rx(0.3, pair[1])
    line, manila = QuantumCircuit(3), resolve_device("fake_manila")
    line.cx(0, 1)
    line.cx(1, 2)
    line.swap(0, 1)  # the circuit's own
    line.rx(0.3, 0)
    assert [swaps_added(triangle, manila, seed=0, level=level) for level in (1, 3)] == [1, 1]
    assert [swaps_added(line, manila, seed=0, level=level) for level in (0, 1, 2, 3)] == [0, 0, 0, 0]


def test_the_tables_idle_time_is_that_of_the_timeline(inspected):
    for part in inspected.devices:
        (row,) = [
            row
            for row in inspected.table
            if (row["device"], row["level"], row["seed"])
            == (part.device.name, part.best.level, part.best.seed)
        ]
        waits = idle_times(schedule(part.best, part.device.target))
        assert row["idle_us"] == pytest.approx(1e6 * sum(waits.values()))
        assert row["idle_us"] > 0


def test_the_best_is_at_least_what_the_job_manager_uses(inspected):
    for part in inspected.devices:
        assert part.best.expected_success >= part.used.expected_success


def test_the_budget_of_gates_and_readout_is_the_expected_success(inspected):
    for part in inspected.devices:
        gates = sum(value for cause, value in part.budget.items() if cause != "idle")
        assert math.exp(-gates) == pytest.approx(part.best.expected_success)
        assert part.budget["idle"] > 0


def test_exchanged_readout_is_found(small):
    template = transpile_template(small.circuit, resolve_device("fake_manila"), seeds=[0], levels=[1])
    first, second, *rest = template.logical
    assert largest_difference(small, template) < 1e-9
    assert largest_difference(small, replace(template, logical=(second, first, *rest))) > 1e-2


def test_a_dropped_gate_is_found(small):
    template = transpile_template(small.circuit, resolve_device("fake_manila"), seeds=[0], levels=[1])
    position = next(i for i, step in enumerate(template.circuit.data) if step.operation.name == "cx")
    broken = template.circuit.copy()
    del broken.data[position]
    assert largest_difference(small, replace(template, circuit=broken)) > 1e-2


def test_what_is_not_known_is_neither_proven_nor_broken(inspected):
    parts = tuple(replace(part, difference=math.nan) for part in inspected.devices)
    unknown = replace(inspected, devices=parts)
    assert not any(part.proven for part in parts)
    assert "Not proven on fake_manila" in unknown.verdict
    assert unknown.as_dict()["devices"][0]["proof"]["largest_difference"] is None


@pytest.mark.slow
def test_the_page_is_self_contained(inspected):
    page = inspected.page()
    assert "swaps added" in page
    assert page.count("data:image/png;base64,") == len(inspected.figures) == 9
    assert "agree to" in page


def test_a_device_that_is_too_small_or_unknown_and_bad_numbers_are_one_sentence(small):
    with pytest.raises(DeviceError, match="needs 6 connected qubits, but fake_manila has 5"):
        inspect(hqnn_parallel(6, 1), ["fake_manila"])
    with pytest.raises(DeviceError, match="no snapshot 'fake_feez'"):
        inspect(small, ["fake_feez"])
    with pytest.raises(HQNNError, match=r"levels must be from 0 to 3, but are \[4\]"):
        inspect(small, ["fake_manila"], levels=[4])
    with pytest.raises(HQNNError, match="nothing to inspect"):
        inspect(small, ["aer"])
    with pytest.raises(HQNNError, match="must be at least 1"):
        inspect(small, ["fake_manila"], seeds=0)


def test_the_timeline_ends_when_the_schedule_does(inspected):
    for part in inspected.devices:
        slots = schedule(part.best, part.device.target)
        assert max(slot.start + slot.duration for slot in slots) == pytest.approx(
            part.best.duration, rel=0.02
        )
        for qubit in {slot.qubit for slot in slots}:
            own = sorted((s for s in slots if s.qubit == qubit), key=lambda s: s.start)
            for before, after in pairwise(own):
                assert before.start + before.duration <= after.start + 1e-12
        readouts = [slot for slot in slots if slot.kind == "readout"]
        assert {slot.qubit for slot in readouts} == set(part.best.logical)
        assert len({slot.start for slot in readouts}) == 1


@pytest.mark.parametrize("suffix", [".qpy", ".qasm"])
def test_files_are_read_back(small, tmp_path, suffix):
    path = tmp_path / f"circuit{suffix}"
    measured = small.circuit.copy()
    measured.measure_all()
    if suffix == ".qpy":
        with path.open("wb") as file:
            qpy.dump(measured, file)
    else:
        path.write_text(qasm3.dumps(measured))
    ansatz = read_ansatz(path)
    assert ansatz.num_qubits == 3
    assert ansatz.circuit.count_ops() == small.circuit.count_ops()
    # By name, as vectors are vectors again.
    for read, own in ((ansatz.input_params, small.input_params), (ansatz.weight_params, small.weight_params)):
        assert [parameter.name for parameter in read] == [parameter.name for parameter in own]
    values = np.linspace(0.1, 2.9, len(small.circuit.parameters))
    states = [Statevector(circuit.assign_parameters(values)) for circuit in (small.circuit, ansatz.circuit)]
    assert abs(states[0].inner(states[1])) == pytest.approx(1)
    assert inspect(ansatz, ["fake_manila"], seeds=1, levels=[1]).devices[0].proven


def test_an_isa_circuit_of_a_whole_device_is_read_on_its_own_qubits(inspected, tmp_path):
    path = tmp_path / "isa.qpy"
    with path.open("wb") as file:
        qpy.dump(inspected.devices[1].best.circuit, file)
    assert read_ansatz(path).num_qubits == 3


def test_files_that_cannot_be_inspected_are_one_sentence(tmp_path):
    with pytest.raises(CircuitError, match="no circuit file"):
        read_ansatz(tmp_path / "a.qpy")
    damaged = tmp_path / "damaged.qpy"
    damaged.write_bytes(b"QISKIT but not really \x00\x01")
    with pytest.raises(CircuitError, match="cannot be read as QPY"):
        read_ansatz(damaged)
    several = tmp_path / "several.qpy"
    with several.open("wb") as file:
        qpy.dump([QuantumCircuit(1), QuantumCircuit(1)], file)
    with pytest.raises(CircuitError, match="must contain one circuit, but contains 2"):
        read_ansatz(several)
    middle = QuantumCircuit(1, 1)
    middle.measure(0, 0)
    middle.h(0)
    path = tmp_path / "middle.qpy"
    with path.open("wb") as file:
        qpy.dump(middle, file)
    with pytest.raises(CircuitError, match="'measure' in the middle"):
        read_ansatz(path)
    with path.open("wb") as file:
        qpy.dump(QuantumCircuit(2), file)
    with pytest.raises(CircuitError, match="without gates"):
        read_ansatz(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSATZE)
def test_the_gallerys_costs_are_those_of_an_inspection(name):
    ansatz = ANSATZE[name]()
    # Long circuits take half a minute on three devices; a change of the transpiler shows on one.
    devices = DEVICES[:1] if len(ansatz.circuit.data) > 20 else DEVICES
    fresh = page_of(ansatz, inspect(ansatz, devices, seeds=SEEDS, levels=LEVELS))
    others = tuple(f"| {device} |" for device in set(DEVICES) - set(devices))
    lines = (GALLERY / f"{name}.md").read_text().splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith(others)) == fresh


@pytest.mark.parametrize("name", ANSATZE)
def test_a_row_of_a_drawing_is_short_enough_to_read(name):
    ansatz = ANSATZE[name]()
    layers = ansatz.circuit.depth()  # a lower bound of the columns, as gates' lines cross other qubits
    row = row_length(ansatz.circuit, COLUMNS)
    assert min(layers, COLUMNS // 2) <= row <= COLUMNS
    width, height = Image.open(GALLERY / f"{name}.png").size
    assert width <= 110 + 70 * row  # pixels: no row is longer than asked for
    if layers > COLUMNS:
        assert height > width / 2


def test_of_a_very_long_circuit_the_first_rows_are_drawn(monkeypatch):
    monkeypatch.setattr(pictures, "LINES", 8)
    long = QuantumCircuit(4)
    for _ in range(12):
        for qubit in range(3):
            long.h(qubit)  # the fourth wire is idle, and takes no line
    open_figures = pyplot.get_fignums()
    figure = draw_circuit(long, columns=4)
    assert pyplot.get_fignums() == open_figures  # none stays in memory, or comes up at the user's next show()
    assert figure.axes[0].get_title() == "the first 8 of 12 columns"
    # At its full length, and at the 150 dots an inch of `--png`, a drawing is within what a PNG is drawn in.
    assert figure.get_size_inches()[1] / 6 * 400 * 150 < 2**16
    assert draw_circuit(long, columns=8).axes[0].get_title() == ""


def test_a_wrapped_drawing_has_no_scrap_as_its_last_row():
    circuit = QuantumCircuit(2)
    for _ in range(25):
        circuit.h(0)
    assert row_length(circuit, 24) == 13
    assert row_length(circuit, 25) == 25
    assert row_length(QuantumCircuit(1), 24) == 1
    crossed = QuantumCircuit(3)
    crossed.cx(0, 2)
    crossed.h(1)  # the line of the CX passes qubit 1
    assert row_length(crossed, 24) == 2


@pytest.mark.parametrize("name", ANSATZE)
def test_the_gallery_is_what_the_factories_make(name):
    ansatz = ANSATZE[name]()
    assert (GALLERY / f"{name}.qasm").read_text() == qasm_of(ansatz)
    assert (GALLERY / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert ansatz.reference in (GALLERY / f"{name}.md").read_text()
    read_back = qasm3.loads((GALLERY / f"{name}.qasm").read_text())
    assert isinstance(read_back, QuantumCircuit)
    assert read_back.count_ops() == ansatz.circuit.count_ops()


def late_starter():
    """Two qubits of fake_manila: the second one's first gate comes after 40 gates on the first one."""
    circuit = QuantumCircuit(2)
    for _ in range(40):
        circuit.sx(0)
        circuit.rz(0.3, 0)
    circuit.cx(0, 1)
    for _ in range(10):
        circuit.sx(0)
        circuit.rz(0.3, 0)
    return transpile_template(circuit, resolve_device("fake_manila"), seeds=[0], levels=[0])


def test_waiting_costs_from_a_qubits_first_gate_on():
    template, target = late_starter(), resolve_device("fake_manila").target
    first, second = template.logical
    pulse = target["sx"][(first,)].duration
    idle = idle_times(schedule(template, target))
    assert idle[first] == pytest.approx(0, abs=1e-12)
    assert idle[second] == pytest.approx(10 * pulse)  # not the 40 pulses before the cx: it is in |0⟩
    properties = target.qubit_properties[second]
    expected = 10 * pulse * (1 / properties.t1 + 1 / properties.t2) / 2
    assert error_budget(template, target)["idle"] == pytest.approx(expected)


def test_a_qubit_without_gates_waits_for_nothing():
    circuit = QuantumCircuit(2)
    circuit.sx(0)
    template = transpile_template(circuit, resolve_device("fake_manila"), seeds=[0], levels=[1])
    slots = schedule(template, resolve_device("fake_manila").target)
    assert idle_times(slots) == {qubit: pytest.approx(0, abs=1e-12) for qubit in sorted(template.logical)}
