"""Tables and stores of the command line: nothing is cut, nothing is made by looking."""

import math

import pytest

from qiskit_hqnn.cli.terminal import print_rows
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.store.store import Store
from tests.command import hqnn


def test_no_cell_is_cut_where_the_window_is_narrow(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    print_rows(("first", "second"), [("0123456789" * 3, "abcdefghij" * 3)])
    shown = capsys.readouterr().out
    assert "0123456789" * 3 in shown
    assert "abcdefghij" * 3 in shown


def test_looking_for_jobs_makes_no_store(tmp_path):
    none = hqnn("jobs", cwd=tmp_path)
    assert (none.returncode, none.stdout.split(":")[0]) == (0, "No jobs yet")
    for arguments in (("jobs", "--store", "a/b.db"), ("jobs", "show", "3f", "--store", "a/b.db")):
        missing = hqnn(*arguments, cwd=tmp_path)
        assert missing.returncode == 2
        assert missing.stderr.startswith("hqnn: There is no job store a/b.db: --store names")
    unset = hqnn("jobs", "--store", "", cwd=tmp_path)
    assert (unset.returncode, "it is empty" in unset.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
    assert hqnn("jobs", "--limit", "0", cwd=tmp_path).returncode == 2


def test_a_path_of_a_store_may_have_any_sign_in_it(tmp_path):
    path = tmp_path / "jö b?mode=ro&x%20#1.db"
    store = Store(str(path))
    assert path.exists()
    assert store.file == path
    assert Store(store.address).mark == store.mark


@pytest.mark.parametrize("budget", [math.nan, -math.inf, 0.0])
def test_a_budget_that_nothing_is_over_is_no_budget(budget):
    with pytest.raises(HQNNError, match="`max_qpu_seconds` must be positive, but is"):
        JobManager("aer", max_qpu_seconds=budget)
    with pytest.raises(HQNNError, match="`max_qpu_seconds` must be positive, but is"):
        JobManager("aer").meter.child(budget)


def test_a_budget_of_nan_is_refused_on_the_command_line(tmp_path):
    answer = hqnn("submit", "nowhere", "--where", "aer", "--max-qpu-seconds", "nan", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (
        2,
        "hqnn: Option --max-qpu-seconds must be positive, but is nan.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "train.epoch=3"], "hqnn: --set: unknown key 'train.epoch'"),
        (["--device", "moon"], "hqnn: Option --device must be"),
        (["--device", "fake_fezz"], "hqnn: There is no snapshot 'fake_fezz'"),
    ],
)
def test_reproduce_refuses_what_cannot_be_meant_once_and_before_it_trains(tmp_path, arguments, sentence):
    answer = hqnn("reproduce", "textbook-37", "--quick", *arguments, cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith(sentence)
    assert answer.stderr.count("hqnn: ") == 1
    assert list(tmp_path.iterdir()) == []
