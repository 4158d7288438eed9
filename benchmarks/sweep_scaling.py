"""Strong scaling of a sweep: the same runs in one worker process and in two, one thread each, in turns.

python -m benchmarks.sweep_scaling                 # writes benchmarks/sweep_scaling.json
python -m benchmarks.sweep_scaling --small         # a few seconds; prints only

The ratio of times waited is what a user sees; other programs on the machine lower it. The figure from processor time is
that of idle cores: all work of one worker, divided by that of the busier one of two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

from qiskit_hqnn._files import write_json
from qiskit_hqnn.cluster import connect
from qiskit_hqnn.sweeps import Plan, Point, plans_of, read_points, run_plans
from qiskit_hqnn.training import find_job

_GRID = ["model.depth=1,2", "model.copies=2,4"]
_RESULT = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Turn:
    """One sweep: seconds waited, and processor seconds of each worker."""

    wall: float
    cpu: tuple[float, ...]


def turn(client: Client, points: Sequence[Point], folder: Path) -> Turn:
    """Make all runs in a new folder."""
    plans: list[Plan] = [
        plan for point in points for plan in plans_of(point.job, folder / point.folder, point.name)
    ]
    before = client.run(time.process_time)
    started = time.perf_counter()
    outcomes = run_plans(plans, "data", client, tested=False)
    wall = time.perf_counter() - started
    after = client.run(time.process_time)
    if failures := [one.failure for one in outcomes if one.failure is not None]:
        raise SystemExit(f"A run failed: {failures[0]}")
    return Turn(wall, tuple(after[worker] - before[worker] for worker in after))


def measure(points: Sequence[Point], rounds: int) -> dict[int, list[Turn]]:
    """Turns by number of workers, taken one after the other in each round."""
    turns: dict[int, list[Turn]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name, connect(workers=1) as one, connect(workers=2) as two:
        clients = {1: one, 2: two}
        for workers, client in clients.items():  # what is imported once is no part of a run
            turn(client, points[:workers], Path(name) / f"warm-{workers}")
        for number in range(rounds):
            for workers, client in clients.items():
                turns[workers].append(turn(client, points, Path(name) / f"{number}-{workers}"))
    return turns


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    size = (
        ["train.epochs=1", "data.train_samples=100"]
        if given.small
        else ["train.epochs=6", "data.train_samples=800"]
    )
    points = read_points(find_job("quickstart"), size, _GRID, seeds=1 if given.small else 2)
    turns = measure(points, 1 if given.small else given.rounds)
    ratios = [one.wall / two.wall for one, two in zip(turns[1], turns[2], strict=True)]
    idle = [sum(one.cpu) / max(two.cpu) for one, two in zip(turns[1], turns[2], strict=True)]
    runs = sum(len(point.job.seeds) for point in points)
    load = os.getloadavg()[0]
    for workers, own in turns.items():
        wall = statistics.median(each.wall for each in own)
        cpu = statistics.median(sum(each.cpu) for each in own)
        print(
            f"{workers} worker{'s' if workers > 1 else ''}: {runs} runs in {wall:.1f} s, {cpu:.1f} s of processor time"
        )
    print(
        f"strong scaling 1 to 2: {statistics.median(ratios):.2f} × in time waited (load average {load:.1f})"
    )
    print(f"from processor time: {statistics.median(idle):.2f} × on idle cores")
    if not given.small:
        content = {
            "command": "python -m benchmarks.sweep_scaling",
            "runs": runs,
            "cores": os.cpu_count(),
            "load": round(load, 1),
            "turns": {str(workers): [vars(each) for each in own] for workers, own in turns.items()},
            "ratio": round(statistics.median(ratios), 3),
            "ratio_of_processor_time": round(statistics.median(idle), 3),
        }
        write_json(_RESULT, content)


if __name__ == "__main__":
    main()
