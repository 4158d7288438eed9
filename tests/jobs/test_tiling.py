"""Regions side by side: where they lie, and that each set's outcomes are those of its own values."""

import itertools
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import InstructionProperties
from scipy.stats import chi2

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.errors import DeviceError, HQNNError, MitigationError
from qiskit_hqnn.jobs import JobManager, MitigationOptions, Tiles, expectation_values, resolve_device
from qiskit_hqnn.jobs.adapters.sampling import Outcomes, SamplingRequest
from qiskit_hqnn.jobs.devices import circuit_bytes
from qiskit_hqnn.jobs.devices.transpiling import check_isa, scheduled_duration, transpile_template
from qiskit_hqnn.jobs.price import price_requests
from qiskit_hqnn.jobs.tiling import Regions, find_regions, regions, regions_of
from qiskit_hqnn.jobs.tiling.dividing import divided
from qiskit_hqnn.jobs.tiling.joining import apart, joined


def chain(qubits=8, gates=("cx", "rz", "sx", "x"), **options):
    """A device whose qubits are a line, without any error."""
    pairs = [pair for a in range(qubits - 1) for pair in ((a, a + 1), (a + 1, a))]
    return GenericBackendV2(
        qubits, basis_gates=list(gates), coupling_map=pairs, noise_info=False, seed=1, **options
    )


def one_way():
    """The same with a calibration, every ecr in one direction only, back and forth in turn."""
    pairs = [(a, a + 1) if a % 3 else (a + 1, a) for a in range(7)]
    backend = GenericBackendV2(8, basis_gates=["ecr", "rz", "sx", "x"], coupling_map=pairs, seed=1)
    for index, pair in enumerate(pairs):
        backend.target.update_instruction_properties(
            "ecr", pair, InstructionProperties(error=0.002 * (index + 1), duration=4e-7)
        )
    return backend


def entangled():
    """Two qubits, three angles: P(01) and P(10) differ, so mixed-up bits show."""
    circuit = QuantumCircuit(2, name="entangled")
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.ry(Parameter("b"), 1)
    circuit.rx(Parameter("c"), 0)
    return circuit


VALUES = np.random.default_rng(5).uniform(-3, 3, (1000, 3))


@pytest.fixture(scope="module")
def fez():
    return resolve_device("fake_fez")


@pytest.fixture(scope="module")
def on_fez(fez):
    """The published ansatz of five qubits on all regions of fake_fez."""
    return find_regions(make_template(hqnn_parallel(5, 3)).circuit, fez, Tiles())


def test_fake_fez_has_twenty_regions_for_five_qubits_and_every_gate_is_the_devices(fez, on_fez):
    assert len(on_fez) >= 20
    qubits = [qubit for region in on_fez for qubit in region.qubits]
    assert len(qubits) == len(set(qubits)) == 5 * len(on_fez)
    successes = [region.expected_success for region in on_fez]
    assert successes == sorted(successes, reverse=True)
    assert successes[-1] >= 0.8 * successes[0]
    alone = transpile_template(make_template(hqnn_parallel(5, 3)).circuit, fez)
    assert successes[0] >= alone.expected_success - 1e-12
    for region in on_fez:
        check_isa(region.circuit, fez.target, "fake_fez")
        assert scheduled_duration(region.circuit, fez.target) > 0
        assert set(region.logical) <= set(region.qubits)


def test_ten_thousand_images_cost_a_fifteenth(fez, on_fez):
    template, sets, shots = on_fez[0].circuit, 40_000, 1_000
    names = tuple(parameter.name for parameter in template.parameters)
    bits = ClassicalRegister(5)
    circuit = QuantumCircuit(template.qubits, bits)
    circuit.compose(template, inplace=True)
    circuit.measure(on_fez[0].logical, bits)
    alone = SamplingRequest(circuit, names, np.zeros((sets, len(names))), shots, 0)
    rows = len(divided((10_000, 4), len(on_fez))[0])
    tiled = SamplingRequest(circuit, names, np.zeros((rows, len(names))), shots, 0)
    durations = [max(scheduled_duration(region.circuit, fez.target) for region in on_fez)]
    before, after = (price_requests([request], durations, fez).qpu_seconds for request in (alone, tiled))
    assert before / after >= 15


