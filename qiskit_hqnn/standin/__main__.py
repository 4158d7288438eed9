"""`python -m qiskit_hqnn.standin`: the stand-in service until Ctrl-C, and the variables that a client needs."""

from __future__ import annotations

import argparse
import signal
import threading

from qiskit_hqnn.standin.engines import ENGINES
from qiskit_hqnn.standin.faults import Faults
from qiskit_hqnn.standin.server import Loopback


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m qiskit_hqnn.standin", description=__doc__)
    parser.add_argument(
        "devices", nargs="*", default=["fez"], help="snapshots to serve as ibm_<name> (default: fez)"
    )
    parser.add_argument("--port", type=int, default=0, help="0 selects a free one")
    parser.add_argument(
        "--faults", type=float, default=0.0, help="share of requests that go wrong (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the faults and of the samples")
    parser.add_argument(
        "--engine",
        choices=list(ENGINES),
        default="aer",
        help="what computes outcomes: Aer, or the noise engine, many times faster (default: aer)",
    )
    given = parser.parse_args()
    faults = Faults.random(given.seed, given.faults)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    options = {"seed": given.seed, "port": given.port, "engine": given.engine}
    with Loopback(given.devices, faults=faults, **options) as loopback:
        for name, value in loopback.environment.items():
            print(f"export {name}={value!r}", flush=True)
        print("# Ctrl-C ends the service.", flush=True)
        try:
            stop.wait()
        except KeyboardInterrupt:
            print()
        jobs, read, used = loopback.service.jobs, loopback.service.live(), loopback.service.used
        print(
            f"# {len(jobs):,} jobs, {len(read):,} of them with results; {used:,.1f} QPU seconds charged.",
            flush=True,
        )


if __name__ == "__main__":
    main()
