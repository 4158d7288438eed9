"""Classical bits by their place: whatever registers a user writes come back as he wrote them, from every place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.errors import MitigationError
from qiskit_hqnn.jobs import JobManager, MitigationOptions
from qiskit_hqnn.jobs.adapters.sampling import HISTOGRAM_BITS, Outcomes
from qiskit_hqnn.jobs.registers import in_one_row, measured_last, side_by_side, without_idle_bits

QUBITS = 3
MANAGERS = [
    JobManager("aer", shots=4, seed=1),
    JobManager(BasicSimulator(), shots=4, seed=1),
    # Answers register by register, as hardware does.
    JobManager(StatevectorSampler(seed=1), shots=4),
]


@st.composite
def layouts(draw):
    """(bits, registers as lists of bits, qubits in |1⟩, measurements as (qubit, bit))."""
    bits = draw(st.integers(1, 5))
    places = st.lists(st.integers(0, bits - 1), min_size=0, max_size=bits, unique=True)
    registers = draw(st.lists(places, min_size=1, max_size=3))
    ones = draw(st.lists(st.booleans(), min_size=QUBITS, max_size=QUBITS))
    pairs = st.tuples(st.integers(0, QUBITS - 1), st.integers(0, bits - 1))
    return bits, registers, ones, draw(st.lists(pairs, max_size=5))


def written(layout):
    """The circuit of a layout, and what each register reads, its first bit last."""
    bits, registers, ones, measurements = layout
    loose = [Clbit() for _ in range(bits)]
    circuit = QuantumCircuit(QuantumRegister(QUBITS, "q"), loose)
    for index, places in enumerate(registers):
        circuit.add_register(ClassicalRegister(name=f"r{index}", bits=[loose[place] for place in places]))
    for qubit, one in enumerate(ones):
        if one:
            circuit.x(qubit)
    read = [0] * bits
    for qubit, bit in measurements:
        circuit.measure(qubit, bit)
        read[bit] = int(ones[qubit])
    wanted = {
        f"r{index}": "".join(str(read[place]) for place in reversed(places))
        for index, places in enumerate(registers)
    }
    return circuit, wanted


LAYOUTS = {
    "reversed": (2, [[1, 0]], [True, False, False], [(0, 0)]),
    "loose bits before a register": (3, [[2]], [True, False, False], [(0, 2)]),
    "a bit in two registers": (3, [[0, 1], [1, 2]], [True, True, False], [(0, 0), (1, 1), (2, 2)]),
    "registers that interlock": (4, [[0, 2], [1, 3]], [True, False, False], [(0, 2), (0, 1)]),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_registers_come_back_as_they_were_written(layout):
    device = JobManager(GenericBackendV2(QUBITS, noise_info=False), shots=4, seed=1)
    assert_read(layout, [*MANAGERS, device])


@settings(deadline=None, max_examples=25, derandomize=True)
@given(layouts())
def test_any_registers_come_back_as_they_were_written(layout):
    assert_read(layout, MANAGERS)


def assert_read(layout, managers):
    circuit, wanted = written(layout)
    for manager in managers:
        data = manager.sampler().run([circuit]).result()[0].data
        assert set(data) == set(wanted)
        for name, text in wanted.items():
            assert data[name].num_bits == len(text)
            if text:
                assert data[name].get_counts() == {text: 4}, (manager, name)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(layouts())
def test_one_row_holds_every_bit_once_in_its_order(layout):
    circuit, _ = written(layout)
    row = in_one_row(circuit)
    assert side_by_side(row)
    assert row.num_clbits == circuit.num_clbits
    assert (row is circuit) == side_by_side(circuit)
    for before, after in zip(circuit.data, row.data, strict=True):
        assert [circuit.find_bit(bit).index for bit in before.clbits] == [
            row.find_bit(bit).index for bit in after.clbits
        ]
        assert [circuit.find_bit(bit).index for bit in before.qubits] == [
            row.find_bit(bit).index for bit in after.qubits
        ]


def test_wide_registers_that_lie_apart_come_back():
    bits = [Clbit() for _ in range(HISTOGRAM_BITS + 6)]
    circuit = QuantumCircuit(QuantumRegister(2), bits)
    circuit.add_register(ClassicalRegister(name="even", bits=bits[::2]))
    circuit.add_register(ClassicalRegister(name="backwards", bits=bits[::-1]))
    circuit.x(0)
    circuit.measure(0, bits[4])
    circuit.measure(0, bits[-1])
    for manager in MANAGERS:
        data = manager.sampler().run([circuit]).result()[0].data
        assert data.even.get_counts() == {format(1 << 2, "09b"): 4}
        assert data.backwards.get_counts() == {format(1 | 1 << 13, "018b"): 4}


@pytest.mark.parametrize("manager", MANAGERS, ids=lambda manager: manager.where)
def test_sets_of_values_keep_their_places_in_registers_that_lie_apart(manager):
    bits = [Clbit(), Clbit()]
    circuit = QuantumCircuit(QuantumRegister(2), bits)
    circuit.add_register(ClassicalRegister(name="turned", bits=bits[::-1]))
    angles = [Parameter("a"), Parameter("b")]
    for qubit, angle in enumerate(angles):
        circuit.rx(angle, qubit)
        circuit.measure(qubit, bits[qubit])
    values = np.pi * np.array([[[0, 0], [0, 1]], [[1, 0], [1, 1]]])
    read = manager.sampler().run([(circuit, values)]).result()[0].data.turned
    assert read.shape == (2, 2)
    for index in np.ndindex(2, 2):
        assert read[index].get_counts() == {f"{index[0]}{index[1]}": 4}


def test_a_register_that_nothing_is_measured_into_reads_as_zero_and_costs_nothing():
    circuit = QuantumCircuit(2, 3)
    circuit.x(0)
    for manager in MANAGERS:
        before = manager.executions
        assert manager.sampler().run([circuit]).result()[0].data.c.get_counts() == {"000": 4}
        assert manager.executions == before


def test_without_a_register_the_answer_is_empty_and_says_how_to_measure():
    circuit = QuantumCircuit(1, name="bare")
    with pytest.warns(UserWarning, match="'bare' has no classical register, .* measure_all"):
        result = JobManager("aer", shots=4).sampler().run([circuit]).result()[0]
    assert len(result.data) == 0
    assert result.metadata["shots"] == 4


def test_no_sets_of_values_are_answered_with_empty_registers():
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("a"), 0)
    circuit.measure(0, 0)
    bits = JobManager("aer", shots=4).sampler().run([(circuit, np.zeros((0, 2, 1)))]).result()[0].data.c
    assert bits.shape == (0, 2)
    assert (bits.num_shots, bits.num_bits) == (4, 1)


OBSERVABLES = [SparsePauliOp(label) for label in ("XX", "ZZ", "IZ", "ZI", "IX", "YX")]


@pytest.mark.parametrize("clbits", [1, 2, HISTOGRAM_BITS + 3])
def test_classical_bits_do_not_disturb_expectation_values(clbits):
    circuit = QuantumCircuit(2, clbits)
    circuit.x([0, 1])
    circuit.ry(0.6, 0)
    circuit.cx(0, 1)
    bare = circuit.remove_final_measurements(inplace=False)
    exact = StatevectorEstimator().run([(bare, OBSERVABLES)]).result()[0].data.evs
    for place in ("aer", BasicSimulator(), GenericBackendV2(2, noise_info=False)):
        data = (
            JobManager(place, shots=4000, seed=2).estimator().run([(circuit, OBSERVABLES)]).result()[0].data
        )
        assert (np.abs(data.evs - exact) < 5 * data.stds + 0.003).all(), place


@pytest.mark.parametrize("clbits", [2, HISTOGRAM_BITS + 3])
@pytest.mark.parametrize("readout", [None, "trex"])
def test_a_circuit_that_measures_itself_is_estimated_behind_its_measurements(clbits, readout):
    # A measurement of Z leaves the mixture of both outcomes: ⟨X⟩ is gone, ⟨Z⟩ and correlations of Z stay.
    circuit = QuantumCircuit(2, clbits)
    circuit.ry(1.1, 0)
    circuit.cx(0, 1)
    circuit.measure(0, clbits - 1)
    circuit.measure(1, 0)
    options = MitigationOptions(readout=readout, randomizations=4)
    manager = JobManager("aer", shots=2000, seed=2, mitigation=options)
    data = manager.estimator().run([(circuit, OBSERVABLES)]).result()[0].data
    exact = np.array([0, 1, np.cos(1.1), np.cos(1.1), 0, 0])
    assert (np.abs(data.evs - exact) < 5 * data.stds + 0.003).all()


def test_gates_of_a_circuit_that_measures_itself_are_not_twirled():
    circuit = QuantumCircuit(2, 1, name="watched")
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    manager = JobManager("aer", mitigation=MitigationOptions(twirl_gates=True, randomizations=4))
    with pytest.raises(MitigationError, match="measure nothing themselves, but 'watched"):
        manager.estimator().run([(circuit, OBSERVABLES[0])]).result()


def test_bits_that_are_left_out_leave_the_counts_of_the_others():
    rng = np.random.default_rng(4)
    array = rng.integers(0, 256, (3, 200, 2), dtype=np.uint8)
    for bits in (10, 14):
        array[..., 0] &= (1 << bits - 8) - 1
        outcomes = Outcomes.from_bit_array(array, bits)
        lowest = outcomes.lowest(3)
        wanted = np.stack([np.bincount(row[:, 1] & 7, minlength=8) for row in array])
        assert (lowest.bits, lowest.counts.tolist()) == (3, wanted.tolist())
    assert outcomes.lowest(14) is outcomes
    assert (outcomes.lowest(13).to_bit_array().array == array & [31, 255]).all()


def test_bits_are_idle_where_no_instruction_writes_them():
    circuit = QuantumCircuit(2, 5)
    circuit.measure(1, 3)
    circuit.measure(0, 1)
    kept = without_idle_bits(circuit)
    assert kept.num_clbits == 2
    assert [(kept.find_bit(s.qubits[0]).index, kept.find_bit(s.clbits[0]).index) for s in kept.data] == [
        (1, 1),
        (0, 0),
    ]


def test_only_measurements_that_nothing_follows_move_to_the_end():
    circuit = QuantumCircuit(3, 2)
    circuit.measure(0, 0)
    circuit.x(0)  # follows the first measurement
    circuit.measure(1, 1)
    circuit.h(2)
    circuit.measure(2, 1)  # follows the one before on its bit
    names = [step.name for step in measured_last(circuit).data]
    assert names == ["measure", "x", "measure", "h", "measure"]
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    circuit.h(1)
    circuit.measure(1, 1)
    assert [step.name for step in measured_last(circuit).data] == ["h", "measure", "measure"]