@pytest.mark.parametrize("spacing", [0, 1, 2])
def test_regions_keep_their_distance(spacing):
    regions = find_regions(entangled(), resolve_device(chain(10)), Tiles(spacing=spacing))
    assert len(regions) == {0: 5, 1: 3, 2: 3}[spacing]
    ends = sorted((min(region.qubits), max(region.qubits)) for region in regions)
    assert all(second[0] - first[1] > spacing for first, second in itertools.pairwise(ends))


def test_gates_of_one_direction_are_turned_where_a_region_has_the_other(tmp_path):
    device = resolve_device(one_way())
    regions = find_regions(entangled(), device, Tiles(4, floor=0.5))
    for region in regions:
        check_isa(region.circuit, device.target, device.name)
    ways = {device.target["ecr"].keys() >= {tuple(region.qubits)} for region in regions}
    assert ways == {True, False}
    # What they compute is the same: the estimator's exact values, in each region.
    values = VALUES[:8]
    exact = StatevectorEstimator().run([(entangled(), [["ZI"], ["IX"]], values)]).result()[0].data.evs
    manager = JobManager(chain(8, ("ecr", "rz", "sx", "x")), shots=4000, seed=2, tiles=4)
    found = manager.estimator().run([(entangled(), [["ZI"], ["IX"]], values)]).result()[0].data
    assert (np.abs(found.evs - exact) < 5 * found.stds + 0.003).all()


def test_parts_that_no_gate_joins_need_not_lie_together():
    circuit = QuantumCircuit(3)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.ry(0.3, 2)
    regions = find_regions(circuit, resolve_device(chain(8)), Tiles())
    assert len(regions) == 2
    assert len({qubit for region in regions for qubit in region.qubits}) == 6


@pytest.mark.parametrize(
    ("shape", "regions", "lengths"),
    [
        ((10,), 3, [4, 4, 2]),
        ((21,), 20, [2] * 10 + [1]),  # as many executions as with twenty, and none of the worse regions
        ((4, 3), 2, [6, 6]),
        ((5, 3), 2, [9, 6]),  # a sample's shifts stay in one region
        ((2, 101), 20, [11] * 18 + [4]),  # unless that would be dear
        ((), 5, [1]),
        ((0,), 3, [0]),
    ],
)
def test_every_set_goes_to_one_region(shape, regions, lengths):
    parts = divided(shape, regions)
    assert [len(part) for part in parts] == lengths
    assert [number for part in parts for number in part] == list(range(int(np.prod(shape))))


