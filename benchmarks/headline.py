"""HQNN-Parallel trained and tested on a chip by commands, through the stand-in service and its faults.

    python -m benchmarks.headline run --seeds 0 --folder /tmp/headline    # adds to benchmarks/headline.json
    python -m benchmarks.headline table                                   # the table for docs

For each seed: `hqnn run hqnn-parallel-ibm-fez --dry-run`, then the run itself against a stand-in of `ibm_fez` where one
request and one job in twenty goes wrong, ended with SIGKILL once half of its jobs were made, and resumed with
`--resume` until it ends. Then both sides are counted: the jobs that the service ran and charged, and the parts that the
store has.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from qiskit_hqnn.jobs.store import Store
from qiskit_hqnn.standin import Faults, Loopback

ROOT = Path(__file__).parents[1]
FILE = Path(__file__).with_name("headline.json")
JOB, DEVICE = "hqnn-parallel-ibm-fez", "fez"
FAULTS = 0.05
QUICK = {"HQNN_IBM_POLL": "0.1", "HQNN_IBM_LOOKUP": "0.1"}
SETTINGS: list[str] = []
"""Other settings, for a trial of this program."""
RESUMES = 10
"""What gives up under faults is started again so often, as a user would."""


def command(seed: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "qiskit_hqnn", "run", JOB, "--set", f"seeds=[{seed}]", *SETTINGS, *more]


def dry_run(seed: int, shell: dict[str, str], folder: Path) -> dict[str, float]:
    """Executions, jobs and QPU seconds by `--dry-run`."""
    printed = subprocess.run(
        command(seed, "--dry-run"), cwd=folder, env=shell, check=True, capture_output=True, text=True
    ).stdout
    row = re.search(r"^total\s+([\d,]+)\s+([\d,]+)\s+([\d,.]+)", printed, re.MULTILINE)
    if row is None:
        raise SystemExit(f"The price has no total:\n{printed}")
    executions, jobs, seconds = (float(cell.replace(",", "")) for cell in row.groups())
    return {"executions": int(executions), "jobs": int(jobs), "qpu_seconds": seconds}


def killed(seed: int, shell: dict[str, str], folder: Path, loopback: Loopback, jobs: int) -> int:
    """Run until the service has made so many jobs, end it with SIGKILL, and return how many it had made by then."""
    with (folder / "run.log").open("a") as log:
        child = subprocess.Popen(
            command(seed, "--quiet", "--yes"), cwd=folder, env=shell, stdout=log, stderr=log
        )
        while len(loopback.service.jobs) < jobs:
            if child.poll() is not None:
                break  # faults can end a run before: it is resumed all the same
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait()
    return len(loopback.service.jobs)


def resumed(seed: int, shell: dict[str, str], folder: Path) -> int:
    """Resume until the run ends by itself; returns how many commands that took."""
    for number in range(1, RESUMES + 1):
        with (folder / "run.log").open("a") as log:
            again = command(seed, "--quiet", "--yes", "--resume")
            if (
                subprocess.run(again, cwd=folder, env=shell, stdout=log, stderr=log, check=False).returncode
                == 0
            ):
                return number
    raise SystemExit(f"It did not end in {RESUMES} tries; {folder / 'run.log'} says why.")


def counted(loopback: Loopback, folder: Path) -> dict[str, Any]:
    """Both sides: what the service ran, and what the store has of it."""
    service = loopback.service
    paid = {job["id"] for job in service.live()}
    stores = [Store(folder / "runs" / JOB / name) for name in ("jobs.db", "tests.db")]
    parts = [part for store in stores for job in store.jobs() for part in store.chunks(job.id)]
    answered = Counter(part.backend_job for part in parts if part.state == "done")
    charged = [job["seconds"] for job in service.jobs.values() if job["seconds"]]
    return {
        "requests": len(parts),
        "requests answered": sum(answered.values()),
        "jobs made": len(service.jobs),
        "jobs with results": len(paid),
        "one paid job with results for each request": dict(answered) == dict.fromkeys(paid, 1),
        "jobs charged without results": len(charged) - len(paid),
        "executions": sum(job["executions"] for job in service.live()),
        "qpu_seconds": round(service.used, 1),
        "qpu_seconds of these with results": round(sum(job["seconds"] for job in service.live()), 1),
        "qpu_seconds by the store": round(sum(store.spent()[1] for store in stores), 1),
        "faults": len(loopback.faults.happened),
        "of jobs": dict(Counter(kind for on, kind in loopback.faults.happened if on == "job")),
        "left to Aer": getattr(service.engine, "left_to_aer", None),
    }


def one(seed: int, folder: Path, faults: float) -> dict[str, Any]:
    """The whole way of one seed."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    options: dict[str, Any] = {"seed": seed, "engine": "noise"}
    with Loopback([DEVICE], faults=Faults.random(seed, faults), **options) as loopback:
        shell = os.environ | loopback.environment | QUICK | {"PYTHONPATH": str(ROOT)}
        price = dry_run(seed, shell, folder)
        made = killed(seed, shell, folder, loopback, int(price["jobs"] // 2))
        tries = resumed(seed, shell, folder)
        both = counted(loopback, folder)
    metrics = json.loads((folder / "runs" / JOB / "metrics.json").read_text())
    test = {name: round(block["accuracy"], 6) for name, block in metrics["test"].items()}
    return {
        "seed": seed,
        "fault rate": faults,
        "price": price,
        "killed after jobs": made,
        "commands after that": tries,
        "charged": both,
        "accuracy": test,
        "minutes": round((time.monotonic() - started) / 60, 1),
    }


def known() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {"seeds": []}
    return content


def table(content: dict[str, Any]) -> None:
    """The rows for docs/qpu-economy.md."""
    heads = ["seed", "price by `--dry-run`", "charged", "of that without results", "requests"]
    heads += ["paid jobs with results", "accuracy, exact", "on the device"]
    print("| " + " | ".join(heads) + " |\n" + "|--:" * len(heads) + "|")
    for row in content["seeds"]:
        both = row["charged"]
        lost = both["qpu_seconds"] - both["qpu_seconds of these with results"]
        test = row["accuracy"]
        print(
            f"| {row['seed']} | {row['price']['qpu_seconds']:.1f} s | {both['qpu_seconds']:.1f} s | {lost:.1f} s "
            f"| {both['requests']} | {both['jobs with results']} | {100 * test['exact']:.1f} % "
            f"| {100 * test['ibm_fez']:.1f} % |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/headline"))
    parser.add_argument("--faults", type=float, default=FAULTS)
    parser.add_argument("--set", nargs="*", default=[], help="settings of a trial, such as train.epochs=1")
    given = parser.parse_args()
    SETTINGS.extend(word for setting in given.set for word in ("--set", setting))
    if given.what == "table":
        table(known())
        return
    for seed in given.seeds:
        if any(row["seed"] == seed for row in known()["seeds"]):
            continue
        row = one(seed, given.folder.absolute() / f"seed{seed}", given.faults)
        content = known()
        content["seeds"].append(row)
        beside = FILE.with_suffix(".part")
        beside.write_text(json.dumps(content, indent=1) + "\n")
        beside.replace(FILE)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
