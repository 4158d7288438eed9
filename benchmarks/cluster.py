"""A snapshot evaluation over worker processes, and the memory of client and scheduler over a thousand parts.

    python -m benchmarks.cluster scaling [--rounds N] [--sets N]
    python -m benchmarks.cluster memory [--parts N]

Both write what they found to benchmarks/cluster.json, which docs/scaling.md cites. In `scaling` one and two processes
take turns, one thread each. Wall time counts what the machine has left beside other work, so the CPU time of the
workers is measured too: work of one process over that of the busier of two is what idle cores would give, but for what
the client does by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from distributed import Client
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import hqnn_parallel, make_template
from qiskit_hqnn.cluster import connect
from qiskit_hqnn.jobs import JobManager

FILE = Path(__file__).with_name("cluster.json")
PLACE, SHOTS = "fake_fez", 1000


def evaluation(sets: int) -> EstimatorPub:
    """All outputs of HQNN-Parallel's five-qubit circuit for so many sets of gate angles."""
    ansatz = hqnn_parallel(5, 3)
    template = make_template(ansatz)
    values = np.random.default_rng(0).uniform(-3, 3, (sets, template.num_angles))
    return EstimatorPub.coerce(
        (template.circuit, [[observable] for observable in ansatz.observables], values)
    )


def scaling(rounds: int, sets: int) -> dict[str, Any]:
    """Seconds of one and of two worker processes for the same evaluation, in turns."""
    pub = evaluation(sets)
    with connect(workers=1) as one, connect(workers=2) as two:
        clients = {"1": _Asked(one), "2": _Asked(two)}
        values = {name: client.timed(pub)[0] for name, client in clients.items()}  # all is loaded then
        assert np.array_equal(values["1"], values["2"])
        found: dict[str, list[tuple[float, list[float], float]]] = {name: [] for name in clients}
        for _ in range(rounds):
            for name, client in clients.items():
                found[name].append(client.timed(pub)[1:])
    pairs = list(zip(found["1"], found["2"], strict=True))
    return {
        "what": f"{sets} sets, 5 qubits, {SHOTS} shots, {PLACE}, {rounds} pairs, one thread a process",
        "seconds": {name: statistics.median(row[0] for row in rows) for name, rows in found.items()},
        "wall_ratio": statistics.median(a[0] / b[0] for a, b in pairs),
        "cpu_ratio": statistics.median(sum(a[1]) / max(b[1]) for a, b in pairs),
        "cpu_overhead": statistics.median(sum(b[1]) / sum(a[1]) for a, b in pairs),
        "client_cpu_share": statistics.median(a[2] / sum(a[1]) for a, _ in pairs),
        "load_average": os.getloadavg()[0],
    }


class _Asked:
    """A cluster, and the manager that asks it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._manager = JobManager(PLACE, shots=SHOTS, seed=0, cluster=client)

    def timed(self, pub: EstimatorPub) -> tuple[np.ndarray, float, list[float], float]:
        """Values, wall seconds, CPU seconds of each worker, CPU seconds of this process."""
        before, own, started = self._client.run(time.process_time), time.process_time(), time.perf_counter()
        estimation, outcomes = self._manager.estimate(pub)
        seconds = time.perf_counter() - started
        after = self._client.run(time.process_time)
        return (
            estimation.result(outcomes).data.evs,
            seconds,
            [after[worker] - before[worker] for worker in before],
            time.process_time() - own,
        )


def memory(parts: int) -> dict[str, Any]:
    """Resident memory of client and scheduler, MiB, while a job of so many parts is sampled and kept in a store."""
    scheduler = _process("scheduler")
    address = scheduler.stdout.readline().strip()  # type: ignore[union-attr]
    worker = _process("worker", address)
    worker.stdout.readline()  # type: ignore[union-attr]
    rows: list[tuple[int, float, float, int]] = []
    try:
        with connect(address) as client, tempfile.TemporaryDirectory() as folder:
            manager = JobManager(
                "aer", store=Path(folder) / "jobs.db", shots=100, seed=0, sets_at_once=20, cluster=client
            )

            def progress(finished: int, _: int) -> None:
                if not rows or finished >= rows[-1][0] + 50:
                    held = client.run_on_scheduler(_tasks)
                    rows.append((finished, _mib(os.getpid()), _mib(scheduler.pid), held))

            manager.progress = progress
            manager.estimate(evaluation(20 * parts))
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    settled = [row for row in rows if row[0] >= parts // 10]
    middle = settled[len(settled) // 2]
    named = zip(("start", "middle", "end"), (settled[0], middle, settled[-1]), strict=True)
    return {
        "what": f"{parts} parts of 20 sets, Aer, one worker, a store in SQLite",
        **{
            when: {"parts": row[0], "client_mib": round(row[1], 1), "scheduler_mib": round(row[2], 1)}
            for when, row in named
        },
        "most_slices_on_the_scheduler": max(row[3] for row in rows),
    }


def _tasks(dask_scheduler: Any = None) -> int:
    return len(dask_scheduler.tasks)


def _mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / 2**20)


def _process(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.cluster", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


async def _serve(address: str | None) -> None:
    """A scheduler, or a worker of the one at an address, until this process is ended."""
    from distributed import Scheduler, Worker

    quiet: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    server: Any = Scheduler(port=0, **quiet) if address is None else Worker(address, nthreads=1, **quiet)
    async with server:
        print(server.address, flush=True)
        await server.finished()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    paired = commands.add_parser("scaling")
    paired.add_argument("--rounds", type=int, default=7)
    paired.add_argument("--sets", type=int, default=400)
    commands.add_parser("memory").add_argument("--parts", type=int, default=1000)
    commands.add_parser("scheduler")
    commands.add_parser("worker").add_argument("address")
    asked = parser.parse_args()
    if asked.command in ("scheduler", "worker"):
        asyncio.run(_serve(getattr(asked, "address", None)))
        return
    found = scaling(asked.rounds, asked.sets) if asked.command == "scaling" else memory(asked.parts)
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    kept[asked.command] = found
    kept["machine"] = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    FILE.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
