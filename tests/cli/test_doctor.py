"""`hqnn doctor` says what a bug report needs, whatever is broken, and nothing that signs anybody in."""

import importlib.metadata
import re

import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.jobs import Store
from qiskit_hqnn.standin import Loopback

KEY = "ZQ9DistinctiveKey7f3e1c0a5b9d"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("QISKIT_IBM_TOKEN", "QISKIT_IBM_URL", "HQNN_STORE"):
        monkeypatch.delenv(name, raising=False)


def said(*arguments):
    answer = CliRunner().invoke(app, ["doctor", *arguments])
    assert (answer.exit_code, answer.exception) == (0, None), answer.output
    return answer.output


def line(output, name):
    return re.search(rf"^ *{name} +(.*)$", output, re.M).group(1)


def test_versions_are_those_that_are_installed(tmp_path):
    output = said()
    for package in ("qiskit", "qiskit-aer", "torch", "qiskit-ibm-runtime"):
        assert line(output, package) == importlib.metadata.version(package)
    assert line(output, "IBM account").startswith("none: docs/hardware.md")
    assert line(output, "job store").endswith("jobs.db: none yet")
    assert list(tmp_path.iterdir()) == []


def test_the_account_is_described_without_its_key(monkeypatch):
    with Loopback() as loopback:
        for name, value in (loopback.environment | {"HQNN_IBM_DEADLINE": "10"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("QISKIT_IBM_TOKEN", KEY)
        output = said()
        assert line(output, "IBM account") == "environment"
        assert line(output, "channel") == "ibm_quantum_platform"
        assert line(output, "QPU seconds left") == "600"
        assert line(output, "HQNN_IBM_DEADLINE") == "10"
        assert KEY not in output
        loopback.account.tokens_refused = True
        assert "refuse" in line(said(), "refused")
        assert "QPU seconds left" not in said("--offline")


def test_a_store_is_described_whatever_its_state(tmp_path):
    store = Store(tmp_path / "jobs.db")
    store.add_job("a" * 64, "aer", "", 1, 100, 2.5, {}, None, [b"x"])
    store.close()
    assert line(said("--store", "jobs.db"), "job store").endswith(
        "1 jobs, 1 of them under way, 2.5 QPU seconds in all"
    )
    (tmp_path / "jobs.db").write_text("no database, but text that is long enough to be read as one" * 20)
    assert "file is not a database" in line(said("--store", "jobs.db"), "job store")
    secret = said("--store", f"postgresql://me:{KEY}@127.0.0.1:1/base")
    assert KEY not in secret
    assert "cannot be used" in line(secret, "job store")
