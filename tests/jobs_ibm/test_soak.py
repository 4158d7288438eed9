"""Many jobs through one manager with faults in every tenth answer: nothing grows but the store.

`HQNN_SOAK=2000 pytest tests/jobs_ibm/test_soak.py -s` is the whole soak; the suite runs a short one.
"""

import ast
import gc
import logging
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.adapters.seam import AdapterError
from tests.forked import run_module, start_forked
from tests.jobs_ibm.conftest import PATIENCE, QUICK, question

JOBS = int(os.environ.get("HQNN_SOAK", "28"))


def resident_mib():
    """Memory of this process that is in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def service(monkeypatch, tmp_path):
    """The stand-in service in a process of its own, so that only the client's memory is looked at."""
    printed = tmp_path / "service"
    process = start_forked(
        run_module, "qiskit_hqnn.standin", "manila", "--faults", "0.1",
        folder=tmp_path, environment=dict(os.environ), printed=printed,
    )  # fmt: skip
    while not printed.exists() or "\n# " not in printed.read_text():
        assert process.is_alive(), printed.read_text()
        time.sleep(0.01)
    exports = {}
    for line in printed.read_text().partition("#")[0].splitlines():
        name, value = line.removeprefix("export ").strip().split("=", 1)
        exports[name] = ast.literal_eval(value)
    for name, value in (exports | QUICK).items():
        monkeypatch.setenv(name, value)
    # pytest keeps every log record, the client's with their tracebacks, and with these every connection that was lost.
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    process.terminate()
    process.join(10)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc, which only Linux has")
@pytest.mark.slow
def test_a_long_run_leaks_nothing(service, tmp_path):
    from qiskit_hqnn.jobs import JobManager

    def stubbornly(act):
        """What gives up is started again, as a user would."""
        for _ in range(20):
            try:
                return act()
            except (AdapterError, DeviceError) as error:
                reason = error
        raise reason

    manager = stubbornly(
        lambda: JobManager(
            "ibm_manila", store=tmp_path / "jobs.db", shots=16, cache=tmp_path / "cache", patience=PATIENCE
        )
    )
    marks = []
    for number in range(JOBS):
        answer = stubbornly(
            lambda number=number: manager.estimator().run([question(number, sets=1)]).result()[0].data.evs
        )
        assert np.abs(answer).max() <= 1
        if number + 1 in (JOBS // 4, JOBS):
            gc.collect()
            marks.append((resident_mib(), threading.active_count(), open_files()))
    (early_mib, early_threads, early_files), (late_mib, late_threads, late_files) = marks
    print(f"{JOBS} jobs: {early_mib:.0f} → {late_mib:.0f} MiB, {early_threads} → {late_threads} threads, "
          f"{early_files} → {late_files} files")  # fmt: skip
    assert len(manager.store.jobs()) == JOBS
    assert late_threads <= early_threads + 1
    assert late_files <= early_files + 2
    # A job's record is in the store, not in memory: 16 KiB each would be a leak of 24 MiB over 1,500 jobs.
    assert late_mib - early_mib < 8 + 0.016 * JOBS
