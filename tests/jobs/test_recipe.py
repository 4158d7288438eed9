"""What was paid for stays readable: jobs, stores and run folders of earlier versions, and the format of today."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import StoreError
from qiskit_hqnn.jobs import expectation_values
from qiskit_hqnn.jobs.adapters.places import open_place
from qiskit_hqnn.jobs.arrays import arrays_from_bytes, arrays_to_bytes
from qiskit_hqnn.jobs.estimation import recipe
from qiskit_hqnn.jobs.sending.driving import drive
from qiskit_hqnn.jobs.store.store import Store

FIXTURES = Path(__file__).parent.parent / "fixtures"
EXPECTED = json.loads((FIXTURES / "v0_1" / "expected.json").read_text())
GOLDEN = FIXTURES / "estimation_1.npz"
RUN_JOB = "005f2ee169"


@pytest.fixture
def old(tmp_path):
    return Path(shutil.copytree(FIXTURES / "v0_1", tmp_path / "v0_1"))


@pytest.mark.parametrize("name", [name for name in EXPECTED if "evs" in EXPECTED[name]])
def test_a_job_of_0_1_has_the_same_values_today(old, name):
    store, expected = Store(old / "jobs.db"), EXPECTED[name]
    data = expectation_values(store, expected["job"]).data
    # 0.1.0 inverted M3's matrices in single precision.
    precision = 2e-8 if name in ("m3", "everything") else 1e-15
    np.testing.assert_allclose(data.evs, expected["evs"], rtol=1e-12, atol=precision)
    # It also took the one calibration of all noise factors for one of each.
    np.testing.assert_allclose(data.stds, expected["stds"], rtol=1e-3 if name == "everything" else 1e-7)


def test_a_job_that_0_1_left_waiting_is_sent_and_read(old):
    store, job = Store(old / "jobs.db"), EXPECTED["waiting"]["job"]
    assert store.job(job).state == "open"
    _, adapter = open_place("aer")
    drive(store, job, adapter)
    data = expectation_values(store, job).data
    assert data.evs.shape == (1,)
    assert abs(data.evs[0]) <= 1
    assert data.stds[0] == pytest.approx(np.sqrt((1 - data.evs[0] ** 2) / 200))


@pytest.mark.slow
def test_a_run_of_0_1_gets_the_result_that_was_not_fetched_wherever_both_lie(old):
    # The store knows the run by the folder in which it was submitted.
    with sqlite3.connect(old / "runs" / "jobs.db") as database:
        (settings,) = database.execute("SELECT settings FROM hqnn_jobs").fetchone()
        moved = json.loads(settings) | {"run": "/nowhere/runs/quickstart"}
        database.execute("UPDATE hqnn_jobs SET settings = ?", [json.dumps(moved)])
    run = old / "runs" / "quickstart"
    before = json.loads((run / "metrics.json").read_text())["test"]
    done = CliRunner().invoke(app, ["jobs", "fetch", RUN_JOB, "--store", f"sqlite:///{old}/runs/jobs.db"])
    assert done.exit_code == 0, done.output
    after = json.loads((run / "metrics.json").read_text())["test"]
    # Blocks of 0.1.0 had their place in their name alone: it is added, and nothing is changed.
    assert {name: {key: after[name][key] for key in block} for name, block in before.items()} == before
    (name,) = set(after) - set(before)
    assert name.startswith("fake_manila")
    assert after[name]["images"] == 8
    assert after[name]["accuracy"] == 0.125
    assert after[name]["loss"] == pytest.approx(2.2183, abs=1e-3)


def test_the_format_is_the_one_that_was_written_down():
    """What is in the golden file is read, and written in the same way: another format needs another name."""
    content = GOLDEN.read_bytes()
    read = recipe.from_bytes(content)
    first, second = read.measurement.bases
    assert (first.letters, first.terms) == ({0: "Z", 70: "X"}, ((0, 0.5, 1), (1, -1.25, 3)))
    assert (second.letters, second.terms) == ({2: "Y"}, ((1, 0.1, 1),))
    assert read.measurement.constants.tolist() == [0.5, 0.0]
    assert (read.observables_at.tolist(), read.sets_at.tolist()) == ([0, 1, 0, 1], [0, 0, 1, 1])
    assert (read.shape, read.shots, read.durations, read.requests) == ((2, 2), 400, (1.5e-6, 2.25e-6), ())
    options = read.options
    assert (options.readout, options.zne, options.extrapolation) == ("m3", (1, 3, 5), "linear")
    assert (options.randomizations, options.dynamical_decoupling) == (4, "XpXm")
    assert options.twirl_gates
    assert options.twirl_measure
    golden, written = arrays_from_bytes(content), arrays_from_bytes(recipe.to_bytes(read))
    assert list(written) == list(golden)
    assert written.pop("recipe").tobytes() == golden.pop("recipe").tobytes()
    for name, array in golden.items():
        assert written[name].dtype == array.dtype
        assert np.array_equal(written[name], array)


def altered(**changes):
    arrays = arrays_from_bytes(GOLDEN.read_bytes())
    described = json.loads(arrays["recipe"].tobytes()) | changes
    text = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    return arrays_to_bytes(arrays | {"recipe": text})


def test_the_format_of_a_newer_version_is_one_sentence():
    with pytest.raises(
        StoreError, match=r"newer version .* 'estimation/2'; this version reads 'estimation/1'"
    ):
        recipe.from_bytes(altered(format="estimation/2"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        GOLDEN.read_bytes()[:-200],
        arrays_to_bytes({"recipe": np.zeros(3, dtype=np.uint8)}),
        altered(bases=None),
        altered(mitigation={"readout": "none of these"}),
        altered(format=["estimation/1"]),
        arrays_to_bytes({"recipe": np.frombuffer(b'{"class": "Popen", "fields": {}}', dtype=np.uint8)}),
    ],
)
def test_damaged_recipes_are_one_sentence(content):
    with pytest.raises(StoreError, match="damaged"):
        recipe.from_bytes(content)
