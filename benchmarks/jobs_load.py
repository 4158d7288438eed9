"""A large request through manager and store, and a long list of jobs: `python -m benchmarks.jobs_load [SETS]`.

100,000 sets of values × 5 observables on Aer: memory under 1 GiB, the manager's share of the time under 10 %; and
10,000 job records listed in under 0.5 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.jobs import JobManager
from qiskit_hqnn.jobs.adapters import LocalAdapter, SamplingOptions, SamplingRequest
from qiskit_hqnn.jobs.store import Store


class _Timed(LocalAdapter):
    """Counts the seconds inside Aer, and the most memory that was in use after one of its calls."""

    seconds, memory = 0.0, 0

    def submit(self, requests: Sequence[SamplingRequest], *, tag: str, options: SamplingOptions) -> str:
        started = time.perf_counter()
        job = super().submit(requests, tag=tag, options=options)
        self.seconds += time.perf_counter() - started
        self.memory = max(self.memory, psutil.Process().memory_info().rss)
        return job


def main() -> None:
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        _request(sets, Path(folder))
        _listing(Path(folder))


def _request(sets: int, folder: Path) -> None:
    ansatz = hqnn_parallel(5, 3)
    template = make_template(ansatz)
    values = np.random.default_rng(0).uniform(-3, 3, (sets, template.num_angles))
    manager = JobManager("aer", store=folder / "load.db", shots=1000)
    manager.adapter = timed = _Timed(manager.device)
    started = time.perf_counter()
    pub = (template.circuit, [[observable] for observable in ansatz.observables], values)
    evs = manager.estimator().run([pub]).result()[0].data.evs
    seconds = time.perf_counter() - started
    memory = max(timed.memory, psutil.Process().memory_info().rss) / 2**20
    share = 100 * (seconds - timed.seconds) / timed.seconds
    print(
        f"{sets:,} sets × {len(evs)} observables × 1,000 shots: {seconds:.1f} s, of which Aer {timed.seconds:.1f} s"
    )
    print(f"manager and store: {share:.1f} % of Aer's time; memory at most {memory:,.0f} MiB")


def _listing(folder: Path, count: int = 10_000) -> None:
    store = Store(folder / "list.db")
    for index in range(count):
        store.add_job(f"{index:064x}", "aer", "test", 1000, 1000, 2.0, {}, None, [b"request"])
    started = time.perf_counter()
    jobs = store.jobs()
    print(f"{len(jobs):,} job records listed in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
