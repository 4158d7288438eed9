"""`--tiles` of submit, evaluate and inspect, and `tiles` in a job file: what they do, print and refuse."""

import json
import sys
from pathlib import Path

import pytest

from qiskit_hqnn.cli.app import main
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.training import RunFolder
from tests.cli.test_commands import SMALL
from tests.jobs_ibm.conftest import QUICK, question


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of two epochs on a two-qubit circuit, which fake_manila holds twice."""
    folder = tmp_path_factory.mktemp("tiles")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert typed("run", "quickstart", *SMALL) == 0
    return folder / "runs" / "quickstart"


def typed(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["hqnn", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
    return exit_.value.code or 0


def test_a_result_on_tiles_stands_beside_the_others_and_costs_half(run, capsys):
    for tiles in ((), ("--tiles", "2")):
        assert typed("evaluate", run, "--where", "fake_manila", "--shots", 50, "--subset", 6, *tiles) == 0
    tests = RunFolder(run).read_metrics().test
    alone, tiled = (
        next(t for t in tests.values() if t.where == "fake_manila" and t.tiles == n) for n in (None, 2)
    )
    assert (alone.executions, tiled.executions) == (300, 150)
    assert "2 tiles" in tiled.conditions
    assert [name for name, test in tests.items() if test.tiles == 2] == [
        "fake_manila-50-shots-2-tiles-6-images"
    ]


def test_predict_takes_tiles_with_their_floor_and_spacing(run, tmp_path, capsys):
    from PIL import Image

    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    for number, picture in enumerate(pictures):
        Image.new("L", (8, 8), 60 * number).save(picture)
    common = ("predict", run, *pictures, "--where", "fake_manila", "--shots", 50, "--format", "json")
    executions = []
    for tiles in ((), ("--tiles", "2,floor=0.3"), ("--tiles", "auto,floor=1")):
        assert typed(*common, *tiles) == 0
        printed = capsys.readouterr()
        executions.append(printed.err.split(" executions")[0].split()[-1])
        assert len(json.loads(printed.out)["predictions"]) == 3
    assert executions == ["150", "100", "150"]  # the best region alone reaches a floor of 1
    assert typed(*common, "--tiles", "9,spacing=1") == 2
    assert "`tiles` is 9, but fake_manila has room for" in " ".join(capsys.readouterr().err.split())


def test_submit_prices_tiles_before_anything_is_sent(run, capsys):
    common = (
        "submit",
        run,
        "--where",
        "fake_manila",
        "--shots",
        20,
        "--subset",
        5,
        "--tiles",
        "auto",
        "--dry-run",
    )
    assert typed(*common) == 0
    printed = capsys.readouterr().out
    assert "2 regions side by side, expected success" in printed
    assert "60 executions" in printed  # three sets in one region, two in the other


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("submit", "--where", "fake_manila", "--tiles", "0"),
            "--tiles must be a whole number from 1 to 10000, auto",
        ),
        (("submit", "--where", "fake_manila", "--tiles", "many"), "floor=0.9,spacing=1, but is 'many'"),
        (
            ("submit", "--where", "fake_manila", "--tiles", "9", "--dry-run"),
            "`tiles` is 9, but fake_manila has room for",
        ),
        (("submit", "--where", "aer", "--tiles", "2"), "needs a device with a map of its qubits"),
        (
            ("submit", "--where", "fake_manila", "--tiles", "2", "--decoupling", "XX"),
            "does not go with tiles",
        ),
        (("predict", "pyproject.toml", "--tiles", "2"), "--tiles takes effect on samples of a device only"),
        (("evaluate", "--where", "aer", "--tiles", "2"), "--tiles takes effect on samples of a device only"),
        (("evaluate", "--where", "noisy:fake_manila", "--tiles", "2"), "without --shots"),
    ],
)
def test_tiles_that_cannot_be_are_one_sentence(run, capsys, arguments, words):
    command, *rest = arguments
    assert typed(command, run, *rest) == 2
    printed = " ".join(capsys.readouterr().err.split())
    assert words in printed
    assert "Traceback" not in printed


def test_inspect_draws_the_regions_and_says_what_the_worst_one_costs(tmp_path, capsys):
    quick = ("--where", "fake_manila", "--num-qubits", 2, "--depth", 1, "--seeds", 1, "--levels", "1")
    assert typed("inspect", "hqnn-parallel", *quick, "--tiles", "auto", "--png", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "2 regions of 2 qubits side by side" in printed
    assert "in the worst one, which costs" in printed
    assert "fake_manila-regions-side-by-side.png" in {path.name for path in Path(tmp_path).iterdir()}
    assert typed("inspect", "hqnn-parallel", *quick, "--tiles", "2", "--json") == 0
    device = json.loads(capsys.readouterr().out)["devices"][0]
    qubits = [qubit for region in device["tiles"]["regions"] for qubit in region["qubits"]]
    assert len(set(qubits)) == len(qubits) == 4
    seconds = device["tiles"]["qpu_seconds"]
    assert (seconds["alone"] - 2) / (seconds["side_by_side"] - 2) == pytest.approx(2, rel=0.01)


def test_the_stand_in_answers_tiles_like_the_snapshot(tmp_path, monkeypatch):
    """Over IBM's own client, each set's values come back to it; asked again, nothing is sent."""
    from qiskit.primitives import StatevectorEstimator

    from qiskit_hqnn.standin import Loopback

    pub = question(3, sets=7)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    with Loopback(("manila",)) as loopback:
        for name, value in (loopback.environment | QUICK).items():
            monkeypatch.setenv(name, value)
        values = []
        for _ in range(2):
            manager = JobManager(
                "ibm_manila", store=tmp_path / "jobs.db", shots=4000, tiles=2, cache=tmp_path
            )
            values.append(manager.estimator().run([pub]).result()[0].data.evs)
        jobs = loopback.service.live()
    assert sum(job["executions"] for job in jobs) == 2 * 4 * 4000
    assert (values[0] == values[1]).all()
    assert abs(values[0] - exact).max() < 0.25  # the device's errors; another set's value is 1 away
    assert abs(values[0] - exact[:, ::-1]).max() > 0.5
