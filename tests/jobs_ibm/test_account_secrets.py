"""The account's key is in no byte written and no sentence shown, wherever the client has it from."""

import json

import pytest
from typer.testing import CliRunner

from qiskit_hqnn import _secrets
from qiskit_hqnn.cli.app import app
from qiskit_hqnn.jobs import JobFailedError, expectation_values
from qiskit_hqnn.standin import Fault, Faults
from qiskit_hqnn.standin import handler as standin
from tests.jobs_ibm.conftest import ask

KEY = "ZQ9DistinctiveKey7f3e1c0a5b9d"


@pytest.fixture(params=["environment", "saved", "instance's address"])
def account(request, cloud, monkeypatch):
    """A service that repeats the key in what it says, and an account of one kind."""
    monkeypatch.setattr(_secrets, "_learned", set())
    monkeypatch.setenv("HOME", str(cloud.folder))
    monkeypatch.setitem(standin.ERRORS, "400", (400, 1210, f"key {KEY} may not do this"))
    loopback = cloud.start(Faults([Fault("400", "submit")]))
    monkeypatch.setenv("QISKIT_IBM_TOKEN", KEY)
    if request.param == "saved":
        file = cloud.folder / ".qiskit" / "qiskit-ibm.json"
        file.parent.mkdir()
        names = {"channel": "CHANNEL", "token": "TOKEN", "url": "URL", "instance": "INSTANCE"}
        account = {name: loopback.environment[f"QISKIT_IBM_{word}"] for name, word in names.items()}
        file.write_text(json.dumps({"default-ibm-quantum-platform": account | {"token": KEY}}))
        monkeypatch.setattr(
            "qiskit_ibm_runtime.accounts.management._DEFAULT_ACCOUNT_CONFIG_JSON_FILE", str(file)
        )
        for word in names.values():
            monkeypatch.delenv(f"QISKIT_IBM_{word}")
    elif request.param == "instance's address":
        monkeypatch.setenv("QISKIT_IBM_TOKEN", "another-key-of-this-account")
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{KEY}@proxy.example:3128")
    return loopback


def test_the_key_is_taken_out_of_what_the_service_says(account, cloud):
    manager = cloud.manager()
    with pytest.raises(JobFailedError, match=r"key … may not do this") as refused:
        ask(manager)
    assert KEY not in str(refused.value)
    (job,) = manager.store.jobs()
    with pytest.raises(JobFailedError, match="key … may"):
        expectation_values(manager.store, job.id)
    shown = CliRunner().invoke(app, ["jobs", "--store", str(manager.store.file)])
    assert "key … may not do this" in shown.output
    written = [path for path in cloud.folder.rglob("*") if path.is_file() and path.parent.name != ".qiskit"]
    assert written
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
