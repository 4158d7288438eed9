"""`hqnn submit` and `hqnn jobs` as a newcomer types them, with the worker and the command killed in between."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from types import SimpleNamespace

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs import JobManager, expectation_values, worker
from qiskit_hqnn.jobs.store.store import Store
from tests.forked import command, start_forked

SMALL = [
    "--set", "train.epochs=1", "--set", "data.train_samples=100", "--set", "data.test_samples=40",
    "--set", "model.num_qubits=2", "--set", "model.depth=1", "--set", "model.copies=1", "--set", "test=['exact']",
]  # fmt: skip


def environment():
    return os.environ | {"COLUMNS": "140", "NO_COLOR": "1", "TERM": "dumb"}


def hqnn(*arguments, cwd, **options):
    """In this process: a hundred starts of Python would take longer than all that is tested."""
    before = os.getcwd()
    os.chdir(cwd)
    try:
        return CliRunner().invoke(app, arguments, env={"COLUMNS": "140", "NO_COLOR": "1"}, **options)
    finally:
        os.chdir(before)


def refused(*arguments, cwd):
    answer = hqnn(*arguments, cwd=cwd)
    assert isinstance(answer.exception, HQNNError), answer.output
    return str(answer.exception)


_forked = []
"""The store of each forked worker, and its process."""


@pytest.fixture(autouse=True)
def forked_workers(request, monkeypatch):
    """What commands of this process start as `python -m qiskit_hqnn.jobs.worker` is forked, as a process of its own."""

    def start(words, env, stdout, **_):
        assert words[1:] == ["-m", "qiskit_hqnn.jobs.worker"]
        log = os.readlink(f"/proc/self/fd/{stdout.fileno()}")
        process = start_forked(worker.main, folder=os.getcwd(), environment=env, printed=log)
        _forked.append((env[worker.STORE_VARIABLE], process))

    if "started_workers" not in request.fixturenames:
        monkeypatch.setattr(worker, "subprocess", SimpleNamespace(Popen=start, DEVNULL=subprocess.DEVNULL))


@pytest.fixture
def started_workers():
    """For a test whose workers are started as they are for a user."""


def workers_of(folder):
    """Worker processes of stores in this folder: forked ones, and those found by their environment."""
    found = [process.pid for store, process in _forked if str(folder) in store and process.is_alive()]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    variables = file.read()
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    command = file.read()
            except OSError:
                continue
            if b"qiskit_hqnn.jobs.worker" in command and str(folder).encode() in variables:
                found.append(int(entry))
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("submitter")
    answer = hqnn("run", "quickstart", "--quiet", *SMALL, cwd=place)
    assert answer.exit_code == 0, answer.output
    yield place
    for pid in workers_of(place):
        os.kill(pid, signal.SIGKILL)


def submitted(place, *arguments):
    answer = hqnn("submit", "runs/quickstart", "--yes", *arguments, cwd=place)
    assert answer.exit_code == 0, answer.output
    return answer.output.split("job      ")[1].split()[0]


def metrics(place):
    return json.loads((place / "runs/quickstart/metrics.json").read_text())["test"]


def test_the_price_is_shown_and_nothing_is_sent(trained):
    answer = hqnn("submit", "runs/quickstart", "--where", "fake_fez", "--dry-run", cwd=trained)
    assert answer.exit_code == 0, answer.output
    assert "40 images on fake_fez, 1000 shots" in answer.output
    assert "40,000 executions in 1 job, 12.1 QPU seconds" in answer.output
    assert "money" not in answer.output
    priced = ["--dry-run", "--plan", "pay-as-you-go"]
    assert (
        "money    $19.3"
        in hqnn("submit", "runs/quickstart", "--where", "fake_fez", *priced, cwd=trained).output
    )
    declined = hqnn("submit", "runs/quickstart", "--where", "fake_fez", cwd=trained, input="n\n")
    assert declined.exit_code == 1
    assert "No jobs yet" in hqnn("jobs", cwd=trained).output


def test_a_test_set_in_rounds_is_recorded_round_by_round_and_paid_once(trained):
    words = ["submit", "runs/quickstart", "--where", "fake_manila", "--shots", "64", "--subset", "20"]
    words += ["--confidence", "0.9", "--yes"]
    priced = hqnn(*words, "--dry-run", cwd=trained)
    assert " at most, in up to 3 rounds" in priced.output, priced.output
    for number, shots in enumerate((16, 16, 32), start=1):
        line = f"round {number}  up to 20 images, {shots} shots more: {20 * shots} executions in 1 job"
        assert line in priced.output
    trex = hqnn(*words, "--dry-run", "--readout", "trex", cwd=trained).output
    assert "round 2  up to 20 images, 16 shots more: " in trex
    assert "20 images, 16 shots more: 320 executions" not in trex  # each round calibrates its readout
    first = hqnn(*words, cwd=trained)
    assert first.exit_code == 0, first.output
    jobs = Store(trained / "runs/jobs.db").jobs()
    assert [job.settings["round"] for job in reversed(jobs)] == list(range(1, len(jobs) + 1))
    result = metrics(trained)["fake_manila"]
    assert (result["rounds"], result["shots"], result["confidence"]) == (len(jobs), 64, 0.9)
    assert result["executions"] == round(20 * result["mean_shots"])
    assert result["full_executions"] == 20 * 64
    assert "loss" not in result
    assert f"in {len(jobs)} rounds" in first.output
    again = hqnn(*words, cwd=trained)
    assert again.exit_code == 0, again.output
    assert len(Store(trained / "runs/jobs.db").jobs()) == len(jobs)
    assert metrics(trained)["fake_manila"]["accuracy"] == result["accuracy"]
    assert "is round 1 of a test in rounds" in refused("jobs", "fetch", jobs[-1].id, cwd=trained)
    bad = ["--confidence", "1.2", "--where", "fake_manila"]
    assert "--confidence must be above 0.5 and below 1" in refused(
        "submit", "runs/quickstart", *bad, cwd=trained
    )
    evaluated = hqnn("evaluate", "runs/quickstart", "--shots", "64", "--confidence", "0.9", cwd=trained)
    assert evaluated.exit_code == 0, evaluated.output
    assert "have the class of the full budget" in evaluated.output


@pytest.mark.slow
def test_a_run_goes_out_and_comes_back_into_its_folder(trained):
    job = submitted(
        trained, "--where", "fake_manila", "--shots", "200", "--readout", "trex", "--subset", "30"
    )
    assert job in hqnn("jobs", cwd=trained).output
    waited = hqnn("jobs", "wait", job, cwd=trained)
    assert waited.exit_code == 0, waited.output
    assert "fake_manila, 2" in waited.output
    (result,) = (block for block in metrics(trained).values() if block.get("job", "")[:10] == job)
    assert result["images"] == 30
    assert result["executions"] > 30 * 200
    shown = hqnn("jobs", "show", job[:5], cwd=trained).output
    assert "done" in shown
    assert "mitigation extrapolation exponential, randomizations 16, readout trex" in shown
    again = submitted(
        trained, "--where", "fake_manila", "--shots", "200", "--readout", "trex", "--subset", "30"
    )
    assert again == job
    fetched = hqnn("jobs", "fetch", job, cwd=trained)
    assert fetched.exit_code == 0, fetched.output
    assert result in metrics(trained).values()


@pytest.mark.slow
def test_what_has_ended_without_a_result_says_how_it_is_sent_again(trained, monkeypatch):
    monkeypatch.setattr("qiskit_hqnn.jobs.ensure_worker", lambda store: None)
    arguments = ("--where", "aer", "--shots", "70", "--subset", "20")
    job = submitted(trained, *arguments, "--max-qpu-seconds", "5")
    store = Store(trained / "runs" / "jobs.db")
    known = store.job(job).id
    store.pause(known, "Sending it again would cost 3 QPU seconds, but 2.")
    again = hqnn("submit", "runs/quickstart", "--yes", "--dry-run", *arguments, cwd=trained).output
    assert "submitted before and is paused for lack of budget: nothing new is sent." in again
    assert f"hqnn jobs retry {job} --max-qpu-seconds SECONDS" in again
    assert f"Resume it with: hqnn jobs retry {job} --max-qpu-seconds" in refused(
        "jobs", "wait", job, cwd=trained
    )
    assert "resumes" in hqnn("jobs", "retry", job, "--max-qpu-seconds", "30", cwd=trained).output
    assert (store.job(job).state, store.job(job).settings["max_qpu_seconds"]) == ("open", 30)
    store.mark_cancelling(known)
    store.settle(known)
    again = hqnn("submit", "runs/quickstart", "--yes", "--dry-run", *arguments, cwd=trained).output
    assert "submitted before and was cancelled: nothing new is sent." in again
    assert f"hqnn jobs retry {job} sends what is missing, and is charged." in again
    assert "would cost" in refused("jobs", "retry", job, "--max-qpu-seconds", "1", cwd=trained)
    assert store.job(job).state == "cancelled"
    # 2 s, and 20 images × 70 shots × 250 µs
    assert "1 part will be sent again, for 2.4 QPU seconds" in hqnn("jobs", "retry", job, cwd=trained).output
    store.mark_cancelling(known)
    store.settle(known)


def test_a_submitted_test_set_agrees_with_the_exact_one(trained):
    job = submitted(trained, "--where", "aer", "--shots", "20000")
    assert hqnn("jobs", "wait", job, cwd=trained).exit_code == 0
    found = metrics(trained)
    assert found["aer"]["loss"] == pytest.approx(found["exact"]["loss"], abs=0.02)
    assert abs(found["aer"]["accuracy"] - found["exact"]["accuracy"]) <= 0.05


@pytest.mark.slow
def test_a_job_of_no_run_is_waited_for_and_read_by_its_script(started_workers, tmp_path):
    circuit = QuantumCircuit(1)
    circuit.x(0)
    manager = JobManager("aer", shots=100, store=tmp_path / "jobs.db")
    job = manager.submit(EstimatorPub.coerce((circuit, SparsePauliOp("Z"))), "no run's")
    waited = hqnn("jobs", "wait", job, "--store", "jobs.db", cwd=tmp_path)
    assert waited.exit_code == 0, waited.output
    assert f"{job[:10]} is done. It belongs to no run" in waited.output
    assert expectation_values(manager.store, job).data.evs == -1
    assert "belongs to no run" in refused("jobs", "fetch", job, "--store", "jobs.db", cwd=tmp_path)


@pytest.mark.slow
def test_a_cancelled_job_says_so_and_can_be_sent_again(trained):
    job = submitted(trained, "--where", "aer", "--shots", "30", "--subset", "7", "--seed", "9")
    for pid in workers_of(trained):
        os.kill(pid, signal.SIGKILL)
    with sqlite3.connect(trained / "runs" / "jobs.db", timeout=60) as connection:
        connection.execute("UPDATE hqnn_jobs SET state = 'open' WHERE id LIKE ?", (f"{job}%",))
        connection.execute("DELETE FROM hqnn_outcomes WHERE job LIKE ?", (f"{job}%",))
        connection.execute("UPDATE hqnn_chunks SET state = 'waiting' WHERE job LIKE ?", (f"{job}%",))
    assert "is cancelled" in hqnn("jobs", "cancel", job, cwd=trained).output
    assert "was cancelled" in refused("jobs", "fetch", job, cwd=trained)
    assert "1 part will be sent again" in hqnn("jobs", "retry", job, cwd=trained).output
    assert hqnn("jobs", "wait", job, cwd=trained).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("HQNN_KILLS", "1"))))
def test_killing_worker_and_command_changes_nothing(trained, seed, tmp_path):
    """`HQNN_KILLS=20` repeats it twenty times, with other moments each time."""
    rng = random.Random(seed)
    arguments = (
        "--where",
        "fake_quito",
        "--shots",
        "640",
        "--readout",
        "trex",
        "--part",
        "2",
        "--subset",
        "8",
        "--store",
    )
    calm, wild = tmp_path / "calm.db", tmp_path / "wild.db"
    job = submitted(trained, *arguments, str(calm))
    assert hqnn("jobs", "wait", job, "--store", str(calm), cwd=trained).exit_code == 0
    expected = metrics(trained)["fake_quito"]

    Store(wild).close()
    with sqlite3.connect(wild) as connection:  # the database itself counts how often each part is begun
        connection.execute("CREATE TABLE begun (position TEXT)")
        connection.execute(
            "CREATE TRIGGER count_begun AFTER UPDATE OF state ON hqnn_chunks WHEN NEW.state = 'intent' "
            "BEGIN INSERT INTO begun VALUES (NEW.position); END"
        )

    def counted(what):
        with sqlite3.connect(wild, timeout=60) as connection:
            return connection.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0]

    kills = 2
    for kill in range(kills):
        before = counted("begun")
        process = start_forked(
            command, "submit", "runs/quickstart", "--yes", *arguments, str(wild),
            folder=trained, environment=environment(), printed=tmp_path / "printed",
        )  # fmt: skip
        if kill == 0:  # at any moment
            time.sleep(rng.uniform(0.5, 3.0))
        else:  # and while a worker works
            until = time.monotonic() + 120
            while counted("begun") == before and counted("hqnn_chunks WHERE state = 'done'") <= 30:
                assert time.monotonic() < until, (tmp_path / "printed").read_text()
                time.sleep(0.02)
            time.sleep(rng.uniform(0.0, 0.3))
        process.kill()
        process.join()
        time.sleep(rng.uniform(0.0, 0.3 + 2.0 * (kill == 0)))
        for pid in workers_of(tmp_path):
            os.kill(pid, signal.SIGKILL)
    assert submitted(trained, *arguments, str(wild)) == job
    answer = hqnn("jobs", "wait", job, "--store", str(wild), cwd=trained)
    assert answer.exit_code == 0, answer.output
    found = metrics(trained)["fake_quito"]
    for name in ("accuracy", "loss", "confusion", "executions", "job"):
        assert found[name] == expected[name]
    with sqlite3.connect(wild) as connection:
        chunks, done = connection.execute("SELECT COUNT(*), SUM(state = 'done') FROM hqnn_chunks").fetchone()
        (stored,) = connection.execute("SELECT COUNT(*) FROM hqnn_outcomes").fetchone()
        begun, distinct = connection.execute(
            "SELECT COUNT(*), COUNT(DISTINCT position) FROM begun"
        ).fetchone()
    assert chunks == done == stored == distinct > 50
    # One worker computes one part at a time: a kill can cost no more than the part that was in flight.
    assert begun <= chunks + kills
    for pid in workers_of(tmp_path):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--where", "fake_feez"), "no snapshot 'fake_feez'; the nearest are fake_fez"),
        (("--where", "aer", "--shots", "0"), "--shots must be at least 1, but is 0"),
        (("--where", "aer", "--max-qpu-seconds", "1"), "the budget is 1; nothing was sent"),
        (("--where", "aer", "--max-qpu-seconds", "0"), "--max-qpu-seconds must be positive, but is 0"),
        (("--where", "aer", "--subset", "41"), "--subset must be from 1 to 40, but is 41"),
        (("--where", "aer", "--zne", "1,2"), "different odd factors"),
        (
            ("--where", "aer", "--zne", "one"),
            "--zne must be odd factors such as 1,3,5, or none, but is 'one'",
        ),
        (("--where", "aer", "--store", "/proc/none/jobs.db"), "/proc/none/jobs.db cannot be written"),
        (("--where", "exact"), "use hqnn evaluate"),
        (("--where", "aer", "--workers", "0"), "--workers must be a whole number from 1 to 1024, but is 0"),
        (("--where", "aer", "--workers", "2", "--dask", "tcp://h:1"), "exclude one another"),
        (("--where", "ibm_fez", "--workers", "2"), "'fake_<device>' only, but this runs on 'ibm_fez'"),
        (("--where", "aer", "--dask", "localhost"), "address is tcp://host:port"),
    ],
)
def test_bad_requests_are_one_sentence(trained, arguments, words):
    assert words in refused("submit", "runs/quickstart", "--yes", *arguments, cwd=trained)


def test_a_cluster_samples_what_one_machine_does(trained):
    from distributed import LocalCluster  # most of the tests' processes need none

    def evaluated(*options):
        answer = hqnn(
            "evaluate",
            "runs/quickstart",
            "--where",
            "aer",
            "--shots",
            "33",
            "--subset",
            "9",
            *options,
            cwd=trained,
        )
        assert answer.exit_code == 0, answer.output
        found = json.loads((trained / "runs/quickstart/metrics.json").read_text())["test"]["aer"]
        return {name: value for name, value in found.items() if name != "seconds"}

    with LocalCluster(
        n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None
    ) as cluster:
        there = ("--dask", cluster.scheduler_address)
        assert evaluated(*there) == evaluated()
        sent = (
            "submit",
            "runs/quickstart",
            "--where",
            "aer",
            "--shots",
            "34",
            "--subset",
            "9",
            "--yes",
            *there,
        )
        answer = hqnn(*sent, cwd=trained)
        assert answer.exit_code == 0, answer.output
        assert "aer, 34 shots" in answer.output
        again = hqnn(*sent, cwd=trained)
    assert "It was submitted before: nothing new is sent." in again.output
    assert "aer, 34 shots" in again.output


def test_a_folder_without_weights_is_one_sentence(trained, tmp_path):
    assert "is not a run folder" in refused("submit", str(tmp_path), "--where", "aer", cwd=trained)
    folder = tmp_path / "unfinished"
    folder.mkdir()
    (folder / "job.toml").write_text((trained / "runs/quickstart/job.toml").read_text())
    assert "has no trained weights" in refused("submit", str(folder), "--where", "aer", cwd=trained)
    assert "There is no job '123'" in refused("jobs", "show", "123", cwd=trained)


@pytest.mark.slow
def test_a_run_that_was_trained_again_refuses_an_old_result(trained):
    job = submitted(trained, "--where", "aer", "--shots", "20", "--subset", "5")
    assert hqnn("jobs", "wait", job, cwd=trained).exit_code == 0
    weights = trained / "runs/quickstart/model.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        words = refused("jobs", "fetch", job, cwd=trained)
    finally:
        weights.write_bytes(before)
    assert "was trained again after it had been submitted" in words


def test_devices_lists_snapshots(tmp_path):
    answer = hqnn("devices", "manila", "fez", cwd=tmp_path)
    assert answer.exit_code == 0, answer.output
    assert "fake_fez" in answer.output
    assert "156" in answer.output
    assert "cz" in answer.output
    listed = hqnn("devices", "fractional", cwd=tmp_path).output
    assert "The fractional gates rx and rzz of fake_fractional are left out." in listed
    assert "No snapshot's name contains 'nothing'" in refused("devices", "nothing", cwd=tmp_path)


def test_fractional_gates_are_chosen_by_an_option_and_both_ways_are_priced(trained):
    where = ("runs/quickstart", "--where", "fake_fractional")
    plain = hqnn("submit", *where, "--subset", "2", "--dry-run", cwd=trained).output
    folded = hqnn("submit", *where, "--subset", "2", "--dry-run", "--fractional", cwd=trained).output
    prices = [
        [float(seconds.replace(",", "")) for seconds in re.findall(r"([\d.,]+) QPU seconds", output)]
        for output in (plain, folded)
    ]
    assert prices[0] == prices[1][::-1]
    assert len(prices[0]) == 2
    assert "with --fractional" in plain
    assert "gates    The fractional gates rx and rzz of fake_fractional are left out." in plain
    assert "without fractional gates" in folded
    assert "every rzz angle is folded into [0, π/2]" in folded


def test_results_with_and_without_fractional_gates_stand_beside_each_other(trained):
    where = ("--where", "fake_fractional", "--subset", "4", "--shots", "50")
    for option in ("--fractional", "--no-fractional"):
        answer = hqnn("evaluate", "runs/quickstart", *where, option, cwd=trained)
        assert answer.exit_code == 0, answer.output
    tests = json.loads((trained / "runs/quickstart/metrics.json").read_text())["test"]
    assert tests["fake_fractional-fractional"]["fractional"] is True
    assert "fractional" not in tests["fake_fractional"]


def test_a_job_with_fractional_gates_is_priced_both_ways_or_refused(trained):
    small = ["--dry-run", *SMALL, "--set", "where=fake_fractional"]
    for option, words in (("--fractional", "Without"), ("--no-fractional", "With")):
        output = hqnn("run", "quickstart", *small, option, cwd=trained).output
        assert re.search(rf"{words} fractional gates: [\d.,]+ QPU seconds", output)
    sentence = refused("run", "quickstart", *SMALL, "--fractional", cwd=trained)
    assert "fractional is true: takes effect on devices only, but where and test name none" in sentence
    elsewhere = refused(
        "run", "quickstart", *SMALL, "--where", "fake_fez", "--fractional", "--out", "runs/fez", cwd=trained
    )
    assert elsewhere == "Fractional gates are requested, but fake_fez has none."
    aer = refused("evaluate", "runs/quickstart", "--where", "aer", "--fractional", cwd=trained)
    assert aer == "Option --fractional takes effect on devices only, but --where is 'aer'."
