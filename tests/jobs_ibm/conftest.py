import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.sending.protocol import Patience
from qiskit_hqnn.standin import Faults, Loopback
from tests.pictures import blank_pictures, pictures

__all__ = ["blank_pictures", "pictures"]

QUICK = {
    "HQNN_IBM_DEADLINE": "3",
    "HQNN_IBM_POLL": "0.02",
    "HQNN_IBM_LOOKUP": "0.05",
}
PATIENCE = Patience(attempts=30, backoff=0.01, longest=0.05, hiccups=50)


class Cloud:
    """One user's shell: its variables lead to a service, and a store is kept."""

    def __init__(self, monkeypatch, folder):
        self._monkeypatch, self.folder = monkeypatch, folder
        self._open = []
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))

    def start(self, faults=None, looks=1, **options):
        loopback = Loopback(options.pop("devices", ("manila",)), faults=faults or Faults(), **options)
        loopback.service.looks = looks
        loopback.__enter__()
        self._open.append(loopback)
        for name, value in (loopback.environment | QUICK).items():
            self._monkeypatch.setenv(name, value)
        return loopback

    def manager(self, store="jobs.db", **options):
        options.setdefault("patience", PATIENCE)
        options.setdefault("cache", self.folder / "cache")
        return JobManager("ibm_manila", store=self.folder / store, shots=64, **options)

    def close(self):
        for loopback in self._open:
            loopback.__exit__()
        self._open.clear()


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    cloud = Cloud(monkeypatch, tmp_path)
    yield cloud
    cloud.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The answer to `question()` where nothing goes wrong: it follows from the service's seed."""
    with pytest.MonkeyPatch.context() as patch:
        cloud = Cloud(patch, tmp_path_factory.mktemp("undisturbed"))
        cloud.start()
        answer = ask(cloud.manager())
        cloud.close()
    answer.setflags(write=False)
    return answer


def question(number=0, sets=3):
    """An estimator PUB: ⟨ZZ⟩ and ⟨XI⟩ of a small circuit, which take two measurement bases."""
    angles = [Parameter("a"), Parameter("b")]
    circuit = QuantumCircuit(2)
    circuit.ry(angles[0], 0)
    circuit.cx(0, 1)
    circuit.rx(angles[1], 1)
    values = np.random.default_rng(number).uniform(-3, 3, (sets, 2))
    return circuit, [[SparsePauliOp("ZZ")], [SparsePauliOp("XI")]], values


def ask(manager, number=0):
    """The answer to `question(number)`, as an array."""
    return manager.estimator().run([question(number)]).result()[0].data.evs