@pytest.mark.parametrize("widths", [(2, 3), (5, 5, 5), (9, 13, 1)])
def test_bits_come_apart_as_they_were_put_together(widths):
    rng = np.random.default_rng(1)
    sets, shots = (4, 4, 3)[: len(widths)], 50
    requests, bits = [], []
    for number, width in enumerate(widths):
        circuit = QuantumCircuit(sum(widths), width)
        place = sum(widths[:number])
        circuit.rx(Parameter("x"), place)
        circuit.measure(range(place, place + width), range(width))
        values = np.full((sets[number], 1), float(number))
        requests.append(SamplingRequest(circuit, ("x",), values, shots, 0))
        bits.append(rng.integers(0, 1 << width, (max(sets), shots)))
    request, seats = joined(requests)
    assert request.values.shape == (max(sets), len(widths))
    assert (request.values == np.arange(len(widths))).all()
    whole = sum(drawn << sum(widths[:number]) for number, drawn in enumerate(bits))
    size = -(-sum(widths) // 8)
    packed = np.stack([(whole >> 8 * byte) & 255 for byte in reversed(range(size))], -1).astype(np.uint8)
    found = apart(Outcomes.from_bit_array(packed, sum(widths)), seats)
    for outcomes, width, drawn, kept in zip(found, widths, bits, sets, strict=True):
        assert (outcomes.bits, outcomes.sets) == (width, kept)
        for row in range(kept):
            wanted = np.bincount(drawn[row], minlength=1 << width)
            if outcomes.counts is None:
                numbers = outcomes.packed[row].astype(int) @ [256, 1]
                assert sorted(numbers) == sorted(drawn[row])
            else:
                np.testing.assert_array_equal(outcomes.counts[row], wanted)
    with pytest.raises(HQNNError, match=r"must have .* bits and .* sets, but have"):
        apart(Outcomes.zeros(max(sets), 3, shots), seats)


def test_tiled_samples_of_a_thousand_sets_are_those_of_their_values():
    measured = entangled()
    measured.measure_all()
    manager = JobManager(chain(), shots=200, seed=3, tiles="auto")
    result = manager.sampler().run([(measured, VALUES)]).result()[0]
    found = Outcomes.from_bit_array(result.data.meas.array, 2).counts
    states = np.array([_probabilities(row) for row in VALUES])
    expected = 200 * states
    # Cells that are hardly ever hit have no chi-square distribution.
    usual = expected > 5
    statistic = ((found - expected) ** 2 / expected)[usual].sum()
    freedom = usual.sum() - len(VALUES)
    assert 1e-4 < chi2.sf(statistic, freedom) < 1 - 1e-4
    # Against the values of the next set it would be far off.
    shifted = ((found - np.roll(expected, 1, 0)) ** 2 / np.roll(expected, 1, 0))[np.roll(usual, 1, 0)].sum()
    assert shifted > 10 * freedom


def _probabilities(values):
    from qiskit.quantum_info import Statevector

    return Statevector(entangled().assign_parameters(values)).probabilities()


def test_regions_are_independent_of_each_other():
    """Shots of two regions must not be in step: neither both sorted, nor of one seed."""
    circuit = QuantumCircuit(1, 1)
    circuit.ry(Parameter("a"), 0)
    circuit.measure(0, 0)
    parts = []
    for qubit in range(2):
        whole = QuantumCircuit(4, 1)
        whole.compose(circuit, [qubit], inplace=True)
        parts.append(SamplingRequest(whole, ("a",), np.full((50, 1), np.pi / 2), 400, 7))
    request, _ = joined(parts)
    from qiskit_hqnn.jobs.adapters.aer import sample

    counts = sample(request, resolve_device(chain())).counts.sum(axis=0)
    assert chi2.sf(((counts - 5000) ** 2 / 5000).sum(), 3) > 1e-4
    assert not (np.diff(counts) == 0).all()


@pytest.mark.parametrize(
    "mitigation",
    [
        MitigationOptions(),
        MitigationOptions(readout="trex", randomizations=2),
        MitigationOptions(readout="m3", twirl_gates=True, randomizations=2),
        MitigationOptions(zne=(1, 3), extrapolation="linear"),
    ],
    ids=["plain", "trex", "m3-twirled", "zne"],
)
def test_estimates_on_tiles_are_exact_ones_with_any_mitigation(mitigation):
    values = VALUES[:12].reshape(4, 3, 3)
    pub = (entangled(), [[["ZI"]], [["XX"]]], values)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    manager = JobManager(chain(), shots=2000, seed=4, tiles=3, mitigation=mitigation)
    result = manager.estimator().run([pub]).result()[0]
    assert result.data.evs.shape == (2, 4, 3)
    assert result.metadata["tiles"] == 3
    # A value whose outcomes are all alike has an estimated error of 0.
    assert (np.abs(result.data.evs - exact) < 5 * result.data.stds + 0.01).all()


def test_readout_is_calibrated_in_each_region_by_itself():
    """Two regions with very different readout: one calibration for both would leave a third of the error."""
    backend = chain(4)
    for qubit in range(4):
        error = 0.02 if qubit < 2 else 0.12
        backend.target.update_instruction_properties(
            "measure", (qubit,), InstructionProperties(error=error, duration=1e-6)
        )
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    circuit.cx(0, 1)
    pub = (circuit, ["ZZ"], np.full((2, 1), 0.3))
    raw, corrected = (
        JobManager(backend, shots=20_000, seed=1, tiles=Tiles(2, floor=0.1), mitigation=mitigation)
        .estimator()
        .run([pub])
        .result()[0]
        .data
        for mitigation in (MitigationOptions(), MitigationOptions(readout="trex", randomizations=2))
    )
    assert raw.evs[0] - raw.evs[1] > 0.2
    assert np.abs(corrected.evs - 1).max() < 0.03


def test_a_circuits_own_registers_and_sets_without_parameters_come_back_in_their_order():
    first, second = ClassicalRegister(1, "first"), ClassicalRegister(2, "second")
    circuit = QuantumCircuit(QuantumRegister(2), first, second)
    circuit.x(1)
    circuit.measure(0, second[1])
    circuit.measure(1, first[0])
    manager = JobManager(chain(), shots=20, seed=1, tiles=3)
    data = manager.sampler().run([circuit]).result()[0].data
    assert data.first.get_counts() == {"1": 20}
    assert data.second.get_counts() == {"00": 20}


def test_a_recorded_tiled_job_is_found_again_and_read_without_its_circuit(tmp_path):
    store = tmp_path / "jobs.db"
    pub = EstimatorPub.coerce((entangled(), [["ZI"], ["XX"]], VALUES[:7]))
    manager = JobManager("fake_manila", store=store, shots=100, tiles=2, cache=tmp_path)
    price = manager.price(manager.plan(pub))
    assert price.executions == 2 * 4 * 100
    job = manager.submit(pub)
    assert manager.wait(job) == "done"
    again = JobManager("fake_manila", store=store, shots=100, tiles=2, cache=tmp_path)
    assert again.submit(pub) == job
    fetched = expectation_values(again.store, job).data.evs
    assert fetched.shape == (2, 7)
    values = JobManager("fake_manila", store=store, shots=100, tiles=2)
    np.testing.assert_array_equal(values.estimator().run([pub]).result()[0].data.evs.shape, (2, 7))
    alone = JobManager("fake_manila", store=store, shots=100)
    assert alone.known(alone.plan(pub)) is None
    assert "tiles" not in alone._identity({})
    assert manager.store.job(job).settings["tiles"] == {"count": 2, "floor": 0.8, "spacing": 0}


def test_regions_of_an_earlier_calibration_are_those_of_then(tmp_path, monkeypatch):
    """What was paid under them is found again: another calibration would choose others."""
    device = resolve_device(chain())
    before = regions_of(entangled(), device, Tiles(2), tmp_path)
    monkeypatch.setattr(regions, "_found", OrderedDict())
    monkeypatch.setattr(regions, "find_regions", lambda *_: pytest.fail("looked for again"))
    later = replace(device, calibration="later")
    found = Regions(later, "later", tmp_path, device.calibration, Tiles(2))
    again = found.for_circuit(entangled())
    assert found.calibration == device.calibration
    assert [circuit_bytes(region.circuit) for region in again] == [circuit_bytes(r.circuit) for r in before]
    assert [region.logical for region in again] == [region.logical for region in before]
    monkeypatch.setattr(regions, "find_regions", find_regions)
    monkeypatch.setattr(regions, "_found", OrderedDict())
    gone = Regions(later, "later", tmp_path / "empty", device.calibration, Tiles(2))
    with pytest.warns(UserWarning, match="continues with today's calibration.*its regions were not kept"):
        gone.for_circuit(entangled())
    assert gone.calibration == "later"


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        (0, "`tiles` must be a whole number from 1 to 10000, but is 0"),
        (2.5, "`tiles` must be a whole number from 1 to 10000, but is 2.5"),
        (True, "`tiles` must be a whole number"),
        ("many", "`tiles` must be 'auto' or a whole number from 1 to 10000, but is 'many'"),
    ],
)
def test_tiles_that_are_no_number_are_refused(tiles, words):
    with pytest.raises(HQNNError, match=words):
        JobManager("fake_manila", tiles=tiles)


def test_numbers_of_numpy_are_the_numbers_that_they_are():
    tiles = Tiles(np.int64(2), floor=np.float32(0.5), spacing=np.int8(1))
    assert tiles == Tiles(2, 0.5, 1)
    assert [type(value) for value in (tiles.count, tiles.floor, tiles.spacing)] == [int, float, int]


def test_tiles_that_do_not_fit_and_mitigation_that_cannot_be_tiled_are_refused():
    pub = EstimatorPub.coerce((entangled(), "ZZ", VALUES[:4]))
    with pytest.raises(DeviceError, match=r"`tiles` is 9, but .* has room for 4 regions of 2 qubits"):
        JobManager(chain(), tiles=9).plan(pub)
    with pytest.raises(DeviceError, match="has room for 2 regions of 2 qubits with 2 idle between two"):
        JobManager(chain(), tiles=Tiles(9, spacing=2)).plan(pub)
    with pytest.raises(MitigationError, match=r"'XY4'\) does not go with tiles: its pulses are timed"):
        JobManager(chain(), tiles=2, mitigation=MitigationOptions(dynamical_decoupling="XY4"))
    with pytest.raises(HQNNError, match="needs a device with a map of its qubits.*'aer' has none"):
        JobManager("aer", tiles=2)
    with pytest.raises(HQNNError, match="`floor` of the tiles must be above 0 and at most 1, but is 0"):
        Tiles(2, floor=0)
    with pytest.raises(HQNNError, match="`spacing` must be a whole number from 0 to 100, but is -1"):
        Tiles(2, spacing=-1)
